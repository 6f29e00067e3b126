"""`dealdesk quote request|approve|reject|issue`: a person decides about a quote.

These are for quotes of any origin. A quote drafted in a desktop client or by another stack's agent
has no run that could wait for a decision; where one does wait, it goes on as with `runs approve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealdesk.cli.as_person import decider
from dealdesk.cli.output import EXIT, clean, print_json, result

if TYPE_CHECKING:
    from dealdesk.desk import Desk
    from dealdesk.settings import Settings

Flag = Parameter(negative="")
As = Parameter(name="--as")


async def request_quote(
    quote_id: str,
    /,
    *,
    person: Annotated[str | None, As] = None,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Ask for every approval a quote needs; whoever asks cannot give them.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    person
        Who asks: the person's id in finance (default: DEALDESK_PERSON).
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    from dealdesk.desk import Desk

    async with Desk.open(decider(home, person), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        asked = await desk.look("finance", "request_approval", {"quote_id": quote_id})
    say(asked, asked["next_step"]["say"], json)
    return EXIT["waiting"] if asked["status"] == "waiting" else 0


async def approve_quote(
    quote_id: str,
    /,
    *,
    person: Annotated[str | None, As] = None,
    note: str = "",
    yes: Annotated[bool, Flag] = False,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Approve what a quote waits for, as a person whom finance knows.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    person
        Who approves: the person's id in finance (default: DEALDESK_PERSON).
    note
        Why.
    yes
        Do not ask again.
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    settings = decider(home, person)
    return await _decide(settings, quote_id, approved=True, note=note, yes=yes, as_json=json)


async def reject_quote(
    quote_id: str,
    /,
    *,
    person: Annotated[str | None, As] = None,
    note: str = "",
    yes: Annotated[bool, Flag] = False,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Reject what a quote waits for, which closes it.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    person
        Who rejects: the person's id in finance (default: DEALDESK_PERSON).
    note
        Why.
    yes
        Do not ask again.
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    settings = decider(home, person)
    return await _decide(settings, quote_id, approved=False, note=note, yes=yes, as_json=json)


async def issue_quote(
    quote_id: str,
    /,
    *,
    person: Annotated[str | None, As] = None,
    yes: Annotated[bool, Flag] = False,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Issue a quote for which nothing is left to decide: it gets its number and is binding.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    person
        Who issues it: the person's id in finance (default: DEALDESK_PERSON).
    yes
        Do not ask again.
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    from dealdesk.desk import Desk
    from dealdesk.people import in_words
    from dealdesk.people import issue_quote as issue
    from orchestrator.errors import ToolRefused, UsageError

    settings = decider(home, person)
    async with Desk.open(settings, work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        quote = await desk.quote(quote_id)
        refuse_if_run_waits(desk, quote_id)
        if not sure("Issue", quote, yes=yes):
            return EXIT["waiting"]
        try:
            issued, trouble = await issue(desk.servers, desk.signing, settings.person or "", quote)
        except ToolRefused as refusal:
            raise UsageError(in_words(refusal)) from refusal
    words = f"Issued as {issued['number']}, valid until {issued['valid_until']}."
    if trouble:
        words += f" The CRM took no note of it: {trouble}"
    say({**issued, "crm_trouble": trouble}, words, json)
    return 0


async def _decide(
    settings: Settings, quote_id: str, *, approved: bool, note: str, yes: bool, as_json: bool
) -> int:
    from dealdesk.desk import Desk
    from dealdesk.people import decide_approvals
    from orchestrator.errors import UsageError

    person = settings.person or ""
    async with Desk.open(settings, work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        quote = await desk.quote(quote_id)
        run_id = _run_waiting_with(desk, quote_id)
        if run_id is None:
            if not any(one["status"] == "pending" for one in quote["approvals"]):
                ask = f"`dealdesk quote request {quote_id} --as PERSON`, then decide as another"
                unasked = quote["next_step"]["waits_for"] == "request_approval"
                raise UsageError(
                    f"{quote_id} ({quote['status']}) waits for no decision",
                    fix=ask if unasked else quote["next_step"]["say"],
                )
            if not sure("Approve" if approved else "Reject", quote, yes=yes):
                return EXIT["waiting"]
            await decide_approvals(
                desk.servers, desk.signing, person, quote, approved=approved, note=note
            )
            quote = await desk.quote(quote_id)
            say(quote, f"Decided. {quote['next_step']['say']}", as_json)
            return EXIT["waiting"] if quote["status"] == "waiting" else 0
    from dealdesk.cli import runs

    decide = runs.approve_run if approved else runs.reject_run
    return await decide(
        run_id, person=person, note=note, yes=yes, home=str(settings.home), json=as_json
    )


def _run_waiting_with(desk: Desk, quote_id: str) -> str | None:
    for row in desk.store.list():
        if row["status"] == "waiting":
            waits = (e for e in reversed(desk.events(row["run_id"])) if e["type"] == "waiting")
            if next(waits)["data"]["quote_id"] == quote_id:
                return str(row["run_id"])
    return None


def refuse_if_run_waits(desk: Desk, quote_id: str) -> None:
    """Leave a quote alone that a run waits with: the run goes on by itself.

    Raises:
        UsageError: a run waits with it.
    """
    from orchestrator.errors import UsageError

    if (run_id := _run_waiting_with(desk, quote_id)) is not None:
        raise UsageError(
            f"the run {run_id} waits with {quote_id} and goes on by itself",
            fix=f"`dealdesk runs approve {run_id} --as PERSON`, or runs reject or cancel",
        )


def sure(verb: str, quote: dict[str, Any], *, yes: bool) -> bool:
    """Show finance's facts to whoever sits there and ask; no model's words are among them."""
    import sys

    if yes or not sys.stdin.isatty():
        return True
    from dealdesk.cli.quote import print_quote

    print_quote(quote)
    return input(f"{verb} this quote? [y/N] ").strip().lower() in ("y", "yes")


def say(facts: dict[str, Any], words: str, as_json: bool) -> None:
    """Print what came of a step: words for a person, or finance's answer."""
    if as_json:
        print_json(facts)
    else:
        result().print(clean(words, 2000), markup=False)
