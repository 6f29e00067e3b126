"""`dealdesk quote request|approve|reject|issue|accept|withdraw|supersede`: a named person decides.

These are for quotes of any origin. A quote drafted in a desktop client or by another stack's agent
has no run that could wait for a decision; where one does wait, it goes on as with `runs approve`.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from dealdesk.cli.exit_codes import WAITING
from dealdesk.cli.options import ACTING, ASKED, DECISION, Acting, Asked, Decision, Out, QuoteId, doc
from dealdesk.cli.output import money, progress, tell
from dealdesk.cli.quote_view import print_quote
from dealdesk.cli.run_result import follow
from dealdesk.cli.session import acting_as
from dealdesk.people import advice, decide_approvals, record_outcome, statements
from dealdesk.quote_files import output_folder
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk


async def request_quote(quote_id: QuoteId, /, *, acting: Acting = ACTING) -> int:
    """Ask for every approval a quote needs.

    Whoever asks cannot give them.
    """
    async with acting_as(acting) as desk:
        asked = {"quote_id": await desk.quote_id(quote_id)}
        found = await desk.look("finance", "request_approval", asked)
    tell(found, advice(found["quote_id"], found["next_step"]), acting.json)
    return WAITING if found["status"] == "waiting" else 0


async def approve_quote(
    quote_id: QuoteId, /, *, decision: Decision = DECISION, out: Out = None
) -> int:
    """Approve what a quote waits for, as a named person."""
    return await _decide_quote(quote_id, decision, approved=True, out=out)


async def reject_quote(quote_id: QuoteId, /, *, decision: Decision = DECISION) -> int:
    """Reject what a quote waits for, as a named person.

    That closes it.
    """
    return await _decide_quote(quote_id, decision, approved=False)


async def issue_quote(quote_id: QuoteId, /, *, acting: Asked = ASKED) -> int:
    """Issue a quote for which nothing is left to decide.

    It gets its number and is binding.
    """
    async with _at_hand(quote_id, acting) as (desk, quote, person):
        if not sure("Issue this quote?", quote, yes=acting.yes):
            return WAITING
        stated = await statements(desk.look, quote["to_check"], quote)
        done = await desk.look("finance", "issue_quote", {**_exactly(quote), **stated})
        log = f"Quote {done['number']} issued by {person}."
        done["crm_trouble"] = await record_outcome(desk.look, {**quote, **done}, "issued", log)
    tell(done, f"Issued as {done['number']}, valid until {done['valid_until']}.", acting.json)
    return 0


async def accept_quote(
    quote_id: QuoteId,
    /,
    *,
    reference: Annotated[str, doc("The customer's order number, say.")] = "",
    acting: Asked = ASKED,
) -> int:
    """Record that the customer accepted an issued quote.

    That makes the deal.
    """
    async with _at_hand(quote_id, acting) as (desk, quote, person):
        if not sure("Record the acceptance of this quote?", quote, yes=acting.yes):
            return WAITING
        asked = {**_exactly(quote), "reference": reference}
        done = await desk.look("finance", "accept_quote", asked)
        by = f" with {reference}" if reference else ""
        log = f"Quote {done['number']} accepted{by}; recorded by {person}."
        trouble = await record_outcome(desk.look, {**quote, **done}, "accepted", log)
        for closed in done["closed"]:
            log = f"Quote {closed} closed: {done['number']} was accepted."
            gone = await record_outcome(desk.look, await desk.quote(closed), "superseded", log)
            trouble = gone or trouble
    total = money(done["total_minor"], done["currency"])
    said = f"{done['number']} is accepted{by}: {total}."
    tell({**done, "crm_trouble": trouble}, said, acting.json)
    return 0


async def withdraw_quote(
    quote_id: QuoteId, /, *, reason: Annotated[str, doc("Why.")], acting: Acting = ACTING
) -> int:
    """Take a quote back, as a named person.

    An issued one keeps its number.
    """
    async with _at_hand(quote_id, acting) as (desk, quote, person):
        asked = {"quote_id": quote["quote_id"], "reason": reason}
        done = await desk.look("finance", "withdraw_quote", asked)
        name = done["number"] or quote["quote_id"]
        log = f"Quote {name} withdrawn by {person}: {reason}"
        done["crm_trouble"] = await record_outcome(desk.look, quote, "withdrawn", log)
    tell(done, f"{name} is withdrawn.", acting.json)
    return 0


async def supersede_quote(
    quote_id: QuoteId,
    /,
    *,
    by: Annotated[str, doc("The quote that takes its place.")],
    acting: Acting = ACTING,
) -> int:
    """Close a quote in favour of another.

    Both are of the same account.
    """
    async with _at_hand(quote_id, acting) as (desk, quote, person):
        asked = {"quote_id": quote["quote_id"], "by_quote_id": await desk.quote_id(by)}
        done = await desk.look("finance", "supersede_quote", asked)
        name = done["number"] or quote["quote_id"]
        other = done["superseded_by_number"] or asked["by_quote_id"]
        log = f"Quote {name} closed in favour of {other} by {person}."
        done["crm_trouble"] = await record_outcome(desk.look, quote, "superseded", log)
    tell(done, f"{name} is superseded by {other}.", acting.json)
    return 0


@asynccontextmanager
async def _at_hand(
    named: str, acting: Acting
) -> AsyncIterator[tuple[Desk, dict[str, Any], str | None]]:
    """Give the desk, the quote and who acts, unless a run waits with the quote."""
    async with acting_as(acting) as desk:
        quote = await desk.quote(await desk.quote_id(named))
        refuse_if_run_waits(desk, quote["quote_id"])
        if quote["status"] == "expired":
            await record_outcome(desk.look, quote, "expired", "")
        yield desk, quote, desk.settings.person


async def _decide_quote(
    named: str, decision: Decision, *, approved: bool, out: str | None = None
) -> int:
    async with acting_as(decision) as desk:
        quote = await desk.quote(await desk.quote_id(named))
        run_id = _run_waiting_with(desk, quote["quote_id"])
        if run_id is None:
            _refuse_if_undecidable(quote)
            return await _decide(desk, quote, decision, approved=approved)
    return await decide_run(run_id, decision, approved=approved, out=out)


async def decide_run(
    run_id: str, decision: Decision, *, approved: bool, out: str | None = None
) -> int:
    folder = output_folder(out)
    async with acting_as(decision, work=True) as desk:
        row = desk.run_row(run_id)
        quote = await desk.awaiting_decision(row)
        seen = desk.events(run_id)[-1]["seq"]
        if code := await _decide(desk, quote, decision, approved=approved, run=row):
            return code
        return await follow(
            desk, run_id, row["goal"], out=folder, as_json=decision.json, after=seen
        )


async def _decide(
    desk: Desk,
    quote: Mapping[str, Any],
    decision: Decision,
    *,
    approved: bool,
    run: Mapping[str, Any] | None = None,
) -> int:
    """Show finance's facts, ask, and decide; return 0 when nobody else need decide."""
    shown = _rules_of(quote, decision.rule, desk.settings.person)
    if approved:
        _refuse_unnamed(quote, shown or quote["next_step"]["decisions"], decision)
    for one in shown:
        progress().print(_line_of(one, quote), markup=False, soft_wrap=True)
    named = decision.rule or [one["rule_id"] for one in shown] or None
    if not sure(f"{'Approve' if approved else 'Reject'} this quote?", quote, yes=decision.yes):
        return WAITING
    if run is None:
        await decide_approvals(desk.look, quote, approved=approved, note=decision.note, rules=named)
        decided = await desk.quote(quote["quote_id"])
        said = advice(quote["quote_id"], decided["next_step"])
        tell(decided, f"Decided. {said}", decision.json)
        return WAITING if decided["status"] == "waiting" else 0
    left = sorted(await desk.decide(run, quote, approved=approved, note=decision.note, rules=named))
    if not left:
        return 0
    facts = {"run_id": run["run_id"], "outcome": "waiting", "roles": left}
    tell(facts, f"Decided; still waiting for: {', '.join(left)}.", decision.json)
    return WAITING


