"""Durable runs on DBOS: the only file that imports it.

A body is an async function of checkpointed steps. What makes it correct, each found by running:

- step numbers are reserved up front in plan order, so that parallel steps keep them in every life;
- a run is executed by the one process that holds its lock (a file lock, or an advisory lock on
  PostgreSQL), which the system drops when that process dies: no heartbeat, no clock;
- nothing is recovered behind a person's back: `resume` takes up exactly the run that is asked for,
  on this process's own queue, and only when its lock is free;
- a step that fails for a while (model or server away) is not recorded as failed: it parks, and runs
  again in the next life, or when the run is resumed in this one;
- checkpoints are portable JSON, not pickles; recovery is never given up after a number of starts;
- SQLite older than 3.42 lacks `unixepoch('subsec')`, which DBOS needs: a connect hook supplies it.

Runs start directly; only resumed ones go through the queue of this process's seat, which is polled
every 20 ms, so a warm offline run never waits for a poll.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._serialization import DBOSPortableJSONSerializer

from orchestrator.errors import DealdeskError, EnvironmentProblem, UsageError
from orchestrator.locks import RunLocks
from servers.toolkit.database import journal_mode

Body = Callable[["Steps", str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
POLL = 0.02
GRACE = 0.3


@dataclass
class _Live:
    """A run this process executes."""

    done: asyncio.Future[dict[str, Any]]
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    parked: asyncio.Event = field(default_factory=asyncio.Event)
    again: asyncio.Event = field(default_factory=asyncio.Event)
    problem: DealdeskError | None = None
    resumed: bool = False


class Steps:
    """What a body may do: run steps under their reserved numbers, and wait for one message."""

    def __init__(self, names: tuple[str, ...], live: _Live) -> None:
        """Reserve every number now, in plan order; a step that is never run leaves a gap."""
        self._reserved = {name: DBOS.reserve_step() for name in names}
        self._live = live

    async def run(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Run a step, or return what its checkpoint holds."""
        return await self._reserved[name].run_async({"name": name}, self._attempt, work, *args)

    async def receive(self, topic: str, timeout: float) -> Any:
        """Wait for a message from any process, for days if need be; None when none came."""
        self._live.waiting.set()
        message = await DBOS.recv_async(topic, timeout_seconds=timeout)
        self._live.waiting.clear()
        return message

    async def _attempt(self, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        live = self._live
        while True:
            try:
                return await work(*args)
            except DealdeskError as problem:  # whatever may be mended from outside
                live.problem = problem
                live.again.clear()
                live.parked.set()
            await live.again.wait()


class Engine:
    """Runs one kind of body durably; one engine is open in a process at a time."""

    def __init__(self, url: str, steps: tuple[str, ...], body: Body, *, version: str) -> None:
        """Describe the engine; `start` opens it.

        Args:
            url: `sqlite:///FILE`, or a `postgresql+psycopg://` URL that several hosts may share.
            steps: Every step a run may take, in plan order.
            body: The run itself; it holds no clock, no chance and no I/O outside of steps.
            version: Runs are only resumed by a program with the same one.
        """
        self._url, self._names, self._body, self._version = url, steps, body, version
        self._runs: dict[str, _Live] = {}
        self._me = f"{os.uname().nodename}-{os.getpid()}-{time.time_ns():x}"
        self._locks: RunLocks | None = None
        self._sqlite: sa.Engine | None = None

    async def start(self) -> None:
        """Open the database, making its tables when it is new, and start working.

        Raises:
            EnvironmentProblem: the database cannot be used.
        """
        config = DBOSConfig(
            name="dealdesk",
            executor_id=self._me,
            application_version=self._version,
            log_level="CRITICAL",
            serializer=DBOSPortableJSONSerializer(),
            notification_listener_polling_interval_sec=POLL * 2,
        )
        try:
            if self._url.startswith("sqlite"):
                self._sqlite = _sqlite_engine(self._url)
                config["system_database_engine"] = self._sqlite
            config["system_database_url"] = self._url
            self._locks = RunLocks(self._url)
            DBOS(config=config)

            async def run(run_id: str, args: dict[str, Any]) -> dict[str, Any]:
                return await self._play(run_id, args)

            self._workflow = DBOS.workflow(name="run", max_recovery_attempts=None)(run)
            self._queue = f"runs-{self._locks.seat()}"
            DBOS.listen_queues([self._queue])
            DBOS.launch()
            await DBOS.register_queue_async(self._queue, polling_interval_sec=POLL)
        except (sa.exc.SQLAlchemyError, OSError) as problem:
            raise EnvironmentProblem(
                "the engine's database cannot be used", fix="check DEALDESK_ENGINE_URL"
            ) from problem

    async def stop(self) -> None:
        """Stop working; what is unfinished stays as its last checkpoint left it."""
        if self._locks is None:
            return
        DBOS.destroy(destroy_registry=True)
        self._locks.close()
        self._locks = None
        if self._sqlite is not None:
            self._sqlite.dispose()
        for live in self._runs.values():
            live.done.cancel()
        self._runs.clear()

    def holds(self, run_id: str) -> bool:
        """Say whether this process executes a run."""
        return run_id in self._runs

    async def submit(self, run_id: str, args: Mapping[str, Any]) -> None:
        """Start a run; the same id twice is one run."""
        self._take(run_id)
        with SetWorkflowID(run_id):
            await DBOS.start_workflow_async(self._workflow, run_id, dict(args))

    async def resume(self, run_id: str) -> bool:
        """Take up a run whose process is gone, or that is parked here.

        Returns:
            False when the run has ended, or another live process executes it.

        Raises:
            UsageError: the engine knows no such run.
        """
        if run_id in self._runs:
            live = self._runs[run_id]
            live.parked.clear()
            live.again.set()
            return True
        status = await DBOS.get_workflow_status_async(run_id)
        if status is None:
            raise UsageError(f"the engine knows no run {run_id!r}", fix="start it again")
        if status.status in ("SUCCESS", "ERROR", "CANCELLED") or not self._lock(run_id):
            return False
        self._open(run_id).resumed = True
        await DBOS.resume_workflow_async(run_id, queue_name=self._queue)
        return True

    async def wait(self, run_id: str) -> dict[str, Any] | None:
        """Return the result of a run of this process, or None once it waits for a message.

        Raises:
            DealdeskError: a step cannot go on for now; the run can be resumed.
        """
        live = self._runs[run_id]
        marks = [asyncio.ensure_future(e.wait()) for e in (live.waiting, live.parked)]
        try:
            watched: set[asyncio.Future[Any]] = {live.done, *marks}
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if live.done.done():
                return live.done.result()
            if live.parked.is_set() and live.problem is not None:
                raise live.problem
            if live.resumed:  # its message may be there already
                await asyncio.wait({live.done}, timeout=GRACE)
                if live.done.done() or not live.waiting.is_set():
                    return await self.wait(run_id)
            return None
        finally:
            for mark in marks:
                mark.cancel()
                with suppress(asyncio.CancelledError):
                    await mark

    async def send(self, run_id: str, topic: str, payload: Mapping[str, Any]) -> None:
        """Send the message a run waits for; a second one on the topic changes nothing."""
        await DBOS.send_async(run_id, dict(payload), topic, idempotency_key=f"{run_id}:{topic}")
        if run_id in self._runs:
            self._runs[run_id].waiting.clear()

    async def cancel(self, run_id: str) -> None:
        """Cancel a run for good, whoever executes it; it stops at its next step."""
        await DBOS.cancel_workflow_async(run_id)

    async def _play(self, run_id: str, args: dict[str, Any]) -> dict[str, Any]:
        live = self._runs.get(run_id) or self._open(run_id)
        try:
            result = await self._body(Steps(self._names, live), run_id, args)
        except Exception as problem:
            if not live.done.done():
                live.done.set_exception(problem)
                live.done.exception()  # read, so that nobody is told twice
            raise
        if not live.done.done():
            live.done.set_result(result)
        return result

    def _open(self, run_id: str) -> _Live:
        live = _Live(asyncio.get_running_loop().create_future())
        self._runs[run_id] = live
        return live

    def _lock(self, run_id: str) -> bool:
        return self._locks is not None and self._locks.take(run_id)

    def _take(self, run_id: str) -> None:
        if not self._lock(run_id):
            raise EnvironmentProblem(f"another process executes {run_id}", fix="watch it instead")
        self._open(run_id)


def _sqlite_engine(url: str) -> sa.Engine:
    """Return an engine with what DBOS sets by itself, the journal rule, the missing function."""
    engine = sa.create_engine(url)
    path = Path(str(engine.url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    mode = journal_mode()

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("PRAGMA synchronous=FULL")
        if sqlite3.sqlite_version_info < (3, 42):
            connection.create_function("unixepoch", 1, lambda _modifier: time.time())

    return engine
