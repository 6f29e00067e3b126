"""A quote's life: drafted, revised, approved, issued, withdrawn; and what is refused."""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import (
    Clock,
    asking,
    by,
    call,
    drafted,
    everyone,
    line,
    statements,
    together,
)
from sqlalchemy import text
from sqlmodel import select

from servers.finance.tables.quotes import Approval, Quote
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant

AGENT = everyone()
LENA, TOMAS, INGRID, JONAS = (by(f"per_{n}") for n in ("lena", "tomas", "ingrid", "jonas"))
DEAR = {"discount_bp": 1000}
"""A discount that a sales manager must approve."""
BOTH = {"account_id": ("acc_008",), "opportunity_id": ("opp_906",)}


async def quote_of(app: Server, quote_id: str, **more: Any) -> dict[str, Any]:
    return await call(app, AGENT, "get_quote", {"quote_id": quote_id, **more})


async def issue(app: Server, draft: dict[str, Any], key: str = "") -> dict[str, Any]:
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    return await call(app, AGENT, "issue_quote", arguments, key)


async def ask(app: Server, draft: dict[str, Any], key: str = "") -> list[dict[str, Any]]:
    arguments = {"quote_id": draft["quote_id"]}
    answer = await call(app, AGENT, "request_approval", arguments, key)
    return list(answer["approvals"])


async def decide(app: Server, who: Any, approval: dict[str, Any], **more: Any) -> dict[str, Any]:
    arguments = {"approval_id": approval["approval_id"], "decision": "approve", **more}
    return await call(app, who, "decide_approval", arguments)


def change(database: Database, sql: str) -> None:
    with database.write() as session:
        session.execute(text(sql))


async def test_a_plain_quote_issues_by_itself(app: Server) -> None:
    draft = await drafted(app, generated_by="playbook")
    assert draft["auto_issue"] is True
    assert (draft["approvals_needed"], draft["auto_issue_reasons"]) == ([], [])
    assert (draft["revision"], draft["status"]) == (1, "draft")
    issued = await issue(app, draft)
    assert issued["number"] == "Q-2026-000001"
    assert issued["valid_until"] == "2026-12-23"
    shown = await quote_of(app, draft["quote_id"])
    assert (shown["status"], shown["number"]) == ("issued", "Q-2026-000001")
    assert (shown["issued_on"], shown["digest"]) == ("2026-11-23", draft["digest"])
    assert (shown["generated_by"], shown["created_by"]) == ("playbook", "agent:tester@run_1")
    assert shown["delivery_terms"].startswith("DAP ")
    assert shown["totals"]["total_minor"] == draft["total_minor"] == issued["total_minor"]
    assert [clause["topic"] for clause in shown["clauses"]][:3] == ["offer", "prices", "payment"]


async def test_a_draft_is_what_price_quote_said(app: Server) -> None:
    priced = await call(app, AGENT, "price_quote", asking())
    draft = await drafted(app)
    shown = await quote_of(app, draft["quote_id"])
    assert shown["lines"] == priced["lines"]
    assert (shown["taxes"], shown["totals"]) == (priced["tax"], priced["totals"])


async def test_the_number_has_the_day_of_the_seller(app: Server, clock: Clock) -> None:
    clock.moment = clock.moment.replace(month=12, day=31, hour=23, minute=30)
    issued = await issue(app, await drafted(app))
    assert (issued["number"], issued["valid_until"]) == ("Q-2027-000001", "2027-01-31")


async def test_an_opportunity_has_one_open_quote(app: Server) -> None:
    first = await drafted(app)
    with pytest.raises(
        ToolError, match=rf"CONFLICT: opp_900 has the draft quote {first['quote_id']}"
    ):
        await drafted(app)
    other = await drafted(app, opportunity_id="opp_901")
    assert other["quote_id"] != first["quote_id"]
    await issue(app, first)
    with pytest.raises(ToolError, match="has the issued quote"):
        await drafted(app)
    with pytest.raises(ToolError, match="belongs to another account"):
        await drafted(app, account_id="acc_009", ship_to_address_id="adr_027")


async def test_a_revision_replaces_a_draft_at_once(app: Server) -> None:
    first = await drafted(app, **DEAR)
    await ask(app, first)
    second = await drafted(app, revises=first["quote_id"])
    assert second["revision"] == 2
    old = await quote_of(app, first["quote_id"])
    assert (old["status"], old["approvals"][0]["status"]) == ("superseded", "cancelled")
    with pytest.raises(ToolError, match=r"RULE_VIOLATION: .* is superseded"):
        await issue(app, first)
    with pytest.raises(ToolError, match="CONFLICT"):
        await drafted(app, revises=first["quote_id"])


