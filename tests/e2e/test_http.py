"""Over HTTP: real processes on the loopback, each request with its own token or refused."""

import asyncio
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError

from servers.profiles import profile_grant
from servers.toolkit.grants import Grant, new_grant_id
from servers.toolkit.main import run_server

from .conftest import Warm
from .matrix import subjects
from .wire import DEADLINE, SERVERS, World, environment, free_port, http_server, script, status

TOOLS_LIST = (
    b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {'
    b'"io.modelcontextprotocol/protocolVersion": "2026-07-28",'
    b'"io.modelcontextprotocol/clientCapabilities": {}}}}'
)
POST = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/list",
}


def post(base: str, **headers: str) -> int:
    return status(f"{base}/mcp", TOOLS_LIST, **{**POST, **headers})


def bearer(world: World, grant: Grant) -> dict[str, str]:
    token = world.signing.mint(replace(grant, id=new_grant_id()), ttl=600)
    return {"Authorization": f"Bearer {token}"}


def client(base: str, world: World, grant: Grant) -> Client[Any]:
    headers = bearer(world, grant)
    return Client(StreamableHttpTransport(f"{base}/mcp", headers=headers), timeout=DEADLINE)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("server", SERVERS)
def test_a_request_needs_a_token_of_this_server(
    world: World, addresses: dict[str, str], server: str
) -> None:
    base, good = addresses[server], bearer(world, subjects(server)[0].grant)
    elsewhere = next(name for name in SERVERS if name != server)
    assert post(base) == 401
    assert post(base, Authorization="Bearer nonsense") == 401
    assert post(base, Authorization=good["Authorization"].replace("Bearer", "Basic")) == 401
    assert post(base, **bearer(world, subjects(elsewhere)[0].grant)) == 401
    assert post(base, **good) == 200
    assert status(f"{base}/mcp") in (401, 405)  # there is no stream to open


@pytest.mark.timeout(300)
@pytest.mark.parametrize("server", SERVERS)
def test_health_needs_no_token_and_foreign_hosts_and_origins_are_refused(
    world: World, addresses: dict[str, str], server: str
) -> None:
    base, good = addresses[server], bearer(world, subjects(server)[0].grant)
    assert status(f"{base}/health") == 200
    assert post(base, Host="evil.example", **good) == 421
    assert post(base, Origin="https://evil.example", **good) == 403
    assert post(base, Origin=base, **good) == 200


@pytest.mark.timeout(300)
async def test_two_agents_at_once_see_their_own_tools_on_one_server(
    world: World, addresses: dict[str, str]
) -> None:
    holders = [s for s in subjects("crm") if s.name in ("agent plan", "agent qualify")]
    assert len({subject.grant.tools for subject in holders}) == 2

    async def look(grant: Grant, times: int = 5) -> None:
        other = next(s.grant for s in holders if s.grant.tools != grant.tools)
        theirs = min(other.tools - grant.tools)
        async with client(addresses["crm"], world, grant) as session:
            for _ in range(times):
                assert {tool.name for tool in await session.list_tools()} == grant.tools
                with pytest.raises(ToolError, match=f"Unknown tool: '{theirs}'"):
                    await session.call_tool(theirs, {})

    await asyncio.gather(*(look(subject.grant) for subject in holders for _ in range(2)))


@pytest.mark.timeout(300)
async def test_a_token_is_not_carried_from_one_request_to_the_next(
    world: World, addresses: dict[str, str]
) -> None:
    base, grant = addresses["crm"], subjects("crm")[0].grant
    async with client(base, world, grant) as session:
        assert {tool.name for tool in await session.list_tools()} == grant.tools
        assert await asyncio.to_thread(post, base) == 401
    assert await asyncio.to_thread(post, base) == 401


@pytest.mark.timeout(300)
async def test_a_local_profile_needs_no_token_on_the_loopback(world: World, warm: Warm) -> None:
    wanted = profile_grant("finance", "sales").tools
    command = warm("servers.finance")
    with http_server("finance", world.home, "--profile", "sales", command=command) as base:
        assert post(base, Host="evil.example") == 421
        assert post(base, Origin="https://evil.example") == 403
        async with Client(f"{base}/mcp", timeout=DEADLINE) as session:
            listed = {tool.name for tool in await session.list_tools()}
        agent = next(s.grant for s in subjects("finance") if s.name == "agent price")
        async with client(base, world, agent) as session:  # a token still narrows
            assert {tool.name for tool in await session.list_tools()} == agent.tools
        bad = StreamableHttpTransport(f"{base}/mcp", headers={"Authorization": "Bearer nonsense"})
        async with Client(bad, timeout=DEADLINE) as session:
            assert await session.list_tools() == []
    assert listed & wanted == listed
    assert len(listed) > len(agent.tools)


def run_refused(words: list[str], home: Path) -> int:
    """Run the command in this process up to the point where a database would be opened."""

    def never(_name: str, _url: str) -> object:
        raise AssertionError("the database was opened")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("servers.toolkit.main.open_server", never)
        with pytest.raises(SystemExit) as ended:
            run_server("crm", ["--transport", "http", "--home", str(home), *words])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--profile", "read"], "--profile serves without tokens, and 0.0.0.0 can be reached"),
        ([], "no host name is allowed"),
        (["--profile", "read", "--allowed-host", "desk.example"], "serves without tokens"),
    ],
)
def test_an_open_door_is_refused_before_anything_is_opened(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flags: list[str], said: str
) -> None:
    words = ["--host", "0.0.0.0", *flags]  # noqa: S104 - it is refused
    assert run_refused(words, tmp_path) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_a_taken_port_an_impossible_one_and_a_missing_key_are_one_clear_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run_refused(["--port", str(port), "--profile", "read"], tmp_path) == 3
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err
    for wrong in ("99999", "0", "-1", "http", "065535000", "9" * 5000):
        assert run_refused([f"--port={wrong}"], tmp_path) == 2
        assert "is not a port: give 1 to 65535" in capsys.readouterr().err
    assert run_refused(["--port", str(free_port())], tmp_path) == 3
    printed = capsys.readouterr().err
    assert "no usable public key" in printed
    assert printed.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(300)
def test_the_command_itself_refuses_an_open_door(tmp_path: Path) -> None:
    words = ["--transport", "http", "--host", "0.0.0.0", "--profile", "read"]  # noqa: S104
    ended = subprocess.run(
        [script("crm"), *words],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("dealdesk-crm: ")
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(300)
async def test_an_allowed_host_is_accepted_beside_the_loopback(world: World) -> None:
    good = bearer(world, subjects("catalog")[0].grant)
    with http_server("catalog", world.home, "--allowed-host", "desk.example") as base:
        assert post(base, Host="desk.example", **good) == 200
        assert post(base, Host="evil.example", **good) == 421
        assert post(base, Host="desk.example") == 401
