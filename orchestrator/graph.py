"""What a workflow's paths say: who waits for whom, and which version of the plan it is.

`Graph` refuses data that does not hold together, `check_live` what does not fit the live servers.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from orchestrator.errors import WorkflowError
from orchestrator.workflow import RUN, AgentSpec, Decision, Effect, Gate, Step, Workflow, schema_of

ROOTS = ("run", "facts", "findings", "previous", "item")
"""First parts of paths that name no step."""

ENGINE_TOOLS = {"runs": {"claim": {"integrity": "trusted", "write": True}}}
"""What the engine itself offers to effects."""


class Graph:
    """The graph of one workflow: what each step `waits` for, and `steps` after those they wait for.

    A name twice, a path that nobody gives and a circle are each a `WorkflowError`.
    """

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self._steps = {step.name: step for step in workflow.steps}
        names = Counter([*ROOTS, *(step.name for step in workflow.steps), *self._rounds()])
        if twice := [name for name, count in names.items() if count > 1]:
            raise WorkflowError(f"two things in {workflow.name} are called {', '.join(twice)}")
        _in_order({n: self._facts_in(f.of) for n, f in workflow.facts.items()}, "facts")
        for name, fact in workflow.facts.items():
            self.roots(f"the fact {name}", fact.of)
        self._check_rework()
        self.waits = {step.name: self._waits(step) for step in workflow.steps}
        for gate in (*workflow.gates, workflow.finish):
            self.roots(f"the gate {gate.name}", gate.reads)
        self.roots("the report", tuple(workflow.report.values()))
        self.steps = tuple(self._steps[name] for name in _in_order(self.waits, "steps"))

    def step_names(self) -> tuple[str, ...]:
        """Return every checkpoint a run may write, in plan order, the rework rounds included."""
        names = [step.name for step in self.steps if not isinstance(step, Decision)]
        if (rework := self.workflow.rework).redo:
            place = names.index(rework.judge) + 1
            names[place:place] = self._rounds()
        return tuple(names)

    def roots(self, who: str, paths: Collection[str]) -> tuple[str, ...]:
        """Return the steps that some paths need; one that nobody gives is named with `who`."""
        found: dict[str, None] = {}
        for path in paths:
            root, _, rest = path.partition(".")
            name = rest.partition(".")[0]
            if root == "facts" and name in self.workflow.facts:
                found.update(dict.fromkeys(self.roots(who, self.workflow.facts[name].of)))
            elif not self._given(root, rest):
                raise WorkflowError(f"{who} reads {path!r}, which nobody gives")
            elif root in self._steps:
                found[root] = None
            elif root == "findings":
                found[name] = None
        return tuple(found)

    def ready(self, gate: Gate, there: Collection[str]) -> bool:
        return all(root in there for root in self.roots(gate.name, gate.reads))

    def passed(self, gate: Gate, done: Collection[str]) -> bool:
        """Say whether a step was played that came after a gate, so that the gate was passed."""
        roots = set(self.roots(gate.name, gate.reads))
        return any(roots <= self._before(step) for step in done if step in self.waits)

    @cached_property
    def digests(self) -> dict[str, str]:
        """Per step, a digest of all that says what it does and with what."""
        return {step.name: _digest(self._described(step)) for step in self.steps}

    @cached_property
    def version(self) -> str:
        """The plan's version: it follows from the plan, so nobody has to remember to change it."""
        flow = self.workflow
        gates = [[g.name, g.reads, _name(g.ending)] for g in (*flow.gates, flow.finish)]
        return _digest([flow.name, self.digests, list(self.digests), gates, flow.report])

    @property
    def plan(self) -> dict[str, Any]:
        return {"version": self.version, "steps": self.step_names(), "digests": self.digests}

    def changed(self, before: Mapping[str, str], done: Collection[str]) -> list[str]:
        """Return the steps that a run has still to play and that are not what they were.

        `before` are the digests of the plan it began with, `done` the names of its checkpoints.
        """
        now, rework = self.digests, self.workflow.rework
        left = {*now, *before} - {*done}
        if (decision := self.workflow.decision) and any(d in done for d in self._after(decision)):
            left.discard(decision.name)
        if rework.redo and not any(n in done for n in self._after(self._steps[rework.judge])):
            left.update(rework.redo)
        return sorted(name for name in left if now.get(name) != before.get(name))

    def _rounds(self) -> list[str]:
        rework = self.workflow.rework
        return [f"{name}_{n}" for n in range(2, rework.rounds + 2) for name in rework.redo]

    def _waits(self, step: Step) -> tuple[str, ...]:
        """Return what a step waits for; what may be reworked counts once the judge is content."""
        reads = step.reads
        if isinstance(step, Effect) and step.each:
            reads = tuple(path for path in reads if path.partition(".")[0] != "item")
        roots = self.roots(step.name, reads)
        rework = self.workflow.rework
        if step.name in rework.redo or not {*roots} & {*rework.redo}:
            return roots
        return tuple(dict.fromkeys((*roots, rework.judge)))

    def _given(self, root: str, rest: str) -> bool:
        name, rework = rest.partition(".")[0], self.workflow.rework
        match self._steps.get(root):
            case AgentSpec() as agent:
                return _leads(agent.output, rest)
            case Effect() as effect:
                refused = ("refused",) if effect.may_be_refused else ()
                count = ("count",) if effect.each else ()
                return name in (*count, *effect.keeps, *refused)
            case Decision() as decision:
                return name in (*decision.about, *decision.hands_over)
        match root:
            case "run":
                return name in RUN
            case "previous":
                return name in rework.keeps
            case "findings":
                return isinstance(self._steps.get(name), AgentSpec)
            case _:
                return False

    def _facts_in(self, paths: Collection[str]) -> tuple[str, ...]:
        parts = (path.split(".") for path in paths)
        return tuple(p[1] for p in parts if p[0] == "facts" and p[1] in self.workflow.facts)

    def _check_rework(self) -> None:
        rework = self.workflow.rework
        for name in rework.redo:
            self.workflow.agent(name)
        if (rework.redo or ("",))[-1] != rework.judge:
            raise WorkflowError(f"rework ends with its judge, {rework.judge}")
        self.roots("rework", tuple(rework.keeps.values()))

    def _before(self, step: str) -> set[str]:
        found = set(self.waits[step])
        return found.union(*map(self._before, self.waits[step]))

    def _after(self, step: Step) -> Iterator[str]:
        """Yield the steps that wait for one, but not those that are reworked with it."""
        for name, waits in self.waits.items():
            if step.name in waits and name not in self.workflow.rework.redo:
                yield name

    def _described(self, step: Step) -> list[Any]:
        """Return what a step is: its own data, its contract, the facts and contracts it reads."""
        own = {k: v for k, v in vars(step).items() if k not in ("limits", "verify", "output")}
        facts, left = {}, list(self._facts_in(step.reads))
        while left:
            name = left.pop()
            fact = self.workflow.facts[name]
            facts[name] = [fact.of, _name(fact.make)]
            left += self._facts_in(fact.of)
        whose = (step, *(self._steps[name] for name in self.waits[step.name]))
        contracts = [schema_of(a.output) for a in whose if isinstance(a, AgentSpec)]
        rework = self.workflow.rework
        again = asdict(rework) if step.name in rework.redo else None
        return [type(step).__name__, own, facts, contracts, again]