def _rules_of(
    quote: Mapping[str, Any], named: Sequence[str] | None, person: str | None
) -> list[Mapping[str, Any]]:
    """Return the rules that this person decides now; of some that are named, only those."""
    return [
        one
        for one in quote["next_step"]["decisions"]
        if any(able["person_id"] == person for able in one["people"])
        and (named is None or one["rule_id"] in named)
    ]


def _line_of(rule: Mapping[str, Any], quote: Mapping[str, Any]) -> str:
    """Return a rule as whoever decides it sees it: role, reason, numbers of the quote."""
    margin = quote.get("margin") or {}
    numbers = money(quote["totals"]["total_minor"], quote["currency"])
    numbers += f", {(quote['effective_discount_bp'] or 0) / 100:g}% off at most"
    if margin.get("hardware_margin_bp") is not None:
        earned, floor = margin["hardware_margin_bp"] / 100, margin["floor_bp"] / 100
        numbers += f", goods earn {earned:g}% (floor {floor:g}%)"
    return f"{rule['rule_id']}, by a {rule['role']}: {rule['reason']} ({numbers})"


def _refuse_unnamed(
    quote: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], decision: Decision
) -> None:
    """Let nobody approve what they neither named nor were asked about."""
    if decision.every and decision.rule:
        raise UsageError("--all and --rule contradict each other", fix="give one of them")
    if decision.every or decision.rule or asks(yes=decision.yes):
        return
    names = " ".join(f"--rule {name}" for name in dict.fromkeys(r["rule_id"] for r in rules))
    raise UsageError(
        f"nobody is asked here; to decide: {'; '.join(_line_of(one, quote) for one in rules)}",
        fix=f"--all, or what you approve by name: {names}",
    )


