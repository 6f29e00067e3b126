"""The official MCP conformance suite, against our servers and against a fixture behind our gate.

Real servers are tried with every scenario that needs no component made for the suite; nothing is
expected to fail. The fixture has the suite's components and must pass all that a revision requires.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from e2e.wire import SERVERS, World, http_server

from .conformance import SPECS, checks, judge, server_scenarios
from .rows import conformance, needs

pytestmark = [
    pytest.mark.timeout(300),
    needs("conformance suite", "node/node_modules/@modelcontextprotocol/conformance"),
]

TOOL = "calls a tool that only the suite's fixture has"
PROMPT = "gets a prompt that only the suite's fixture has"
ONLY_FIXTURE = {
    "tools-call-simple-text": f"{TOOL}; passes on any server",
    "tools-call-error": f"{TOOL}; passes on any server",
    "tools-call-image": TOOL,
    "tools-call-audio": TOOL,
    "tools-call-embedded-resource": TOOL,
    "tools-call-mixed-content": TOOL,
    "tools-call-with-logging": TOOL,
    "tools-call-with-progress": TOOL,
    "tools-call-sampling": TOOL,
    "tools-call-elicitation": TOOL,
    "json-schema-2020-12": "looks for a tool that only the suite's fixture has",
    "elicitation-sep1034-defaults": TOOL,
    "elicitation-sep1330-enums": TOOL,
    "server-sse-polling": TOOL,
    "http-custom-header-server-validation": "looks for a tool with x-mcp-header",
    "resources-read-text": "reads a resource that only the suite's fixture has",
    "resources-read-binary": "reads a resource that only the suite's fixture has",
    "resources-templates-read": "reads a resource that only the suite's fixture has",
    "prompts-get-simple": PROMPT,
    "prompts-get-with-args": PROMPT,
    "prompts-get-embedded-resource": PROMPT,
    "prompts-get-with-image": PROMPT,
    "input-required-result-basic-elicitation": TOOL,
    "input-required-result-basic-sampling": TOOL,
    "input-required-result-basic-list-roots": TOOL,
    "input-required-result-request-state": TOOL,
    "input-required-result-multiple-input-requests": TOOL,
    "input-required-result-multi-round": TOOL,
    "input-required-result-missing-input-response": TOOL,
    "input-required-result-non-tool-request": PROMPT,
    "input-required-result-result-type": TOOL,
    "input-required-result-tampered-state": TOOL,
    "input-required-result-capability-check": TOOL,
    "input-required-result-ignore-extra-params": f"{TOOL}; passes on any server",
    "input-required-result-validate-input": TOOL,
}
"""Scenarios that say nothing about a server without the suite's own components."""

NOT_SERVED = {
    "resources-subscribe": "optional, not declared by our servers, removed in 2026-07-28",
    "resources-unsubscribe": "optional, not declared by our servers, removed in 2026-07-28",
}
"""Scenarios of an optional capability that our servers do not declare."""

NO_SESSION = {
    "server-session-lifecycle": "our servers keep no session, so there is none to end",
    "server-sse-multiple-streams": "asks nothing of a server without sessions before 2026-07-28",
}
"""Scenarios of 2025-11-25 that check nothing where no session is kept."""

ONLY_FIXTURE_CHECKS = {
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
}
"""Two checks of server-stateless that call the fixture's test_missing_capability."""


def generic(spec: str) -> set[str]:
    listed = {name for name, specs in server_scenarios().items() if spec in specs}
    excluded = {*ONLY_FIXTURE, *NOT_SERVED, *(NO_SESSION if spec == "2025-11-25" else ())}
    return listed - excluded


@pytest.fixture(scope="module")
def open_addresses(world: World) -> Iterator[dict[str, str]]:
    """The real servers on the loopback with a profile: the suite cannot send a token."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(http_server(name, world.home, "--profile", "admin"))
            for name in SERVERS
        }


def test_every_scenario_that_is_left_out_exists() -> None:
    listed = set(server_scenarios())
    assert {*ONLY_FIXTURE, *NOT_SERVED, *NO_SESSION} <= listed


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("server", SERVERS)
def test_a_real_server_passes_every_generic_scenario(
    open_addresses: dict[str, str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    server: str,
    spec: str,
) -> None:
    words = ("--suite", "all", "--spec-version", spec)
    every = checks(f"{open_addresses[server]}/mcp", tmp_path, *words)
    wanted = generic(spec)
    assert "dns-rebinding-protection" in wanted
    assert wanted <= set(every)
    outcome = judge({name: every[name] for name in wanted}, ONLY_FIXTURE_CHECKS)
    record_property("figure", f"conformance of {server}, {spec}: {outcome}")
    conformance(server, spec, outcome.scenarios, outcome.passed, len(outcome.failed))
    assert outcome.failed == []
    assert outcome.empty == []


@pytest.fixture(scope="module")
def fixture_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = [sys.executable, str(Path(__file__).with_name("fixture_server.py"))]
    with http_server("fixture", tmp_path_factory.mktemp("fixture"), command=program) as base:
        yield base


@pytest.mark.parametrize("spec", SPECS)
def test_a_fixture_behind_our_gate_passes_all_that_a_revision_requires(
    fixture_address: str, tmp_path: Path, record_property: Callable[[str, object], None], spec: str
) -> None:
    all_required = set(server_scenarios("--requirements", spec))
    required = all_required - set(NOT_SERVED)
    every = checks(f"{fixture_address}/mcp", tmp_path, "--requirements", spec)
    assert required <= set(every)
    outcome = judge({name: every[name] for name in required}, set())
    left_out = f", {len(all_required - required)} scenarios of what we do not serve left out"
    figure = f"conformance of our gate with a fixture, {spec}: {outcome}{left_out}"
    record_property("figure", figure)
    conformance("a fixture", spec, outcome.scenarios, outcome.passed, len(outcome.failed))
    assert outcome.failed == []
    assert outcome.empty == []
