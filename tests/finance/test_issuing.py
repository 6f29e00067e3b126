"""Who may issue: a run its own clean draft, a person who may decide what no run made."""

from dataclasses import replace
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import by, call, drafted, everyone, line

from servers.profiles import profile_grant
from servers.toolkit.app import Server

RUN = everyone()
LENA, TOMAS, INGRID, JONAS = (by(f"per_{name}") for name in ("lena", "tomas", "ingrid", "jonas"))
MINTED = everyone(id="g_minted", run="", requester="")
ADMIN = replace(profile_grant("finance", "admin"), tools=RUN.tools)
MAKERS = {
    "profile sales": profile_grant("finance", "sales"),
    "profile admin": ADMIN,
    "minted by hand": MINTED,
    "minted by hand, for a person": everyone(id="g_minted", run="", requester="per_lena"),
    "person": LENA,
    "person who decides": TOMAS,
}


async def issue(app: Server, who: Any, draft: dict[str, Any]) -> dict[str, Any]:
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    return await call(app, who, "issue_quote", arguments)


async def quote_of(app: Server, quote_id: str) -> dict[str, Any]:
    return await call(app, RUN, "get_quote", {"quote_id": quote_id})


async def refuse_all_but(app: Server, draft: dict[str, Any], *able: Any) -> None:
    """See that only these people may issue a draft, and that the next step names just them."""
    for program in (RUN, MINTED, ADMIN):
        with pytest.raises(ToolError, match=r"FORBIDDEN: no run of the desk made this draft"):
            await issue(app, program, draft)
    for person in (LENA, TOMAS, INGRID, JONAS):
        if person not in able:
            with pytest.raises(ToolError, match="FORBIDDEN: "):
                await issue(app, person, draft)
    step = (await quote_of(app, draft["quote_id"]))["next_step"]
    assert step["waits_for"] == "issue"
    assert {one["person_id"] for one in step["people"]} == {one.person for one in able}
    assert "No run of the desk made it" in step["say"]
    assert "A program" not in step["say"]


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
async def test_what_no_run_made_is_issued_by_a_person_who_may_decide(
    app: Server, maker: Any
) -> None:
    draft = await drafted(app, maker)
    assert draft["auto_issue"] is False
    (reason,) = draft["auto_issue_reasons"]
    assert reason.startswith("sales_manager: no run of the desk made this draft")
    await refuse_all_but(app, draft, TOMAS, INGRID)
    assert (await issue(app, TOMAS, draft))["number"] == "Q-2026-000001"


async def test_a_person_issues_what_no_run_made_within_their_limits(app: Server) -> None:
    draft = await drafted(app, MINTED, lines=[line("l1", "SRV-R1-64", 30)])
    assert draft["total_minor"] > 100_000_00
    for need in (await call(app, RUN, "request_approval", {"quote_id": draft["quote_id"]}))[
        "approvals"
    ]:
        decision = {"approval_id": need["approval_id"], "decision": "approve"}
        await call(app, INGRID, "decide_approval", decision)
    await refuse_all_but(app, draft, INGRID)
    assert (await issue(app, INGRID, draft))["number"] == "Q-2026-000001"


async def test_who_decided_about_it_may_issue_it(app: Server) -> None:
    draft = await drafted(app, MINTED, claims=["exemption"])
    (need,) = (await call(app, RUN, "request_approval", {"quote_id": draft["quote_id"]}))[
        "approvals"
    ]
    assert need["role"] == "legal"
    decision = {"approval_id": need["approval_id"], "decision": "approve"}
    await call(app, JONAS, "decide_approval", decision)
    await refuse_all_but(app, draft, TOMAS, INGRID, JONAS)
    assert (await issue(app, JONAS, draft))["number"] == "Q-2026-000001"


async def test_a_revision_by_hand_of_what_a_run_made_is_a_persons_too(app: Server) -> None:
    draft = await drafted(app)
    assert draft["auto_issue"] is True
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"], "discount_bp": 100}
    revised = await call(app, LENA, "revise_quote", arguments)
    await refuse_all_but(app, revised, TOMAS, INGRID)


@pytest.mark.parametrize("maker", ["profile sales", "minted by hand"])
async def test_a_revision_without_a_run_does_not_inherit_the_run(app: Server, maker: str) -> None:
    draft = await drafted(app)
    revised = await drafted(app, MAKERS[maker], revises=draft["quote_id"])
    assert revised["auto_issue"] is False
    with pytest.raises(ToolError, match="FORBIDDEN"):
        await issue(app, RUN, revised)


async def test_a_run_issues_its_own_clean_draft_by_itself(app: Server) -> None:
    draft = await drafted(app)
    assert draft["auto_issue"] is True
    step = (await quote_of(app, draft["quote_id"]))["next_step"]
    assert len(step["people"]) == 4
    assert (await issue(app, RUN, draft))["number"] == "Q-2026-000001"


@pytest.mark.parametrize("maker", [RUN, *(MAKERS[name] for name in MAKERS if "person" not in name)])
async def test_a_deal_that_is_won_is_not_quoted_again_unasked(app: Server, maker: Any) -> None:
    won = await issue(app, RUN, await drafted(app))
    arguments = {"quote_id": won["quote_id"], "digest": won["digest"]}
    await call(app, TOMAS, "accept_quote", arguments)
    with pytest.raises(ToolError, match=r"ALREADY_WON: opp_900 is won already: Q-2026-000001"):
        await drafted(app, maker)
    with pytest.raises(ToolError, match="ALREADY_WON"):
        await drafted(app, maker, revises=won["quote_id"])
    assert (await drafted(app, maker, opportunity_id="opp_901"))["status"] == "draft"


async def test_a_person_may_ask_for_more_on_a_deal_that_is_won(app: Server) -> None:
    won = await issue(app, RUN, await drafted(app))
    arguments = {"quote_id": won["quote_id"], "digest": won["digest"]}
    await call(app, TOMAS, "accept_quote", arguments)
    assert (await drafted(app, LENA))["auto_issue"] is False
