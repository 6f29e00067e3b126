"""A database of the release before opens in place: nothing is lost, and work goes on."""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from finance_support import Clock, by, call, everyone

from servers.finance import seed
from servers.finance.models_quotes import Approval, Quote
from servers.finance.server import create_server
from servers.toolkit.app import Server
from servers.toolkit.database import Database, _application_id
from servers.toolkit.errors import StorageError
from servers.toolkit.seeding import ensure_seeded

DUMP = Path(__file__).parent / "data" / "release_0001.sql.gz"
ISSUED, PLAIN, CLAIMED = "q_0f005088175d", "q_579884122986", "q_dd7f3d5e0b36"
AGENT, TOMAS, LENA = everyone(), by("per_tomas"), by("per_lena")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The file as the release before left it."""
    path = tmp_path / "finance.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(gzip.decompress(DUMP.read_bytes()).decode())
        connection.execute(f"PRAGMA application_id={_application_id('finance')}")
    return path


@pytest.fixture
def opened(old: Path) -> Iterator[Database]:
    database = Database.open(old, "finance")
    yield database
    database.close()


@pytest.fixture
def upgraded(opened: Database) -> Iterator[tuple[Server, Clock]]:
    clock = Clock(Clock.moment.replace(day=27))
    app = create_server(opened, now=clock)
    yield app, clock
    app.ledger.audit.flush()


def rows(path: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608
        return [dict(row) for row in found]


def test_every_row_is_kept_as_it_was_and_the_file_is_backed_up_before(old: Path) -> None:
    before = {table: rows(old, table) for table in ("quote", "approval", "quote_number", "seller")}
    Database.open(old, "finance").close()
    (backup,) = old.parent.glob("finance.db.0001_first.*.bak")
    assert rows(backup, "quote") == before["quote"]
    for table, kept in before.items():
        after = rows(old, table)
        assert len(after) == len(kept) > 0
        for was, now in zip(kept, after, strict=True):
            assert was.items() <= now.items(), table
    assert {row["entity_id"] for row in rows(old, "quote")} == {"ent_norvane_de"}
    Database.open(old, "finance").close()
    assert len(list(old.parent.glob("*.bak"))) == 1, "there was nothing to upgrade any more"


def test_references_guards_and_checks_hold_after_it(opened: Database) -> None:
    with opened.engine.connect() as connection:
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
        with pytest.raises(sa.exc.IntegrityError), opened.write() as session:
            session.connection().exec_driver_sql(sql)


async def test_everything_is_readable_and_the_issued_quote_is_unchanged(
    upgraded: tuple[Server, Clock], old: Path
) -> None:
    app, _ = upgraded
    listed = await call(app, AGENT, "list_quotes", {})
    assert {row["quote_id"]: row["status"] for row in listed["items"]} == {
        ISSUED: "issued",
        PLAIN: "waiting",
        CLAIMED: "waiting",
    }
    for quote_id in (ISSUED, PLAIN, CLAIMED):
        (stored,) = (row for row in rows(old, "quote") if row["quote_id"] == quote_id)
        shown = await call(app, AGENT, "get_quote", {"quote_id": quote_id, "whole": True})
        said = json.loads(stored["snapshot"])
        assert shown["digest"] == stored["digest"]
        assert shown["totals"]["total_minor"] == said["totals"]["total_minor"]
        assert [line["net_minor"] for line in shown["lines"]] == [
            line["net_minor"] for line in said["lines"]
        ]
        rendered = await call(app, AGENT, "render_quote", {"quote_id": quote_id})
        assert said["seller"]["legal_name"] in rendered["text"]
    shown = await call(app, AGENT, "get_quote", {"quote_id": ISSUED})
    assert (shown["number"], shown["issued_on"]) == ("Q-2026-000001", "2026-11-26")


async def test_a_waiting_quote_is_revised_and_an_issued_one_accepted(
    upgraded: tuple[Server, Clock],
) -> None:
    app, _ = upgraded
    shown = await call(app, AGENT, "get_quote", {"quote_id": PLAIN})
    made = await call(
        app,
        LENA,
        "revise_quote",
        {"quote_id": PLAIN, "digest": shown["digest"], "discount_bp": 0},
    )
    assert (made["revision"], made["revises"]) == (2, PLAIN)
    old = await call(app, AGENT, "get_quote", {"quote_id": PLAIN})
    assert (old["status"], old["superseded_by"]) == ("superseded", made["quote_id"])
    assert {one["status"] for one in old["approvals"]} == {"cancelled"}

    shown = await call(app, AGENT, "get_quote", {"quote_id": ISSUED})
    arguments = {"quote_id": ISSUED, "digest": shown["digest"], "reference": "PO 7"}
    accepted = await call(app, TOMAS, "accept_quote", arguments)
    assert (accepted["status"], accepted["number"]) == ("accepted", "Q-2026-000001")


async def test_a_quote_that_waited_is_rejected_or_withdrawn_as_before(
    upgraded: tuple[Server, Clock],
) -> None:
    app, _ = upgraded
    shown = await call(app, AGENT, "get_quote", {"quote_id": CLAIMED})
    approval = next(a for a in shown["approvals"] if a["role"] == "sales_manager")
    arguments = {"approval_id": approval["approval_id"], "decision": "reject"}
    decision = await call(app, TOMAS, "decide_approval", arguments)
    assert decision["quote_status"] == "rejected"


def test_the_demo_is_not_loaded_again(opened: Database) -> None:
    assert ensure_seeded(opened, seed.load) == {}
    with opened.session() as session:
        assert len(session.scalars(sa.select(Quote)).all()) == 3
        assert {one.sequence for one in session.scalars(sa.select(Approval))} == {1}


def test_a_migration_that_loses_a_reference_is_taken_back(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from servers.toolkit import migrate

    upgrade = migrate.upgrade

    def careless(connection: sa.Connection, server: str) -> None:
        upgrade(connection, server)
        connection.exec_driver_sql("DELETE FROM customer WHERE account_id = 'acc_001'")

    monkeypatch.setattr(migrate, "upgrade", careless)
    with pytest.raises(StorageError, match="refers to no row of customer"):
        Database.open(old, "finance")
    assert rows(old, "alembic_version") == [{"version_num": "0001_first"}]
    assert len(rows(old, "customer")) > 0


def test_law_keeps_its_meaning(old: Path) -> None:
    clauses, terms = rows(old, "clause"), rows(old, "payment_term")
    listed, customers = rows(old, "screening_entry"), rows(old, "customer")
    Database.open(old, "finance").close()
    after = {row["clause_id"]: row for row in rows(old, "clause")}
    assert len(after) == len(clauses) > 0
    for was in clauses:
        now = after[was["clause_id"]]
        assert {name: now[name] for name in was} == was
        assert (now["status"], now["owner"]) == ("approved", was["approved_by"])
        assert (now["jurisdiction"], now["mandatory"], now["conflicts_with"]) == ("", 0, "[]")
    lines = {row["code"]: json.loads(row["lines"]) for row in rows(old, "payment_term")}
    for was in terms:
        due = "order" if was["prepaid"] else "invoice"
        assert lines[was["code"]] == [{"percent": None, "due": due, "days": was["days"]}]
    assert [row["aliases"] for row in rows(old, "screening_entry")] == ["[]"] * len(listed)
    kept = {row["account_id"]: row["open_minor"] for row in rows(old, "customer")}
    assert kept == {row["account_id"]: row["open_minor"] for row in customers}


def test_volume_tiers_become_schedules_that_say_the_same(old: Path) -> None:
    before = rows(old, "volume_tier")
    prices = {(r["book"], r["sku"], r["unit"]): r["amount_micro"] for r in rows(old, "price_entry")}
    Database.open(old, "finance").close()
    of = {row["schedule_id"]: row for row in rows(old, "discount_schedule")}
    bands = {row["band_id"]: row for row in rows(old, "discount_band")}
    assert len(bands) == len(before) > 0
    for tier in before:
        band = bands[tier["tier_id"]]
        upper = None if tier["upper"] is None else tier["upper"] * 1_000_000
        assert (band["lower_micro"], band["upper_micro"]) == (tier["lower"] * 1_000_000, upper)
        assert band["value_micro"] == tier["percent_micro"]
        schedule = of[band["schedule_id"]]
        assert (schedule["scope"], schedule["selector"]) == ("family", tier["family"])
        assert (schedule["type"], schedule["unit"]) == ("range", "percent")
        assert (schedule["basis"], schedule["aggregation"]) == ("quantity", "line")
        assert (schedule["valid_from"], schedule["valid_to"]) == (
            tier["valid_from"],
            tier["valid_to"],
        )
    after = {(r["book"], r["sku"], r["unit"]): r["amount_micro"] for r in rows(old, "price_entry")}
    assert after == prices
