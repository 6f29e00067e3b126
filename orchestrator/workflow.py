"""A workflow as data: which agents there are, what each may use, and who waits for whom.

Nothing here runs. `Workflow.validate` compares the data with the live servers before a run
starts: an unknown tool, a cycle, or an agent that both reads outsiders' text and writes is a
clear error then, not a surprise later.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import Any

from pydantic import BaseModel

from orchestrator.errors import WorkflowError

Outputs = Mapping[str, Mapping[str, Any]]
"""The outputs so far, by agent name, as JSON."""


@dataclass(frozen=True)
class Limits:
    """What one agent may spend before it is stopped."""

    turns: int = 16
    tool_calls: int = 60
    tokens: int = 400_000
    seconds: float = 300.0


@dataclass(frozen=True)
class AgentSpec:
    """One agent: a job story, the tools it is granted, and the shape of what it hands over.

    Attributes:
        name: What the run log and the grants call it.
        tools: `server.tool`, the whole of what it may use.
        output: The contract it hands over.
        after: Agents whose outputs it waits for.
        gives: What its task shows it: a name and the path of a value (`qualify.needs`).
        bind: Argument names the servers hold it to, and the path of the one value each may take.
        reads_untrusted: It sees text written by outsiders; then it may not write.
        writes: It holds a tool that changes something.
        reports: What its tools find concerns the result, not only its own search.
        verify: Problems of an output, judged by what the servers really answered.
    """

    name: str
    tools: tuple[str, ...]
    output: type[BaseModel]
    after: tuple[str, ...] = ()
    gives: Mapping[str, str] = field(default_factory=dict)
    bind: Mapping[str, str] = field(default_factory=dict)
    reads_untrusted: bool = False
    writes: bool = False
    reports: bool = True
    limits: Limits = Limits()
    verify: Callable[[Any, Any, Outputs], list[str]] | None = None

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers its tools belong to, in order."""
        return tuple(dict.fromkeys(tool.partition(".")[0] for tool in self.tools))

    def tools_of(self, server: str) -> frozenset[str]:
        """The names of its tools on one server."""
        pairs = (tool.partition(".") for tool in self.tools)
        return frozenset(name for owner, _, name in pairs if owner == server)


@dataclass(frozen=True)
class Rework:
    """When the judge is not content, the named agents go again, at most `rounds` times."""

    judge: str
    redo: tuple[str, ...]
    needed: Callable[[Mapping[str, Any]], bool]
    rounds: int = 2


@dataclass(frozen=True)
class Workflow:
    """The agents of one job, in plan order; the first is the master.

    `facts` is a pure function of the outputs so far; what it returns can be given and bound
    under the name `facts`, beside the agents' outputs and the run's own `run`.
    """

    name: str
    version: str
    package: str
    agents: tuple[AgentSpec, ...]
    facts: Callable[[Outputs], Mapping[str, Any]]
    rework: Rework | None = None

    def agent(self, name: str) -> AgentSpec:
        """Return an agent by name.

        Raises:
            WorkflowError: there is none; the message names those there are.
        """
        for spec in self.agents:
            if spec.name == name:
                return spec
        known = ", ".join(spec.name for spec in self.agents)
        raise WorkflowError(f"no agent {name!r} in {self.name}", fix=f"one of: {known}")

    def instructions(self, agent: str) -> str:
        """Return an agent's job story (Markdown)."""
        return (files(self.package) / "instructions" / f"{agent}.md").read_text(encoding="utf-8")

    def order(self) -> tuple[str, ...]:
        """Return the agents in an order that respects `after`.

        Raises:
            WorkflowError: they wait for each other in a circle, or for one that is not there.
        """
        names = {spec.name for spec in self.agents}
        for spec in self.agents:
            if missing := set(spec.after) - names:
                raise WorkflowError(f"{spec.name} waits for unknown {sorted(missing)}")
        try:
            return tuple(TopologicalSorter({s.name: s.after for s in self.agents}).static_order())
        except CycleError as problem:
            raise WorkflowError(f"agents wait for each other: {problem.args[1]}") from problem

    def validate(self, live: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Compare the agents with the live servers.

        Args:
            live: Per server, per tool, what the tool declares (`_meta.dealdesk`).

        Raises:
            WorkflowError: naming the agent and what is wrong with it.
        """
        self.order()
        names = [spec.name for spec in self.agents]
        if len(set(names)) != len(names):
            raise WorkflowError(f"two agents of {self.name} share a name")
        for spec in self.agents:
            _validate_agent(spec, live)


def _validate_agent(spec: AgentSpec, live: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    untrusted, writing = [], []
    for tool in spec.tools:
        server, _, name = tool.partition(".")
        if name not in live.get(server, {}):
            known = ", ".join(sorted(live.get(server, {}))) or "none: is the server there?"
            raise WorkflowError(f"{spec.name}: no tool {tool!r}", fix=f"{server} has {known}")
        said = live[server][name]
        if said.get("integrity") != "trusted":
            untrusted.append(tool)
        if said.get("write"):
            writing.append(tool)
        if said.get("person_only"):
            raise WorkflowError(f"{spec.name}: {tool} is a person's, never an agent's")
    if untrusted and not spec.reads_untrusted:
        raise WorkflowError(f"{spec.name} reads outsiders' text through {untrusted} unannounced")
    if writing and not spec.writes:
        raise WorkflowError(f"{spec.name} writes through {writing} unannounced")
    if spec.reads_untrusted and spec.writes:
        raise WorkflowError(f"{spec.name} both reads outsiders' text and writes")


def resolve(path: str, outputs: Outputs) -> Any:
    """Return the value at a dotted path (`qualify.needs`); a missing step gives None."""
    value: Any = outputs
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def steps_of(workflow: Workflow, effects: Iterable[str]) -> tuple[str, ...]:
    """Return every step a run may take, in plan order, the rework rounds included."""
    agents = list(workflow.order())
    rework = workflow.rework
    if rework is not None:
        again = [f"{name}_{n}" for n in range(2, rework.rounds + 2) for name in rework.redo]
        place = agents.index(rework.judge) + 1
        agents[place:place] = again
    return (*agents, *effects)