def _refuse_if_undecidable(quote: Mapping[str, Any]) -> None:
    if not any(one["status"] == "pending" for one in quote["approvals"]):
        ask = f"`dealdesk quote request {quote['quote_id']} --as PERSON`, then decide as another"
        unasked = quote["next_step"]["waits_for"] == "request_approval"
        raise UsageError(
            f"{quote['quote_id']} ({quote['status']}) waits for no decision",
            fix=ask if unasked else advice(quote["quote_id"], quote["next_step"]),
        )


def _exactly(quote: Mapping[str, Any]) -> dict[str, Any]:
    return {"quote_id": quote["quote_id"], "digest": quote["digest"]}  # as it was shown


def _run_waiting_with(desk: Desk, quote_id: str) -> str | None:
    for row in desk.store.list():
        if row["status"] == "waiting":
            waits = (e for e in reversed(desk.events(row["run_id"])) if e["type"] == "waiting")
            if next(waits)["data"]["quote_id"] == quote_id:
                return str(row["run_id"])
    return None


def refuse_if_run_waits(desk: Desk, quote_id: str) -> None:
    """Leave a quote alone that a run waits with: the run goes on by itself."""
    if (run_id := _run_waiting_with(desk, quote_id)) is not None:
        raise UsageError(
            f"the run {run_id} waits with {quote_id} and goes on by itself",
            fix=f"`dealdesk runs approve {run_id} --as PERSON`, or runs reject or cancel",
        )


def sure(question: str, quote: Mapping[str, Any] | None = None, *, yes: bool) -> bool:
    """Ask whoever sits there, below finance's facts; no model's words are among them."""
    if not asks(yes=yes):
        return True
    if quote is not None:
        print_quote(quote)
    if input(f"{question} [y/N] ").strip().lower() in ("y", "yes"):
        return True
    progress().print("Nothing was changed.", markup=False)
    return False


def asks(*, yes: bool) -> bool:
    """Say whether somebody sits there who is asked."""
    return not yes and sys.stdin.isatty()
