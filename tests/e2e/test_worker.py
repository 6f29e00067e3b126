"""`dealdesk worker` plays what is queued, beside others, and stops cleanly when it is asked to."""

import asyncio
import json
import os
import secrets
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from servers.registry import NAMES

from .conftest import ALDER, BERGWALD, DAY, Command, Folder, Warm, clean_environment

POSTGRES = os.environ.get("DEALDESK_TEST_POSTGRES", "")
GOLD = Path(__file__).parents[2] / "evals" / "quotes" / "gold"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(warm: Warm) -> Iterator[Start]:
    """Start workers; those that a test leaves running are killed."""
    started: list[subprocess.Popen[str]] = []

    def worker(home: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        one = subprocess.Popen(
            warm("dealdesk", "worker", *arguments),
            env=clean_environment(home) | variables,
            cwd=home.parent,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(one)
        return one

    yield worker
    for one in started:
        one.kill()
        one.communicate()


async def said(worker: subprocess.Popen[str], words: str) -> None:
    """Read what a worker says until it says this."""
    assert worker.stderr is not None
    async with asyncio.timeout(60):
        while words not in (line := await asyncio.to_thread(worker.stderr.readline)):
            assert line, f"the worker ended before it said {words!r}"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("ask", [signal.SIGTERM, signal.SIGINT])
async def test_a_queued_run_is_played_and_the_worker_stops_when_asked(
    ask: signal.Signals, seeded: Folder, copy: Callable[[Folder], Path], program: Command,
    start: Start,
) -> None:  # fmt: skip
    home = copy(seeded)
    queued = program("run", ALDER, *DAY, "--queue", "--json", home=home).json
    assert queued["outcome"] == "queued"
    other = program(
        "run", BERGWALD, *DAY, "--queue", "--model", "claude-other", home=home
    )  # no key is needed to queue
    assert other.code == 0
    assert "is queued" in other.out
    worker = start(home, "--model", "playbook")
    await said(worker, "Working as offline-playbook/1")
    await said(worker, f"{queued['run_id']}: issued q_")
    worker.send_signal(ask)
    assert await asyncio.to_thread(worker.wait, 30) == 0
    with closing(sqlite3.connect(home / "runs.db")) as runs:
        rows = runs.execute("SELECT model, status, outcome FROM run ORDER BY n").fetchall()
    assert rows == [("offline-playbook/1", "done", "issued"), ("claude-other", "open", None)]
    assert list((home / "engine.db-seats").iterdir()) == [], "nothing is left behind"


@pytest.fixture
def shared() -> Iterator[dict[str, str]]:
    """Four empty databases on PostgreSQL, as variables that name them; gone afterwards."""
    if not POSTGRES:
        pytest.skip("not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server")
    keeper = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    mark = secrets.token_hex(4)
    names = {name: f"dealdesk_{name}_{mark}" for name in (*NAMES, "engine")}
    with keeper.connect() as connection:
        for database in names.values():
            connection.exec_driver_sql(f"CREATE DATABASE {database}")
    yield {
        f"DEALDESK_{name.upper()}_URL": sa.make_url(POSTGRES)
        .set(database=database)
        .render_as_string(hide_password=False)
        for name, database in names.items()
    }
    with keeper.connect() as connection:
        for database in names.values():
            connection.exec_driver_sql(f"DROP DATABASE {database} WITH (FORCE)")
    keeper.dispose()


def goals() -> list[tuple[str, str]]:
    """Forty goals with their days: every gold one, and the first of them again."""
    golds = [json.loads(path.read_text()) for path in sorted(GOLD.glob("*.json"))]
    every = [(gold["goal"], gold["order_date"]) for gold in golds]
    return [*every, *every[: 40 - len(every)]]


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_two_workers_share_a_queue_and_one_that_is_killed_leaves_nothing_undone(
    shared: dict[str, str], tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch,
    record_property: Any,
) -> None:  # fmt: skip
    for name, url in shared.items():
        monkeypatch.setenv(name, url)
    homes = [tmp_path / name for name in ("asker", "first", "second")]
    ids = []
    for day in sorted({day for _, day in goals()}):
        mine = load_settings(
            home=str(homes[0]), model="playbook", person="per_lena", order_date=day
        )
        async with Desk.open(mine, work=False) as desk:
            ids += [await desk.submit(goal) for goal, its_day in goals() if its_day == day]
    assert len(ids) == 40
    workers = [start(home, "--model", "playbook", **shared) for home in homes[1:]]
    for worker in workers:
        await said(worker, "Working as")
    mine = load_settings(home=str(homes[0]), model="playbook")
    async with Desk.open(mine, work=False) as desk:

        async def until_ended(count: int) -> dict[str, str]:
            while True:
                rows = [desk.run_row(run_id) for run_id in ids]
                how = {r["run_id"]: r["outcome"] or r["status"] for r in rows}
                if sum(one != "open" for one in how.values()) >= count:
                    return how
                await asyncio.sleep(0.1)

        await until_ended(8)
        workers[0].kill()
        outcomes = await until_ended(40)
        ends = Counter(
            run_id
            for run_id in ids
            for event in desk.events(run_id)
            if event["type"] in ("run_finished", "waiting")
        )
    assert ends == dict.fromkeys(ids, 1)
    assert not {"open", "failed", "cancelled"} & set(outcomes.values())
    workers[1].send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(workers[1].wait, 60) == 0
    record_property("figure", f"two workers, one killed: {dict(Counter(outcomes.values()))}")
    assert once(shared) == []


def once(shared: dict[str, str]) -> list[Any]:
    """Return what was done more than once: quotes of a deal, notes of a quote, numbers."""
    twice: list[Any] = []
    for server, question in (
        ("FINANCE", "SELECT opportunity_id, count(*) FROM quote GROUP BY 1 HAVING count(*) > 1"),
        ("FINANCE", "SELECT number, count(*) FROM quote WHERE number IS NOT NULL GROUP BY 1 "
                    "HAVING count(*) > 1"),
        ("CRM", "SELECT r.quote_id, s.outcome, count(*) FROM quote_step s JOIN quote_record r ON "
                "r.id = s.quote_record_id GROUP BY 1, 2 HAVING count(*) > 1"),
        ("CRM", "SELECT opportunity_id, text, count(*) FROM activity "
                "WHERE position('@' in recorded_by) > 0 GROUP BY 1, 2 HAVING count(*) > 1"),
    ):  # fmt: skip
        engine = sa.create_engine(shared[f"DEALDESK_{server}_URL"])
        with engine.connect() as connection:
            twice += connection.exec_driver_sql(question).all()
        engine.dispose()
    return twice
