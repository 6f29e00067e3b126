"""Play a workflow's graph for one run: the only place where steps are started.

Each step is checkpointed under a number that was reserved for its name before anything began, so
a run that is killed anywhere goes on where it was. Nothing here holds a clock, chance or I/O.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any

from orchestrator.durable.steps import Steps
from orchestrator.errors import WorkflowError
from orchestrator.runner import Runner, distinct
from orchestrator.workflow import AgentSpec, Decision, Effect, Ending, Step

DAY = 86_400


async def play(runner: Runner, steps: Steps, run: Mapping[str, Any]) -> dict[str, Any]:
    """Play a run to its end and return the result: an `outcome` and its facts.

    A run that was begun under another version of the plan goes on where all it has still to play
    is unchanged; else it ends as `plan_changed`, with the steps that are not what they were.
    """
    graph, done = runner.graph, frozenset[str]()
    if run["plan"]["version"] != graph.version:
        done = await steps.done() | set(run.get("given") or ())
        if changed := graph.changed(run["plan"]["digests"], done):
            return {
                "outcome": "plan_changed",
                "message": f"since this run began, the plan has changed in: {', '.join(changed)}",
            }
    return await _Play(runner, steps, run, done).play()


class _Play:
    """One run on its way."""

    def __init__(
        self, runner: Runner, steps: Steps, run: Mapping[str, Any], done: Collection[str]
    ) -> None:
        self.flow, self.graph, self.runner = runner.graph.workflow, runner.graph, runner
        self.steps, self.run = steps, run
        self.findings: dict[str, list[dict[str, Any]]] = {}  # of each agent's last round
        self.outputs: dict[str, Any] = {"run": run, "findings": self.findings}
        self.busy: set[asyncio.Task[None]] = set()
        self.stopped: Ending | None = None  # by an agent's own limits or failure
        self._begun: set[str] = set()
        self._gates = [gate for gate in self.flow.gates if not self.graph.passed(gate, done)]

    async def play(self) -> dict[str, Any]:
        try:
            while self._ending() is None and self._start():
                finished, _ = await asyncio.wait(self.busy, return_when=asyncio.FIRST_COMPLETED)
                self.busy -= finished
                for task in finished:
                    task.result()
        except asyncio.CancelledError:
            for task in self.busy:
                task.cancel()
            raise
        finally:  # what runs beside an end or a failure is let finish
            settled = await asyncio.gather(*self.busy, return_exceptions=True)
        for problem in settled:
            if isinstance(problem, BaseException):
                raise problem
        return {**self._report(), **(self._ending() or self._finished())}

    def _ending(self) -> Ending | None:
        """Return how the run ends, if a step or a gate says that it does."""
        if self.stopped is not None:
            return self.stopped
        for gate in self._gates:
            if self.graph.ready(gate, self.outputs):
                ending = gate.ending(*self.flow.values(gate.reads, self.outputs))
                if ending is not None:
                    return ending
        return None

    def _finished(self) -> Ending:
        finish = self.flow.finish
        ending = finish.ending(*self.flow.values(finish.reads, self.outputs))
        if ending is None:
            raise WorkflowError(f"{self.flow.name} was played to its end without an outcome")
        return ending

    def _start(self) -> bool:
        """Start all that waits for nothing more, a decision last; say whether anything runs."""
        ready = [
            step
            for step in self.graph.steps
            if step.name not in self._begun
            and all(name in self.outputs for name in self.graph.waits[step.name])
        ]
        first = [step for step in ready if not isinstance(step, Decision)]
        for step in first or ([] if self.busy else ready):
            self._begun.add(step.name)
            self.busy.add(asyncio.create_task(self._work(step)))
        return bool(self.busy)

    def _work(self, step: Step) -> Coroutine[Any, Any, None]:
        match step:
            case AgentSpec():
                return self._agent(step)
            case Effect():
                return self._effect(step)
            case Decision():
                return self._decision(step)

    async def _agent(self, spec: AgentSpec) -> None:
        done = await self._round(spec.name, 1)
        rework = self.flow.rework
        if rework.judge == spec.name:
            for round_ in range(2, rework.rounds + 2):
                if "stopped" in done or not rework.needed(done["output"]):
                    break
                found = done["findings"]
                self.runner.log.append(self.run["id"], "rework", round=round_ - 1, findings=found)
                self.outputs["previous"] = self.flow.named(rework.keeps, self.outputs)
                for name in rework.redo:
                    done = await self._round(name, round_)
                    if name != rework.judge and "stopped" not in done:
                        self.outputs[name] = done["output"]
                    if self._ending() is not None:
                        return
        if "stopped" not in done:
            self.outputs[spec.name] = done["output"]

    async def _round(self, name: str, round_: int) -> dict[str, Any]:
        """Let an agent work once and return its checkpoint; nobody is given its output yet."""
        step = name if round_ == 1 else f"{name}_{round_}"
        done = (self.run.get("given") or {}).get(step)
        if done is None:
            seen = dict(self.outputs)
            done = await self._step(step, self.runner.agent, self.run, name, step, seen)
        if "stopped" in done:
            self.stopped = {"outcome": done["stopped"], "message": done["message"], "agent": step}
        else:
            self.findings[name] = done["findings"]
        return dict(done)

    async def _effect(self, effect: Effect) -> None:
        done = await self._step(
            effect.name, self.runner.effect, self.run, effect, dict(self.outputs)
        )
        if effect.reports:
            self.findings[effect.name] = done.get("findings") or []
        self.outputs[effect.name] = done

    async def _step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        self.runner.at("before", name)
        done = await self.steps.run(name, work, *args)
        self.runner.at("after", name)
        return done

    async def _decision(self, decision: Decision) -> None:
        about = self.flow.named(decision.about, self.outputs)
        decided: Mapping[str, Any] | None = {"approved": True, "person": None, "note": ""}
        if not self.flow.value(decision.unless, self.outputs):
            self.runner.log.append(self.run["id"], "waiting", **about)
            decided = await self.steps.receive(decision.name, decision.days * DAY)
            if decided is not None:
                self.runner.log.append(self.run["id"], "decided", **decided)
        none = dict.fromkeys(decision.hands_over)
        self.outputs[decision.name] = {**about, **(decided or none)}

    def _report(self) -> dict[str, Any]:
        told = [step.name for step in self.flow.steps if step.name in self.findings]
        found = distinct([one for name in told for one in self.findings[name]])
        return {**self.flow.named(self.flow.report, self.outputs), "findings": found}
