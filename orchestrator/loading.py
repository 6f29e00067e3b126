"""Load every workflow of the list; one that could not run is refused before any run begins."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.durable.events import EventLog
from orchestrator.graph import Graph, check_live
from orchestrator.llm.base import Model
from orchestrator.runner import Runner
from orchestrator.servers import Servers
from orchestrator.workflows import load_all
from servers.registry import NAMES
from servers.toolkit.declare import META
from servers.toolkit.grants import Grant, SigningKey, new_grant_id

LOOK_SECONDS = 300

Runners = Mapping[str, Runner]
"""Per workflow, what plays its agents and makes its effects."""


def load_runners(
    servers: Servers, signing: SigningKey, models: Callable[[str], Model], log: EventLog
) -> Runners:
    """Return a runner per workflow.

    Raises:
        WorkflowError: a workflow does not hold together; what is wrong with it is named.
    """
    return {
        flow.name: Runner(flow, Graph(flow), servers, signing, models, log) for flow in load_all()
    }


def used_tools(runners: Runners, server: str) -> frozenset[str]:
    return frozenset(t for one in runners.values() for t in one.workflow.tools_of(server))


async def check_runners(runners: Runners, servers: Servers, signing: SigningKey) -> None:
    """Compare the workflows with the live servers.

    Raises:
        WorkflowError: a tool is not there, or no agent's; the step is named.
    """
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