async def test_a_revision_replaces_an_issued_quote_when_it_is_issued(app: Server) -> None:
    first = await drafted(app)
    await issue(app, first)
    second = await drafted(app, revises=first["quote_id"], lines=[line("l1", "SW-P8-120", 3)])
    assert (await quote_of(app, first["quote_id"]))["status"] == "issued"
    issued = await issue(app, second)
    assert issued["number"] == "Q-2026-000001-r2"
    assert (await quote_of(app, first["quote_id"]))["status"] == "superseded"
    assert (await quote_of(app, second["quote_id"]))["replaces"] == "Q-2026-000001"
    third = await drafted(app, revises=second["quote_id"])
    assert (await issue(app, third))["number"] == "Q-2026-000001-r3"
    plain = await issue(app, await drafted(app, opportunity_id="opp_901"))
    assert plain["number"] == "Q-2026-000002"


async def test_a_withdrawn_revision_leaves_the_issued_one_to_be_revised_again(app: Server) -> None:
    first = await drafted(app)
    await issue(app, first)
    second = await drafted(app, revises=first["quote_id"])
    await call(app, TOMAS, "withdraw_quote", {"quote_id": second["quote_id"], "reason": "typo"})
    third = await drafted(app, revises=first["quote_id"])
    assert third["revision"] == 3


async def test_an_approval_by_the_right_person(app: Server) -> None:
    draft = await drafted(app, **DEAR)
    assert draft["auto_issue"] is False
    assert [need["role"] for need in draft["approvals_needed"]] == ["sales_manager"]
    with pytest.raises(ToolError, match="APPROVAL_REQUIRED"):
        await issue(app, draft)
    (approval,) = await ask(app, draft)
    assert (approval["status"], approval["requested_by"]) == ("pending", "per_lena")
    with pytest.raises(ToolError, match="APPROVAL_REQUIRED"):
        await issue(app, draft)
    for who, why in (
        (LENA, "asked for this quote"),
        (JONAS, "not a sales_manager"),
        (by("per_nobody"), "knows no person"),
    ):
        with pytest.raises(ToolError, match=f"FORBIDDEN: .*{why}"):
            await decide(app, who, approval)
    decision = await decide(app, TOMAS, approval, note="fine")
    assert (decision["quote_status"], decision["still_pending"]) == ("approved", [])
    with pytest.raises(ToolError, match=r"CONFLICT: .* is approved already"):
        await decide(app, INGRID, approval)
    assert (await issue(app, draft))["number"] == "Q-2026-000001"
    shown = await quote_of(app, draft["quote_id"])
    assert shown["approvals"][0]["decided_by"] == "per_tomas"
    assert shown["digest"] == draft["digest"]


async def test_no_agent_and_no_profile_can_decide(app: Server) -> None:
    draft = await drafted(app, **DEAR)
    (approval,) = await ask(app, draft)
    for grant in (AGENT, everyone(tools=AGENT.tools | {"decide_approval", "withdraw_quote"})):
        with pytest.raises(ToolError, match="Unknown tool"):
            await decide(app, grant, approval)
        with pytest.raises(ToolError, match="Unknown tool"):
            await call(
                app, grant, "withdraw_quote", {"quote_id": draft["quote_id"], "reason": "why"}
            )


async def test_whoever_asked_cannot_approve_whatever_their_role(app: Server) -> None:
    mine = everyone(requester="per_tomas")
    draft = await drafted(app, mine, **DEAR)
    (approval,) = await ask(app, draft)  # asked by per_lena, for a quote of per_tomas
    with pytest.raises(ToolError, match="FORBIDDEN: per_tomas asked"):
        await decide(app, TOMAS, approval)
    assert (await decide(app, INGRID, approval))["quote_status"] == "approved"


