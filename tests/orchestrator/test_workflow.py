from dataclasses import replace
from typing import Any

import pytest

from orchestrator.errors import WorkflowError
from orchestrator.workflow import AgentSpec, resolve, steps_of
from orchestrator.workflows.quote import WORKFLOW, mendable
from servers.registry import NAMES


def live(**changes: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """Every tool the workflow names, labelled the way the real servers label theirs."""
    servers: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in NAMES}
    for spec in WORKFLOW.agents:
        for tool in spec.tools:
            server, _, name = tool.partition(".")
            servers[server][name] = {
                "integrity": "untrusted" if server == "crm" else "trusted",
                "write": name in ("create_quote", "request_approval"),
            }
    for tool, said in changes.items():
        server, _, name = tool.partition("__")
        servers[server][name] = {**servers[server].get(name, {}), **said}
    return servers


def test_the_quote_workflow_fits() -> None:
    WORKFLOW.validate(live())


def test_an_unknown_tool_is_named_with_the_choices() -> None:
    servers = live()
    del servers["catalog"]["match_need"]
    with pytest.raises(WorkflowError, match=r"match: no tool 'catalog.match_need'") as caught:
        WORKFLOW.validate(servers)
    assert "search_products" in caught.value.fix


def test_an_agent_that_reads_outside_text_cannot_write() -> None:
    with pytest.raises(WorkflowError, match="unannounced"):
        WORKFLOW.validate(live(finance__create_quote={"integrity": "untrusted"}))
    both = replace(WORKFLOW.agent("assemble"), reads_untrusted=True)
    agents = tuple(both if s.name == "assemble" else s for s in WORKFLOW.agents)
    with pytest.raises(WorkflowError, match="both reads outsiders' text and writes"):
        replace(WORKFLOW, agents=agents).validate(
            live(finance__create_quote={"integrity": "untrusted"})
        )


def test_an_unannounced_write_is_refused() -> None:
    with pytest.raises(WorkflowError, match="price writes through"):
        WORKFLOW.validate(live(finance__price_quote={"write": True}))


def test_a_persons_tool_is_no_agents() -> None:
    with pytest.raises(WorkflowError, match="a person's"):
        WORKFLOW.validate(live(finance__price_quote={"person_only": True}))


def test_a_circle_is_refused() -> None:
    turned = tuple(
        replace(s, after=("assemble",)) if s.name == "plan" else s for s in WORKFLOW.agents
    )
    with pytest.raises(WorkflowError, match="wait for each other"):
        replace(WORKFLOW, agents=turned).order()


def test_an_agent_that_waits_for_nobody_known_is_refused() -> None:
    lost = AgentSpec("lost", (), WORKFLOW.agents[0].output, after=("nobody",))
    with pytest.raises(WorkflowError, match="unknown"):
        replace(WORKFLOW, agents=(*WORKFLOW.agents, lost)).order()


def test_the_order_respects_who_waits_for_whom() -> None:
    order = WORKFLOW.order()
    for spec in WORKFLOW.agents:
        assert all(order.index(other) < order.index(spec.name) for other in spec.after)


def test_rework_rounds_are_steps_of_their_own_and_come_before_price() -> None:
    steps = steps_of(WORKFLOW, ("issue",))
    rounds = ("match_2", "check_2", "match_3", "check_3")
    assert [s for s in steps if s[-1].isdigit()] == list(rounds)
    assert steps.index("check") < steps.index("match_2") < steps.index("price")
    assert len(set(steps)) == len(steps)


@pytest.mark.parametrize(
    ("ok", "severities", "mend"),
    [
        (True, [], False),
        (False, ["error"], True),
        (False, ["error", "blocked"], False),
        (False, ["blocked"], False),
        (False, ["needs_human"], False),
    ],
)
def test_only_errors_that_lines_could_mend_go_back(
    ok: bool, severities: list[str], mend: bool
) -> None:
    findings = [{"severity": severity} for severity in severities]
    assert mendable({"ok": ok, "findings": findings}) is mend


def test_a_path_that_leads_nowhere_is_none() -> None:
    assert resolve("a.b.c", {"a": {"b": {}}}) is None
    assert resolve("a.b", {"a": {"b": 3}}) == 3


def test_every_agent_has_a_job_story() -> None:
    for spec in WORKFLOW.agents:
        assert WORKFLOW.instructions(spec.name).startswith(f"# {spec.name}:")
