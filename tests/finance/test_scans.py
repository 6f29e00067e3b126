"""What is asked all day is answered from an index, however many quotes and customers there are."""

from typing import Any

from finance_support import Clock, asking, by, call, drafted, everyone
from scanned import scans

from servers.finance.store.enrolment import Enrolment
from servers.finance.tables import FinanceTable
from servers.toolkit.app import Server
from servers.toolkit.database import Database

AGENT, LENA, TOMAS = everyone(), by("per_lena"), by("per_tomas")
HOUSE = (
    *(
        "seller",
        "person",
        "enrolled",
        "clause",
        "payment_term",
        "fee",
        "exchange_rate",
        "price_book",
    ),
    *("discount_schedule", "discount_band", "promotion", "zone_country", "tax_rule"),
    *("tax_jurisdiction", "embargoed_country", "screening_entry"),
)
"""What the rules read whole: as long as the seller's own policy, whatever is sold to whom."""


async def test_no_step_of_a_quote_reads_a_whole_table(
    app: Server, database: Database, clock: Clock
) -> None:
    async def step(tool: str, quote: dict[str, Any], who: Any = AGENT, **more: Any) -> Any:
        if tool in ("issue_quote", "accept_quote", "revise_quote"):
            more["digest"] = quote["digest"]
        return await call(app, who, tool, {"quote_id": quote["quote_id"], **more})

    with scans(database, FinanceTable.metadata, HOUSE) as found:
        quote = await drafted(app, key="k1", opportunity_id="opp_901")
        await step("issue_quote", quote)
        newer = await step("revise_quote", quote, LENA, discount_bp=1000)
        await step("diff_quotes", quote, other_quote_id=newer["quote_id"])
        asked = await step("request_approval", newer)
        decision = {"approval_id": asked["approvals"][0]["approval_id"], "decision": "approve"}
        await call(app, TOMAS, "decide_approval", decision)
        await step("accept_quote", quote, TOMAS)
        for tool in ("get_quote", "explain_quote", "render_quote"):
            await step(tool, quote)
        waits = await drafted(app, opportunity_id="opp_902")
        await step("withdraw_quote", waits, TOMAS, reason="asked twice")
        late = await drafted(app, opportunity_id="opp_903")
        await step("issue_quote", late)
        clock.forward(days=90)
        await drafted(app, opportunity_id="opp_904")
        assert (await step("get_quote", late))["status"] == "expired"
    assert found == []


async def test_no_look_up_reads_a_whole_table(app: Server, database: Database) -> None:
    with scans(database, FinanceTable.metadata, HOUSE) as found:
        for asked in (
            {"account_id": "acc_008"},
            {"opportunity_id": "opp_900"},
            {"number": "Q-2026-000001"},
            {"status": "waiting"},
            {"status": "issued"},
            {"status": "expired"},
            {"expiring_within_days": 3},
            {"expired_since": "2026-11-20T09:00:00Z"},
        ):
            await call(app, AGENT, "list_quotes", asked)
        await call(app, AGENT, "what_if", {**asking(), "change_quantity": 20, "change_line": "l1"})
        await call(app, AGENT, "screen_party", {"account_id": "acc_008"})
        money = {"account_id": "acc_008", "amount_minor": 100, "currency": "EUR"}
        await call(app, AGENT, "check_credit", money)
    assert found == []


async def test_the_newest_quotes_are_not_sorted_out_of_all(app: Server, database: Database) -> None:
    with scans(database, FinanceTable.metadata, HOUSE) as found:
        await call(app, AGENT, "list_quotes", {})
    assert found[-1][0] == "SCAN quote USING INDEX ix_quote_created_at", "it ends with the page"


async def test_who_calls_is_found_without_reading_a_whole_table(
    app: Server, database: Database, clock: Clock
) -> None:
    token, _ = Enrolment(database, clock).enroll("per_tomas", 3)
    with scans(database, FinanceTable.metadata) as found:
        assert app.people is not None
        assert app.people.by_token(token) is not None
        app.people.by_name(LENA)
        app.ledger.spend(AGENT, "price_quote", 3)
        app.ledger.is_revoked("g_other")
        app.ledger.revoke(AGENT)
    assert found == []
