"""What forces a decision is not the caller's to leave out: a chain keeps it, a person drops it."""

from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import by, call, drafted, everyone

from servers.profiles import profile_grant
from servers.toolkit.app import Server

SALES, AGENT = profile_grant("finance", "sales"), everyone()
LENA, TOMAS = by("per_lena"), by("per_tomas")


def rules(made: dict[str, Any]) -> set[str]:
    return {need["rule_id"] for need in made["approvals_needed"]}


async def claimed(app: Server) -> dict[str, Any]:
    return await drafted(app, claims=["discount"], warnings=["LEAD_TIME"])


@pytest.mark.parametrize("caller", [SALES, AGENT])
async def test_a_revision_keeps_claims_and_warnings_that_its_caller_leaves_out(
    app: Server, caller: Any
) -> None:
    first = await claimed(app)
    again = await drafted(app, caller, revises=first["quote_id"])
    third = await drafted(app, caller, revises=again["quote_id"], claims=["bank"])
    assert rules(again) == rules(first) == {"claim:discount", "LEAD_TIME"}
    assert rules(third) == rules(first) | {"claim:bank"}
    assert not third["auto_issue"]


async def test_a_new_chain_of_the_same_deal_keeps_them_too(app: Server) -> None:
    first = await claimed(app)
    closing = {"quote_id": first["quote_id"], "reason": "wrong"}
    await call(app, TOMAS, "withdraw_quote", closing)
    assert rules(await drafted(app)) == {"claim:discount", "LEAD_TIME"}


async def test_a_clause_that_was_added_stays(app: Server) -> None:
    plain = await drafted(app)
    ids = [one["clause_id"] for one in (await shown(app, plain))["clauses"]]
    more = await drafted(app, revises=plain["quote_id"], clause_ids=[*ids, "CL-SITE"])
    again = await drafted(app, revises=more["quote_id"], clause_ids=ids)
    kept = [one["clause_id"] for one in (await shown(app, again))["clauses"]]
    assert kept == [*ids, "CL-SITE"]


async def shown(app: Server, made: dict[str, Any]) -> dict[str, Any]:
    return await call(app, TOMAS, "get_quote", {"quote_id": made["quote_id"]})


async def test_a_person_drops_one_with_a_reason_and_it_is_said(app: Server) -> None:
    first = await claimed(app)
    change = {"quote_id": first["quote_id"], "digest": first["digest"], "drop": ["discount"]}
    with pytest.raises(ToolError, match="nothing is dropped without a reason"):
        await call(app, LENA, "revise_quote", change)
    reason = {"drop_reason": "they meant last year's offer"}
    with pytest.raises(ToolError, match="no claim or warning bank"):
        await call(app, LENA, "revise_quote", {**change, **reason, "drop": ["bank"]})
    made = await call(app, LENA, "revise_quote", {**change, **reason})
    assert rules(made) == {"LEAD_TIME"}
    (said,) = [one["message"] for one in made["findings"] if one["code"] == "DROPPED"]
    assert said == "Per_lena dropped discount: they meant last year's offer."
    later = await drafted(app, revises=made["quote_id"])
    assert rules(later) == {"LEAD_TIME"}


async def test_nothing_is_issued_without_terms(app: Server) -> None:
    draft = await drafted(app, clause_ids=[])
    exactly = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    with pytest.raises(ToolError, match="NO_TERMS"):
        await call(app, TOMAS, "issue_quote", exactly)
