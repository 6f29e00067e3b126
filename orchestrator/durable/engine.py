"""Durable runs: the only file that imports DBOS, and it does so only when something needs it.

The promises: a step with a checkpoint never runs again, a killed run goes on where it was, two
workers never play one run, and a failure that may pass parks a run instead of ending it. What
keeps them is easily undone:

* Steps have their numbers before the body starts (`steps.py`). DBOS would number by timing, and
  steps that ran side by side would not find their checkpoints after a resume.
* DBOS never records an error, for that would be final. One that ends the run is a result; one
  that may pass cancels the row, in DBOS's words, with a mark that `resume` takes away.
* A worker's seat (`seats.py`) says whether it is alive; only a dead one's work is taken over. What
  a worker takes up goes through a queue of its own, lest a short-lived worker gets it.
* A worker starts at once what is submitted to it; through a queue a run of nine steps took 45 to
  110 ms longer. `wait` reads the row and holds no handle, so a cancelled wait cannot hang.
* A run keeps the step names that it began with, and with them their numbers, whatever plan is
  played now (`play.py` says whether it can go on).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar

from sqlalchemy import inspect as sa_inspect
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.durable.queues import (
    POLL,
    QUEUE,
    VERSION,
    WORKFLOW,
    Ledger,
    State,
    Wanted,
    any_run,
    problem_of,
    state_of,
)
from orchestrator.durable.seats import seats_for
from orchestrator.durable.steps import (
    ActiveRuns,
    Json,
    Reserved,
    Steps,
    as_json,
    error_of,
    facts_of,
    inside,
    may_pass,
)
from orchestrator.durable.store import make_engine, unusable
from orchestrator.errors import EnvironmentProblem

if TYPE_CHECKING:
    from dbos import DBOSClient
    from sqlalchemy import Engine as Database

__all__ = ["Engine", "State", "Steps"]

APP, SWEEP = "dealdesk", 1.0
AT_ONCE = 4
"""Runs that a lasting worker has on their way side by side; those that wait do not count."""
T = TypeVar("T")
P = ParamSpec("P")

Body = Callable[[Steps, str, Json], Awaitable[Mapping[str, Any]]]
StepNames = Callable[[Json], Sequence[str]]


class Engine:
    """Plays runs of one body on one database; `start` makes it a worker.

    Without `start` it submits, sends, cancels, resumes and looks, for any worker to act on. A run
    that is unknown is a `UsageError`, a database that cannot be used an `EnvironmentProblem`.
    """

    _working: ClassVar[Engine | None] = None

    def __init__(self, url: str, steps: StepNames, body: Body) -> None:
        """Take what is needed; nothing is opened yet.

        `steps` gives every step a run may take, in plan order, from what it was begun with.
        """
        self._url, self._steps, self._body = url, steps, body
        self._seats = seats_for(url)
        self._database: Database | None = None
        self._client: DBOSClient | None = None
        self._opening = asyncio.Lock()
        self._queue = QUEUE
        self._play: Any = None
        self._sweeper: asyncio.Task[None] | None = None
        self._active = ActiveRuns()
        self._wanted: Wanted = any_run

    async def start(self, *, sweep: bool = False, wanted: Wanted = any_run) -> None:
        """Become a worker.

        With `sweep` it also takes up, now and every second, what is queued and what the dead left.
        A command that is there for one run leaves this off: a run that was interrupted on purpose
        should not go on behind another one's back.
        """
        if Engine._working is not None:
            raise EnvironmentProblem("another engine works in this process")
        Engine._working = self
        try:
            await self._ask(Ledger.open_queue, QUEUE)
            self._queue = await asyncio.to_thread(self._seats.take)
            await self._ask(Ledger.open_queue, self._queue)
            self._launch([self._queue])
            if sweep:
                self._wanted = wanted
                await self._take_up()
                self._sweeper = asyncio.create_task(self._sweep())
        except BaseException as problem:
            await self.stop()
            if isinstance(problem, SQLAlchemyError | OSError):
                raise unusable("the engine's database", problem) from problem
            raise

    def _launch(self, queues: list[str]) -> None:
        """Launch DBOS inside the running loop, which the runs then share."""
        from dbos import DBOS, DBOSPortableJSONSerializer

        async def play(run_id: str, args: Json) -> Json:
            return await self._play_here(run_id, args)

        self._play = DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(play)
        DBOS(
            config={
                "name": APP,
                "system_database_url": self._url,
                "system_database_engine": self._database,
                "serializer": DBOSPortableJSONSerializer(),
                "executor_id": self._queue,
                "application_version": VERSION,
                "notification_listener_polling_interval_sec": POLL,
                "run_migrations": False,
            }
        )
        DBOS.listen_queues(queues)
        DBOS.launch()

    async def stop(self) -> None:
        """Stop working and close everything; what was running can be resumed."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._active.cancel_all()
        if Engine._working is self:
            from dbos import DBOS

            with suppress(EnvironmentProblem):  # it may be why we stop
                await self._ask(Ledger.close_queue, self._queue)
            # DBOS replaced the loop's thread pool, and shuts its own pool down here
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
            Engine._working = None
        await asyncio.to_thread(self._seats.leave)
        if self._client is not None and self._database is not None:
            self._client.destroy()
            self._database.dispose()
            self._client = None

    async def submit(self, run_id: str, args: Mapping[str, Any]) -> None:
        """Start a run; a second time the same id starts nothing."""
        if Engine._working is not self:
            await self._ask(Ledger.enqueue, run_id, dict(args))
            return
        from dbos import DBOS, SetWorkflowID

        try:
            with SetWorkflowID(run_id):
                await DBOS.start_workflow_async(self._play, run_id, dict(args))
        except SQLAlchemyError as problem:
            raise unusable("the engine's database", problem) from problem

    async def wait(self, run_id: str, timeout: float | None = None) -> Json | None:
        """Return a run's result, or None once it waits for a message.

        Raises what stopped the run when it failed or is parked, and TimeoutError.
        """
        async with asyncio.timeout(timeout):
            while True:
                row = await self._ask(Ledger.row, run_id)
                match state_of(row):
                    case State.WAITING:
                        return None
                    case State.DONE:
                        return dict(row.output["result"])
                    case State.CANCELLED:
                        return {"outcome": "cancelled"}
                    case State.PARKED | State.FAILED:
                        raise self._active.problems.get(run_id) or error_of(problem_of(row))
                await self._active.pause(run_id)

    async def send(
        self, run_id: str, topic: str, payload: Mapping[str, Any], key: str | None = None
    ) -> None:
        """Send a run the message it waits for on a topic.

        Of several with one key (by default run and topic) the first counts. A worker that sends
        also takes the run up, if the run's own worker is dead.
        """
        await self._ask(Ledger.send, run_id, topic, dict(payload), key or f"{run_id}:{topic}")
        if Engine._working is self:
            await self._ask(Ledger.take_up, run_id, self._queue)

    async def cancel(self, run_id: str) -> None:
        """End a run for good: at once in this process, within a second or so in another."""
        await self._ask(Ledger.cancel, run_id)
        self._active.cancel(run_id)

    async def resume(self, run_id: str | None = None) -> list[str]:
        """Take up a parked run or one whose worker is dead; without an id, all of the latter.

        Returns the runs that go on by this; one that needs nothing is not among them.
        """
        if run_id is not None and await self._ask(Ledger.unpark, run_id, self._queue):
            self._active.forget(run_id)
            return [run_id]
        return await self._ask(Ledger.take_up, run_id, self._queue, self._wanted)

    async def park_open(self, problem: Json) -> list[str]:
        """Park the runs that are on their way, until a person resumes them; return which."""
        left = [run for run, state in (await self.pending()).items() if state is State.OPEN]
        for run_id in left:
            await self._ask(Ledger.park, run_id, problem)
        return left

    async def knows(self, run_id: str) -> bool:
        """Say whether a run was ever submitted."""
        return await self._ask(Ledger.knows, run_id)

    async def status(self, run_id: str) -> State:
        return state_of(await self._ask(Ledger.row, run_id))

    async def pending(self) -> dict[str, State]:
        """Return how each run stands that has not ended, oldest first."""
        return await self._ask(Ledger.pending)

    async def _play_here(self, run_id: str, args: Json) -> Json:
        """Play a run from its checkpoints on; what it returns is the run's last checkpoint."""
        engine = _DbosSteps(run_id, self._ask, self._active)
        steps = Steps(self._steps(args), engine)
        self._active.begin(run_id, steps)
        try:
            return {"result": as_json(await self._body(steps, run_id, args))}
        except BaseException as raised:
            problem = inside(raised)
            failed = steps.failure
            if failed is None and isinstance(problem, Exception):
                self._active.problems[run_id] = problem
                if not may_pass(problem):
                    return {"error": facts_of(problem, "the plan")}
                failed = "the plan", problem
            if failed is None or isinstance(problem, asyncio.CancelledError):
                raise
            await steps.settle()
            if isinstance(failed[1], SQLAlchemyError):
                failed = failed[0], unusable("the engine's database", failed[1])
            self._active.problems[run_id] = failed[1]
            with suppress(EnvironmentProblem):  # else it counts as left once this process is gone
                await self._ask(Ledger.park, run_id, facts_of(failed[1], failed[0]))
            raise engine.halt(f"{run_id} is parked") from None
        finally:
            self._active.end(run_id)

    async def _take_up(self) -> None:
        await self.resume()
        await self._ask(Ledger.claim, self._queue, AT_ONCE, self._wanted)

    async def _sweep(self) -> None:
        log = logging.getLogger(__name__)
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await asyncio.to_thread(self._seats.keep)
                await self._take_up()
            except Exception as problem:
                log.warning("dealdesk: the queue could not be read (%s)", type(problem).__name__)
                log.debug("why", exc_info=True)

    async def _ask(
        self, what: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Ask the ledger in a thread; the first time opens the database."""
        async with self._opening:
            if self._client is None:
                self._database, self._client = await asyncio.to_thread(_connect, self._url)
        ledger = Ledger(self._client, self._seats)
        try:
            return await asyncio.to_thread(what, ledger, *args, **kwargs)
        except SQLAlchemyError as problem:
            raise unusable("the engine's database", problem) from problem


class _DbosSteps:
    """Steps of one run on DBOS, for as long as this process plays it."""

    def __init__(self, run_id: str, ask: Callable[..., Awaitable[Any]], active: ActiveRuns) -> None:
        import dbos

        self._dbos, self._run_id, self._ask, self._active = dbos, run_id, ask, active

    def reserve(self, name: str) -> Reserved:
        number = self._dbos.DBOS.reserve_step()
        options = self._dbos.StepOptions(name=name, preemptible=True)
        return lambda work: number.run_async(options, work)

    async def receive(self, topic: str, timeout: float) -> Any:
        await self._ask(Ledger.mark, self._run_id, waiting=topic)
        self._active.tell(self._run_id)
        message = await self._dbos.DBOS.recv_async(topic, timeout_seconds=timeout)
        await self._ask(Ledger.mark, self._run_id, answered=topic)
        return message

    async def done(self) -> frozenset[str]:
        return frozenset(await self._ask(Ledger.done, self._run_id))

    def halt(self, why: str) -> BaseException:
        return self._dbos.error.DBOSWorkflowCancelledError(why)


def _connect(url: str) -> tuple[Database, DBOSClient]:
    from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

    if not (log := logging.getLogger("dbos")).handlers:
        log.addHandler(logging.NullHandler())  # what matters reaches the user as an error
    try:
        database = make_engine(url, DBOS.migrate)
        with database.connect() as connection:  # DBOS would try for ever
            tables = sa_inspect(connection).get_table_names()
        if database.dialect.name == "sqlite" and tables and "dbos_migrations" not in tables:
            raise EnvironmentProblem(
                f"{database.url.database} is another program's database", fix="name another file"
            )
        DBOS.migrate(url)
        json = DBOSPortableJSONSerializer()
        return database, DBOSClient(
            system_database_engine=database, serializer=json, application_name=APP
        )
    except SQLAlchemyError as problem:
        raise unusable("the engine's database", problem) from problem