async def test_a_manager_decides_up_to_their_limits(app: Server) -> None:
    dear = await drafted(app, discount_bp=1600, claims=["discount"])
    approvals = {one["role"]: one for one in await ask(app, dear)}
    assert set(approvals) == {"finance_director", "sales_manager"}
    with pytest.raises(ToolError, match="FORBIDDEN: the discount is above"):
        await decide(app, TOMAS, approvals["sales_manager"])
    large = await drafted(
        app, opportunity_id="opp_901", claims=["ship_to"], lines=[line("l1", "SRV-R1-64", 40)]
    )
    approvals = {one["rule_id"]: one for one in await ask(app, large)}
    assert approvals["APR-TOTAL-2"]["role"] == "finance_director"
    with pytest.raises(ToolError, match="FORBIDDEN: the total is above"):
        await decide(app, TOMAS, approvals["claim:ship_to"])
    for approval in approvals.values():
        decision = await decide(app, INGRID, approval)
    assert decision["quote_status"] == "approved"


async def test_every_failing_rule_has_its_own_approval(app: Server) -> None:
    draft = await drafted(
        app,
        **DEAR,
        account_id="acc_007",
        ship_to_address_id="adr_021",
        claims=["bank", "exemption", "approval"],
        warnings=["EXPORT_LICENCE", "LEAD_TIME"],
    )
    needed = {need["rule_id"]: need["role"] for need in draft["approvals_needed"]}
    assert needed == {
        "APR-DISCOUNT-5": "sales_manager",
        "TAX_ID_UNVERIFIED": "finance_director",
        "claim:approval": "sales_manager",
        "claim:bank": "finance_director",
        "claim:exemption": "legal",
        "EXPORT_LICENCE": "legal",
        "LEAD_TIME": "sales_manager",
    }
    codes = {found["code"] for found in draft["findings"]}
    assert codes >= {"CLAIM_BANK", "CLAIM_EXEMPTION", "CLAIM_APPROVAL", "EXPORT_LICENCE"}
    approvals = await ask(app, draft)
    assert len(approvals) == 7
    for approval in approvals:
        who = {"sales_manager": TOMAS, "finance_director": INGRID, "legal": JONAS}
        decision = await decide(app, who[approval["role"]], approval)
    assert decision["quote_status"] == "approved"
    await issue(app, draft)


@pytest.mark.parametrize(
    "claim", ["ship_to", "exemption", "discount", "approval", "payment_terms", "bank"]
)
async def test_a_claim_changes_no_number_and_asks_a_person(app: Server, claim: str) -> None:
    plain = await drafted(app)
    claimed = await drafted(app, opportunity_id="opp_901", claims=[claim])
    assert claimed["total_minor"] == plain["total_minor"]
    assert claimed["auto_issue"] is False
    assert [found["code"] for found in claimed["findings"]] == [f"CLAIM_{claim.upper()}"]
    assert [found["severity"] for found in claimed["findings"]] == ["needs_human"]


async def test_an_order_date_that_gives_another_price_asks_a_person(app: Server) -> None:
    old = {"account_id": "acc_005", "ship_to_address_id": "adr_015"}
    cheap = await drafted(app, **old, lines=[line("l1", "SRV-D1-16")], order_date="2026-06-30")
    assert [need["rule_id"] for need in cheap["approvals_needed"]] == ["ORDER_DATE"]
    same = await drafted(app, opportunity_id="opp_901", order_date="2026-06-30")
    assert same["auto_issue"] is True


async def test_other_clauses_or_longer_terms_need_approval(app: Server) -> None:
    shown = await quote_of(app, (await drafted(app))["quote_id"])
    ids = [clause["clause_id"] for clause in shown["clauses"]]
    fewer = await drafted(
        app, opportunity_id="opp_901", clause_ids=[i for i in ids if i != "CL-LIABILITY"]
    )
    assert {need["rule_id"]: need["role"] for need in fewer["approvals_needed"]} == {
        "clause:CL-LIABILITY": "legal",
        "MISSING_CLAUSE": "legal",
    }
    longer = await drafted(app, opportunity_id="opp_902", payment_terms="NET60")
    assert [need["role"] for need in longer["approvals_needed"]] == ["finance_director"]
    for wrong in ({"clause_ids": ["CL-INVENTED"]}, {"payment_terms": "NET999"}):
        with pytest.raises(ToolError, match="INVALID_INPUT"):
            await drafted(app, opportunity_id="opp_903", **wrong)


async def test_what_cannot_be_priced_cannot_be_drafted(app: Server) -> None:
    for wrong in (
        {"lines": [line("l1", "NO-SUCH-SKU")]},
        {"ship_method": "RAIL"},
        {"lines": [line("l1", "SW-P8-120", optional=True)]},
    ):
        with pytest.raises(ToolError, match="RULE_VIOLATION: this cannot be quoted"):
            await drafted(app, **wrong)


