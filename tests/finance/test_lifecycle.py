"""The end of a quote: accepted, expired, superseded, revised by hand; and what is refused."""

import re
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import Clock, by, call, drafted, everyone, line, together
from sqlalchemy import text
from sqlmodel import select

from servers.finance.tables.quotes import Quote
from servers.toolkit.app import Server
from servers.toolkit.database import Database

AGENT = everyone()
LENA, TOMAS, INGRID = (by(f"per_{name}") for name in ("lena", "tomas", "ingrid"))


async def quote_of(app: Server, quote_id: str) -> dict[str, Any]:
    return await call(app, AGENT, "get_quote", {"quote_id": quote_id})


async def issued(app: Server, **changes: Any) -> dict[str, Any]:
    draft = await drafted(app, **changes)
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    return await call(app, AGENT, "issue_quote", arguments)


async def accept(app: Server, quote: dict[str, Any], who: Any = TOMAS, **more: Any) -> Any:
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"], **more}
    return await call(app, who, "accept_quote", arguments)


async def revise(app: Server, quote: dict[str, Any], who: Any = LENA, **more: Any) -> Any:
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"], **more}
    return await call(app, who, "revise_quote", arguments)


def change(database: Database, sql: str) -> None:
    with database.write() as session:
        session.execute(text(sql))


async def test_an_accepted_quote_is_a_deal_and_final(app: Server, clock: Clock) -> None:
    quote = await issued(app)
    clock.forward(days=3)
    done = await accept(app, quote, reference="PO 4711")
    assert (done["status"], done["number"]) == ("accepted", "Q-2026-000001")
    assert (done["accepted_by"], done["accepted_at"]) == ("per_tomas", "2026-11-26T09:00:00Z")
    shown = await quote_of(app, quote["quote_id"])
    assert (shown["status"], shown["acceptance_reference"]) == ("accepted", "PO 4711")
    assert shown["next_step"]["waits_for"] == "nothing"
    assert "a deal" in shown["next_step"]["say"]
    with pytest.raises(ToolError, match=r"CONFLICT: Q-2026-000001 was accepted on"):
        await accept(app, quote)
    for tool, more in (
        ("withdraw_quote", {"reason": "changed our mind"}),
        (
            "supersede_quote",
            {"by_quote_id": (await drafted(app, opportunity_id="opp_901"))["quote_id"]},
        ),
    ):
        with pytest.raises(ToolError, match="is accepted"):
            await call(app, TOMAS, tool, {"quote_id": quote["quote_id"], **more})
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"]}
    with pytest.raises(ToolError, match="was issued as"):
        await call(app, AGENT, "issue_quote", arguments)
    with pytest.raises(ToolError, match=r"\(accepted\) cannot be revised"):
        await revise(app, quote, discount_bp=100)


async def test_what_is_still_in_work_gives_way_to_the_deal(app: Server) -> None:
    quote = await issued(app)
    second = await revise(app, quote, discount_bp=100)
    done = await accept(app, quote)
    assert done["closed"] == [second["quote_id"]]
    shown = await quote_of(app, second["quote_id"])
    assert (shown["status"], shown["superseded_by"]) == ("superseded", quote["quote_id"])


async def test_only_a_person_accepts_and_only_what_was_issued(app: Server) -> None:
    draft = await drafted(app)
    with pytest.raises(ToolError, match=r"RULE_VIOLATION: .* is draft; only an issued quote"):
        await accept(app, draft)
    quote = await issued(app, opportunity_id="opp_901")
    for grant in (AGENT, everyone(tools=AGENT.tools | {"accept_quote"})):
        with pytest.raises(ToolError, match="Unknown tool"):
            await accept(app, quote, grant)
    with pytest.raises(ToolError, match="knows no person"):
        await accept(app, quote, by("per_nobody"))
    with pytest.raises(ToolError, match="CHANGED"):
        await accept(app, {**quote, "digest": "0" * 64})


