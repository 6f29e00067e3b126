"""Quotes of the first schema go on after the upgrade: nothing is lost, and guards hold."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from finance_support import Clock, by, call, drafted, everyone

from servers.finance.load import TABLES
from servers.finance.server import create_server
from servers.finance.tables.base import FinanceTable
from servers.toolkit import migrate
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded

AGENT, TOMAS, LENA = everyone(), by("per_tomas"), by("per_lena")
Upgraded = tuple[Server, dict[str, Any], dict[str, Any]]


class Lacking:
    """The tables and columns that today's code reads and the first schema does not have."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, there = engine, sa.inspect(engine)
        every = FinanceTable.metadata.sorted_tables
        self.tables = [one for one in every if not there.has_table(one.name)]
        self.columns = [
            (table.name, column)
            for table in every
            if table not in self.tables
            for column in table.columns
            if column.name not in {one["name"] for one in there.get_columns(table.name)}
        ]

    def add(self) -> None:
        for table in self.tables:
            table.create(self.engine)
        with self.engine.begin() as connection:
            for table, column in self.columns:
                kind = column.type.compile(self.engine.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column.name} {kind}")

    def drop(self) -> None:
        for table in reversed(self.tables):
            table.drop(self.engine)
        with self.engine.begin() as connection:
            for table, column in self.columns:
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column.name}")


@pytest.fixture
async def upgraded(
    tmp_path: Path, small_seed: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Upgraded]:
    """Finance after the upgrade, with a quote issued and one that waited before it."""
    upgrade = migrate.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "upgrade", lambda c, s: upgrade(c, s, "0001_schema"))
        first = Database.open(tmp_path / "finance.db", "finance")
    lacking = Lacking(first.engine)
    lacking.add()  # today's code reads them; they go before the upgrade
    ensure_seeded(first, TABLES, small_seed)
    app = create_server(first, now=Clock())
    draft = await drafted(app, opportunity_id="opp_901")
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    await call(app, AGENT, "issue_quote", arguments)
    other = await drafted(app, discount_bp=1000)
    await call(app, AGENT, "request_approval", {"quote_id": other["quote_id"]})
    issued, waiting = [
        await call(app, AGENT, "get_quote", {"quote_id": one["quote_id"]}) for one in (draft, other)
    ]
    app.ledger.audit.flush()
    lacking.drop()
    first.close()
    database = Database.open(tmp_path / "finance.db", "finance")
    app = create_server(database, now=Clock())
    yield app, issued, waiting
    app.ledger.audit.flush()
    database.close()


async def test_they_read_as_before(upgraded: Upgraded) -> None:
    app, *quotes = upgraded
    assert len(list(Path(str(app.database.engine.url.database)).parent.glob("*.bak"))) == 1
    for quote in quotes:
        shown = await call(app, AGENT, "get_quote", {"quote_id": quote["quote_id"]})
        assert shown == quote


async def test_the_issued_one_is_accepted_and_the_waiting_one_revised_or_rejected(
    upgraded: Upgraded,
) -> None:
    app, issued, waiting = upgraded
    arguments = {"quote_id": issued["quote_id"], "digest": issued["digest"], "reference": "PO 7"}
    accepted = await call(app, TOMAS, "accept_quote", arguments)
    assert (accepted["status"], accepted["number"]) == ("accepted", issued["number"])
    change = {"quote_id": waiting["quote_id"], "digest": waiting["digest"], "discount_bp": 1200}
    made = await call(app, LENA, "revise_quote", change)
    assert (made["revision"], made["revises"]) == (2, waiting["quote_id"])
    asked = await call(app, AGENT, "request_approval", {"quote_id": made["quote_id"]})
    approval = next(a for a in asked["approvals"] if a["role"] == "sales_manager")
    refusal = {"approval_id": approval["approval_id"], "decision": "reject"}
    decision = await call(app, TOMAS, "decide_approval", refusal)
    assert decision["quote_status"] == "rejected"


async def test_references_guards_and_checks_hold(upgraded: Upgraded) -> None:
    database = upgraded[0].database
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    for sql in (
        "DELETE FROM quote WHERE status = 'issued'",
        "UPDATE quote SET snapshot = '{}'",
        "UPDATE quote SET status = 'nonsense'",
        "UPDATE quote SET status = 'accepted' WHERE status = 'issued'",
        "UPDATE quote SET number = 'Q-2026-000999' WHERE status = 'issued'",
        "INSERT INTO approval SELECT 'apr_x', 'q_nowhere', rule_id, role, reason, digest, "
        "status, requested_by, requested_at, expires_at, NULL, NULL, '', NULL, 1 "
        "FROM approval LIMIT 1",
    ):
        with pytest.raises(sa.exc.IntegrityError), database.write() as session:
            session.connection().exec_driver_sql(sql)


async def test_the_demo_is_not_loaded_again(upgraded: Upgraded) -> None:
    assert ensure_seeded(upgraded[0].database, TABLES) == {}
