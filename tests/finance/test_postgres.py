"""The same finance on PostgreSQL; skipped unless DEALDESK_TEST_POSTGRES names a server to use."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp.exceptions import ToolError
from finance_support import Clock, asking, by, call, drafted, everyone, together
from sqlalchemy.exc import DBAPIError

from servers.finance import seed
from servers.finance.server import create_server
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded

URL = os.environ.get("DEALDESK_TEST_POSTGRES", "")
if URL:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
pytestmark = pytest.mark.skipif(not URL, reason="DEALDESK_TEST_POSTGRES is not set")
AGENT = everyone()


@pytest.fixture(scope="module")
def pg(small_seed: Path) -> Iterator[Server]:
    name = f"dealdesk_finance_{secrets.token_hex(4)}"
    keeper = sa.create_engine(URL, isolation_level="AUTOCOMMIT")
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = sa.engine.make_url(URL).set(database=name).render_as_string(hide_password=False)
    database = Database.open(url, "finance")
    ensure_seeded(database, seed.load, small_seed)
    app = create_server(database, now=Clock())
    yield app
    app.ledger.audit.flush()
    database.close()
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    keeper.dispose()


async def test_a_quote_lives_and_is_kept(pg: Server) -> None:
    priced = await call(pg, AGENT, "price_quote", asking())
    assert priced["totals"]["total_minor"] == 530276
    draft = await drafted(pg, key="k1", discount_bp=1000)
    assert (await drafted(pg, key="k1"))["replayed"] is True
    with pytest.raises(ToolError, match="CONFLICT"):
        await drafted(pg)
    asked = await call(pg, AGENT, "request_approval", {"quote_id": draft["quote_id"]})
    arguments = {"approval_id": asked["approvals"][0]["approval_id"], "decision": "approve"}
    await call(pg, by("per_tomas"), "decide_approval", arguments)
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    issued = await call(pg, AGENT, "issue_quote", arguments)
    assert issued["number"] == "Q-2026-000001"
    second = await drafted(pg, revises=draft["quote_id"])
    arguments = {"quote_id": second["quote_id"], "digest": second["digest"]}
    assert (await call(pg, AGENT, "issue_quote", arguments))["number"] == "Q-2026-000001-r2"
    listed = await call(pg, AGENT, "list_quotes", {"opportunity_id": "opp_900"})
    assert [row["status"] for row in listed["items"]] == ["issued", "superseded"]
    for sql in (
        "UPDATE quote SET total_minor = 1",
        "UPDATE quote SET status = 'draft'",
        "UPDATE quote SET number = 'Q-2026-000999' WHERE status = 'issued'",
        "DELETE FROM approval",
        "UPDATE approval SET digest = 'x'",
    ):
        with pytest.raises(DBAPIError), pg.database.write() as session:
            session.connection().execute(sa.text(sql))


async def test_two_people_who_decide_at_once_do_not_miss_each_other(pg: Server) -> None:
    draft = await drafted(pg, opportunity_id="opp_950", discount_bp=1000, claims=["bank"])
    asked = await call(pg, AGENT, "request_approval", {"quote_id": draft["quote_id"]})
    ids = {one["role"]: one["approval_id"] for one in asked["approvals"]}

    def decide(person: str, role: str) -> Callable[[], Any]:
        arguments = {"approval_id": ids[role], "decision": "approve"}
        return lambda: call(pg, by(person), "decide_approval", arguments)

    results = together(
        decide("per_tomas", "sales_manager"), decide("per_ingrid", "finance_director")
    )
    assert sorted(one["quote_status"] for one in results) == ["approved", "waiting"]


async def test_the_models_are_the_tables(pg: Server) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from servers.finance.models import FinanceTable
    from servers.toolkit.migrate import house

    ours = {table.name for table in house.sorted_tables}
    with pg.database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _o, name, kind, *_: not (kind == "table" and name in ours),
            },
        )
        assert compare_metadata(context, FinanceTable.metadata) == []