async def test_validity_ends_with_the_day_of_the_seller(app: Server, clock: Clock) -> None:
    quote = await issued(app)
    assert quote["valid_until"] == "2026-12-23"
    clock.moment = clock.moment.replace(month=12, day=23, hour=22, minute=59)  # 23:59 in Berlin
    assert (await quote_of(app, quote["quote_id"]))["status"] == "issued"
    clock.forward(minutes=1)
    shown = await quote_of(app, quote["quote_id"])
    assert shown["status"] == "expired"
    assert f"revises={quote['quote_id']}" in shown["next_step"]["say"]
    with pytest.raises(ToolError, match=r"EXPIRED: Q-2026-000001 was valid until 2026-12-23"):
        await accept(app, quote)


async def test_what_expired_reads_so_and_is_written_down_with_the_next_write(
    app: Server, clock: Clock, database: Database
) -> None:
    quote = await issued(app)
    clock.forward(days=31)
    for status, count in (("expired", 1), ("issued", 0)):
        listed = await call(app, AGENT, "list_quotes", {"status": status})
        assert listed["total"] == count
    with database.session() as session:
        assert session.exec(select(Quote.status)).one() == "issued"
    arguments = {"quote_id": quote["quote_id"], "reason": "a test"}
    with pytest.raises(ToolError, match="is expired"):
        await call(app, TOMAS, "withdraw_quote", arguments)
    with database.session() as session:
        assert session.exec(select(Quote.status)).one() == "expired", "also by a refused step"
    fresh = await drafted(app)
    assert fresh["revision"] == 1, "the opportunity is free again"
    listed = await call(app, AGENT, "list_quotes", {"status": "expired"})
    assert [row["quote_id"] for row in listed["items"]] == [quote["quote_id"]]


async def test_quotes_that_expired_since_a_moment_are_listed(app: Server, clock: Clock) -> None:
    quote = await issued(app)
    moments = ["2026-12-23T22:59:00Z", "2026-12-23T23:00:00Z"]  # it ends at 23:00 in UTC

    async def listed() -> list[int]:
        asked = [{"expired_since": moment} for moment in moments]
        return [(await call(app, AGENT, "list_quotes", one))["total"] for one in asked]

    clock.moment = clock.moment.replace(month=12, day=23, hour=22, minute=59)
    assert await listed() == [0, 0]
    clock.forward(minutes=1)
    assert await listed() == [1, 0], "also while nobody has written it down"
    with pytest.raises(ToolError, match="is expired"):
        await call(
            app, TOMAS, "withdraw_quote", {"quote_id": quote["quote_id"], "reason": "a test"}
        )
    clock.forward(days=1)
    assert await listed() == [1, 0]
    with pytest.raises(ToolError, match="expired_since"):
        await call(app, AGENT, "list_quotes", {"expired_since": "2026-12-23T22:59:00"})


async def test_quotes_that_expire_soon_are_listed(app: Server, clock: Clock) -> None:
    first = await issued(app)
    clock.forward(days=10)
    await issued(app, opportunity_id="opp_901", order_date="2026-12-03")
    for days, count in ((19, 0), (20, 1), (30, 2)):
        found = await call(app, AGENT, "list_quotes", {"expiring_within_days": days})
        assert found["total"] == count
    clock.forward(days=20)  # the last day of the first
    found = await call(app, AGENT, "list_quotes", {"expiring_within_days": 0})
    assert [row["quote_id"] for row in found["items"]] == [first["quote_id"]]


async def test_credit_and_screening_are_looked_at_again(
    app: Server, database: Database, clock: Clock
) -> None:
    quote = await issued(app)
    change(database, "UPDATE customer SET credit_hold = 1 WHERE account_id = 'acc_008'")
    with pytest.raises(ToolError, match="RECHECK: CREDIT_HOLD since the quote was issued"):
        await accept(app, quote)
    change(database, "UPDATE customer SET credit_hold = 0")
    change(
        database,
        "INSERT INTO screening_entry (entry_id, name, country, aliases) "
        "SELECT 'x', legal_name, country, '[]' FROM customer WHERE account_id = 'acc_008'",
    )
    with pytest.raises(ToolError, match="RECHECK: SCREENING_HIT"):
        await accept(app, quote)
    change(database, "DELETE FROM screening_entry WHERE entry_id = 'x'")
    change(
        database,
        "UPDATE policy SET value = replace(value, '2026-11', '2020-11') WHERE name = 'screening'",
    )
    with pytest.raises(ToolError, match="RECHECK: SCREENING_STALE"):
        await accept(app, quote)


