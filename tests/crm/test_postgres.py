"""The same CRM on PostgreSQL; skipped unless DEALDESK_TEST_POSTGRES names a server to use."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp import Client
from fastmcp.exceptions import ToolError
from sqlalchemy.exc import DBAPIError

from servers.crm.load import TABLES
from servers.crm.server import create_server
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.idempotency import META_KEY
from servers.toolkit.seeding import ensure_seeded

DATA = Path(__file__).parent / "data"
URL = os.environ.get("DEALDESK_TEST_POSTGRES", "")
if URL:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
pytestmark = pytest.mark.skipif(not URL, reason="DEALDESK_TEST_POSTGRES is not set")
ADMIN = profile_grant("crm", "admin")


@pytest.fixture(scope="module")
def app() -> Iterator[Server]:
    name = f"dealdesk_crm_{secrets.token_hex(4)}"
    keeper = sa.create_engine(URL, isolation_level="AUTOCOMMIT")
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = sa.engine.make_url(URL).set(database=name).render_as_string(hide_password=False)
    database = Database.open(url, server="crm")
    assert ensure_seeded(database, TABLES, DATA)["accounts"] == 3
    server = create_server(database)
    yield server
    server.ledger.audit.flush()
    database.close()
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    keeper.dispose()


async def call(client: Client[Any], tool: str, key: str = "", **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments, meta={META_KEY: key} if key else None)
    return dict(result.structured_content or {})


async def test_accounts_are_found_by_pieces_of_their_names(app: Server) -> None:
    async with Client(app.view(ADMIN)) as client:
        for text in ("Larkspr Tools", "Quote Larkspr Tools for the switches", "x@larkspur.example"):
            assert (await call(client, "resolve_account", text=text))["resolved"] == "acc_101", text
        assert (await call(client, "resolve_account", text="Zyxwv"))["candidates"] == []
        found = await call(client, "search_accounts", query="arkspur ool")
        assert "acc_101" in [row["account_id"] for row in found["items"]]


async def test_texts_and_deals_are_found(app: Server) -> None:
    async with Client(app.view(ADMIN)) as client:
        found = await call(client, "search_text", opportunity_id="opp_101", query="switches spare")
        assert [hit["source_id"] for hit in found["items"]] == ["act_101_1"]
        hostile = "a' & !b | (c:* <-> \\"
        await call(client, "search_text", opportunity_id="opp_101", query=hostile)
        deals = await call(client, "search_opportunities", query="the switches of last week")
        assert {row["opportunity_id"] for row in deals["items"]} == {"opp_101", "opp_103"}
        assert (await call(client, "resolve_account", text="LST"))["resolved"] == "acc_101"


async def test_the_grant_narrows(app: Server) -> None:
    mine = replace(ADMIN, id="g_mine", bind={"opportunity_id": ("opp_101",)})
    async with Client(app.view(mine)) as client:
        deals = await call(client, "search_opportunities", open_only=False)
        assert [row["opportunity_id"] for row in deals["items"]] == ["opp_101"]
        with pytest.raises(ToolError, match="NOT_FOUND"):
            await call(client, "get_account", account_id="acc_102")


async def test_writes_happen_once(app: Server) -> None:
    where = {"opportunity_id": "opp_101"}
    async with Client(app.view(ADMIN)) as client:
        span = {"source_id": "act_101_1", "start": 0, "end": 8}
        first = await call(client, "record_need", "k1", **where, **span, quantity=3)
        again = await call(client, "record_need", "k1", **where, **span, quantity=4)
        assert (again["need_id"], again["replayed"]) == (first["need_id"], True)
        quote = {"quote_id": "q_pg", "revision": 1, "total_minor": 10**12, "currency": "EUR"}
        await call(client, "record_quote_outcome", **where, **quote, outcome="draft")
        row = await call(client, "record_quote_outcome", **where, **quote, outcome="issued")
        assert [event["outcome"] for event in row["events"]] == ["draft", "issued"]
        at = {**where, "expected_version": 2}  # the issue moved the deal to proposal
        moved = await call(client, "update_stage", **at, stage="negotiation")
        assert moved["version"] == 3


def test_what_happened_cannot_be_changed(app: Server) -> None:
    for statement in (
        "UPDATE activity SET text = 'x'",
        "UPDATE activity SET account_id = 'acc_103'",
        "DELETE FROM activity",
        "DELETE FROM quote_step",
    ):
        with pytest.raises(DBAPIError, match="append-only"), app.database.write() as session:
            session.connection().exec_driver_sql(statement)


async def test_a_merge_moves_everything_and_days_narrow_lists(app: Server) -> None:
    async with Client(app.view(ADMIN)) as client:
        mine = {"account_id": "acc_102"}
        await call(client, "add_task", **mine, what="Call", due="2026-11-23")
        await call(client, "add_task", **mine, what="Some day")
        shown = await call(client, "list_tasks", **mine, due_from="2026-11-23", due_to="2026-11-23")
        assert [row["what"] for row in shown["items"]] == ["Call"]
        every = await call(client, "list_tasks", **mine)
        assert [row["what"] for row in every["items"]] == ["Call", "Some day"]
        deal = {"opportunity_id": "opp_101"}
        told = (await call(client, "list_activities", **deal))["items"]
        day = told[0]["at"][:10]
        found = (await call(client, "list_activities", **deal, since=day, until=day))["items"]
        assert found == [row for row in told if row["at"][:10] == day]
        merged = await call(client, "merge_accounts", account_id="acc_101", duplicate_id="acc_102")
        assert merged["moved"]["activity"] > 0
        assert (await call(client, "get_account", **mine))["account_id"] == "acc_101"
