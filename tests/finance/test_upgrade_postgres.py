"""A PostgreSQL database of the release before, rows and all, opens in place."""

import gzip
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from finance_support import Clock, by, call, everyone

from servers.finance.server import create_server
from servers.toolkit.database import Database

URL = os.environ.get("DEALDESK_TEST_POSTGRES", "")
if URL:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
pytestmark = pytest.mark.skipif(not URL, reason="DEALDESK_TEST_POSTGRES is not set")
DUMP = Path(__file__).parent / "data" / "release_0001.sql.gz"
ISSUED, WAITING = "q_0f005088175d", "q_579884122986"
NOT_COPIED = ("alembic_version", "audit", "grant_call_count")


def value_for(column: sa.Column[Any], value: Any) -> Any:
    """What SQLite wrote, as PostgreSQL takes it."""
    if value is None:
        return None
    if isinstance(column.type, sa.JSON):
        return json.loads(value)
    if isinstance(column.type, sa.Boolean):
        return bool(value)
    return date.fromisoformat(value) if isinstance(column.type, sa.Date) else value


def copy_rows(old: sqlite3.Connection, engine: sa.Engine) -> dict[str, int]:
    """Copy every row of the old file into the tables of the same schema."""
    old.row_factory = sqlite3.Row
    known = sa.MetaData()
    known.reflect(engine)
    counts = {}
    with engine.begin() as connection:
        for table in known.sorted_tables:
            if table.name in NOT_COPIED:
                continue
            rows = [
                {name: value_for(table.c[name], row[name]) for name in row.keys()}  # noqa: SIM118
                for row in old.execute(f"SELECT * FROM {table.name}")  # noqa: S608
            ]
            rows.sort(key=lambda row: row.get("parent_account_id") or "")
            if rows:
                connection.execute(table.insert(), rows)
            counts[table.name] = len(rows)
    return counts


@pytest.fixture
def url() -> Iterator[str]:
    """A database with the first schema and the rows of the release's file."""
    name = f"dealdesk_old_{secrets.token_hex(4)}"
    keeper = sa.create_engine(URL, isolation_level="AUTOCOMMIT")
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    made = sa.engine.make_url(URL).set(database=name)
    engine = sa.create_engine(made)
    with as_file(files("servers.finance.migrations")) as folder, engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001_first")
    with closing(sqlite3.connect(":memory:")) as old:
        old.executescript(gzip.decompress(DUMP.read_bytes()).decode())
        assert copy_rows(old, engine)["quote"] == 3
    engine.dispose()
    yield made.render_as_string(hide_password=False)
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    keeper.dispose()


async def test_it_keeps_its_quotes_and_work_goes_on(url: str) -> None:
    database = Database.open(url, "finance")
    app = create_server(database, now=Clock(Clock.moment.replace(day=27)))
    issued = await call(app, everyone(), "get_quote", {"quote_id": ISSUED})
    assert (issued["status"], issued["number"]) == ("issued", "Q-2026-000001")
    assert issued["totals"]["total_minor"] == 654820
    with pytest.raises(sa.exc.IntegrityError, match="never changes"), database.write() as session:
        session.connection().exec_driver_sql(
            "UPDATE quote SET total_minor = 1 WHERE quote_id = %s", (ISSUED,)
        )
    waiting = await call(app, everyone(), "get_quote", {"quote_id": WAITING})
    change = {"quote_id": WAITING, "digest": waiting["digest"], "discount_bp": 0}
    revised = await call(app, by("per_lena"), "revise_quote", change)
    assert revised["revision"] == 2
    accept = {"quote_id": ISSUED, "digest": issued["digest"], "reference": "PO-1"}
    accepted = await call(app, by("per_lena"), "accept_quote", accept)
    assert accepted["status"] == "accepted"
    app.ledger.audit.flush()
    database.close()
