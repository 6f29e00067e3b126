"""A workflow as data: agents, effects, gates, a decision, rework. Nothing here runs.

There is no list of who comes after whom. A step waits for the steps that its paths name, and all
steps that wait for nothing more run side by side (`graph.py` derives it, `play.py` plays it).

A path is a dotted name whose first part says where to look:

    run.goal              what the run was started with (`RUN`)
    plan.account_id       the output of an agent, an effect or the decision of that name
    facts.lines           a `Fact`, worked out of other paths
    findings.check        what the servers found while that agent worked
    previous.lines        what `Rework` keeps of the round before; null in the first round
    item.span.start       inside an effect that is made once for `each` item of a list
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from pydantic import BaseModel

from orchestrator.errors import WorkflowError
from servers.toolkit.shipped import shipped

Outputs = Mapping[str, Any]
"""What there is so far, by the first part of a path."""

Ending = Mapping[str, Any]
"""How a run ends: its `outcome`, and facts for whoever reads the result."""

RUN = (
    *("id", "goal", "opportunity_id", "order_date", "requester", "revise", "generated_by"),
    "given",
)
"""What every run is started with; `given` are checkpoints, or what a person typed."""

NOBODY = "nobody"
"""Who plays a workflow without agents; whoever comes may go on with such a run."""


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

    `gives` is what its task shows it: a name and the path of a value (`qualify.needs`); `bind` are
    argument names the servers hold it to, and the path of the one value each may take. `verify`
    names the problems of an output, judged by what the servers really answered.
    """

    name: str
    tools: tuple[str, ...]  # `server.tool`, the whole of what it may use
    output: type[BaseModel]
    gives: Mapping[str, str] = field(default_factory=dict)
    bind: Mapping[str, str] = field(default_factory=dict)
    reads_untrusted: bool = False  # text written by outsiders; then it may not write
    writes: bool = False
    reports: bool = True  # what its tools find concerns the result, not only its own search
    limits: Limits = Limits()
    verify: Callable[[Any, Any, Outputs], list[str]] = lambda _output, _calls, _outputs: []

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tool.partition(".")[0] for tool in self.tools))

    def tools_of(self, server: str) -> frozenset[str]:
        return _on(server, self.tools)

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.gives.values(), *self.bind.values())


@dataclass(frozen=True)
class Effect:
    """One call that the engine makes itself, once: no model is asked.

    It hands over what it `keeps`: a name, and where in the tool's answer the value is. With `each`,
    the path of a list, there is one call per item; `count` is handed over, and what the last answer
    had. The server's no, where it `may_be_refused`, is handed over as `refused` instead of failing
    the run. One that `reports` keeps `findings`, which concern the result as an agent's do.
    """

    name: str  # also a part of the key that makes a repeat harmless
    tool: str  # `runs.claim` is the engine's own: one open run per opportunity
    arguments: Mapping[str, str]  # each with its path
    fixed: Mapping[str, Any] = field(default_factory=dict)  # the same in every run
    keeps: Mapping[str, str] = field(default_factory=dict)
    each: str = ""
    may_be_refused: bool = False
    reports: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.arguments.values(), *([self.each] if self.each else ()))


def effects_in(package: str) -> tuple[Effect, ...]:
    """Return the effects that a workflow's `effects.toml` lists."""
    return tuple(Effect(**one) for one in shipped(package, "effects")["effect"])


@dataclass(frozen=True)
class Decision:
    """The run waits, for days if need be, until a person decides.

    It is asked for last, when nothing else can run. It hands over what it was `about`, with
    `approved` (null when nobody decided in time), `person` and `note`; what is done then should
    read it from here, so that it is done with exactly what was decided about.
    """

    name: str  # also the topic of the message
    about: Mapping[str, str]
    unless: str  # the path of a value that, when true, makes a person unnecessary
    days: int = 30
    hands_over: ClassVar[tuple[str, ...]] = ("approved", "person", "note")

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.about.values(), self.unless)


@dataclass(frozen=True)
class Fact:
    """A value that plain code works out: `make` takes the values `of` these paths, in order."""

    of: tuple[str, ...]
    make: Callable[..., Any]


@dataclass(frozen=True)
class Gate:
    """A place where the run may end: `ending` takes the values it `reads`, in order.

    It is asked as soon as all it reads is there, before any step that waits for the same.
    """

    name: str
    reads: tuple[str, ...]
    ending: Callable[..., Ending | None]


@dataclass(frozen=True)
class Rework:
    """When the judge's output is `needed` to be mended, agents go again, at most `rounds` times.

    `redo` are those agents in their order, the judge last. Until the judge is content nobody else
    is given what they hand over. `keeps` is what they are shown of the round before (`previous`).
    """

    judge: str
    redo: tuple[str, ...]
    needed: Callable[[Mapping[str, Any]], bool]
    keeps: Mapping[str, str]
    rounds: int = 2


NO_REWORK = Rework("", (), lambda _output: False, {}, rounds=0)
Step = AgentSpec | Effect | Decision


@dataclass(frozen=True)
class Workflow:
    """Everything a job consists of; the first agent is the master."""

    name: str
    package: str  # where its job stories are (`instructions/<agent>.md`)
    agents: tuple[AgentSpec, ...]  # may be none: then nobody plays it
    finish: Gate  # what the run came to when every step was played
    effects: tuple[Effect, ...] = ()
    gates: tuple[Gate, ...] = ()  # the first that ends the run does
    decision: Decision | None = None
    rework: Rework = NO_REWORK
    facts: Mapping[str, Fact] = field(default_factory=dict)
    report: Mapping[str, str] = field(default_factory=dict)  # beside its ending: names and paths

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.agents, *self.effects, *([self.decision] if self.decision else ()))

    def agent(self, name: str) -> AgentSpec:
        for spec in self.agents:
            if spec.name == name:
                return spec
        known = ", ".join(spec.name for spec in self.agents)
        raise WorkflowError(f"no agent {name!r} in {self.name}", fix=f"one of: {known}")

    def tools_of(self, server: str) -> frozenset[str]:
        tools = [tool for spec in self.agents for tool in spec.tools]
        return _on(server, [*tools, *(effect.tool for effect in self.effects)])

    def instructions(self, agent: str) -> str:
        """Return an agent's job story (Markdown)."""
        story = files(self.package) / "instructions" / f"{agent}.md"
        try:
            return story.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise WorkflowError(f"{agent} has no job story", fix=f"write {story}") from None

    def value(self, path: str, outputs: Outputs) -> Any:
        """Return the value at a path; what is not there yet is None."""
        root, _, rest = path.partition(".")
        if root != "facts":
            return resolve(path, outputs)
        name, _, rest = rest.partition(".")
        fact = self.facts[name]
        made = fact.make(*self.values(fact.of, outputs))
        return resolve(rest, made) if rest else made

    def values(self, paths: Sequence[str], outputs: Outputs) -> list[Any]:
        return [self.value(path, outputs) for path in paths]

    def named(self, paths: Mapping[str, str], outputs: Outputs) -> dict[str, Any]:
        return {name: self.value(path, outputs) for name, path in paths.items()}


def _on(server: str, tools: Sequence[str]) -> frozenset[str]:
    pairs = (tool.partition(".") for tool in tools)
    return frozenset(name for owner, _, name in pairs if owner == server)


@cache
def schema_of(contract: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a contract; making one costs as much as ten tool calls."""
    return contract.model_json_schema()


def resolve(path: str, value: Any) -> Any:
    """Return what is at a dotted path inside nested objects; None when it leads nowhere."""
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value
