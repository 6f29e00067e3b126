"""Play one agent, or make one effect, under a grant that ends with it.

`Runner.agent` is a step: it mints grants for exactly the agent's tools and bound values, connects,
runs the loop, revokes the grants and returns what the checkpoint keeps. `Runner.effect` is how the
engine itself, no model involved, uses a server. Which step is when is not known here (`play.py`).
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastmcp import Client

from orchestrator.agent import Agent
from orchestrator.durable.events import EventLog
from orchestrator.errors import (
    AgentFailed,
    AnswerCutOff,
    BudgetExceeded,
    ContextExceeded,
    ModelRefused,
    OtherPlayer,
    ToolRefused,
)
from orchestrator.graph import Graph, check_live
from orchestrator.llm.base import Model
from orchestrator.servers import Servers
from orchestrator.toolset import IDEMPOTENCY_KEY, ScopedToolset, answer_of, ask, check_about
from orchestrator.workflow import NOBODY, AgentSpec, Effect, Outputs, Workflow, resolve
from orchestrator.workflows import load_all
from servers.registry import NAMES
from servers.toolkit.declare import META
from servers.toolkit.grants import Grant, SigningKey, bound_value, new_grant_id

EFFECT_SECONDS, LOOK_SECONDS = 120, 300
LAST_WORDS = (ModelRefused, AnswerCutOff, ContextExceeded)
"""Ends of a model that asking again would not change."""


@dataclass
class Runner:
    """What every step of a workflow needs; made once per process.

    `at` is told each boundary, for a test to stop the process there: `before` a step, `answered`
    (a server has acted, no checkpoint says so yet) and `after` its checkpoint.
    """

    workflow: Workflow
    graph: Graph
    servers: Servers
    signing: SigningKey
    models: Callable[[str], Model]
    log: EventLog
    at: Callable[[str, str], None] = lambda _when, _step: None

    def check_players(self) -> None:
        """Ask who plays each agent before a run begins; a `WorkflowError` says that nobody does."""
        for spec in self.workflow.agents:
            self.models(spec.name)

    async def agent(
        self, run: Mapping[str, Any], name: str, step: str, outputs: Outputs
    ) -> dict[str, Any]:
        """Play an agent and return its checkpoint: `output`, `findings`, `usage`, or `stopped`.

        A budget that ran out and an agent that failed for good are results, so that a resumed
        run does not try again; a model or server that is away for a while raises, so that it does.
        Rework rounds have a step's name of their own (`match_2`).
        """
        spec = self.workflow.agent(name)
        same_player(run["id"], run.get("generated_by"), self.models(name).name)
        self.log.append(run["id"], "agent_started", agent=step, tools=list(spec.tools))
        try:
            async with self._toolset(run, spec, step, outputs) as toolset:
                result = await Agent(
                    name=name,
                    system=self.workflow.instructions(name),
                    task=task_of(self.workflow, spec, outputs),
                    output=spec.output,
                    toolset=toolset,
                    model=self.models(name),
                    limits=spec.limits,
                    verify=lambda answer, calls: spec.verify(answer, calls, outputs),
                    on_event=partial(self.log.append, run["id"], agent=step),
                ).run()
        except (AgentFailed, BudgetExceeded, *LAST_WORDS) as problem:
            kind = "out_of_budget" if isinstance(problem, BudgetExceeded) else "failed"
            self.log.append(run["id"], "agent_stopped", agent=step, reason=str(problem))
            return {"stopped": kind, "message": str(problem)}
        checkpoint = {
            "output": result.output.model_dump(mode="json"),
            "findings": distinct(result.findings) if spec.reports else [],
            "usage": result.usage,
        }
        said = {**checkpoint, "calls": len(result.calls)}
        self.log.append(run["id"], "agent_finished", agent=step, **said)
        self.at("answered", step)
        return checkpoint

    async def effect(
        self, run: Mapping[str, Any], effect: Effect, outputs: Outputs
    ) -> dict[str, Any]:
        """Make an effect and return what it hands over; a repeat gets the stored results."""
        items = [None]
        if effect.each:
            items = self.workflow.value(effect.each, outputs) or []
        answer: Mapping[str, Any] = {}
        for ordinal, item in enumerate(items):
            named = self.workflow.named(effect.arguments, {**outputs, "item": item})
            try:
                answer = await self._call(run, effect, {**named, **effect.fixed}, ordinal)
            except ToolRefused as refusal:
                if not effect.may_be_refused:
                    raise
                return {"refused": str(refusal)}
        kept = {name: resolve(path, answer) for name, path in effect.keeps.items()}
        if effect.reports and items:
            self.log.append(run["id"], "effect_finished", agent=effect.name, **_told(kept))
        return {"count": len(items), **kept} if effect.each else kept

    async def _call(
        self, run: Mapping[str, Any], effect: Effect, arguments: Mapping[str, Any], ordinal: int
    ) -> dict[str, Any]:
        server, _, tool = effect.tool.partition(".")
        if effect.tool == "runs.claim":
            answer = {**arguments, "holder": self.log.store.claim(run["id"], **arguments)}
        else:
            grant = self._grant(run, server, frozenset({tool}), {}, "engine")
            async with self.servers.hold(grant, self.signing, ttl=EFFECT_SECONDS) as client:
                meta = {IDEMPOTENCY_KEY: f"{run['id']}/{effect.name}:{tool}:{ordinal}"}
                result = await ask(client, server, tool, arguments, meta=meta)
            answer = answer_of(tool, result)
            check_about(tool, arguments, answer)
        self.at("answered", effect.name)
        return answer

    @asynccontextmanager
    async def _toolset(
        self, run: Mapping[str, Any], spec: AgentSpec, step: str, outputs: Outputs
    ) -> AsyncIterator[ScopedToolset]:
        bind = self.workflow.named(spec.bind, outputs)
        ttl = int(spec.limits.seconds) + EFFECT_SECONDS
        async with AsyncExitStack() as stack:
            clients: dict[str, Client[Any]] = {}
            for server in spec.servers:
                grant = self._grant(run, server, spec.tools_of(server), bind, spec.name)
                held = self.servers.hold(grant, self.signing, ttl=ttl)
                clients[server] = await stack.enter_async_context(held)
            toolset = ScopedToolset(
                clients,
                spec.tools,
                bind={name: [value] for name, value in bind.items()},
                idempotency_prefix=f"{run['id']}/{step}",
            )
            yield await stack.enter_async_context(toolset)

    def _grant(
        self,
        run: Mapping[str, Any],
        server: str,
        tools: frozenset[str],
        bind: Mapping[str, object],
        agent: str,
    ) -> Grant:
        return Grant(
            id=new_grant_id(),
            audience=server,
            tools=tools,
            bind={name: (bound_value(value),) for name, value in bind.items()},
            agent=agent,
            run=run["id"],
            requester=run.get("requester", ""),
        )


def same_player(run_id: str, begun_by: str | None, model: str) -> None:
    """Refuse to let another model go on with a run than the one it was begun with."""
    if begun_by not in (None, NOBODY, model):
        raise OtherPlayer(
            f"{run_id} was begun by {begun_by}, and now {model} would play",
            fix=f"give --model {begun_by} to go on, or run the goal again",
        )


def _told(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says of an effect, apart from that what it found."""
    output = {name: value for name, value in kept.items() if name != "findings"}
    return {"output": output, "findings": kept["findings"]}