async def test_a_quote_that_went_out_without_its_approval_is_not_accepted(
    app: Server, database: Database
) -> None:
    draft = await drafted(app, discount_bp=1000)
    change(
        database,
        "UPDATE quote SET status = 'issued', number = 'Q-X', issued_at = '2026-11-23T09:00:00Z', "
        "valid_until = '2026-12-23'",
    )
    with pytest.raises(ToolError, match="APPROVAL_REQUIRED: approval is missing: APR-DISCOUNT-5"):
        await accept(app, draft)


async def test_two_accepting_at_once_one_wins(app: Server, other: Server) -> None:
    quote = await issued(app)
    results = together(
        lambda: accept(app, quote, TOMAS, reference="PO 1"),
        lambda: accept(other, quote, INGRID, reference="PO 2"),
    )
    (refused,) = (one for one in results if isinstance(one, ToolError))
    assert re.match("CONFLICT: Q-2026-000001 was accepted", str(refused))
    (won,) = (one for one in results if isinstance(one, dict))
    shown = await quote_of(app, quote["quote_id"])
    assert shown["acceptance_reference"] == won["acceptance_reference"]


async def test_accepting_twice_with_one_key_accepts_once(app: Server) -> None:
    quote = await issued(app)
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"]}
    first = await call(app, TOMAS, "accept_quote", arguments, "k")
    assert await call(app, TOMAS, "accept_quote", arguments, "k") == {**first, "replayed": True}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE quote SET accepted_by = 'per_lena'",
        "UPDATE quote SET accepted_at = NULL",
        "UPDATE quote SET acceptance_reference = 'another'",
        "UPDATE quote SET status = 'issued'",
        "UPDATE quote SET status = 'withdrawn'",
        "UPDATE quote SET valid_until = '2099-01-01'",
        "UPDATE quote SET price_lock_until = '2099-01-01'",
        "UPDATE quote SET entity_id = 'ent_other'",
        "UPDATE quote SET snapshot = '{}'",
        "DELETE FROM quote",
    ],
)
async def test_the_database_itself_keeps_an_accepted_quote(
    app: Server, database: Database, sql: str
) -> None:
    await accept(app, await issued(app), reference="PO 1")
    with pytest.raises(Exception, match=r"never|once|cannot take|constraint"):
        change(database, sql)


async def test_one_quote_is_closed_in_favour_of_another(app: Server) -> None:
    first = await issued(app)
    second = await drafted(app, opportunity_id="opp_901")
    arguments = {"quote_id": first["quote_id"], "by_quote_id": second["quote_id"]}
    done = await call(app, TOMAS, "supersede_quote", arguments)
    assert (done["status"], done["superseded_by"]) == ("superseded", second["quote_id"])
    shown = await quote_of(app, first["quote_id"])
    assert second["quote_id"] in shown["next_step"]["say"]
    with pytest.raises(ToolError, match="is superseded"):
        await call(app, TOMAS, "supersede_quote", arguments)
    with pytest.raises(ToolError, match="not another quote of the same account"):
        await call(app, TOMAS, "supersede_quote", {**arguments, "by_quote_id": first["quote_id"]})
    foreign = await drafted(
        app, opportunity_id="opp_902", account_id="acc_009", ship_to_address_id="adr_027"
    )
    with pytest.raises(ToolError, match="not another quote of the same account"):
        await call(
            app,
            TOMAS,
            "supersede_quote",
            {"quote_id": second["quote_id"], "by_quote_id": foreign["quote_id"]},
        )