async def test_a_rejection_closes_the_quote(app: Server) -> None:
    draft = await drafted(app, **DEAR, claims=["bank"])
    approvals = {one["role"]: one for one in await ask(app, draft)}
    decision = await decide(app, TOMAS, approvals["sales_manager"], decision="reject")
    assert decision["quote_status"] == "rejected"
    shown = await quote_of(app, draft["quote_id"])
    assert sorted(one["status"] for one in shown["approvals"]) == ["cancelled", "rejected"]
    with pytest.raises(ToolError, match=r"RULE_VIOLATION: .* is rejected"):
        await issue(app, draft)
    with pytest.raises(ToolError, match=r"CONFLICT: .* is cancelled already"):
        await decide(app, INGRID, approvals["finance_director"])
    again = await drafted(app, revises=draft["quote_id"])
    assert again["revision"] == 2


async def test_an_approval_lapses_and_is_asked_for_again(app: Server, clock: Clock) -> None:
    draft = await drafted(app, **DEAR)
    (approval,) = await ask(app, draft)
    clock.forward(days=14)
    with pytest.raises(ToolError, match="EXPIRED"):
        await decide(app, TOMAS, approval)
    old, renewed = await ask(app, draft)
    assert (old["status"], renewed["status"]) == ("expired", "pending")
    assert (await decide(app, TOMAS, renewed))["quote_status"] == "approved"
    clock.forward(days=15)
    with pytest.raises(ToolError, match="APPROVAL_REQUIRED: approval is missing or expired"):
        await issue(app, draft)
    latest = (await ask(app, draft))[-1]
    assert (await quote_of(app, draft["quote_id"]))["status"] == "waiting"
    await decide(app, TOMAS, latest)
    await issue(app, draft)


async def test_asking_twice_asks_once(app: Server) -> None:
    draft = await drafted(app, **DEAR)
    assert await ask(app, draft) == await ask(app, draft)
    plain = await drafted(app, opportunity_id="opp_901")
    assert await ask(app, plain) == []
    assert (await quote_of(app, plain["quote_id"]))["status"] == "draft"


async def test_an_approval_of_another_state_is_void(app: Server, database: Database) -> None:
    draft = await drafted(app, **DEAR)
    (approval,) = await ask(app, draft)
    change(database, "DROP TRIGGER approval_guard_4")
    change(database, "UPDATE approval SET digest = 'of something else'")
    with pytest.raises(ToolError, match="CHANGED"):
        await decide(app, TOMAS, approval)
    change(database, "UPDATE approval SET status = 'approved'")
    with pytest.raises(ToolError, match="APPROVAL_REQUIRED"):
        await issue(app, draft)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE price_entry SET amount = amount + 10000", "lines"),
        ("UPDATE freight_rate SET base = base + 10000", "freight"),
        ("UPDATE customer SET legal_name = 'Another Ltd'", "customer"),
        ("UPDATE clause SET text = 'You owe us everything.'", "clauses"),
        ("UPDATE customer SET credit_limit_minor = 1", "approvals_needed"),
    ],
)
async def test_issue_refuses_a_quote_that_would_come_out_different(
    app: Server, database: Database, sql: str, what: str
) -> None:
    draft = await drafted(app)
    change(database, sql)
    with pytest.raises(ToolError, match=f"CHANGED: the quote would come out different now.*{what}"):
        await issue(app, draft)
    assert (await quote_of(app, draft["quote_id"]))["status"] == "draft"


async def test_issue_wants_the_digest_of_the_quote_and_happens_once(app: Server) -> None:
    draft = await drafted(app)
    with pytest.raises(ToolError, match="CHANGED"):
        await issue(app, {**draft, "digest": "0" * 64})
    await issue(app, draft)
    with pytest.raises(ToolError, match=r"CONFLICT: .* was issued as Q-2026-000001"):
        await issue(app, draft)


async def test_a_stored_text_that_was_tampered_with_is_never_issued(
    app: Server, database: Database
) -> None:
    draft = await drafted(app)
    change(database, "DROP TRIGGER quote_guard_0")
    change(database, "UPDATE quote SET snapshot = replace(snapshot, '389.00', '089.00')")
    with pytest.raises(ToolError, match="CHANGED"):
        await issue(app, draft)


