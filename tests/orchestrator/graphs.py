"""A small made-up workflow, a runner and steps that only pretend: for the tests of the graph."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from orchestrator.graph import Graph
from orchestrator.play import play
from orchestrator.workflow import (
    AgentSpec,
    Decision,
    Effect,
    Fact,
    Gate,
    Rework,
    Workflow,
)


class Read(BaseModel):
    wants: list[str] = []
    asks: list[str] = []


class Made(BaseModel):
    parts: list[str] = []


class Judged(BaseModel):
    ok: bool = True


def total(parts: list[str] | None, wants: list[str] | None) -> int:
    return len(parts or ()) + len(wants or ())


def asked(asks: list[str]) -> Mapping[str, Any] | None:
    return {"outcome": "needs_input", "questions": asks} if asks else None


def not_ok(ok: bool) -> Mapping[str, Any] | None:
    return None if ok else {"outcome": "blocked"}


def refused(said: str | None) -> Mapping[str, Any] | None:
    return {"outcome": "failed", "message": said} if said else None


def not_approved(approved: bool | None, person: str | None) -> Mapping[str, Any] | None:
    if approved is None:
        return {"outcome": "expired"}
    return None if approved else {"outcome": "rejected", "by": person}


def sent(number: str, count: int) -> Mapping[str, Any]:
    return {"outcome": "issued", "number": number, "noted": count}


WORKFLOW = Workflow(
    name="made_up",
    package="tests.orchestrator",
    agents=(
        AgentSpec("read", (), Read, {"goal": "run.goal"}),
        AgentSpec("left", (), Made, {"wants": "read.wants"}),
        AgentSpec("right", (), Made, {"wants": "read.wants", "parts": "previous.parts"}),
        AgentSpec("judge", (), Judged, {"parts": "right.parts", "left": "left.parts"}),
        AgentSpec("write", (), Made, {"count": "facts.count"}),
    ),
    effects=(
        Effect("note", "office.note", {"text": "item"}, each="read.wants"),
        Effect("send", "office.send", {"parts": "decision.parts"},
               keeps={"number": "number"}, may_be_refused=True),
    ),
    facts={"count": Fact(("right.parts", "read.wants"), total)},
    gates=(
        Gate("asked", ("read.asks",), asked),
        Gate("not_ok", ("judge.ok",), not_ok),
        Gate("not_approved", ("decision.approved", "decision.person"), not_approved),
        Gate("refused", ("send.refused",), refused),
    ),
    decision=Decision("decision", {"parts": "write.parts"}, unless="run.revise"),
    rework=Rework(
        "judge", ("right", "judge"), lambda judged: not judged["ok"], {"parts": "right.parts"}
    ),
    finish=Gate("sent", ("send.number", "note.count"), sent),
    report={"wants": "read.wants"},
)  # fmt: skip

OUTPUTS: dict[str, dict[str, Any]] = {
    "read": {"wants": ["a", "b"], "asks": []},
    "left": {"parts": ["l"]},
    "right": {"parts": ["r"]},
    "judge": {"ok": True},
    "write": {"parts": ["w"]},
    "note": {"count": 2},
    "send": {"number": "Q-1"},
}


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Log:
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def append(self, _run: str, kind: str, **data: Any) -> None:
        self.said.append((kind, data))


@dataclass
class FakeRunner:
    """Hands over what `says` has for a step (a list: one after the other), and notes what it saw.

    A step waits until `hold` says that it may end.
    """

    workflow: Workflow = WORKFLOW
    says: dict[str, Any] = field(default_factory=dict)
    hold: dict[str, asyncio.Event] = field(default_factory=dict)
    die_at: str = ""
    log: Log = field(default_factory=Log)
    trace: list[str] = field(default_factory=list)
    seen: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = Graph(self.workflow)

    def at(self, when: str, step: str) -> None:
        if self.die_at == f"{when} {step}":
            raise Killed(step)

    async def agent(
        self, _run: Any, name: str, step: str, outputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        spec = self.workflow.agent(name)
        done = await self._work(name, step, {**spec.gives, **spec.bind}, outputs)
        if "stopped" in done:
            return done
        return {"output": done, "findings": [{"code": step.upper()}], "usage": {}}

    async def effect(self, _run: Any, effect: Effect, outputs: Mapping[str, Any]) -> dict[str, Any]:
        return await self._work(effect.name, effect.name, effect.arguments, outputs)

    async def _work(
        self, name: str, step: str, paths: Mapping[str, str], outputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        self.trace.append(f"begin {step}")
        self.seen[step] = self.workflow.named(paths, outputs)
        if step in self.hold:
            await self.hold[step].wait()
        self.trace.append(f"end {step}")
        self.at("answered", step)
        found = self.says.get(step, self.says.get(name, OUTPUTS.get(name, {})))
        if isinstance(found, Exception):
            raise found
        return dict(found)

    @property
    def begun(self) -> list[str]:
        return [words.removeprefix("begin ") for words in self.trace if words.startswith("begin")]


@dataclass
class FakeSteps:
    """Checkpoints in a dictionary that outlives a killed runner."""

    names: tuple[str, ...]
    kept: dict[str, Any] = field(default_factory=dict)
    message: Any = None
    asked: list[str] = field(default_factory=list)

    async def run(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        assert name in self.names, f"{name} was not reserved"
        if name not in self.kept:
            self.kept[name] = await work(*args)
        return self.kept[name]

    async def receive(self, topic: str, timeout: float) -> Any:
        self.asked.append(f"{topic} {timeout:.0f}")
        return self.message

    async def done(self) -> frozenset[str]:
        return frozenset(self.kept)


def run_of(graph: Graph, **facts: Any) -> dict[str, Any]:
    return {"id": "run_1", "goal": "Do it", "revise": True, "plan": graph.plan, **facts}


async def played(runner: FakeRunner, steps: FakeSteps | None = None, **facts: Any) -> Any:
    """Play the runner's workflow; no person is needed unless `revise=False` is given."""
    steps = steps or FakeSteps(runner.graph.step_names())
    return await play(runner, steps, run_of(runner.graph, **facts))  # type: ignore[arg-type]