async def test_a_person_revises_by_hand_and_sees_what_differs(app: Server) -> None:
    first = await drafted(app, lines=[line("l1", "SW-P8-120", 12), line("l2", "SRV-D1-16", 1)])
    asked = {
        "change_lines": [{"line_id": "l1", "quantity": 20}],
        "remove_lines": ["l2"],
        "add_lines": [line("l3", "SRV-R1-64", 2)],
        "discount_bp": 300,
    }
    seen = await revise(app, first, **asked, preview=True)
    assert (seen["stored"], seen["quote_id"], seen["revision"]) == (False, None, 2)
    assert (await quote_of(app, first["quote_id"]))["status"] == "draft", "a preview stores nothing"
    made = await revise(app, first, **asked)
    assert (made["stored"], made["revision"], made["status"]) == (True, 2, "draft")
    assert made["total_minor"] == seen["total_minor"]
    changes = {one["line_id"]: one for one in made["diff"]["lines"]}
    assert {i: c["change"] for i, c in changes.items()} == {
        "l1": "changed",
        "l2": "removed",
        "l3": "added",
    }
    fields = {one["name"]: (one["before"], one["after"]) for one in changes["l1"]["fields"]}
    assert fields["quantity"] == ("12", "20")
    assert any(one["name"] == "totals.total_minor" for one in made["diff"]["numbers"])
    assert {"name": "discount_bp", "before": "0", "after": "300"} in made["diff"]["terms"]
    assert [one["code"] for one in made["findings"]] == []
    old = await quote_of(app, first["quote_id"])
    assert (old["status"], old["superseded_by"]) == ("superseded", made["quote_id"])
    arguments = {"quote_id": first["quote_id"], "other_quote_id": made["quote_id"]}
    again = await call(app, AGENT, "diff_quotes", arguments)
    assert again == made["diff"]
    same = await call(app, AGENT, "diff_quotes", {**arguments, "other_quote_id": first["quote_id"]})
    assert (same["same"], same["lines"], same["numbers"]) == (True, [], [])


async def test_who_revises_by_hand_asks_for_it_and_cannot_approve_it(app: Server) -> None:
    made = await revise(app, await drafted(app), TOMAS, discount_bp=1000)
    asked = await call(app, AGENT, "request_approval", {"quote_id": made["quote_id"]})
    (approval,) = asked["approvals"]
    arguments = {"approval_id": approval["approval_id"], "decision": "approve"}
    with pytest.raises(ToolError, match="FORBIDDEN: per_tomas asked for this quote"):
        await call(app, TOMAS, "decide_approval", arguments)
    assert (await call(app, INGRID, "decide_approval", arguments))["quote_status"] == "approved"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "nothing is changed"),
        ({"change_lines": [{"line_id": "l1"}]}, "nothing is changed on l1"),
        ({"change_lines": [{"line_id": "l9", "quantity": 2}]}, "no line l9"),
        ({"remove_lines": ["l1"]}, "no line is left"),
        ({"add_lines": [line("l1", "SW-P8-120")]}, "has a line l1 already"),
        ({"remove_lines": ["l7"]}, "no line l7"),
        (
            {"remove_lines": ["l1"], "change_lines": [{"line_id": "l1", "quantity": 2}]},
            "changed twice",
        ),
        ({"payment_terms": "NET999"}, "no payment terms NET999"),
        ({"ship_method": "RAIL"}, "cannot be quoted"),
    ],
)
async def test_a_revision_that_makes_no_sense_is_refused(
    app: Server, asked: dict[str, Any], said: str
) -> None:
    first = await drafted(app)
    with pytest.raises(ToolError, match=said):
        await revise(app, first, **asked)
    assert (await quote_of(app, first["quote_id"]))["status"] == "draft"


async def test_a_revision_wants_the_digest_and_a_person(app: Server) -> None:
    first = await drafted(app)
    with pytest.raises(ToolError, match="CHANGED"):
        await revise(app, {**first, "digest": "0" * 64}, discount_bp=100)
    with pytest.raises(ToolError, match="Unknown tool"):
        await revise(app, first, AGENT, discount_bp=100)


async def test_two_revising_at_once_one_wins(app: Server, other: Server) -> None:
    first = await drafted(app)
    results = together(
        lambda: revise(app, first, LENA, discount_bp=100),
        lambda: revise(other, first, TOMAS, discount_bp=200),
    )
    (refused,) = (one for one in results if isinstance(one, ToolError))
    assert str(refused).startswith("CONFLICT")