async def test_a_repeat_gets_the_stored_result_also_with_other_arguments(app: Server) -> None:
    first = await drafted(app, key="run/assemble:create_quote:0")
    again = await drafted(
        app, key="run/assemble:create_quote:0", opportunity_id="opp_905", discount_bp=400
    )
    assert again == {**first, "replayed": True}
    issued = await issue(app, first, key="run/issue:issue_quote:0")
    assert await issue(app, first, key="run/issue:issue_quote:0") == {**issued, "replayed": True}
    dear = await drafted(app, opportunity_id="opp_901", **DEAR)
    asked = await call(app, AGENT, "request_approval", {"quote_id": dear["quote_id"]}, "k")
    again = await call(app, AGENT, "request_approval", {"quote_id": dear["quote_id"]}, "k")
    assert again == {**asked, "replayed": True}


async def test_a_refusal_is_not_stored(app: Server) -> None:
    with pytest.raises(ToolError):
        await drafted(app, key="k", ship_method="RAIL")
    assert (await drafted(app, key="k"))["replayed"] is False


STRANGERS = {
    "another run": everyone(id="g_2", run="run_2"),
    "another agent": everyone(id="g_3", agent="engine"),
    "a minted grant": everyone(id="g_4", run=""),
    "a person": by("per_lena"),
    "a profile": profile_grant("finance", "admin"),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
async def test_another_callers_key_reveals_and_blocks_nothing(app: Server, stranger: Grant) -> None:
    """The keys are those of a run, which whoever reads `created_by` can work out."""
    key = "run_1/assemble:create_quote:0"
    theirs = await drafted(app, stranger, key, opportunity_id="opp_905")  # before the run does
    mine = await drafted(app, AGENT, key)
    assert (mine["replayed"], mine["quote_id"] == theirs["quote_id"]) == (False, False)
    bound = everyone(id="g_5", run="run_5", bind=BOTH)
    read = await drafted(app, bound, key, opportunity_id="opp_906")
    assert not {mine["quote_id"], theirs["quote_id"]} & {*map(str, read.values())}
    assert (await drafted(app, AGENT, key))["quote_id"] == mine["quote_id"]

    for tool, names in (
        ("request_approval", ["quote_id"]),
        ("issue_quote", ["quote_id", "digest"]),
    ):
        key = f"run_1/issue:{tool}:0"
        with suppress(ToolError):  # not everybody may issue what no run made
            await call(app, stranger, tool, {name: theirs[name] for name in names}, key)
        done = await call(app, AGENT, tool, {name: mine[name] for name in names}, key)
        assert (done["quote_id"], done["replayed"]) == (mine["quote_id"], False)


async def test_a_replay_is_refused_to_a_grant_that_may_not_read_the_quote(app: Server) -> None:
    first = await drafted(app, AGENT, "run_1/assemble:create_quote:0")
    bound = replace(AGENT, id="g_2", bind=BOTH)
    with pytest.raises(ToolError, match="NOT_FOUND: this key") as caught:
        await drafted(app, bound, "run_1/assemble:create_quote:0", opportunity_id="opp_906")
    assert first["quote_id"] not in str(caught.value)


async def test_withdrawing_is_a_persons_and_keeps_the_number(app: Server) -> None:
    draft = await drafted(app)
    await issue(app, draft)
    arguments = {"quote_id": draft["quote_id"], "reason": "wrong company"}
    gone = await call(app, TOMAS, "withdraw_quote", arguments)
    assert (gone["status"], gone["number"]) == ("withdrawn", "Q-2026-000001")
    with pytest.raises(ToolError, match="is withdrawn"):
        await call(app, TOMAS, "withdraw_quote", arguments)
    fresh = await drafted(app)
    assert fresh["revision"] == 1
    assert (await issue(app, fresh))["number"] == "Q-2026-000002"


async def test_numbers_have_no_gaps_under_two_threads(app: Server, other: Server) -> None:
    drafts = [await drafted(app, opportunity_id=f"opp_{n}") for n in range(8)]
    works = [(lambda d=draft, a=(app, other)[n % 2]: issue(a, d)) for n, draft in enumerate(drafts)]
    issued = [one for pair in zip(works[::2], works[1::2], strict=True) for one in together(*pair)]
    assert sorted(one["number"] for one in issued) == [f"Q-2026-{n:06d}" for n in range(1, 9)]


async def test_two_deciding_at_once_one_wins(app: Server, other: Server) -> None:
    draft = await drafted(app, **DEAR)
    (approval,) = await ask(app, draft)
    results = together(
        lambda: decide(app, TOMAS, approval),
        lambda: decide(other, INGRID, approval, decision="reject"),
    )
    errors = [one for one in results if isinstance(one, ToolError)]
    assert len(errors) == 1
    assert re.match("CONFLICT|RULE_VIOLATION", str(errors[0]))
    shown = await quote_of(app, draft["quote_id"])
    assert len([one for one in shown["approvals"] if one["decided_by"]]) == 1


async def test_two_drafting_at_once_one_wins(app: Server, other: Server) -> None:
    results = together(lambda: drafted(app), lambda: drafted(other))
    errors = [one for one in results if isinstance(one, ToolError)]
    assert len(errors) == 1
    assert str(errors[0]).startswith("CONFLICT")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE quote SET total_minor = 1",
        "UPDATE quote SET snapshot = '{}'",
        "UPDATE quote SET inputs = '{}'",
        "UPDATE quote SET digest = 'x'",
        "UPDATE quote SET margin = NULL",
        "UPDATE quote SET number = 'Q-2026-000999'",
        "UPDATE quote SET valid_until = '2099-01-01'",
        "UPDATE quote SET status = 'draft'",
        "UPDATE quote SET status = 'approved'",
        "UPDATE quote SET status = 'nonsense'",
        "DELETE FROM quote",
        "INSERT OR REPLACE INTO quote SELECT * FROM quote",
        "UPDATE approval SET status = 'rejected'",
        "UPDATE approval SET decided_by = 'per_lena'",
        "UPDATE approval SET used_at = NULL",
        "UPDATE approval SET digest = 'x'",
        "DELETE FROM approval",
        "INSERT OR REPLACE INTO approval SELECT * FROM approval",
    ],
)
async def test_the_database_itself_keeps_an_issued_quote(
    app: Server, database: Database, sql: str
) -> None:
    draft = await drafted(app, **DEAR)
    (approval,) = await ask(app, draft)
    await decide(app, TOMAS, approval)
    await issue(app, draft)
    with database.session() as session:
        before = [row.model_dump() for row in session.exec(select(Quote))]
    with pytest.raises(Exception, match=r"never|once|fixed|cannot take|known|constraint"):
        change(database, sql)
    with database.session() as session:
        assert [row.model_dump() for row in session.exec(select(Quote))] == before
        assert session.exec(select(Approval)).one().used_at is not None


