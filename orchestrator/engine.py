"""Durable runs: the only file that knows DBOS, and it does not ask for it before it is needed.

A run's body calls `Steps.run` and `Steps.receive` and nothing else that lasts. What the engine
promises: a step that is checkpointed never runs again, a killed run goes on where it was, two
workers never play one run, and a failure that may pass leaves the run parked, not ended.

What makes that true, and is easily undone:

* Every step has its number before the body starts, from the plan. DBOS would number by timing,
  and side-by-side steps of a second life would not find their checkpoints.
* A step that raises is never checkpointed as raised. An error that may pass (`may_pass`) parks
  the run once the steps beside it are done: the row is cancelled in DBOS's words and marked
  `parked`, `resume` clears the mark, and only what has no checkpoint runs again. Any other error
  is a checkpoint, and the run's end.
* A worker's seat (`seats.py`) says whether it lives. Nobody's work is taken over before that.
* A submitted run starts in this process at once; the queue is for runs submitted without a
  worker, and for those taken up again. Through the queue a run starts about 70 ms later (half a
  poll and two commits); its other use, that a cancelled wait cannot hang, is not needed because
  `wait` reads the row instead of holding a handle.
* `version` is the plan's hand-given version: runs of another version are left alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from orchestrator import errors
from orchestrator.errors import DealdeskError, EnvironmentProblem, UsageError
from orchestrator.seats import Seats, seats_for
from orchestrator.store import make_engine, unusable

if TYPE_CHECKING:
    from dbos import DBOSClient

APP, QUEUE, WORKFLOW = "dealdesk", "runs", "run"
POLL = 0.1
SWEEP = 2.0
_MARKS: dict[str, Any] = {"parked": None, "waiting": None}

Json = dict[str, Any]
Body = Callable[["Steps", str, Json], Awaitable[Mapping[str, Any]]]


class State(StrEnum):
    """How a run stands."""

    OPEN = "open"
    WAITING = "waiting"
    PARKED = "parked"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class _Beneath:
    """DBOS under one life of a run."""

    def __init__(self, run_id: str, client: DBOSClient, tell: Callable[[], None]) -> None:
        self._run_id, self._client, self._tell = run_id, client, tell

    def reserve(self, name: str) -> Reserved:
        from dbos import DBOS

        number, options = DBOS.reserve_step(), StepOptions(name=name, preemptible=True)
        return lambda work: number.run_async(options, work)

    async def receive(self, topic: str, timeout: float) -> Any:
        from dbos import DBOS

        # a step, so that a replayed body does not say again that it waits
        await DBOS.run_step_async({"name": f"wait:{topic}"}, self._mark, topic)
        message = await DBOS.recv_async(topic, timeout_seconds=timeout)
        await self._mark(None)
        return message

    def halt(self, why: str) -> BaseException:
        from dbos.error import DBOSWorkflowCancelledError

        return DBOSWorkflowCancelledError(why)

    async def _mark(self, topic: str | None) -> None:
        await _mark(self._client, self._run_id, waiting=topic)
        self._tell()


class Engine:
    """Plays runs of one body on one database; `start` makes it a worker.

    Without `start` it only submits, sends, cancels, resumes and looks, for any worker to act on.
    """

    _working: ClassVar[Engine | None] = None

    def __init__(self, url: str, steps: tuple[str, ...], body: Body, *, version: str) -> None:
        """Take what is needed; nothing is opened yet.

        Args:
            url: The database: `sqlite:///...` or `postgresql+psycopg://...`.
            steps: Every step a run may take, in plan order.
            body: Plays a run: `await body(steps, run_id, args)` returns its result.
            version: The plan's version; change it when the steps change.
        """
        self._url, self._steps, self._body, self._version = url, steps, body, version
        self._seats: Seats = seats_for(url)
        self._client: DBOSClient | None = None
        self._sql: sa.Engine | None = None
        self._play: Any = None
        self._sweeper: asyncio.Task[None] | None = None
        self._lives: dict[str, tuple[asyncio.Task[Any] | None, Steps]] = {}
        self._ended: set[str] = set()
        self._news: dict[str, asyncio.Event] = {}
        self._problems: dict[str, Exception] = {}

    async def start(self, *, sweep: bool = False) -> None:
        """Become a worker.

        Args:
            sweep: Also take up, now and every two seconds, whatever runs dead workers left. A
                command that is there for one run leaves this off: a run that was interrupted
                on purpose should not go on behind another one's back.

        Raises:
            EnvironmentProblem: the database cannot be used, or this process works already.
        """
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        if Engine._working is not None:
            raise EnvironmentProblem("another engine works in this process")
        client = await self._opened()
        Engine._working = self
        seat = await asyncio.to_thread(self._seats.take)
        if await client.retrieve_queue_async(QUEUE) is None:
            await client.register_queue_async(QUEUE, polling_interval_sec=POLL)

        async def play(run_id: str, args: Json) -> Json:
            return await self._live(run_id, args)

        self._play = DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(play)
        config: DBOSConfig = {
            "name": APP,
            "system_database_url": self._url,
            "system_database_engine": self._sql,
            "serializer": DBOSPortableJSONSerializer(),
            "executor_id": seat,
            "application_version": self._version,
            "notification_listener_polling_interval_sec": POLL,
            "run_migrations": False,
        }
        DBOS(config=config)
        DBOS.launch()  # inside the loop, which the runs then share
        if sweep:
            await self.resume()
            self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Stop working and close everything; what was running can be resumed."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        tasks = [task for task, _ in self._lives.values() if task is not None]
        for task, steps in list(self._lives.values()):
            steps.cancel()
            if task is not None:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if Engine._working is self:
            from dbos import DBOS

            # DBOS gave the loop its own threads and takes them along
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
            Engine._working = None
        await asyncio.to_thread(self._seats.leave)
        if self._client is not None:
            self._client.destroy()
            self._client = None
        if self._sql is not None:
            self._sql.dispose()

    async def submit(self, run_id: str, args: Mapping[str, Any]) -> None:
        """Start a run; a second time the same id starts nothing."""
        client = await self._opened()
        if Engine._working is self:
            from dbos import DBOS, SetWorkflowID

            with SetWorkflowID(run_id):
                await DBOS.start_workflow_async(self._play, run_id, dict(args))
            return
        await client.enqueue_async(
            {
                "queue_name": QUEUE,
                "workflow_name": WORKFLOW,
                "workflow_id": run_id,
                "app_version": self._version,
            },
            run_id,
            dict(args),
        )

    async def wait(self, run_id: str, timeout: float | None = None) -> Json | None:
        """Return a run's result, or None once it waits for a message.

        Raises:
            DealdeskError: the run failed or is parked; what its step raised.
            UsageError: there is no such run.
            TimeoutError: neither happened in time.
        """
        async with asyncio.timeout(timeout):
            while True:
                row = await self._row(run_id)
                match _state_of(row):
                    case State.WAITING:
                        return None
                    case State.DONE:
                        return dict(row.output["result"])
                    case State.CANCELLED:
                        return {"outcome": "cancelled"}
                    case State.PARKED:
                        raise self._problems.get(run_id) or _error_of(row.attributes["parked"])
                    case State.FAILED:
                        raise self._problems.get(run_id) or _error_of(_failure_of(row))
                if row.app_version != self._version:
                    raise EnvironmentProblem(
                        f"{run_id} was begun under another version of the plan",
                        fix="finish it with that version, or cancel it and run the goal again",
                    )
                await self._pause(run_id)

    async def send(
        self, run_id: str, topic: str, payload: Mapping[str, Any], key: str | None = None
    ) -> None:
        """Send a run the message it waits for; of several with one key, the first counts.

        A worker that sends also takes the run up, if its own worker is dead.

        Args:
            run_id: The run.
            topic: What it waits for.
            payload: The message, as JSON.
            key: By default the run and the topic.
        """
        client = await self._opened()
        await self._row(run_id)
        await client.send_async(run_id, dict(payload), topic, key or f"{run_id}:{topic}")
        await client.update_workflow_attributes_async(run_id, {"waiting": None}, merge=True)
        if Engine._working is self:
            await asyncio.to_thread(self._take_up, run_id)

    async def cancel(self, run_id: str) -> None:
        """End a run for good: at once in this process, within a second or so in another."""
        client = await self._opened()
        await client.update_workflow_attributes_async(run_id, _MARKS, merge=True)
        await client.cancel_workflow_async(run_id)
        task, _ = self._lives.get(run_id, (None, None))
        if task is not None:
            task.cancel()

    async def resume(self, run_id: str | None = None) -> list[str]:
        """Take up a parked run or one whose worker is dead; without an id, all of the dead ones'.

        Returns:
            The runs that go on now; a run that needs nothing is not among them.

        Raises:
            UsageError: there is no such run.
        """
        client = await self._opened()
        if run_id is not None and _state_of(await self._row(run_id)) is State.PARKED:
            self._problems.pop(run_id, None)
            await client.update_workflow_attributes_async(run_id, _MARKS, merge=True)
            await client.resume_workflow_async(run_id, queue_name=QUEUE)
            return [run_id]
        return await asyncio.to_thread(self._take_up, run_id)

    async def status(self, run_id: str) -> State:
        """Return how a run stands.

        Raises:
            UsageError: there is no such run.
        """
        return _state_of(await self._row(run_id))

    async def pending(self) -> dict[str, State]:
        """Return the runs that have not ended, oldest first, and how each stands."""
        client = await self._opened()
        rows = await client.list_workflows_async(
            name=WORKFLOW, status=["PENDING", "ENQUEUED", "CANCELLED"], load_input=False
        )
        stands = {row.workflow_id: _state_of(row) for row in rows}
        return {run: state for run, state in stands.items() if state is not State.CANCELLED}

    async def _live(self, run_id: str, args: Json) -> Json:
        """Play one life of a run; what it returns is the run's last checkpoint."""
        client, loop = await self._opened(), asyncio.get_running_loop()

        def waits(topic: str | None) -> None:
            client.update_workflow_attributes(run_id, {"waiting": topic}, merge=True)
            loop.call_soon_threadsafe(self._tell, run_id)

        steps = Steps(self._steps, waits)
        self._lives[run_id] = asyncio.current_task(), steps
        self._ended.discard(run_id)
        try:
            result = await self._body(steps, run_id, args)
            return {"result": json.loads(json.dumps(result, allow_nan=False))}
        except BaseException as raised:
            problem = _innermost(raised)
            failure = steps.failure
            if isinstance(problem, Exception) and failure is None:
                self._problems[run_id] = problem
                if not may_pass(problem):
                    return {"error": _facts_of(problem)}
                failure = "the plan", problem
            if failure is None or isinstance(problem, asyncio.CancelledError):
                raise
            await steps.settle()
            self._problems[run_id] = failure[1]
            facts = {**_facts_of(failure[1]), "step": failure[0]}
            await client.update_workflow_attributes_async(run_id, {"parked": facts}, merge=True)
            await client.cancel_workflow_async(run_id)
            raise _halt(f"{run_id} is parked") from None
        finally:
            del self._lives[run_id]
            self._ended.add(run_id)
            self._tell(run_id)

    def _tell(self, run_id: str) -> None:
        self._news.setdefault(run_id, asyncio.Event()).set()

    async def _pause(self, run_id: str) -> None:
        """Sleep until a look at a run's row is worth it."""
        if run_id in self._ended:  # its last commit is on the way
            await asyncio.sleep(0.005)
            return
        news = self._news.setdefault(run_id, asyncio.Event())
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), 1.0 if run_id in self._lives else POLL)
        news.clear()

    async def _row(self, run_id: str) -> Any:
        client = await self._opened()
        rows = await client.list_workflows_async(workflow_ids=[run_id], load_input=False)
        if not rows:
            raise UsageError(f"{run_id} never started", fix="run the goal again")
        return rows[0]

    def _take_up(self, run_id: str | None) -> list[str]:
        """Queue what the dead left pending; nobody else looks at a seat while we hold it."""
        assert self._client is not None  # noqa: S101 - the callers opened it
        left: Json = {"name": WORKFLOW, "status": "PENDING", "app_version": self._version}
        left |= {"load_input": False, "load_output": False}
        left |= {"workflow_ids": [run_id]} if run_id else {}
        taken = []
        for owner in {row.executor_id for row in self._client.list_workflows(**left)}:
            with self._seats.dead(owner) as dead:
                if dead:
                    for row in self._client.list_workflows(executor_id=owner, **left):
                        self._client.resume_workflow(row.workflow_id, queue_name=QUEUE)
                        taken.append(row.workflow_id)
        return taken

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await asyncio.to_thread(self._seats.keep)
                await asyncio.to_thread(self._take_up, None)
            except SQLAlchemyError:  # a database that is away for a while
                logging.getLogger(__name__).warning("the sweep failed", exc_info=True)

    async def _opened(self) -> DBOSClient:
        if self._client is None:
            self._client = await asyncio.to_thread(self._open)
        return self._client

    def _open(self) -> DBOSClient:
        from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

        logging.getLogger("dbos").addHandler(logging.NullHandler())
        try:
            self._sql = make_engine(self._url)
            if self._sql.dialect.name == "sqlite":
                sa.event.listen(self._sql, "connect", _add_unixepoch)
            with self._sql.connect() as db:
                new = "dbos_migrations" not in sa.inspect(db).get_table_names(schema=...)
            DBOS.migrate(self._url)
            return DBOSClient(
                system_database_engine=self._sql,
                serializer=DBOSPortableJSONSerializer(),
                application_name=APP,
            )
        except SQLAlchemyError as problem:
            raise unusable("the engine's database", problem) from problem