def check_live(graph: Graph, live: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Compare a workflow with what the live tools declare (`_meta.dealdesk`), per server.

    A step that does not fit is a `WorkflowError` that names it.
    """
    workflow = graph.workflow
    for effect in workflow.effects:
        _declared(effect.name, effect.tool, {**live, **ENGINE_TOOLS})
    for spec in workflow.agents:
        workflow.instructions(spec.name)
        declared = {tool: _declared(spec.name, tool, live) for tool in spec.tools}
        untrusted = [tool for tool, said in declared.items() if said.get("integrity") != "trusted"]
        writing = [tool for tool, said in declared.items() if said.get("write")]
        if untrusted and not spec.reads_untrusted:
            raise WorkflowError(
                f"{spec.name} reads outsiders' text through {untrusted} unannounced"
            )
        if writing and not spec.writes:
            raise WorkflowError(f"{spec.name} writes through {writing} unannounced")
        if spec.reads_untrusted and spec.writes:
            raise WorkflowError(f"{spec.name} both reads outsiders' text and writes")


def _declared(step: str, tool: str, live: Mapping[str, Any]) -> Mapping[str, Any]:
    server, _, name = tool.partition(".")
    tools: Mapping[str, Mapping[str, Any]] = live.get(server, {})
    if name not in tools:
        known = ", ".join(sorted(tools)) or "none: is the server there?"
        raise WorkflowError(f"{step}: no tool {tool!r}", fix=f"{server} has {known}")
    if tools[name].get("person_only"):
        raise WorkflowError(f"{step}: {tool} is a person's, never an agent's")
    return tools[name]


def _in_order(waits: Mapping[str, Collection[str]], what: str) -> tuple[str, ...]:
    """Return names so that each comes after those it waits for, else in the order given."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as problem:
        circle = " -> ".join(problem.args[1])
        raise WorkflowError(f"{what} wait for each other: {circle}") from problem
    order: list[str] = []
    while len(order) < len(waits):
        order.append(
            next(n for n, w in waits.items() if n not in order and all(x in order for x in w))
        )
    return tuple(order)


def _leads(model: type[BaseModel], path: str) -> bool:
    """Say whether a contract has what a path names, as far as its types tell."""
    name, _, rest = path.partition(".")
    if name not in model.model_fields:
        return False
    inner = model.model_fields[name].annotation
    if rest and isinstance(inner, type) and issubclass(inner, BaseModel):
        return _leads(inner, rest)
    return True


def _name(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=_name, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:12]
