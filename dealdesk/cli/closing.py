"""`dealdesk quote accept|withdraw|supersede`: how a quote ends, as a named person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from dealdesk.cli.as_person import decider
from dealdesk.cli.deciding import As, Flag, refuse_if_run_waits, say, sure
from dealdesk.cli.output import EXIT, money

if TYPE_CHECKING:
    from dealdesk.desk import Desk


async def accept_quote(
    quote_id: str,
    /,
    *,
    reference: str = "",
    person: Annotated[str | None, As] = None,
    yes: Annotated[bool, Flag] = False,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Record that the customer accepted an issued quote; that makes the deal.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    reference
        The customer's order number, say.
    person
        Who records it: the person's id in finance (default: DEALDESK_PERSON).
    yes
        Do not ask again.
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    from dealdesk.desk import Desk

    settings = decider(home, person)
    async with Desk.open(settings, work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        quote = await desk.quote(quote_id)
        if not sure("Record the acceptance of", quote, yes=yes):
            return EXIT["waiting"]
        arguments = {"quote_id": quote_id, "digest": quote["digest"], "reference": reference}
        done = await desk.look("finance", "accept_quote", arguments)
        by = f" with {reference}" if reference else ""
        words = f"Quote {done['number']} accepted{by}; recorded by {settings.person}."
        trouble = await _noted(desk, {**quote, **done}, "accepted", words)
        for closed in done["closed"]:
            words = f"Quote {closed} closed: {done['number']} was accepted."
            trouble = await _noted(desk, await desk.quote(closed), "withdrawn", words) or trouble
    total = money(done["total_minor"], done["currency"])
    said = f"{done['number']} is accepted{by}: {total}."
    say({**done, "crm_trouble": trouble}, said + _trouble(trouble), json)
    return 0


async def withdraw_quote(
    quote_id: str,
    /,
    *,
    reason: str,
    person: Annotated[str | None, As] = None,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Take a quote back; an issued one keeps its number.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    reason
        Why.
    person
        Who takes it back: the person's id in finance (default: DEALDESK_PERSON).
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    from dealdesk.desk import Desk

    settings = decider(home, person)
    async with Desk.open(settings, work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        refuse_if_run_waits(desk, quote_id)
        quote = await desk.quote(quote_id)
        arguments = {"quote_id": quote_id, "reason": reason}
        done = await desk.look("finance", "withdraw_quote", arguments)
        name = done["number"] or quote_id
        words = f"Quote {name} withdrawn by {settings.person}: {reason}"
        trouble = await _noted(desk, quote, "withdrawn", words)
    say({**done, "crm_trouble": trouble}, f"{name} is withdrawn." + _trouble(trouble), json)
    return 0


async def supersede_quote(
    quote_id: str,
    /,
    *,
    by: str,
    person: Annotated[str | None, As] = None,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Close a quote in favour of another of the same account.

    Parameters
    ----------
    quote_id
        The quote that is closed.
    by
        The quote that takes its place.
    person
        Who decides it: the person's id in finance (default: DEALDESK_PERSON).
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    from dealdesk.desk import Desk

    settings = decider(home, person)
    async with Desk.open(settings, work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        by = await desk.quote_id(by)
        refuse_if_run_waits(desk, quote_id)
        quote = await desk.quote(quote_id)
        arguments = {"quote_id": quote_id, "by_quote_id": by}
        done = await desk.look("finance", "supersede_quote", arguments)
        name, other = done["number"] or quote_id, done["superseded_by_number"] or by
        words = f"Quote {name} closed in favour of {other} by {settings.person}."
        trouble = await _noted(desk, quote, "withdrawn", words)
    said = f"{name} is superseded by {other}."
    say({**done, "crm_trouble": trouble}, said + _trouble(trouble), json)
    return 0


async def _noted(desk: Desk, quote: dict[str, Any], outcome: str, words: str) -> str:
    from dealdesk.people import record_outcome

    person = desk.settings.person or ""
    return await record_outcome(desk.servers, desk.signing, person, quote, outcome, words)


def _trouble(trouble: str) -> str:
    return f" The CRM took no note of it: {trouble}" if trouble else ""
