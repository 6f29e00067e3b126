"""The MCP Inspector's command line against each server, as anyone would look at it.

It needs Node 22 or later on PATH and `npm install @modelcontextprotocol/inspector`; set
DEALDESK_TEST_INSPECTOR to the `mcp-inspector` executable. Without it these tests are skipped.
"""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from servers.profiles import profile_grant

from .test_clients import CALLS
from .wire import DEADLINE, SERVERS, World, environment, script

INSPECTOR = os.environ.get("DEALDESK_TEST_INSPECTOR", "")
pytestmark = [
    pytest.mark.inspector,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not INSPECTOR,
        reason="MCP Inspector NOT RUN: set DEALDESK_TEST_INSPECTOR to the mcp-inspector executable",
    ),
]


def inspect(world: World, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run the Inspector; return its exit code, what it printed as JSON, and its stderr."""
    done = subprocess.run(
        [INSPECTOR, "--cli", *words],
        env=environment(world.home),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def target(
    world: World, addresses: dict[str, str], server: str, transport: str, era: str
) -> list[str]:
    if transport == "stdio":
        home = f"DEALDESK_HOME={world.home}"
        return ["--protocol-era", era, script(server), "-e", home]
    token = world.signing.mint(profile_grant(server, "read"), ttl=600)
    words = ["--transport", "http", "--header", f"Authorization: Bearer {token}"]
    return ["--protocol-era", era, f"{addresses[server]}/mcp", *words]


def test_node_is_new_enough() -> None:
    node = shutil.which("node")
    assert node, "the Inspector needs node on PATH"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    assert int(version.stdout.strip().lstrip("v").partition(".")[0]) >= 22


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_inspector_lists_and_calls(
    world: World, addresses: dict[str, str], server: str, transport: str, era: str
) -> None:
    at = target(world, addresses, server, transport, era)
    code, listed, errors = inspect(world, *at, "--method", "tools/list", "--strict")
    assert code == 0, errors  # 6 would be a schema that some clients cannot take
    names = {tool["name"] for tool in listed["tools"]}
    assert names == profile_grant(server, "read").tools & names
    name, arguments = CALLS[server]
    assert name in names
    given = [f"{key}={value}" for key, value in arguments.items()]
    words = ["--method", "tools/call", "--tool-name", name, "--tool-arg", *given]
    code, result, errors = inspect(world, *at, *words)
    assert code == 0, errors
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


def test_the_inspector_is_told_that_a_tool_is_unknown(
    world: World, addresses: dict[str, str]
) -> None:
    at = target(world, addresses, "finance", "http", "modern")
    words = ["--method", "tools/call", "--tool-name", "decide_approval"]
    code, result, errors = inspect(world, *at, *words)
    assert code != 0
    assert "decide_approval" in json.dumps(result) + errors


def test_the_inspector_without_a_token_is_turned_away(
    world: World, addresses: dict[str, str]
) -> None:
    words = ["--transport", "http", "--method", "tools/list"]
    code, _, errors = inspect(world, f"{addresses['crm']}/mcp", *words)
    assert code != 0
    assert json.loads(errors)["error"]["code"] == "auth_required"
