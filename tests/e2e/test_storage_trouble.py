"""Trouble with a database anywhere in a run parks it; resumed, it ends as it would have."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from orchestrator.errors import EnvironmentProblem
from servers.registry import NAMES

from .conftest import ALDER, BERGWALD, Folder
from .test_crash import rows
from .test_postgres_run import URL, databases  # noqa: F401 - a fixture

Fail = Callable[[Any], None]
WHERE = ("servers", "runs", "engine")


def full(_cursor: Any) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def locked(_cursor: Any) -> None:
    raise sqlite3.OperationalError("database is locked")


class Statements:
    """Counts the statements to some databases of a desk; from one of them on, they fail.

    With `since` it counts from the first one that holds these words.
    """

    def __init__(
        self, first: int | None = None, fail: Fail = full, *, last: int = 10**9, since: str = ""
    ) -> None:
        self.count, self.first, self.last, self.fail = 0, first, last, fail
        self.since = since

    def __call__(self, cursor: Any, statement: str, *_values: Any) -> None:
        if not self.count and self.since not in statement:
            return
        self.count += 1
        if self.first is not None and self.first <= self.count <= self.last:
            self.fail(cursor)

    @contextmanager
    def of(self, desk: Desk, where: str) -> Iterator[None]:
        engines = engines_of(desk)[where]
        for engine in engines:
            sa.event.listen(engine, "do_execute", self)
        yield
        for engine in engines:
            sa.event.remove(engine, "do_execute", self)


def engines_of(desk: Desk) -> dict[str, list[Any]]:
    servers = [desk.servers.app(name).database.engine for name in NAMES]
    return {
        "servers": servers,
        "runs": [desk.store._engine],
        "engine": [desk.engine._database],
    }


def at(home: Path) -> Any:
    return load_settings(
        home=str(home), model="playbook", person="per_lena", order_date="2026-11-23"
    )


async def play(home: Path, where: str, statements: Statements) -> dict[str, Any] | None:
    """Return what came of a run; None when it is parked, or the desk could not even begin."""
    async with Desk.open(at(home)) as desk:
        with statements.of(desk, where):
            try:
                return await desk.wait(await desk.submit(ALDER))
            except EnvironmentProblem:
                return None


async def go_on(home: Path) -> dict[str, Any]:
    """Do what a person does next: resume what is open, look at what ended, or run the goal.

    Trouble with the very last note of a run is told to whoever waits, and the run has ended.
    """
    async with Desk.open(at(home)) as desk:
        open_ = [row["run_id"] for row in desk.store.list() if row["status"] != "done"]
        if not open_ and (ended := desk.store.list()):
            return await desk.wait(ended[0]["run_id"])
        for run_id in open_:
            await desk.resume(run_id)
        return await desk.wait(open_[0] if open_ else await desk.submit(ALDER))


@pytest.fixture(scope="module")
def whole(seeded: Folder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run without trouble leaves, and how many statements it makes, by database."""
    home = Path(shutil.copytree(seeded.home, tmp_path_factory.mktemp("whole") / "home"))
    counted = {where: Statements() for where in WHERE}

    async def run() -> dict[str, Any]:
        async with Desk.open(at(home)) as desk:
            with ExitStack() as stack:
                for where, statements in counted.items():
                    stack.enter_context(statements.of(desk, where))
                return await desk.wait(await desk.submit(ALDER))

    result = asyncio.run(run())
    assert result["outcome"] == "issued"
    counts = {where: statements.count for where, statements in counted.items()}
    return {**counts, "rows": rows(home), "total": result["total_minor"]}


async def breaks_and_goes_on(
    home: Path, whole: dict[str, Any], where: str, fail: Fail, share: float
) -> None:
    broken = Statements(max(1, round(whole[where] * share)), fail)
    result = await play(home, where, broken)
    if broken.count < broken.first:  # it needed fewer statements this time
        assert result is not None
    if result is None:
        result = await go_on(home)
    assert (result["outcome"], result.get("total_minor")) == ("issued", whole["total"]), result
    assert rows(home) == whole["rows"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("where", "fail", "share"),
    [
        ("servers", full, 0.3),
        ("servers", locked, 0.9),
        ("runs", full, 0.9),
        ("engine", full, 0.5),
    ],
)
async def test_a_run_that_meets_trouble_is_parked_and_ends_as_it_would_have(
    seeded: Folder,
    copy: Callable[[Folder], Path],
    whole: dict[str, Any],
    where: str,
    fail: Fail,
    share: float,
) -> None:
    await breaks_and_goes_on(copy(seeded), whole, where, fail, share)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("nth", "status"), [(1, "open"), (5, "open"), (6, "done")])
async def test_trouble_with_the_last_note_of_a_run_cancels_nothing(
    seeded: Folder,
    copy: Callable[[Folder], Path],
    whole: dict[str, Any],
    nth: int,
    status: str,
) -> None:
    """The end is five statements, the last its event; the sixth reads it."""
    home = copy(seeded)
    assert await play(home, "runs", Statements(nth, full, since="outcome=")) is None
    async with Desk.open(at(home)) as desk:
        (row,) = desk.store.list()
        assert row["status"] == status
        if status == "open":
            with pytest.raises(EnvironmentProblem, match="disk is full"):
                await desk.wait(row["run_id"])
            await desk.resume(row["run_id"])
        for _ in range(2):
            result = await desk.wait(row["run_id"])
            assert (result["outcome"], result["total_minor"]) == ("issued", whole["total"])
        last = desk.events(row["run_id"])[-1]
        assert (last["type"], last["data"]) == ("run_finished", {"outcome": "issued"})
    assert rows(home) == whole["rows"]


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("where", "points"), [("servers", 40), ("runs", 20), ("engine", 20)])
async def test_trouble_at_any_statement_parks_a_run(
    seeded: Folder, tmp_path: Path, whole: dict[str, Any], where: str, points: int
) -> None:
    for point in range(points):
        home = Path(shutil.copytree(seeded.home, tmp_path / str(point)))
        await breaks_and_goes_on(home, whole, where, full, point / points)


@pytest.mark.skipif(not URL, reason="not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server")
@pytest.mark.timeout(180)
async def test_connections_that_a_server_ends_park_a_run(
    databases: None,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    keeper = sa.create_engine(URL, isolation_level="AUTOCOMMIT")

    def cut(cursor: Any) -> None:
        """End this connection, and every other to the database, as a restart would."""
        info = cursor.connection.info
        ended = sa.text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :d"
        )
        with keeper.connect() as connection:
            connection.execute(ended, {"d": info.dbname})

    async with Desk.open(at(tmp_path / "home")) as desk:
        for goal, first in ((ALDER, 40), (BERGWALD, 150)):
            run_id = await desk.submit(goal)
            with Statements(first, cut, last=first).of(desk, "servers"):
                try:
                    result = await desk.wait(run_id)
                except EnvironmentProblem:
                    await desk.resume(run_id)
                    result = await desk.wait(run_id)
            assert result["outcome"] in ("issued", "waiting")
            account = {"account_id": result["account_id"]}
            quotes = (await desk.look("finance", "list_quotes", account))["items"]
            history = (await desk.look("crm", "quote_history", account))["items"]
            for found in (quotes, history):
                deals = [one["opportunity_id"] for one in found]
                assert deals.count(result["opportunity_id"]) == 1
    keeper.dispose()
