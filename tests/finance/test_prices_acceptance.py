"""What accepting a quote takes of contracts, and what the account has then."""

from datetime import date
from decimal import Decimal

import pytest
from fastmcp.exceptions import ToolError
from finance_support import Clock, by, call, drafted, everyone, line
from sqlmodel import select

from servers.finance.tables.customers import AccountPurchase
from servers.finance.tables.prices import ContractPrice, ContractUseRow
from servers.toolkit.app import Server
from servers.toolkit.database import Database

AGENT, TOMAS = everyone(), by("per_tomas")
LIMITED = "CON-SWITCH"


@pytest.fixture
def limited(database: Database) -> Database:
    """A contract for the plain order's switch, of which 20 are left."""
    with database.write() as session:
        session.add(
            ContractPrice(
                contract_id=LIMITED,
                account_id="acc_008",
                scope="sku",
                selector="SW-P8-120",
                kind="fixed",
                amount=Decimal("350.00"),
                currency="EUR",
                valid_from=date(2026, 1, 1),
                document="Call-off",
                max_quantity=Decimal(20),
            )
        )
    return database


async def issued(app: Server, opportunity: str, quantity: int) -> dict[str, str]:
    lines = {"lines": [line("l1", "SW-P8-120", quantity)]}
    draft = await drafted(app, opportunity_id=opportunity, **lines)
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    made = await call(app, AGENT, "issue_quote", arguments)
    return {"quote_id": made["quote_id"], "digest": made["digest"]}


async def test_acceptance_takes_of_the_contract_and_counts_as_bought(
    app: Server, limited: Database
) -> None:
    quote = await issued(app, "opp_901", 12)
    await call(app, TOMAS, "accept_quote", quote)
    with limited.session() as session:
        (use,) = session.exec(select(ContractUseRow).where(ContractUseRow.contract_id == LIMITED))
        assert (use.quote_id, use.line_id, use.quantity) == (
            quote["quote_id"],
            "l1",
            12,
        )
        (bought,) = session.exec(
            select(AccountPurchase).where(AccountPurchase.quote_id == quote["quote_id"])
        )
        assert (bought.account_id, bought.sku, bought.quantity) == (
            *("acc_008", "SW-P8-120"),
            12,
        )
    order = {"lines": [line("l1", "SW-P8-120", 12)], "opportunity_id": "opp_902"}
    draft = await drafted(app, **order)
    assert "CONTRACT_PARTLY" in {one["code"] for one in draft["findings"]}


async def test_of_two_quotes_over_what_is_left_the_second_acceptance_is_refused(
    app: Server, limited: Database, clock: Clock
) -> None:
    one, other = await issued(app, "opp_901", 12), await issued(app, "opp_902", 12)
    await call(app, TOMAS, "accept_quote", one)
    with pytest.raises(ToolError, match="has 8 left"):
        await call(app, TOMAS, "accept_quote", other)
