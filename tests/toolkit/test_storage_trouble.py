"""Whatever happens to a server's database, the answer is STORAGE, and no other caller waits."""

import asyncio
import os
import secrets
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp import Client
from fastmcp.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference
from toy import fill_toy, grant, toy_app, toy_database

from servers.toolkit.app import Server
from servers.toolkit.database import Database, _engine
from servers.toolkit.direct import ask
from servers.toolkit.errors import StorageError
from servers.toolkit.ledger import Ledger
from servers.toolkit.migrate import audit_table, call_count_table, revoked_table

POSTGRES = os.environ.get("DEALDESK_TEST_POSTGRES", "")
NOTE, ABOUT = "toy://notes/{account_id}", "toy://about"
MINE = grant(
    tools=frozenset({"get_note", "list_notes", "add_note"}),
    resources=frozenset({NOTE, ABOUT}),
    prompts=frozenset({"sum_up"}),
    calls={"list_notes": 5},
)
Trouble = Callable[[Database], Any]


@contextmanager
def locked(database: Database) -> Iterator[None]:
    with closing(sqlite3.connect(str(database.engine.url.database))) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def full(database: Database) -> Iterator[None]:
    """Every statement fails as SQLite does on a full disk, reads too: they may need a file."""
    with raising(database, sqlite3.OperationalError("database or disk is full")):
        yield


@contextmanager
def away(database: Database) -> Iterator[None]:
    path = Path(str(database.engine.url.database))
    path.rename(path.with_suffix(".away"))
    yield
    assert not path.exists(), "an empty file in its place would pass for a database"
    path.with_suffix(".away").rename(path)


@contextmanager
def raising(database: Database, problem: Exception) -> Iterator[None]:
    def fail(*_statement: object) -> None:
        raise problem

    sa.event.listen(database.engine, "do_execute", fail)
    yield
    sa.event.remove(database.engine, "do_execute", fail)