@pytest.mark.parametrize("status", ["issued", "approved"])
async def test_no_step_skips_the_number(app: Server, database: Database, status: str) -> None:
    await drafted(app)
    if status == "issued":
        with pytest.raises(Exception, match="quote_issued_has_number"):
            change(database, "UPDATE quote SET status = 'issued'")
    with pytest.raises(Exception, match="quote_number_comes_with_issue"):
        change(database, "UPDATE quote SET number = 'Q-1'")


async def test_quotes_without_an_opportunity_stand_beside_each_other(
    app: Server, clock: Clock
) -> None:
    """Each is the first of its own revisions; what one becomes changes nothing of another."""
    said = statements(app, clock, deal=("acc_008", ""))
    first, other = [await drafted(app, opportunity_id=None, **said) for _ in range(2)]
    assert (first["opportunity_id"], first["approvals_needed"]) == ("", [])
    await issue(app, first)
    again = await drafted(app, opportunity_id=None, revises=first["quote_id"], **said)
    assert again["revision"] == 2
    assert (await issue(app, again))["number"] == "Q-2026-000001-r2"
    listed = await call(app, AGENT, "list_quotes", {"account_id": "acc_008"})
    status = {row["quote_id"]: row["status"] for row in listed["items"]}
    assert [status[one["quote_id"]] for one in (first, again, other)] == [
        *("superseded", "issued", "draft"),
    ]
    assert {row["opportunity_id"] for row in listed["items"]} == {""}
    theirs = await drafted(app, **statements(app, clock))
    with pytest.raises(ToolError, match="cannot be revised"):
        await drafted(app, opportunity_id=None, revises=theirs["quote_id"], **said)
    bound = everyone(bind=BOTH)
    with pytest.raises(ToolError, match="no opportunity_id was given"):
        await drafted(app, bound, opportunity_id=None, **said)
