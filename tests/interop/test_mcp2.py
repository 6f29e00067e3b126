"""`mcp` 2.x, the client of this environment, in both protocol versions."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Literal

import httpx2
import pytest
from e2e.wire import DEADLINE
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from .conftest import BOUND, CALLS, SERVERS, UNLISTED, Desk
from .rows import needs, row

pytestmark = [pytest.mark.timeout(300), needs("mcp 2.x", ".")]
Era = Literal["legacy", "auto"]


@asynccontextmanager
async def reached(
    desk: Desk, server: str, token: str, transport: str, era: Era
) -> AsyncIterator[Client]:
    if transport == "stdio":
        command, *words = desk.stdio(server)
        started = StdioServerParameters(command=command, args=words, env={"DEALDESK_GRANT": token})
        async with Client(started, mode=era, read_timeout_seconds=DEADLINE) as client:
            yield client
        return
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=DEADLINE) as http:
        wire = streamable_http_client(f"{desk.addresses[server]}/mcp", http_client=http)
        async with Client(wire, mode=era, read_timeout_seconds=DEADLINE) as client:
            yield client


@pytest.mark.parametrize("era", ["legacy", "auto"])
@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("server", SERVERS)
async def test_a_new_client_lists_calls_and_is_refused(
    desk: Desk,
    record_property: Callable[[str, object], None],
    server: str,
    transport: str,
    era: Era,
) -> None:
    grant, (name, arguments) = desk.grant(server), CALLS[server]
    async with reached(desk, server, desk.token(grant), transport, era) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == grant.tools & names
        result = await client.call_tool(name, arguments)
        assert json.loads(result.content[0].text) == result.structured_content
        bound = await client.call_tool(name, arguments | BOUND[server])
        assert bound.content[0].text.startswith("NOT_FOUND: ")
        unlisted, given = UNLISTED[server]
        refused = await client.call_tool(unlisted, given)
        assert refused.content[0].text == f"Unknown tool: '{unlisted}'"
    verdict = desk.judge(server, grant)
    assert (verdict.called, verdict.refused) == (1, 2)
    assert verdict.era == ("2026-07-28" if era == "auto" else "2025-11-25")
    row(
        "mcp", version("mcp"), transport, verdict.era, server,
        listed=len(names), called=verdict.called, refused=verdict.refused,
    )  # fmt: skip
    figure = f"{server} over {transport}, {era}: {verdict.refused} refused, 0 of them ran"
    record_property("figure", f"mcp {version('mcp')}, {figure}")
