"""Claude Code, with an empty home and no account: it connects, lists, calls and is refused.

The model is a script behind a fake `/v1/messages` on the loopback; the client around it is real.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e.wire import script
from fake_messages import as_message, events, on_loopback
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from orchestrator.llm.base import PlainReply, call, reply, text

from .conftest import BOUND, CALLS, SERVERS, UNLISTED, Desk
from .rows import found, needs, row

CLAUDE = "node/node_modules/@anthropic-ai/claude-code-*/claude"
pytestmark = [pytest.mark.timeout(300), needs("Claude Code", CLAUDE)]
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "ENABLE_TOOL_SEARCH": "false",  # show the model all tools at once
    "MCP_TIMEOUT": "120000",
}


def claude(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Claude Code in a home of its own, with nothing of this environment."""
    (folder / "home").mkdir(exist_ok=True)
    return subprocess.run(
        [str(found(CLAUDE)), *words],
        env={"HOME": str(folder / "home"), "PATH": os.defpath, **QUIET, **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def version(folder: Path) -> str:
    return claude(folder, "--version").stdout.split()[0]


class ScriptedModel:
    """Calls each server as granted, then another customer's row, then an unlisted tool."""

    def __init__(self) -> None:
        self.shown: set[str] = set()
        self.results: list[str] = []

    def answer(self, body: dict[str, Any]) -> PlainReply:
        """Return the next step; a request without our tools is about something else."""
        names = {tool["name"] for tool in body.get("tools", ())}
        if not any(name.startswith("mcp__") for name in names):
            return reply(text("A title"))
        self.shown |= {name for name in names if name.startswith("mcp__")}
        self.results = [
            json.dumps(block)
            for message in body["messages"]
            if isinstance(message["content"], list)
            for block in message["content"]
            if block["type"] == "tool_result"
        ]
        steps = (CALLS, {s: (CALLS[s][0], CALLS[s][1] | BOUND[s]) for s in SERVERS}, UNLISTED)
        step = len(self.results) // len(SERVERS)
        if step == len(steps):
            return reply(text("That is all."))
        return reply(
            *(call(f"mcp__{s}__{steps[step][s][0]}", **steps[step][s][1]) for s in SERVERS)
        )

    @property
    def app(self) -> Starlette:
        """The endpoint; whatever else the client asks of it is an empty object."""

        async def messages(request: Request) -> Response:
            body = await request.json()
            answer = self.answer(body)
            said = as_message(answer, body["model"], len(self.results))
            for block in said["content"]:
                if block["type"] == "tool_use":  # no id twice in a conversation
                    block["id"] += f"_{len(self.results)}"
            if body.get("stream"):
                return StreamingResponse(events(said), media_type="text/event-stream")
            return JSONResponse(said)

        async def other(_request: Request) -> Response:
            return JSONResponse({})

        return Starlette(
            routes=[
                Route("/v1/messages", messages, methods=["POST"]),
                Route("/{path:path}", other, methods=["GET", "POST", "HEAD"]),
            ]
        )


def test_claude_mcp_add_and_list_say_connected(desk: Desk, tmp_path: Path) -> None:
    for server in SERVERS:
        command = (script(server), "--home", str(desk.world.home))
        added = claude(tmp_path, "mcp", "add", "-s", "user", server, "--", *command)
        assert added.returncode == 0, added.stdout + added.stderr
    header = f"Authorization: Bearer {desk.token(desk.grant('crm'))}"
    words = ("mcp", "add", "-s", "user", "-t", "http", "crm-http", f"{desk.addresses['crm']}/mcp")
    added = claude(tmp_path, *words, "-H", header)
    assert added.returncode == 0, added.stdout + added.stderr
    for _ in range(3):  # it gives up on a server that a busy machine starts slowly
        listed = claude(tmp_path, "mcp", "list").stdout
        if "timed out" not in listed:
            break
    lines = {line.partition(":")[0]: line for line in listed.splitlines()}
    for name in (*SERVERS, "crm-http"):
        assert lines[name].endswith("✔ Connected"), listed


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_claude_code_lists_calls_and_is_refused(
    desk: Desk, tmp_path: Path, transport: str, record_property: Callable[[str, object], None]
) -> None:
    grants = {server: desk.grant(server) for server in SERVERS}
    configured = {}
    for server, grant in grants.items():
        command, *words = desk.stdio(server)
        token = desk.token(grant)
        configured[server] = (
            {"command": command, "args": words, "env": {"DEALDESK_GRANT": token}}
            if transport == "stdio"
            else {
                "type": "http",
                "url": f"{desk.addresses[server]}/mcp",
                "headers": {"Authorization": f"Bearer {token}"},
            }
        )
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": configured}))
    model = ScriptedModel()
    async with on_loopback(model) as url:
        done = await asyncio.to_thread(
            claude, tmp_path, "-p", "Look up what you may.", "--mcp-config", "mcp.json",
            "--strict-mcp-config", "--permission-mode", "bypassPermissions",
            ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY="sk-ant-test", IS_SANDBOX="1",
        )  # fmt: skip
    assert done.stdout.strip() == "That is all.", done.stdout + done.stderr
    assert len(model.results) == 3 * len(SERVERS)
    refused = 0
    for server, grant in grants.items():
        shown = {name for name in model.shown if name.startswith(f"mcp__{server}__")}
        assert {name.removeprefix(f"mcp__{server}__") for name in shown} <= grant.tools
        verdict = desk.judge(server, grant)
        assert verdict.called == 1
        assert verdict.refused >= 1
        refused += verdict.refused
        row(
            "Claude Code", version(tmp_path), transport, verdict.era, server,
            listed=len(shown), called=verdict.called, refused=verdict.refused,
        )  # fmt: skip
    record_property("figure", f"Claude Code over {transport}: {refused} refused, 0 of them ran")
