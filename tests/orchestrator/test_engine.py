import asyncio
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from shutil import copyfile
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from dbos import DBOS

from orchestrator.durable.engine import AT_ONCE, Engine, State, Steps
from orchestrator.durable.queues import Ledger
from orchestrator.durable.seats import seats_for
from orchestrator.errors import (
    AgentFailed,
    DealdeskError,
    EnvironmentProblem,
    ModelUnavailable,
    UsageError,
)

sys.path.insert(0, str(Path(__file__).parent))
import engine_lives as lives

SERVER = os.environ.get("DEALDESK_TEST_POSTGRES")
GOAL = {"goal": "Quote them"}
Make = Callable[..., Engine]


@pytest.fixture(scope="module")
def admin() -> Iterator[sa.Engine]:
    if not SERVER:
        pytest.skip("not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server")
    engine = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def file_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database file; making one takes a while, copying it does not."""
    path = tmp_path_factory.mktemp("template") / "engine.db"
    DBOS.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def server_template(admin: sa.Engine) -> Iterator[str]:
    """As `file_template`, on the server."""
    with database(admin) as url:
        DBOS.migrate(url)
        yield str(sa.make_url(url).database)


@contextmanager
def database(admin: sa.Engine, template: str = "template1") -> Iterator[str]:
    name = f"dealdesk_engine_{uuid4().hex[:8]}"
    with admin.connect() as db:
        db.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as db:
        db.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def sqlite_url(tmp_path: Path, file_template: Path) -> str:
    copyfile(file_template, tmp_path / "engine.db")
    return f"sqlite:///{tmp_path}/engine.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    admin = request.getfixturevalue("admin")
    with database(admin, request.getfixturevalue("server_template")) as url:
        yield url


@pytest.fixture
def made(tmp_path: Path) -> lives.Made:
    return lives.Made(tmp_path / "trace")


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make engines that are stopped at the end, whatever happened."""
    opened: list[Engine] = []

    def one(url: str, body: Any, steps: tuple[str, ...] = lives.STEPS) -> Engine:
        opened.append(Engine(url, lambda args: args.get("steps", steps), body))
        return opened[-1]

    yield one
    for engine in opened:
        await engine.stop()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., BaseProcess]]:
    """Start a life in a process of its own; it is killed at the end if it still lives."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # for the server that forks
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine_lives"])
    started: list[BaseProcess] = []

    def start(life: Callable[..., None], *args: Any) -> BaseProcess:
        one = context.Process(target=life, args=args)
        one.start()
        started.append(one)
        return one

    yield start
    for one in started:
        one.kill()
        one.join()
        one.close()


async def until(true: Callable[[], Any], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


async def ended(process: BaseProcess) -> int | None:
    await until(lambda: process.exitcode is not None, 40)
    return process.exitcode


def single(*steps: Callable[..., Awaitable[Any]]) -> Any:
    """Return a body of some steps, one after the other, named by the plan."""

    async def body(plan: Steps, _run_id: str, _args: Any) -> dict[str, Any]:
        kept = [await plan.run(name, work) for name, work in zip(lives.STEPS, steps, strict=False)]
        return {"outcome": "done", "kept": kept}

    return body


async def test_a_run_plays_its_steps_and_ends(url: str, make: Make, made: lives.Made) -> None:
    engine = make(url, made.body)
    await engine.start()
    await engine.submit("run_1", GOAL)
    result = await engine.wait("run_1", 20)
    assert result is not None
    assert result["last"] == {"name": "issue", "given": [None]}
    assert [one["name"] for one in result["pair"]] == ["profile", "match"]
    await engine.submit("run_1", GOAL)
    assert await engine.wait("run_1", 20) == result
    assert await engine.status("run_1") is State.DONE
    assert await engine.pending() == {}
    assert made.lines().count("begin plan") == 1


@pytest.mark.parametrize("crash", lives.CRASHES)
async def test_killed_anywhere_it_goes_on_where_it_was(
    sqlite_url: str, make: Make, made: lives.Made, process: Any, crash: str
) -> None:
    await killed_and_resumed(sqlite_url, make, made, process, crash)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_killed_on_a_server_it_goes_on_too(
    url: str, make: Make, made: lives.Made, process: Any
) -> None:
    await killed_and_resumed(url, make, made, process, "profile")


async def killed_and_resumed(
    url: str, make: Make, made: lives.Made, process: Any, crash: str
) -> None:
    assert await ended(process(lives.submit, url, made.trace, crash, GOAL)) == -9
    before = made.lines()
    engine = make(url, made.body)
    await engine.start()
    assert await engine.status("run_1") is State.OPEN
    assert await engine.resume("run_1") == ["run_1"]
    result = await engine.wait("run_1", 30)
    assert result is not None
    assert result["last"] == {"name": "issue", "given": [None]}
    counted = Counter(made.lines())
    for name in ("plan", "profile", "match", "check", "issue"):
        assert counted[f"end {name}"] == 1
        assert counted[f"begin {name}"] == (2 if name == crash else 1), before


async def test_killed_while_waiting_and_decided_while_no_worker_lived(
    url: str, make: Make, made: lives.Made, process: Any
) -> None:
    waits = {**GOAL, "wait": True}
    assert await ended(process(lives.submit, url, made.trace, "waiting", waits)) == -9
    looker = make(url, made.body)
    assert await looker.status("run_1") is State.WAITING
    assert await looker.wait("run_1", 5) is None
    assert await ended(process(lives.decide, url, made.trace, {"approved": True})) == 0
    assert await looker.status("run_1") is State.OPEN

    worker = make(url, made.body)
    await worker.start(sweep=True)
    result = await worker.wait("run_1", 30)
    assert result is not None
    assert result["last"]["given"] == [{"approved": True}]
    assert all(count == 1 for count in Counter(made.lines()).values())


async def test_a_worker_that_sends_takes_the_run_up(
    sqlite_url: str, make: Make, made: lives.Made
) -> None:
    first = make(sqlite_url, made.body)
    await first.start()
    await first.submit("run_1", {**GOAL, "wait": True})
    assert await first.wait("run_1", 20) is None
    assert await first.pending() == {"run_1": State.WAITING}
    await first.stop()

    second = make(sqlite_url, made.body)
    await second.start()
    await second.send("run_1", "decision", {"approved": False})
    await second.send("run_1", "decision", {"approved": True})  # the first one counts
    result = await second.wait("run_1", 20)
    assert result is not None
    assert result["last"]["given"] == [{"approved": False}]


async def test_nobody_takes_up_what_another_worker_plays(
    url: str, make: Make, made: lives.Made, process: Any
) -> None:
    other = process(lives.hold, url, made.trace)
    await until(lambda: made.lines() == ["begin plan"])
    engine = make(url, made.body)
    await engine.start()
    assert await engine.resume() == []
    assert await engine.resume("run_1") == []
    assert made.lines() == ["begin plan"]
    with pytest.raises(TimeoutError):
        await engine.wait("run_1", 0.3)
    other.kill()
    await ended(other)
    assert await engine.resume() == ["run_1"]
    assert await engine.resume() == []
    result = await engine.wait("run_1", 30)
    assert result is not None
    assert result["outcome"] == "issued"
    assert made.lines().count("begin plan") == 2  # killed in there
    assert made.lines().count("end plan") == 1


async def test_a_worker_that_was_not_asked_leaves_interrupted_runs_alone(
    sqlite_url: str, make: Make, made: lives.Made
) -> None:
    first = make(sqlite_url, made.body)
    await first.start()
    await first.submit("run_1", {**GOAL, "wait": True})
    assert await first.wait("run_1", 20) is None
    await first.stop()
    asked = make(sqlite_url, made.body)
    await asked.submit("run_2", GOAL)  # without a worker: for one that sweeps

    short = make(sqlite_url, made.body)
    await short.start()
    await short.submit("run_3", GOAL)
    assert await short.wait("run_3", 20)
    assert await short.pending() == {"run_1": State.WAITING, "run_2": State.OPEN}
    await short.stop()

    lasting = make(sqlite_url, made.body)
    await lasting.start(sweep=True)
    assert await lasting.wait("run_2", 20)


async def test_a_run_that_only_waits_in_the_queue_can_be_resumed_here(
    sqlite_url: str, make: Make, made: lives.Made
) -> None:
    engine = make(sqlite_url, made.body)
    await engine.submit("run_1", GOAL)
    await engine.start()
    assert await engine.resume("run_1") == ["run_1"]
    assert await engine.wait("run_1", 20)


async def test_a_lasting_worker_has_few_runs_on_their_way_and_only_those_it_may_play(
    sqlite_url: str, make: Make
) -> None:
    began: list[str] = []
    go = asyncio.Event()

    async def body(steps: Steps, run_id: str, args: Any) -> dict[str, Any]:
        async def plan() -> str:
            began.append(run_id)
            await go.wait()
            return run_id

        if args.get("wait"):
            await steps.receive("decision", 60)
        return {"outcome": await steps.run("plan", plan)}

    asking = make(sqlite_url, body)
    waits, others = [f"run_w{n}" for n in range(3)], [f"run_{n}" for n in range(AT_ONCE + 2)]
    for run_id in (*waits, "run_not_mine", *others):
        await asking.submit(run_id, {"wait": run_id in waits})
    worker = make(sqlite_url, body)
    await worker.start(sweep=True, wanted=lambda run_id: run_id != "run_not_mine")
    await until(lambda: len(began) == AT_ONCE)
    assert [await asking.status(run_id) for run_id in waits] == [State.WAITING] * 3
    assert sorted(began) == others[:AT_ONCE]
    go.set()
    for run_id in others:
        assert await worker.wait(run_id, 20) == {"outcome": run_id}
    assert await asking.status("run_not_mine") is State.OPEN
    assert sorted(began) == sorted(others)


async def test_a_failure_that_may_pass_parks_the_run_and_resume_repeats_only_that(
    url: str, make: Make, made: lives.Made
) -> None:
    away = [True]

    async def profile() -> Any:
        made.note("begin profile")
        if away[0]:
            raise ModelUnavailable("the model is away", fix="try again later")
        return {"name": "profile"}

    async def match() -> Any:
        await until(lambda: "begin profile" in made.lines())
        made.note("begin match")
        await asyncio.sleep(0.05)  # still at it when the other one fails
        made.note("end match")
        return {"name": "match"}

    async def body(steps: Steps, _run_id: str, _args: Any) -> dict[str, Any]:
        await steps.run("plan", made.work, "plan")
        pair = await asyncio.gather(steps.run("profile", profile), steps.run("match", match))
        return {"outcome": "done", "pair": pair}

    engine = make(url, body)
    await engine.start()
    await engine.submit("run_1", GOAL)
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="the model is away"):
            await engine.wait("run_1", 20)
    assert await engine.status("run_1") is State.PARKED
    assert await engine.pending() == {"run_1": State.PARKED}
    await engine.stop()

    other = make(url, body)  # as after a restart
    with pytest.raises(ModelUnavailable, match="the model is away") as caught:
        await other.wait("run_1", 20)
    assert caught.value.fix == "try again later"
    await other.start(sweep=True)
    assert await other.status("run_1") is State.PARKED  # a sweep is not a resume
    assert await other.resume("run_1") == ["run_1"]
    with pytest.raises(ModelUnavailable):
        await other.wait("run_1", 20)
    away[0] = False
    assert await other.resume("run_1") == ["run_1"]
    result = await other.wait("run_1", 20)
    assert result is not None
    assert [one["name"] for one in result["pair"]] == ["profile", "match"]
    counted = Counter(made.lines())
    assert counted["begin profile"] == 3
    assert counted["begin match"] == counted["end match"] == counted["begin plan"] == 1


async def test_a_resume_that_stops_halfway_leaves_a_run_parked(
    sqlite_url: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [True]

    async def work() -> Any:
        if away[0]:
            raise ModelUnavailable("away")
        return {}

    def full(*_: Any, **__: Any) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, OSError("database or disk is full"))

    engine = make(sqlite_url, single(work))
    await engine.start()
    await engine.submit("run_1", GOAL)
    with pytest.raises(ModelUnavailable):
        await engine.wait("run_1", 20)
    away[0] = False
    with monkeypatch.context() as patch:
        patch.setattr(engine._client, "resume_workflow", full)
        with pytest.raises(EnvironmentProblem, match="disk is full"):
            await engine.resume("run_1")
    assert await engine.status("run_1") is State.PARKED
    assert await engine.resume("run_1") == ["run_1"]
    result = await engine.wait("run_1", 20)
    assert result is not None
    assert result["outcome"] == "done"


async def test_a_mistake_in_the_code_parks_too(sqlite_url: str, make: Make) -> None:
    broken = [True]

    async def work() -> Any:
        return 1 / 0 if broken[0] else {"mended": True}

    async def groups(steps: Steps, _run_id: str, _args: Any) -> dict[str, Any]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(steps.run("plan", work))
        return {"outcome": "done", **task.result()}

    engine = make(sqlite_url, groups)
    await engine.start()
    await engine.submit("run_1", GOAL)
    with pytest.raises(ZeroDivisionError):
        await engine.wait("run_1", 20)
    looker = make(sqlite_url, groups)
    with pytest.raises(DealdeskError, match="plan stopped: ZeroDivisionError: division by zero"):
        await looker.wait("run_1", 20)
    broken[0] = False
    await engine.resume("run_1")
    assert await engine.wait("run_1", 20) == {"outcome": "done", "mended": True}


async def test_what_could_not_be_written_down_is_still_said(
    sqlite_url: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, OSError("database or disk is full"))

    async def away() -> Any:
        raise ModelUnavailable("away")

    monkeypatch.setattr(Ledger, "park", full)
    monkeypatch.setattr("orchestrator.durable.steps.PATIENCE", 0.1)
    engine = make(sqlite_url, single(away))
    await engine.start()
    await engine.submit("run_1", GOAL)
    with pytest.raises(ModelUnavailable, match="away"):
        await engine.wait("run_1", 20)
    assert await engine.status("run_1") is State.OPEN
    await engine.stop()
    monkeypatch.undo()
    later = make(sqlite_url, single(away))
    await later.start()
    assert await later.resume("run_1") == ["run_1"]


async def test_an_error_that_will_not_pass_ends_the_run(sqlite_url: str, make: Make) -> None:
    calls = []

    async def work() -> Any:
        calls.append(1)
        raise AgentFailed("no usable answer", fix="read the run")

    engine = make(sqlite_url, single(work))
    await engine.start()
    await engine.submit("run_1", GOAL)
    with pytest.raises(AgentFailed, match="no usable answer"):
        await engine.wait("run_1", 20)
    assert await engine.status("run_1") is State.FAILED
    assert await engine.resume("run_1") == []
    looker = make(sqlite_url, single(work))
    with pytest.raises(AgentFailed, match="no usable answer") as caught:
        await looker.wait("run_1", 20)
    assert caught.value.fix == "read the run"
    assert calls == [1]


async def test_a_body_may_catch_a_steps_error_in_every_life(sqlite_url: str, make: Make) -> None:
    async def refused() -> Any:
        raise UsageError("refused")

    async def body(steps: Steps, _run_id: str, _args: Any) -> dict[str, Any]:
        try:
            await steps.run("plan", refused)
        except UsageError as problem:
            return {"said": problem.message, "decision": await steps.receive("decision", 86_400)}
        return {}

    first = make(sqlite_url, body)
    await first.start()
    await first.submit("run_1", GOAL)
    assert await first.wait("run_1", 20) is None
    await first.stop()
    second = make(sqlite_url, body)
    await second.start()
    await second.send("run_1", "decision", {"yes": 1})
    assert await second.wait("run_1", 20) == {"said": "refused", "decision": {"yes": 1}}


async def test_a_step_gives_the_same_in_every_life(sqlite_url: str, make: Make) -> None:
    async def work() -> Any:
        return {"pair": (1, 2), 3: "three"}

    engine = make(sqlite_url, single(work))
    await engine.start()
    await engine.submit("run_1", GOAL)
    result = await engine.wait("run_1", 20)
    assert result == {"outcome": "done", "kept": [{"pair": [1, 2], "3": "three"}]}


async def test_a_step_the_plan_does_not_have_is_a_mistake(sqlite_url: str, make: Make) -> None:
    async def work() -> Any:
        return {}

    async def body(steps: Steps, _run_id: str, _args: Any) -> dict[str, Any]:
        await steps.run("plan", work)
        return dict(await steps.run("plan", work))

    engine = make(sqlite_url, body)
    await engine.start()
    await engine.submit("run_1", GOAL)
    with pytest.raises(RuntimeError, match="'plan' is not in the plan, or was run already"):
        await engine.wait("run_1", 20)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_a_cancelled_run_stops_inside_its_step_and_stays_so(
    url: str, make: Make, where: str
) -> None:
    seen: list[str] = []

    async def work() -> Any:
        seen.append("begin")
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("gone")

    engine = make(url, single(work))
    await engine.start()
    await engine.submit("run_1", GOAL)
    await until(lambda: seen)
    await (engine if where == "here" else make(url, single(work))).cancel("run_1")
    await until(lambda: "gone" in seen, 5)
    assert await engine.wait("run_1", 20) == {"outcome": "cancelled"}
    assert await engine.resume("run_1") == []
    assert await engine.status("run_1") is State.CANCELLED
    assert await engine.pending() == {}


async def test_waiting_and_parked_runs_can_be_cancelled(
    sqlite_url: str, make: Make, made: lives.Made
) -> None:
    async def away() -> Any:
        raise ModelUnavailable("away")

    async def body(steps: Steps, run_id: str, _args: Any) -> dict[str, Any]:
        if run_id == "run_parked":
            await steps.run("plan", away)
        return {"outcome": "done", "said": await steps.receive("decision", 86_400)}

    engine = make(sqlite_url, body)
    await engine.start()
    for run_id in ("run_parked", "run_waits"):
        await engine.submit(run_id, GOAL)
    with pytest.raises(ModelUnavailable):
        await engine.wait("run_parked", 20)
    assert await engine.wait("run_waits", 20) is None
    for run_id in ("run_parked", "run_waits"):
        await engine.cancel(run_id)
        assert await engine.wait(run_id, 20) == {"outcome": "cancelled"}
        assert await engine.resume(run_id) == []


async def test_a_decision_may_come_before_it_is_waited_for(sqlite_url: str, make: Make) -> None:
    go = asyncio.Event()

    async def slow() -> Any:
        await go.wait()
        return {}

    async def body(steps: Steps, _run_id: str, _args: Any) -> dict[str, Any]:
        await steps.run("plan", slow)
        return {"said": await steps.receive("decision", 86_400)}

    engine = make(sqlite_url, body)
    await engine.start()
    await engine.submit("run_1", GOAL)
    await engine.send("run_1", "decision", {"early": True})
    go.set()
    await until_done(engine, "run_1")
    assert await engine.wait("run_1", 20) == {"said": {"early": True}}


async def until_done(engine: Engine, run_id: str) -> None:
    async with asyncio.timeout(20):
        while await engine.status(run_id) is not State.DONE:
            await asyncio.sleep(0.01)


async def test_nobody_decides_in_time(sqlite_url: str, make: Make) -> None:
    async def body(steps: Steps, _run_id: str, _args: Any) -> dict[str, Any]:
        return {"said": await steps.receive("decision", 0.05)}

    engine = make(sqlite_url, body)
    await engine.start()
    await engine.submit("run_1", GOAL)
    await until_done(engine, "run_1")
    assert await engine.wait("run_1", 20) == {"said": None}


async def test_a_stopped_worker_leaves_its_runs_to_be_resumed(
    sqlite_url: str, make: Make, made: lives.Made
) -> None:
    began = asyncio.Event()

    async def slow() -> Any:
        began.set()
        await asyncio.sleep(60)

    async def quick() -> Any:
        return {"quick": True}

    engine = make(sqlite_url, single(quick, slow))
    await engine.start()
    await engine.submit("run_1", GOAL)
    await began.wait()
    await engine.stop()
    assert await asyncio.to_thread(lambda: "threads still work") == "threads still work"

    again = make(sqlite_url, single(slow, quick))  # the first step is not played again
    await again.start()
    assert await again.resume("run_1") == ["run_1"]
    result = await again.wait("run_1", 20)
    assert result is not None
    assert result["kept"] == [{"quick": True}, {"quick": True}]


async def test_a_run_keeps_the_step_names_it_began_with(sqlite_url: str, make: Make) -> None:
    played: list[str] = []

    def body(stop_at: str | None) -> Any:
        async def one(name: str) -> str:
            if name == stop_at:
                raise ModelUnavailable("away")
            played.append(name)
            return name

        async def play(steps: Steps, _run_id: str, args: Any) -> dict[str, Any]:
            before = sorted(await steps.done())
            kept = [await steps.run(name, one, name) for name in args["steps"]]
            return {"outcome": "done", "before": before, "kept": kept}

        return play

    began = make(sqlite_url, body("b"))
    await began.start()
    await began.submit("run_1", {"steps": ["a", "b"]})
    with pytest.raises(ModelUnavailable):
        await began.wait("run_1", 20)
    await began.stop()
    later = make(sqlite_url, body(None), steps=("x", "a", "y", "b"))
    await later.start()
    await later.resume("run_1")
    result = await later.wait("run_1", 20)
    assert result == {"outcome": "done", "before": ["a"], "kept": ["a", "b"]}
    assert played == ["a", "b"]


async def test_an_unknown_run_is_a_clear_mistake(sqlite_url: str, make: Make) -> None:
    engine = make(sqlite_url, single())
    for ask in (engine.wait, engine.status, engine.resume):
        with pytest.raises(UsageError, match="run_none never started"):
            await ask("run_none")
    with pytest.raises(UsageError, match="never started"):
        await engine.send("run_none", "decision", {})


async def test_a_new_file_in_a_new_folder_is_made(
    tmp_path: Path, make: Make, made: lives.Made
) -> None:
    url = f"sqlite:///{tmp_path}/new/engine.db"
    looker = make(url, made.body)
    assert await looker.pending() == {}
    await looker.stop()
    engine = make(url, made.body)
    await engine.start()
    await engine.submit("run_1", GOAL)
    assert await engine.wait("run_1", 20)


async def test_one_engine_works_in_a_process(sqlite_url: str, make: Make) -> None:
    engine = make(sqlite_url, single())
    await engine.start()
    with pytest.raises(EnvironmentProblem, match="another engine works"):
        await make(sqlite_url, single()).start()
    await engine.stop()
    await engine.start()  # and again, in the same loop


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////proc/nowhere/engine.db", "cannot be opened"),
        ("postgresql+psycopg://nobody@127.0.0.1:1/nothing", "cannot be used"),
    ],
)
async def test_a_database_that_cannot_be_used_is_said(make: Make, url: str, said: str) -> None:
    engine = make(url, single())
    with pytest.raises(EnvironmentProblem, match=said):
        await engine.start()
    with pytest.raises(EnvironmentProblem, match=said):
        await engine.pending()


async def test_the_file_follows_the_journal_rule_and_holds_no_pickle(
    sqlite_url: str, make: Make, made: lives.Made, tmp_path: Path
) -> None:
    from servers.toolkit.database import journal_mode

    engine = make(sqlite_url, made.body)
    await engine.start()
    await engine.submit("run_1", GOAL)
    await engine.wait("run_1", 20)
    await engine.stop()
    connection = sqlite3.connect(tmp_path / "engine.db")
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    rows = connection.execute("SELECT serialization, output FROM operation_outputs").fetchall()
    queues = connection.execute("SELECT name FROM queues").fetchall()
    connection.close()
    assert mode.upper() == journal_mode()
    assert len(rows) == 5
    assert all(how == "portable_json" and text.startswith("{") for how, text in rows)
    assert queues == [("runs",)]
    assert list((tmp_path / "engine.db-seats").iterdir()) == []


def test_a_seat_tells_the_living_from_the_dead(url: str) -> None:
    mine, other = seats_for(url), seats_for(url)
    name = mine.take()
    assert name != other.take()
    for look in (mine, other):
        look.keep()
        with look.dead(name) as dead:
            assert not dead
    mine.leave()
    with other.dead(name) as dead, seats_for(url).dead("never-there") as never:
        assert dead
        assert never
    other.leave()
    other.leave()


def test_a_dead_seat_is_looked_at_by_one_at_a_time(url: str, process: Any) -> None:
    killed = process(take_and_die, url)
    killed.join(20)
    name = killed_name(url) if url.startswith("sqlite") else "some-seat"
    first, second = seats_for(url), seats_for(url)
    with first.dead(name) as dead:
        assert dead
        with second.dead(name) as also:
            assert not also
    with second.dead(name) as dead:
        assert dead


def take_and_die(url: str) -> None:
    seats_for(url).take()
    os.kill(os.getpid(), 9)


def killed_name(url: str) -> str:
    (lock,) = Path(f"{sa.make_url(url).database}-seats").iterdir()
    return lock.stem


def test_importing_it_does_not_bring_dbos() -> None:
    code = "import sys, orchestrator.durable.engine\nprint('dbos' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_parking_does_not_undo_a_cancel() -> None:
    """A person's cancel that comes while a step fails is what stands."""

    class Client:
        def list_workflows(self, **_: Any) -> list[Any]:
            row = type("Row", (), {"status": "CANCELLED", "attributes": {}})
            return [row]

    Ledger(Client(), seats_for("sqlite:///x.db")).park("run_1", {})  # touches nothing else
