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

from servers.finance.load import TABLES
from servers.finance.server import create_server
from servers.finance.store.import_watch import ImportWatch
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.importing import import_file
from servers.toolkit.seeding import ensure_seeded

URL = os.environ.get("DEALDESK_TEST_POSTGRES", "")
if URL:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
pytestmark = pytest.mark.skipif(not URL, reason="DEALDESK_TEST_POSTGRES is not set")
AGENT = everyone()
CLOCKS: dict[int, Clock] = {}


@pytest.fixture(scope="module")
def pg(small_seed: Path) -> Iterator[Server]:
    name = f"dealdesk_finance_{secrets.token_hex(4)}"
    keeper = sa.create_engine(URL, isolation_level="AUTOCOMMIT")
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = sa.engine.make_url(URL).set(database=name).render_as_string(hide_password=False)
    database = Database.open(url, "finance")
    ensure_seeded(database, TABLES, small_seed)
    clock = Clock()
    app = create_server(database, now=clock)
    CLOCKS[id(app)] = clock
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


async def issued(pg: Server, opportunity_id: str, **changes: Any) -> dict[str, Any]:
    draft = await drafted(pg, opportunity_id=opportunity_id, **changes)
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    return await call(pg, AGENT, "issue_quote", arguments)


async def test_numbers_have_no_gaps_however_many_issue_at_once(pg: Server) -> None:
    drafts = [await drafted(pg, opportunity_id=f"opp_91{n}") for n in range(8)]

    def issue(draft: dict[str, Any]) -> Callable[[], Any]:
        arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
        return lambda: call(pg, AGENT, "issue_quote", arguments)

    before = await issued(pg, "opp_919")
    last = int(before["number"].rpartition("-")[2])
    done = together(*(issue(draft) for draft in drafts))
    assert sorted(one["number"] for one in done) == [f"Q-2026-{last + n:06d}" for n in range(1, 9)]


async def test_two_accepting_at_once_one_wins_and_it_is_final(pg: Server) -> None:
    quote = await issued(pg, "opp_920")

    def accept(person: str) -> Callable[[], Any]:
        arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"], "reference": person}
        return lambda: call(pg, by(person), "accept_quote", arguments)

    results = together(accept("per_tomas"), accept("per_ingrid"))
    (won,) = (one for one in results if isinstance(one, dict))
    (refused,) = (one for one in results if isinstance(one, ToolError))
    assert str(refused).startswith("CONFLICT")
    for sql in (
        "UPDATE quote SET accepted_by = 'per_lena' WHERE status = 'accepted'",
        "UPDATE quote SET status = 'withdrawn' WHERE status = 'accepted'",
        "UPDATE quote SET acceptance_reference = 'x' WHERE status = 'accepted'",
        "UPDATE quote SET price_lock_until = NULL WHERE status = 'accepted'",
    ):
        with pytest.raises(DBAPIError), pg.database.write() as session:
            session.connection().execute(sa.text(sql))
    shown = await call(pg, AGENT, "get_quote", {"quote_id": quote["quote_id"]})
    assert shown["acceptance_reference"] == won["accepted_by"]


async def test_two_revising_at_once_one_wins(pg: Server) -> None:
    draft = await drafted(pg, opportunity_id="opp_921")

    def revise(person: str, discount_bp: int) -> Callable[[], Any]:
        arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
        arguments |= {"discount_bp": discount_bp}
        return lambda: call(pg, by(person), "revise_quote", arguments)

    results = together(revise("per_lena", 100), revise("per_tomas", 200))
    (refused,) = (one for one in results if isinstance(one, ToolError))
    assert str(refused).startswith("CONFLICT")


async def test_what_is_refused_on_sqlite_is_refused_here(pg: Server) -> None:
    dear = await drafted(pg, opportunity_id="opp_922", discount_bp=1000)
    arguments = {"quote_id": dear["quote_id"], "digest": dear["digest"]}
    with pytest.raises(ToolError, match="APPROVAL_REQUIRED"):
        await call(pg, AGENT, "issue_quote", arguments)
    asked = await call(pg, AGENT, "request_approval", {"quote_id": dear["quote_id"]})
    approval = {"approval_id": asked["approvals"][0]["approval_id"], "decision": "approve"}
    with pytest.raises(ToolError, match="FORBIDDEN: per_lena asked for this quote"):
        await call(pg, by("per_lena"), "decide_approval", approval)
    made = await call(pg, by("per_lena"), "revise_quote", {**arguments, "discount_bp": 1100})
    with pytest.raises(ToolError, match="is cancelled already"):
        await call(pg, by("per_tomas"), "decide_approval", approval)  # edited after the request
    with pytest.raises(ToolError, match="is superseded"):
        await call(pg, AGENT, "issue_quote", arguments)

    clock: Any = pg_clock(pg)
    asked = await call(pg, AGENT, "request_approval", {"quote_id": made["quote_id"]})
    approval["approval_id"] = asked["approvals"][0]["approval_id"]
    clock.forward(days=14)
    with pytest.raises(ToolError, match="EXPIRED"):
        await call(pg, by("per_tomas"), "decide_approval", approval)
    clock.forward(days=-14)

    plain = await drafted(pg, opportunity_id="opp_923")
    with pg.database.write() as session:
        session.execute(sa.text("UPDATE price_entry SET amount = amount + 10000"))
    with pytest.raises(ToolError, match=r"CHANGED: the quote would come out different now.*lines"):
        await call(
            pg,
            AGENT,
            "issue_quote",
            {"quote_id": plain["quote_id"], "digest": plain["digest"]},
        )
    quote = await issued(pg, "opp_924")
    clock.forward(days=31)
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"]}
    with pytest.raises(ToolError, match="EXPIRED"):
        await call(pg, by("per_tomas"), "accept_quote", arguments)
    listed = await call(pg, AGENT, "list_quotes", {"status": "expired"})
    assert quote["quote_id"] in {row["quote_id"] for row in listed["items"]}
    clock.forward(days=-31)


def pg_clock(pg: Server) -> Clock:
    """The clock the server was made with."""
    return CLOCKS[id(pg)]


async def test_the_models_are_the_tables(pg: Server) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from servers.finance.tables.base import FinanceTable
    from servers.toolkit.migrate import shared

    ours = {table.name for table in shared.sorted_tables}
    with pg.database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _o, name, kind, *_: not (kind == "table" and name in ours),
            },
        )
        assert compare_metadata(context, FinanceTable.metadata) == []


async def test_an_import_tells_what_it_changes_for_past_quotes(pg: Server, tmp_path: Path) -> None:
    made = await drafted(pg, opportunity_id="opp_951")
    path, watch = tmp_path / "prices.csv", ImportWatch(dry_run=True)
    path.write_text("book,sku,unit,amount\nPB-EUR,SW-P8-120,each,900.00\n", encoding="utf-8")
    import_file(pg.database, TABLES["prices"], path, dry_run=True, watch=watch)
    assert watch.effects is not None
    assert made["quote_id"] in {one.what for one in watch.effects.quotes}
    assert "prices that would change by more than 30%: 1" in watch.effects.beyond