def task_of(workflow: Workflow, spec: AgentSpec, outputs: Outputs) -> str:
    """Return the first message of an agent: its typed inputs as JSON, and nothing else."""
    given = workflow.named(spec.gives, outputs)
    shown = {name: value for name, value in given.items() if value is not None}
    return json.dumps({"agent": spec.name, "inputs": shown}, ensure_ascii=False, sort_keys=True)


def distinct(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return findings without the repeats of calls that were made twice."""
    kept = {json.dumps(finding, sort_keys=True): dict(finding) for finding in findings}
    return list(kept.values())


Runners = Mapping[str, Runner]
"""Per workflow, what plays its agents and makes its effects."""


def load_runners(
    servers: Servers, signing: SigningKey, models: Callable[[str], Model], log: EventLog
) -> Runners:
    """Make a runner per workflow; one that does not hold together is a `WorkflowError`."""
    return {
        flow.name: Runner(flow, Graph(flow), servers, signing, models, log) for flow in load_all()
    }


def used_tools(runners: Runners, server: str) -> frozenset[str]:
    return frozenset(t for one in runners.values() for t in one.workflow.tools_of(server))


async def check_runners(runners: Runners, servers: Servers, signing: SigningKey) -> None:
    """Compare the workflows with the live servers, before any run begins."""
    live: dict[str, dict[str, Any]] = {}
    for name in NAMES:
        wanted = used_tools(runners, name)
        grant = Grant(id=new_grant_id(), audience=name, tools=wanted, agent="engine")
        async with servers.hold(grant, signing, ttl=LOOK_SECONDS) as client:
            live[name] = {
                tool.name: dict((tool.meta or {}).get(META, {}))
                for tool in await client.list_tools()
            }
    for runner in runners.values():
        check_live(runner.graph, live)