async def test_prepayment_by_hand_brings_its_own_clauses(app: Server) -> None:
    first = await drafted(app)
    before = {c["clause_id"] for c in (await quote_of(app, first["quote_id"]))["clauses"]}
    made = await revise(app, first, payment_terms="PREPAY")
    after = {c["clause_id"] for c in (await quote_of(app, made["quote_id"]))["clauses"]}
    assert before != after
    assert {"CLAUSE_DEVIATION"} & {one["code"] for one in made["findings"]} == set()


async def test_a_deviation_from_the_clauses_stays_in_a_revision(app: Server) -> None:
    shown = await quote_of(app, (await drafted(app))["quote_id"])
    ids = [clause["clause_id"] for clause in shown["clauses"] if clause["topic"] != "liability"]
    odd = await drafted(app, opportunity_id="opp_901", clause_ids=ids)
    made = await revise(app, odd, discount_bp=100)
    assert "CLAUSE_DEVIATION" in {one["code"] for one in made["findings"]}


async def test_a_locked_price_is_kept_by_a_revision_and_not_made_longer(
    app: Server, clock: Clock, database: Database
) -> None:
    quote = await issued(app)
    assert quote["price_lock_until"] == "2027-01-22"
    change(
        database,
        "INSERT INTO price_book SELECT 'PB-NEW', name, currency, channel, country, '2026-12-01', "
        "valid_to, region, account_id, rules, derived_from, formula, tax_inclusive "
        "FROM price_book WHERE book = 'PB-EUR'",
    )
    change(
        database,
        "INSERT INTO price_entry (book, sku, unit, default_term_months, proration, amount, min_qty)"
        " SELECT 'PB-NEW', sku, unit, default_term_months, proration, amount * 2, min_qty "
        "FROM price_entry WHERE book = 'PB-EUR'",
    )
    clock.forward(days=40)  # validity is over, the lock is not
    more = {"change_lines": [{"line_id": "l1", "quantity": 13}]}
    made = await revise(app, quote, **more)
    assert {one["code"] for one in made["findings"]} == set()
    shown = await quote_of(app, made["quote_id"])
    assert shown["lines"][0]["list_unit_price"] == "389.00"
    clock.forward(days=30)  # the lock is over as well
    late = await revise(app, made, change_lines=[{"line_id": "l1", "quantity": 14}])
    assert "ORDER_DATE" in {one["code"] for one in late["findings"]}


async def test_the_row_of_a_quote_tells_how_long_each_step_took(app: Server, clock: Clock) -> None:
    draft = await drafted(app, discount_bp=1000)
    clock.forward(hours=1)
    asked = await call(app, AGENT, "request_approval", {"quote_id": draft["quote_id"]})
    (row,) = (await call(app, AGENT, "list_quotes", {}))["items"]
    assert row["approvals_pending"] == ["sales_manager"]
    assert (row["approval_requested_at"], row["approval_decided_at"]) == (
        "2026-11-23T10:00:00Z",
        None,
    )
    clock.forward(hours=2)
    arguments = {"approval_id": asked["approvals"][0]["approval_id"], "decision": "approve"}
    await call(app, TOMAS, "decide_approval", arguments)
    (row,) = (await call(app, AGENT, "list_quotes", {}))["items"]
    assert (row["approvals_pending"], row["approval_decided_at"]) == ([], "2026-11-23T12:00:00Z")
    assert (row["created_at"], row["issued_at"]) == ("2026-11-23T09:00:00Z", None)


async def test_acceptance_counts_what_it_uses_of_promotions(
    app: Server, database: Database
) -> None:
    from servers.finance.tables.promotions import PromotionUse

    quote = await issued(app, lines=[line("l1", "SRV-R1-64", 5)], promo_codes=["EDGE5"])
    with database.session() as session:
        assert session.exec(select(PromotionUse)).all() == []
    await accept(app, quote)
    with database.session() as session:
        (use,) = session.exec(select(PromotionUse))
    shown = await quote_of(app, quote["quote_id"])
    off = sum(a["amount_minor"] for a in shown["lines"][0]["allowances"] if "EDGE5" in a["label"])
    assert (use.quote_id, use.amount_minor) == (quote["quote_id"], off)
    assert off > 0
