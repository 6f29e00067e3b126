"""Another client than the one we build with: `mcp.Client`, in both protocol eras."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from servers.profiles import profile_grant

from .wire import DEADLINE, SERVERS, World, environment, script

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "crm": ("get_account", {"account_id": "acc_001"}),
    "catalog": ("get_product", {"sku": "SW-P8-120"}),
    "finance": ("check_credit", {"account_id": "acc_001", "amount_minor": 1000, "currency": "EUR"}),
}
Era = Literal["legacy", "auto"]
"""`legacy` opens with `initialize`; `auto` asks `server/discover` and speaks 2026-07-28."""


@asynccontextmanager
async def over_stdio(
    world: World, _addresses: dict[str, str], server: str, era: Era
) -> AsyncIterator[Client]:
    started = StdioServerParameters(command=script(server), env=environment(world.home))
    async with Client(started, mode=era, read_timeout_seconds=DEADLINE) as client:
        yield client


@asynccontextmanager
async def over_http(
    world: World, addresses: dict[str, str], server: str, era: Era
) -> AsyncIterator[Client]:
    token = world.signing.mint(profile_grant(server, "read"), ttl=600)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=DEADLINE) as http:
        transport = streamable_http_client(f"{addresses[server]}/mcp", http_client=http)
        async with Client(transport, mode=era, read_timeout_seconds=DEADLINE) as client:
            yield client


@pytest.mark.timeout(300)
@pytest.mark.parametrize("era", ["legacy", "auto"])
@pytest.mark.parametrize("transport", [over_stdio, over_http])
@pytest.mark.parametrize("server", SERVERS)
async def test_an_independent_client_lists_and_calls_in_both_eras(
    world: World, addresses: dict[str, str], server: str, transport: Any, era: Era
) -> None:
    name, arguments = CALLS[server]
    async with transport(world, addresses, server, era) as client:
        modern = client.protocol_version == "2026-07-28"
        assert modern == (era == "auto")
        assert client.server_info.name == server
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == profile_grant(server, "read").tools & set(tools)
        assert tools[name].output_schema["type"] == "object"
        result = await client.call_tool(name, arguments)
        assert not result.is_error
        assert result.structured_content
        assert json.loads(result.content[0].text) == result.structured_content
        wrong = await client.call_tool("decide_approval", {})
        assert wrong.is_error
        assert wrong.content[0].text == "Unknown tool: 'decide_approval'"
        missing = await client.call_tool(name, {})
        assert missing.is_error
        assert missing.content[0].text.startswith("INVALID_INPUT: ")