@contextmanager
def cut(database: Database) -> Iterator[None]:
    """Every connection is ended by the server while a statement is on its way."""
    keeper = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")

    def end(cursor: Any, *_statement: object) -> None:
        pid = cursor.connection.info.backend_pid
        with keeper.connect() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(:p, 5000)"), {"p": pid})

    sa.event.listen(database.engine, "do_execute", end)
    yield
    sa.event.remove(database.engine, "do_execute", end)
    keeper.dispose()


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Another session holds every table."""
    with database.engine.connect() as other, other.begin():
        other.exec_driver_sql(
            "LOCK TABLE note, audit, revoked_grant, grant_call_count, idempotency, house_setting"
        )
        yield


FILE_TROUBLE = {locked: "stayed locked", full: "has no space left", away: "cannot be opened"}
SERVER_TROUBLE = {cut: "cannot be reached", held: "stayed locked"}
CASES = [
    pytest.param(dialect, trouble, says, id=trouble.__name__)
    for dialect, troubles in (("sqlite", FILE_TROUBLE), ("postgresql", SERVER_TROUBLE))
    for trouble, says in troubles.items()
]


@pytest.fixture
def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    monkeypatch.setattr("servers.toolkit.database.LOCKED", 20)
    if getattr(request, "param", "sqlite") == "sqlite":
        opened = toy_database(tmp_path / "toy.db")
        yield opened
        opened.close()
        return
    if not POSTGRES:
        pytest.skip("not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server")
    keeper, name = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT"), secrets.token_hex(6)
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE dealdesk_toy_{name}")
    url = sa.make_url(POSTGRES).set(database=f"dealdesk_toy_{name}")
    opened = Database(_engine(url.render_as_string(hide_password=False)), "toy")
    fill_toy(opened)
    yield opened
    opened.close()
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE dealdesk_toy_{name} WITH (FORCE)")
    keeper.dispose()


def rows(database: Database, table: sa.Table) -> list[Any]:
    with database.session() as session:
        return list(session.connection().execute(sa.select(table)).all())


USES: dict[str, Callable[[Client[Any]], Awaitable[Any]]] = {
    "tools/list": lambda client: client.list_tools(),
    "read": lambda client: client.call_tool("get_note", {"account_id": "acc_1"}),
    "budget": lambda client: client.call_tool("list_notes"),
    "write": lambda client: client.call_tool("add_note", {"account_id": "acc_1", "body": "x"}),
    "denied": lambda client: client.call_tool("break_it"),
    "resource": lambda client: client.read_resource("toy://notes/acc_1"),
    "prompt": lambda client: client.get_prompt("sum_up", {"account_id": "acc_1"}),
    "completion": lambda client: client.complete(
        ResourceTemplateReference(uri=NOTE), {"name": "account_id", "value": "a"}
    ),
    "prompt completion": lambda client: client.complete(
        PromptReference(name="sum_up"), {"name": "account_id", "value": "a"}
    ),
}


LATER = [use for use in USES if use not in ("tools/list", "prompt")]
"""What needs the database after the gate has looked the grant up."""


@pytest.mark.parametrize(
    ("use", "looked_up"),
    [*((use, False) for use in USES), *((use, True) for use in LATER)],
)
@pytest.mark.parametrize(("database", "trouble", "says"), CASES, indirect=["database"])
async def test_trouble_with_the_database_is_told_as_storage_wherever_it_is_met(
    database: Database, trouble: Trouble, says: str, use: str, *, looked_up: bool
) -> None:
    app = toy_app(database)
    if looked_up:
        app.ledger.is_revoked(MINE.id)
    async with Client(app.view(MINE)) as client:
        with trouble(database):
            with pytest.raises((ToolError, MCPError)) as caught:
                await USES[use](client)
            assert str(caught.value).startswith(f"STORAGE: the toy database {says}. Try: ")
        if use != "denied":
            await USES[use](client)  # once it is mended, the same caller goes on
    app.ledger.audit.flush()
    kept = [row.outcome for row in rows(database, audit_table) if row.component == "break_it"]
    assert kept == (["denied"] if use == "denied" and looked_up else [])


@pytest.mark.parametrize(("database", "trouble", "says"), CASES, indirect=["database"])
def test_a_read_beside_the_protocol_is_told_the_same(
    database: Database, trouble: Trouble, says: str
) -> None:
    with trouble(database), pytest.raises(StorageError, match=says):
        ask(database, MINE, "get_note", lambda session: session, {})


def test_a_row_that_does_not_fit_is_no_trouble_with_the_database(tmp_path: Path) -> None:
    database = toy_database(tmp_path / "toy.db")
    row = {"grant_id": "g", "at": "now", "expires": 1}
    with pytest.raises(sa.exc.IntegrityError), database.write() as session:
        session.connection().execute(revoked_table.insert(), [row, row])
    database.close()


def test_a_file_put_in_the_place_of_another_is_read_from_then_on(tmp_path: Path) -> None:
    first, other = toy_database(tmp_path / "toy.db"), toy_database(tmp_path / "other.db")
    with other.write() as session:
        session.connection().execute(
            call_count_table.insert().values(grant_id="g", tool="t", used=1)
        )
    assert rows(first, call_count_table) == []
    (tmp_path / "other.db").replace(tmp_path / "toy.db")
    assert len(rows(first, call_count_table)) == 1
    first.close()
    other.close()


@pytest.fixture
def app(database: Database) -> Server:
    return toy_app(database)


@pytest.mark.parametrize(
    ("busy", "use"),
    [
        ("is_revoked", "read"),
        ("spend", "budget"),
        ("revoke", "release"),
        ("flush", "denied"),
        ("flush", "write"),
    ],
)
async def test_who_waits_for_the_database_keeps_nobody_else_waiting(
    app: Server, monkeypatch: pytest.MonkeyPatch, busy: str, use: str
) -> None:
    other = grant(id="g_other")
    app.ledger.is_revoked(other.id)
    entered, leave = threading.Event(), threading.Event()
    owner = app.ledger.audit if busy == "flush" else app.ledger
    real = getattr(owner, busy)

    def wait(*arguments: Any, **options: Any) -> Any:
        entered.set()
        assert leave.wait(30)
        return real(*arguments, **options)

    monkeypatch.setattr(owner, busy, wait)
    uses = {**USES, "release": lambda client: client.call_tool_mcp("release_grant", {})}
    async with Client(app.view(MINE)) as slow, Client(app.view(other)) as quick:
        waiting = asyncio.ensure_future(uses[use](slow))
        await asyncio.to_thread(entered.wait, 30)
        assert [tool.name for tool in await quick.list_tools()] == ["get_note", "list_notes"]
        assert not waiting.done()
        leave.set()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_denials_that_come_together_share_a_commit_and_each_is_kept(app: Server) -> None:
    commits: list[object] = []
    app.ledger.is_revoked(MINE.id)
    sa.event.listen(app.database.engine, "commit", commits.append)
    app.ledger.audit._turn.acquire()
    async with Client(app.view(MINE)) as client:
        asked = [client.call_tool_mcp("break_it", {}) for _ in range(20)]
        waiting = asyncio.gather(*asked)
        while len(app.ledger.audit._buffer) < 20:
            await asyncio.sleep(0)
        app.ledger.audit._turn.release()
        assert all(answer.is_error for answer in await waiting)
    assert len(commits) == 1
    assert [row.outcome for row in rows(app.database, audit_table)] == ["denied"] * 20


def test_work_that_is_done_stays_done_when_the_last_audit_rows_cannot_be_written(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(database)
    ledger.audit.record(MINE, "tools/call", "get_note", None, "allowed")
    with full(database):
        ledger.audit.close()
    assert "1 audit rows of toy were not written: StorageError" in caplog.text


def test_a_release_that_could_not_be_stored_holds_here_and_is_stored_by_the_next(
    database: Database,
) -> None:
    ledger = Ledger(database)
    with full(database), pytest.raises(StorageError):
        ledger.revoke(MINE)
    assert ledger.is_revoked(MINE.id)
    assert rows(database, revoked_table) == []
    ledger.revoke(MINE)
    assert [row.grant_id for row in rows(database, revoked_table)] == [MINE.id]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_a_budget_and_a_release_hold_against_many_at_once(database: Database) -> None:
    ledger, allowed, problems = Ledger(database), [], []

    def use() -> None:
        try:
            allowed.append(ledger.spend(MINE, "list_notes", 3))
            ledger.revoke(MINE)
        except Exception as problem:  # noqa: BLE001 - shown by the assertion
            problems.append(problem)

    database.engine.dispose()
    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(allowed) == [False] * 5 + [True] * 3
    assert [row.used for row in rows(database, call_count_table)] == [3]
    assert len(rows(database, revoked_table)) == 1
