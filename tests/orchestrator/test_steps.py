"""A run's steps: what leaves a checkpoint, what parks the run, and what comes after that."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator import errors
from orchestrator.durable.steps import (
    Reserved,
    Steps,
    as_json,
    error_of,
    facts_of,
    inside,
    may_pass,
)
from orchestrator.errors import CredentialsError, DealdeskError, ModelUnavailable


class Halt(BaseException):
    """How this engine ends a life of a run."""


class Engine:
    """An engine that keeps its checkpoints in a dict, across lives."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.order: list[str] = []

    def reserve(self, name: str) -> Reserved:
        self.order.append(name)

        async def run(work: Callable[[], Any]) -> Any:
            if name not in self.kept:
                self.kept[name] = await work()
            return self.kept[name]

        return run

    async def receive(self, topic: str, timeout: float) -> Any:
        return (topic, timeout)

    def halt(self, why: str) -> BaseException:
        return Halt(why)


async def answer(value: Any = 1) -> Any:
    return value


async def fail(problem: Exception) -> Any:
    raise problem


@pytest.mark.parametrize(
    "problem",
    [
        CredentialsError("the endpoint does not accept the credentials", fix="set a key"),
        ModelUnavailable("busy", fix="wait"),
        OSError("the disk is full"),
    ],
)
async def test_an_error_that_may_pass_parks_the_run_and_leaves_no_checkpoint(
    problem: Exception,
) -> None:
    engine = Engine()
    steps = Steps(("plan", "qualify"), engine)
    with pytest.raises(Halt, match="plan failed"):
        await steps.run("plan", fail, problem)
    assert steps.failure == ("plan", problem)
    assert engine.kept == {}
    with pytest.raises(Halt, match="plan failed"):
        await steps.run("qualify", answer)
    with pytest.raises(Halt, match="plan failed"):
        await steps.receive("decided", 1)
    resumed = Steps(("plan", "qualify"), engine)
    assert await resumed.run("plan", answer) == 1
    assert engine.kept == {"plan": {"value": 1}}


async def test_the_first_failure_is_the_runs() -> None:
    steps = Steps(("a", "b"), Engine())
    first, second = CredentialsError("a", fix=""), CredentialsError("b", fix="")
    results = await asyncio.gather(
        steps.run("a", fail, first), steps.run("b", fail, second), return_exceptions=True
    )
    assert [type(result) for result in results] == [Halt, Halt]
    assert steps.failure == ("a", first)


async def test_another_error_is_a_checkpoint_and_the_same_in_every_life() -> None:
    engine = Engine()
    said = errors.ModelError("no answer fits", fix="try another model")
    first = Steps(("plan",), engine)
    with pytest.raises(errors.ModelError) as here:
        await first.run("plan", fail, said)
    with pytest.raises(errors.ModelError) as later:
        await Steps(("plan",), engine).run("plan", answer)
    assert here.value is said
    assert (later.value.message, later.value.fix) == (said.message, said.fix)
    assert first.failure is None


async def test_a_step_runs_once_in_a_life_and_only_when_planned() -> None:
    engine = Engine()
    steps = Steps(("plan", "match"), engine)
    assert engine.order == ["plan", "match"]
    assert await steps.run("plan", answer, {"a": (1, 2)}) == {"a": [1, 2]}
    for name in ("plan", "price"):
        with pytest.raises(RuntimeError, match="not in the plan, or was run already"):
            await steps.run(name, answer)
    assert await steps.receive("decided", 5) == ("decided", 5)


async def test_what_is_running_is_waited_for_or_cancelled() -> None:
    steps = Steps(("a", "b"), Engine())
    begun, go = asyncio.Event(), asyncio.Event()

    async def work() -> int:
        begun.set()
        await go.wait()
        return 7

    await steps.settle()
    running = asyncio.create_task(steps.run("a", work))
    await begun.wait()
    settled = asyncio.create_task(steps.settle())
    await asyncio.sleep(0)
    assert not settled.done()
    go.set()
    await settled
    assert await running == 7
    begun.clear()
    go.clear()
    running = asyncio.create_task(steps.run("b", work))
    await begun.wait()
    steps.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await steps.settle()


def every_error() -> list[type[DealdeskError]]:
    found = [one for one in vars(errors).values() if isinstance(one, type)]
    return [one for one in found if issubclass(one, DealdeskError)]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_what_somebody_can_mend_or_wait_for_may_pass(kind: type[DealdeskError]) -> None:
    """Who runs the machine or holds the key can mend it; what is retryable says so."""
    problem = kind("why", fix="what")
    mendable = issubclass(kind, errors.EnvironmentProblem | CredentialsError)
    assert may_pass(problem) is (kind.retryable or mendable)
    assert may_pass(CredentialsError("no key", fix=""))
    assert not may_pass(errors.ModelError("no answer fits", fix=""))


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_an_error_comes_back_from_its_facts(kind: type[DealdeskError]) -> None:
    facts = facts_of(kind("why", fix="what"), "plan")
    assert facts == {"type": kind.__name__, "message": "why", "fix": "what", "step": "plan"}
    again = error_of(facts)
    assert (type(again), again.message, again.fix) == (kind, "why", "what")


@pytest.mark.parametrize("problem", [KeyError("x"), ValueError("no"), TimeoutError()])
def test_an_error_that_is_not_ours_becomes_a_plain_one(problem: Exception) -> None:
    again = error_of(facts_of(problem, "plan"))
    assert type(again) is DealdeskError
    assert f"plan stopped: {type(problem).__name__}: " in again.message
    assert (str(problem) or type(problem).__name__) in again.message


def test_a_real_error_is_found_before_a_cancellation() -> None:
    stop, real = asyncio.CancelledError(), ValueError("real")
    assert inside(real) is real
    assert inside(BaseExceptionGroup("g", [stop, real])) is real
    assert inside(BaseExceptionGroup("g", [BaseExceptionGroup("h", [stop])])) is stop


def test_a_checkpoint_holds_json_and_no_number_that_is_none() -> None:
    assert as_json({"a": (1, None)}) == {"a": [1, None]}
    with pytest.raises(ValueError, match="JSON"):
        as_json(float("nan"))
