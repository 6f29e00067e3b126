"""The MCP Inspector's command line against each server, as anyone would look at it."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e.wire import DEADLINE

from servers.toolkit.grants import Grant

from .conftest import BOUND, CALLS, SERVERS, UNLISTED, Desk
from .rows import found, needs, row

PACKAGE = "node/node_modules/@modelcontextprotocol/inspector"
pytestmark = [pytest.mark.timeout(300), needs("MCP Inspector", PACKAGE)]
ERAS = {"legacy": "2025-11-25", "modern": "2026-07-28"}


def inspect(folder: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run the Inspector; return its exit code, what it printed as JSON, and its stderr."""
    node = found("node/bin/node")
    done = subprocess.run(
        [str(found("node/node_modules/.bin/mcp-inspector")), "--cli", *words],
        env={"PATH": f"{node.parent}{os.pathsep}{os.defpath}", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def target(desk: Desk, server: str, grant: Grant, transport: str, era: str) -> list[str]:
    token = desk.token(grant)
    if transport == "stdio":
        return ["--protocol-era", era, "-e", f"DEALDESK_GRANT={token}", "--", *desk.stdio(server)]
    words = ["--transport", "http", "--header", f"Authorization: Bearer {token}"]
    return ["--protocol-era", era, f"{desk.addresses[server]}/mcp", *words]


def call(name: str, arguments: dict[str, Any]) -> list[str]:
    words = ["--method", "tools/call", "--tool-name", name]
    return [*words, "--tool-args-json", json.dumps(arguments)]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_inspector_lists_calls_and_is_refused(
    desk: Desk,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    server: str,
    transport: str,
    era: str,
) -> None:
    grant = desk.grant(server)
    at = target(desk, server, grant, transport, era)

    def ask(*words: str) -> tuple[int, dict[str, Any], str]:
        place = at.index("--") if "--" in at else len(at)
        return inspect(tmp_path, *at[:place], *words, *at[place:])

    code, listed, errors = ask("--method", "tools/list", "--strict")
    assert code == 0, errors  # 6 would be a schema that some clients cannot take
    names = {tool["name"] for tool in listed["tools"]}
    name, arguments = CALLS[server]
    assert name in names
    assert names == grant.tools & names
    code, result, errors = ask(*call(name, arguments))
    assert code == 0, errors
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    refused = [(name, arguments | BOUND[server]), UNLISTED[server]]
    if transport == "stdio":  # each call starts a server: one server's refusal is enough
        refused = refused[: server == "catalog"]
    for one in refused:
        code, result, errors = ask(*call(*one))
        assert code != 0, result
    verdict = desk.judge(server, grant)
    assert (verdict.called, verdict.era) == (1, ERAS[era])
    assert bool(verdict.refused) == bool(refused)
    version = json.loads((found(PACKAGE) / "package.json").read_text())["version"]
    row(
        "MCP Inspector", version, transport, verdict.era, server,
        listed=len(names), called=verdict.called, refused=verdict.refused,
    )  # fmt: skip
    figure = f"{server} over {transport}, {era}: {verdict.refused} refused, 0 of them ran"
    record_property("figure", f"MCP Inspector, {figure}")


def test_the_inspector_without_a_token_is_turned_away(desk: Desk, tmp_path: Path) -> None:
    words = ["--transport", "http", "--method", "tools/list"]
    code, _, errors = inspect(tmp_path, f"{desk.addresses['crm']}/mcp", *words)
    assert code != 0
    assert json.loads(errors)["error"]["code"] == "auth_required"
