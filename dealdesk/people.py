"""What a named person does about a quote: decide what it waits for, and tell the CRM of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from orchestrator.errors import EnvironmentProblem, UsageError

Look = Callable[[str, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Calls a tool of a server on behalf of somebody, as `Desk.look` does."""
READINESS = {"opportunity_id": "quote_readiness", "account_id": "account_readiness"}
RECORD = {"opportunity_id": "record_quote_outcome", "account_id": "record_account_quote"}


async def decide_approvals(
    look: Look,
    quote: Mapping[str, Any],
    *,
    approved: bool,
    note: str,
    rules: Collection[str] | None = None,
) -> list[str]:
    """Decide what this person may of a quote's pending approvals; return the roles that are left.

    With `rules`, only those are decided. One rejection is enough, and leaves none. Somebody who may
    decide none of it gets finance's no.
    """
    pending = [a for a in quote["approvals"] if a["status"] == "pending"]
    pending.sort(key=lambda approval: int(approval.get("sequence", 1)))
    named = [a for a in pending if rules is None or a["rule_id"] in rules]
    if unknown := sorted({*(rules or ())} - {a["rule_id"] for a in pending}):
        waiting = ", ".join(a["rule_id"] for a in pending) or "none"
        raise UsageError(f"{unknown[0]} waits for no decision", fix=f"one of: {waiting}")
    refusals: list[UsageError] = []
    left = [str(a["role"]) for a in pending if a not in named]
    pending = named
    for approval in pending:
        decision = "approve" if approved else "reject"
        asked = {"approval_id": approval["approval_id"], "decision": decision, "note": note}
        try:
            await look("finance", "decide_approval", asked)
        except UsageError as refusal:
            refusals.append(refusal)
            left.append(str(approval["role"]))
        else:
            if not approved:
                return []
    if pending and len(refusals) == len(pending):
        raise refusals[0]
    return left


def advice(quote_id: str, step: Mapping[str, Any]) -> str:
    """Return what a quote waits for in words, with the few commands that a person types for it.

    Who may decide most comes first. Finance names people and no command: agents read its answers.
    """
    left, commands = [one["people"] for one in step["decisions"] if one["people"]], []
    while left:
        able = Counter(person["person_id"] for people in left for person in people)
        best, _ = able.most_common(1)[0]  # of equals the first, which is who has limits
        commands.append(f"dealdesk quote approve {quote_id} --as {best}")
        left = [people for people in left if all(one["person_id"] != best for one in people)]
    if step["waits_for"] == "issue" and step["people"]:
        commands.append(f"dealdesk quote issue {quote_id} --as {step['people'][0]['person_id']}")
    said = str(step["say"])
    return f"{said} Command: {' and '.join(commands)}" if commands else said


def _whose(quote: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return what the CRM files a quote under: its opportunity, or the account alone."""
    of = "opportunity_id" if quote["opportunity_id"] else "account_id"
    return of, {of: str(quote[of])}


async def statements(
    look: Look, to_check: Mapping[str, Any], quote: Mapping[str, Any]
) -> dict[str, str]:
    """Ask the catalog and the CRM for their statements about a quote, as finance takes them."""
    lines = await look("catalog", "check_configuration", to_check)
    of, wanted = _whose(quote)
    deal = await look("crm", READINESS[of], wanted)
    return {"catalog_statement": lines["statement"], "crm_statement": deal["statement"]}


async def record_outcome(look: Look, quote: Mapping[str, Any], outcome: str, words: str) -> str:
    """Record in the CRM how a quote stands now, and log it; return why the CRM could not.

    Finance has decided by then, so a CRM that takes no note is news and no failure.
    """
    of, deal = _whose(quote)
    try:
        await record(look, quote, outcome)
        if of == "account_id":  # no deal follows that would close the revision before
            return await _close_before(look, quote, outcome)
        if words:
            await look("crm", "log_activity", {**deal, "kind": "note", "body": words})
    except (UsageError, EnvironmentProblem) as problem:
        return problem.message
    return ""


async def record(look: Look, quote: Mapping[str, Any], outcome: str) -> None:
    """Record in the CRM how a quote stands now, which may be a row of a list."""
    total = quote["total_minor"] if "total_minor" in quote else quote["totals"]["total_minor"]
    facts = {name: quote[name] for name in ("quote_id", "revision", "number", "currency")}
    of, deal = _whose(quote)
    recorded = {**deal, **facts, "outcome": outcome, "total_minor": total}
    await look("crm", RECORD[of], recorded)


async def _close_before(look: Look, quote: Mapping[str, Any], outcome: str) -> str:
    if outcome != "issued" or not quote.get("revises"):
        return ""
    before = await look("finance", "get_quote", {"quote_id": quote["revises"], "whole": True})
    return await record_outcome(look, before, "superseded", "")
