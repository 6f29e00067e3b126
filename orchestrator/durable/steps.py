"""A run's body seen from inside: steps with checkpoints, and what a failure means for the run.

Knows no engine; `StepEngine` is what it needs of one. An error that may pass (`may_pass`) leaves no
checkpoint: the steps beside it are let finish, then the run is parked, and when it is resumed only
what has no checkpoint runs. Any other error is a checkpoint: a resumed run meets it again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, Protocol

from orchestrator import errors
from orchestrator.errors import CredentialsError, DealdeskError, EnvironmentProblem

LOOK = 0.1
PATIENCE = 5.0
Json = dict[str, Any]
Reserved = Callable[[Callable[[], Coroutine[Any, Any, Json]]], Awaitable[Json]]


class StepEngine(Protocol):
    """What a run's body needs of the engine."""

    def reserve(self, name: str) -> Reserved:
        """Draw the step's number now; call what is returned to run it or read its checkpoint."""

    async def receive(self, topic: str, timeout: float) -> Any:
        """Wait for a message, and let those outside know that the run waits."""

    async def done(self) -> frozenset[str]:
        """Return the names of the steps that have a checkpoint."""

    def halt(self, why: str) -> BaseException:
        """Return what stops the run in this process without ending it."""


class Steps:
    """What a run's body works with: checkpointed steps by name, and one durable wait."""

    def __init__(self, names: Sequence[str], engine: StepEngine) -> None:
        """Reserve a number for every step, in plan order: numbers must not follow timing."""
        self._reserved = {name: engine.reserve(name) for name in names}
        self._engine = engine
        self._raised: dict[str, Exception] = {}
        self._busy: dict[asyncio.Future[None], asyncio.Task[Any] | None] = {}
        self.failure: tuple[str, Exception] | None = None  # the step's that may pass

    async def run(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Run a step of the plan, or return what its checkpoint holds; JSON either way."""
        self._go_on()
        if name not in self._reserved:
            raise RuntimeError(f"step {name!r} is not in the plan, or was run already")
        busy = asyncio.get_running_loop().create_future()
        self._busy[busy] = asyncio.current_task()
        try:
            kept = await self._reserved.pop(name)(partial(self._try, name, work, args))
        finally:
            del self._busy[busy]
            busy.set_result(None)
        if "error" in kept:
            raise self._raised.pop(name, None) or error_of(kept["error"])
        return kept["value"]

    async def receive(self, topic: str, timeout: float) -> Any:
        """Wait, for days if need be, for the message on a topic; None when none came.

        A body asks for a topic once, and for one after the other.
        """
        self._go_on()
        return await self._engine.receive(topic, timeout)

    async def done(self) -> frozenset[str]:
        return await self._engine.done()

    async def settle(self) -> None:
        """Return when no step is running."""
        while self._busy:
            await asyncio.wait(self._busy)

    def cancel(self) -> None:
        for task in self._busy.values():
            if task is not None:
                task.cancel()

    def _go_on(self) -> None:
        if self.failure is not None:
            raise self._engine.halt(f"{self.failure[0]} failed")

    async def _try(self, name: str, work: Callable[..., Awaitable[Any]], args: Any) -> Json:
        try:
            return {"value": as_json(await work(*args))}
        except Exception as problem:
            if may_pass(problem):
                self.failure = self.failure or (name, problem)
                raise self._engine.halt(f"{name} failed") from problem
            self._raised[name] = problem
            return {"error": facts_of(problem, name)}


class ActiveRuns:
    """The task and steps of each run that this process plays, and how others wait for its end."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[asyncio.Task[object] | None, Steps]] = {}
        self._ended: dict[str, float] = {}
        self._news: dict[str, asyncio.Event] = {}
        self.problems: dict[str, Exception] = {}  # what stopped a run here, as it was raised

    def begin(self, run_id: str, steps: Steps) -> None:
        """Note that the current task plays a run."""
        self.forget(run_id)
        self._runs[run_id] = asyncio.current_task(), steps

    def end(self, run_id: str) -> None:
        self._runs.pop(run_id, None)
        self._ended[run_id] = monotonic()
        self.tell(run_id)

    def forget(self, run_id: str) -> None:
        """Forget what stopped a run here the last time."""
        self._ended.pop(run_id, None)
        self.problems.pop(run_id, None)

    def tell(self, run_id: str) -> None:
        """Wake those who wait in `pause`, so that they look at the run's row at once."""
        self._news.setdefault(run_id, asyncio.Event()).set()

    async def pause(self, run_id: str) -> None:
        """Wait until a run's row may have changed.

        What stopped the run here is raised when it could not even be written down.
        """
        if run_id in self._ended:  # its last commit is on the way
            late = monotonic() - self._ended[run_id] > PATIENCE
            if late and run_id in self.problems:
                raise self.problems[run_id]
            await asyncio.sleep(LOOK if late else 0.005)
            return
        news = self._news.setdefault(run_id, asyncio.Event())
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), 1.0 if run_id in self._runs else LOOK)
        news.clear()

    def cancel(self, run_id: str) -> None:
        task, _ = self._runs.get(run_id, (None, None))
        if task is not None:
            task.cancel()

    async def cancel_all(self) -> None:
        """Cancel every run here and wait until each is gone."""
        tasks = [task for task, _ in self._runs.values() if task is not None]
        for _, steps in self._runs.values():
            steps.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def as_json(value: Any) -> Any:
    """Return what a checkpoint would give back, so that a resumed run sees the same."""
    return json.loads(json.dumps(value, allow_nan=False))


def may_pass(problem: Exception) -> bool:
    """Say whether the same step may succeed later.

    It may when the error says so, when whoever runs the machine or holds the key has to act
    first, and when it is nothing of ours (a full disk, a mistake in the code that gets mended).
    It does not when a server, a model or a limit has spoken.
    """
    if not isinstance(problem, DealdeskError):
        return True
    return problem.retryable or isinstance(problem, EnvironmentProblem | CredentialsError)


def facts_of(problem: Exception, step: str) -> Json:
    said = getattr(problem, "message", None) or str(problem) or type(problem).__name__
    fix = getattr(problem, "fix", "")
    return {"type": type(problem).__name__, "message": str(said), "fix": str(fix), "step": step}


def error_of(facts: Json) -> DealdeskError:
    """Return the error that `facts_of` described; one that was not ours becomes a plain one."""
    kind = getattr(errors, str(facts["type"]), None)
    if isinstance(kind, type) and issubclass(kind, DealdeskError):
        return kind(facts["message"], fix=facts["fix"])
    return DealdeskError(f"{facts['step']} stopped: {facts['type']}: {facts['message']}")


def inside(problem: BaseException) -> BaseException:
    """Return the error that a task group wrapped: a real one before a cancellation."""
    while isinstance(problem, BaseExceptionGroup):
        every = problem.exceptions
        real = [p for p in every if not isinstance(p, asyncio.CancelledError)]
        problem = (real or every)[0]
    return problem
