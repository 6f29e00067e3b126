"""Tables of law age: past the limit of the house nothing issues by itself."""

from datetime import timedelta
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import Clock, call, drafted, everyone
from sqlalchemy import text

from servers.toolkit.app import Server
from servers.toolkit.database import Database

LIMIT = 800  # of the demo's policies, for each table
TABLES = {
    "TAX_STALE": ("UPDATE tax_rate SET as_of = :day", "finance_director"),
    "EXPORT_STALE": ("UPDATE embargoed_country SET checked_on = :day", "legal"),
    "SCREENING_STALE": (
        "UPDATE policy SET value = replace(value, '2026-11-01', :day) WHERE name = 'screening'",
        "legal",
    ),
}


def checked(database: Database, clock: Clock, code: str, age: int) -> None:
    """Let a table have been checked that many days before today, all others yesterday."""
    for name, (sql, _) in TABLES.items():
        day = clock().date() - timedelta(days=age if name == code else 1)
        with database.write() as session:
            session.execute(text(sql), {"day": day.isoformat()})


async def quote(app: Server, **changes: Any) -> dict[str, Any]:
    made = await drafted(app, **changes)
    return await call(app, everyone(), "get_quote", {"quote_id": made["quote_id"]})


@pytest.mark.parametrize("code", TABLES)
@pytest.mark.parametrize(("side", "late"), [(-1, False), (0, False), (1, True)])
async def test_a_table_past_its_limit_needs_a_person(
    app: Server, database: Database, clock: Clock, code: str, side: int, late: bool
) -> None:
    checked(database, clock, code, LIMIT + side)
    made = await quote(app)
    found = {one["code"] for one in made["findings"]}
    assert (code in found) is late
    roles = [one["role"] for one in made["approvals_needed"] if one["rule_id"] == code]
    assert roles == ([TABLES[code][1]] if late else [])
    if late:
        assert made["auto_issue"] is False
        assert await issue(app, made)


async def issue(app: Server, made: dict[str, Any]) -> str:
    """Issue a quote, and return why not; nothing when it is issued."""
    asked = {"quote_id": made["quote_id"], "digest": made["digest"]}
    try:
        await call(app, everyone(), "issue_quote", asked)
    except ToolError as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize("code", TABLES)
async def test_an_order_date_in_the_past_makes_no_table_younger(
    app: Server, database: Database, clock: Clock, code: str
) -> None:
    checked(database, clock, code, LIMIT + 1)
    past = (clock().date() - timedelta(days=5)).isoformat()
    found = {one["code"] for one in (await quote(app, order_date=past))["findings"]}
    assert code in found


@pytest.mark.parametrize("code", TABLES)
@pytest.mark.parametrize(("side", "late"), [(-1, False), (0, False), (1, True)])
async def test_a_table_that_became_too_old_since_the_draft_is_noticed_at_issue(
    app: Server, database: Database, clock: Clock, code: str, side: int, late: bool
) -> None:
    checked(database, clock, code, LIMIT + side - 3)
    made = await quote(app)
    clock.forward(days=3)
    said = await issue(app, made)  # the checks of the catalog and the CRM are old by then
    assert said.startswith(f"CHANGED: {code}") is late


async def test_only_taxes_of_the_countries_concerned_and_that_still_hold_count(
    app: Server, database: Database, clock: Clock
) -> None:
    checked(database, clock, "", 1)
    with database.write() as session:
        session.execute(text("UPDATE tax_rate SET as_of = '2001-01-01' WHERE country = 'NO'"))
        old = text("UPDATE tax_rate SET as_of = '2001-01-01' WHERE valid_to < '2026-11-01'")
        session.execute(old)
    assert "TAX_STALE" not in {one["code"] for one in (await quote(app))["findings"]}
