from dataclasses import replace
from typing import Any

import pytest

from orchestrator.errors import WorkflowError
from orchestrator.graph import Graph, check_live
from orchestrator.workflow import resolve
from orchestrator.workflows import load
from orchestrator.workflows.quote import mendable
from servers.registry import NAMES

WORKFLOW = load("quote")
GRAPH = Graph(WORKFLOW)


def live(**changes: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """Every tool the workflow names, labelled the way the real servers label theirs."""
    servers: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in NAMES}
    for server, tools in servers.items():
        for name in WORKFLOW.tools_of(server):
            tools[name] = {
                "integrity": "untrusted" if server == "crm" else "trusted",
                "write": name in ("create_quote", "request_approval"),
            }
    for tool, said in changes.items():
        server, _, name = tool.partition("__")
        servers[server][name] = {**servers[server].get(name, {}), **said}
    return servers


def test_the_quote_workflow_fits() -> None:
    check_live(GRAPH, live())


def test_an_unknown_tool_is_named_with_the_choices() -> None:
    servers = live()
    del servers["catalog"]["match_need"]
    with pytest.raises(WorkflowError, match=r"match: no tool 'catalog.match_need'") as caught:
        check_live(GRAPH, servers)
    assert "search_products" in caught.value.fix


def test_an_agent_that_reads_outside_text_cannot_write() -> None:
    with pytest.raises(WorkflowError, match="unannounced"):
        check_live(GRAPH, live(finance__create_quote={"integrity": "untrusted"}))
    both = replace(WORKFLOW.agent("assemble"), reads_untrusted=True)
    agents = tuple(both if s.name == "assemble" else s for s in WORKFLOW.agents)
    with pytest.raises(WorkflowError, match="both reads outsiders' text and writes"):
        check_live(
            Graph(replace(WORKFLOW, agents=agents)),
            live(finance__create_quote={"integrity": "untrusted"}),
        )


def test_an_unannounced_write_is_refused() -> None:
    with pytest.raises(WorkflowError, match="price writes through"):
        check_live(GRAPH, live(finance__price_quote={"write": True}))


def test_a_persons_tool_is_no_agents() -> None:
    with pytest.raises(WorkflowError, match="a person's"):
        check_live(GRAPH, live(finance__price_quote={"person_only": True}))
    with pytest.raises(WorkflowError, match=r"issue: .* is a person's"):
        check_live(GRAPH, live(finance__issue_quote={"person_only": True}))


def test_an_effect_of_an_unknown_tool_is_named() -> None:
    servers = live()
    del servers["crm"]["log_activity"]
    with pytest.raises(WorkflowError, match=r"note_issue: no tool 'crm.log_activity'"):
        check_live(GRAPH, servers)


def test_an_agent_without_a_job_story_is_refused() -> None:
    silent = replace(WORKFLOW.agent("terms"), name="silent")
    with pytest.raises(WorkflowError, match="silent has no job story") as caught:
        check_live(Graph(replace(WORKFLOW, agents=(*WORKFLOW.agents, silent))), live())
    assert caught.value.fix.endswith("silent.md")


def test_profile_and_match_run_side_by_side_and_nobody_qualifies_a_deal_that_is_taken() -> None:
    waits = {name: set(found) for name, found in GRAPH.waits.items()}
    assert "profile" not in waits["match"]
    assert "match" not in waits["profile"]
    assert {"profile", "match"} <= waits["check"]
    assert "find_open_quote" in waits["qualify"]
    assert waits["issue"] == {"decision", "state_lines_again", "state_deal_again"}


def test_rework_rounds_are_steps_of_their_own_and_come_before_price() -> None:
    steps = GRAPH.step_names()
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
