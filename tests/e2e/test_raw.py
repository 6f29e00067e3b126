"""Raw JSON-RPC, byte by byte: nothing runs inside a server that the caller's grant does not hold.

What ran is counted in the bodies of tools, resources and prompts, below the gate and not by it.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from fastmcp.server.mixins import transport
from interop.rows import row
from mcp.server.stdio import stdio_server

from servers.profiles import components
from servers.registry import create_server
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.gate import Gate
from servers.toolkit.grants import Grant, SigningKey, new_grant_id

from .attacks import ERAS, Attempt, Target, bad_tokens, call, message, plainly, trickily
from .counted import counting
from .matrix import SAMPLES, sample
from .wire import SERVERS

RAW = ("raw JSON-RPC", "-")
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """The servers on empty databases: nobody here gets as far as a row."""
    folder, found = tmp_path_factory.mktemp("raw"), {}
    for name in SERVERS:
        database = Database.open(folder / f"{name}.db", name)
        found[name] = create_server(name, database)
    yield found
    for app in found.values():
        app.ledger.audit.flush()
        app.database.close()


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.load(tmp_path_factory.mktemp("keys"))


async def target_of(app: Server) -> Target:
    provider, nothing = app.local_provider, Grant(id="", audience=app.name)
    tools = {tool.name: sample(tool.parameters, nothing) for tool in await provider.list_tools()}
    allowed = next(name for name in tools if name in components(app.name, "read"))
    arguments = tools.pop(allowed)
    templates = [t.uri_template for t in await provider.list_resource_templates()]
    resources = [str(r.uri) for r in await provider.list_resources()]
    return Target(
        app.name,
        allowed,
        arguments,
        tools,
        (*(template.format_map(SAMPLES) for template in templates), *resources),
        tuple(prompt.name for prompt in await provider.list_prompts()),
    )


def attempts_on(target: Target, *eras: str) -> list[Attempt]:
    """Everything plainly; by tricks only the tool that decides, as all servers share one gate."""
    found = [attempt for era in eras for attempt in plainly(target, era)]
    if target.server == "finance":
        found += [a for era in eras for a in trickily(target, "decide_approval", era)]
    return found


Send = Callable[..., Any]


@asynccontextmanager
async def over_http(app: Server, signing: SigningKey) -> AsyncIterator[Send]:
    """Give a function that posts one attempt to the server's own ASGI app."""
    asgi = app.http_view(lambda: signing.public).http_app(
        path="/mcp", stateless_http=True, host_origin_protection=True
    )
    wire = httpx2.ASGITransport(app=asgi, raise_app_exceptions=False)
    async with (
        asgi.router.lifespan_context(asgi),
        httpx2.AsyncClient(transport=wire, base_url="http://127.0.0.1:8000") as http,
    ):

        async def send(
            attempt: Attempt, token: str | None, verb: str = "POST", path: str = "/mcp", **more: str
        ) -> httpx2.Response:
            headers = {
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
                **attempt.headers,
                **({} if token is None else {"Authorization": f"Bearer {token}"}),
                **more,
            }
            return await http.request(verb, path, content=attempt.body, headers=headers)

        yield send


class Pipe:
    """Stdin and stdout of a server in this process: lines in, whole answers out."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._over = anyio.Event()
        self.answers: list[dict[str, Any]] = []

    async def __aiter__(self) -> AsyncIterator[str]:
        for line in self._lines:
            yield line.decode("utf-8", "replace") + "\n"
        await self._over.wait()

    async def write(self, text: str) -> None:
        self.answers += [json.loads(line) for line in text.splitlines()]

    async def flush(self) -> None:
        """Nothing is kept back."""

    async def end(self) -> None:
        """Close stdin when the server has nothing left to do."""
        await anyio.wait_all_tasks_blocked()
        self._over.set()


async def over_stdio(
    monkeypatch: pytest.MonkeyPatch, app: Server, token: str, key: SigningKey, lines: list[bytes]
) -> list[dict[str, Any]]:
    """Serve a token's holder over stdio until everything said was dealt with."""
    pipe = Pipe(lines)
    monkeypatch.setattr(transport, "stdio_server", partial(stdio_server, stdin=pipe, stdout=pipe))
    face = app.view(token, key.public)
    async with anyio.create_task_group() as group:
        group.start_soon(partial(face.run_stdio_async, show_banner=False))
        await pipe.end()
    return pipe.answers


HELLO = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": ERAS[1],
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        },
    }
).encode()
READY = b'{"jsonrpc": "2.0", "method": "notifications/initialized"}'


@pytest.mark.parametrize("server", SERVERS)
async def test_over_http_nothing_runs_that_is_not_granted(
    apps: dict[str, Server], signing: SigningKey, record_property: Record, server: str
) -> None:
    target = await target_of(apps[server])
    token = signing.mint(target.grant, ttl=600)
    attempts = attempts_on(target, *ERAS)
    with counting() as ran:
        async with over_http(apps[server], signing) as send:
            for era in ERAS:  # the count counts, and this caller may do this
                answer = await send(call("", target.allowed, target.arguments, era), token)
                assert answer.status_code == 200, answer.text
            assert [one.name for one in ran] == [target.allowed] * 2
            ran.clear()
            listed = (await send(message("", "tools/list", {}, ERAS[0]), token)).json()
            assert [tool["name"] for tool in listed["result"]["tools"]] == [target.allowed]
            for attempt in attempts:
                answer = await send(attempt, token)
                assert ran == [], f"{attempt.label}: {answer.text[:200]}"
                assert answer.status_code < 500, attempt.label
    record_property("figure", f"raw HTTP, {server}: {len(attempts)} attempts, 0 ran")
    row(*RAW, "http", " and ".join(ERAS), server, listed=1, called=2, refused=len(attempts))


@pytest.mark.parametrize("server", SERVERS)
async def test_over_http_nothing_runs_for_a_bad_token(
    apps: dict[str, Server],
    signing: SigningKey,
    tmp_path: Path,
    record_property: Record,
    server: str,
) -> None:
    app, other = apps[server], SigningKey.load(tmp_path)
    target = await target_of(app)
    mine = [call("", target.allowed, target.arguments, era) for era in ERAS]
    good, gone = signing.mint(target.grant, ttl=600), target.grant
    app.ledger.revoke(gone)
    tried = 0
    with counting() as ran:
        async with over_http(app, signing) as send:
            tokens = [*bad_tokens(signing, other, target.grant), ("none", None)]
            for label, token in tokens:
                for attempt in mine:
                    answer = await send(attempt, token)
                    tried += 1
                    turned_away = answer.status_code == 401 or "Unknown tool" in answer.text
                    assert turned_away, f"{label}: {answer.text[:200]}"
            revoked = signing.mint(gone, ttl=600)  # signed and in time: only the ledger knows
            for attempt in mine:
                answer = await send(attempt, revoked)
                tried += 1
                assert "Unknown tool" in answer.text
            for more in astray(good):
                answer = await send(mine[0], None, **more)
                tried += 1
                assert answer.status_code in (401, 404, 405), f"{more}: {answer.text[:200]}"
    assert ran == []
    record_property("figure", f"raw HTTP with bad tokens, {server}: {tried} attempts, 0 ran")


def astray(good: str) -> list[dict[str, str]]:
    """A good token in a place where no token is taken from, or a request for another place."""
    return [
        {"authorization": f"Basic {good}"},
        {"authorization": good},
        {"authorization": f"Bearer, Bearer {good}"},
        {"x-authorization": f"Bearer {good}"},
        {"proxy-authorization": f"Bearer {good}"},
        {"cookie": f"access_token={good}; authorization=Bearer {good}"},
        {"path": f"/mcp?access_token={good}"},
        {"path": "/MCP"},
        {"path": "/mcp/.."},
        {"path": "/health"},
        {"path": "/health/../mcp"},
        {"verb": "GET"},
        {"verb": "PUT"},
        {"verb": "DELETE"},
        {"verb": "OPTIONS"},
        {"x-http-method-override": "GET"},
        {"mcp-session-id": "a-session"},
        {"x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost"},
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_over_stdio_nothing_runs_that_is_not_granted(
    apps: dict[str, Server],
    signing: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
    era: str,
) -> None:
    tried = 0
    for server, app in apps.items():
        target = await target_of(app)
        token = signing.mint(target.grant, ttl=600)
        attempts = attempts_on(target, era)
        allowed = call("", target.allowed, target.arguments, era).body
        start = [HELLO, READY] if era == ERAS[1] else []
        numbered = (
            attempt.body.replace(b"\n", b" ").replace(b'"id": 1', b'"id": %d' % number, 1)
            for number, attempt in enumerate(attempts, 2)
        )
        lines = [*start, allowed, *numbered]
        with counting() as ran:
            answers = await over_stdio(monkeypatch, app, token, signing, lines)
        assert [one.name for one in ran] == [target.allowed], f"{server}: {ran[1:]}"
        assert len(answers) > len(attempts) / 2
        tried += len(attempts)
        row(*RAW, "stdio", era, server, listed=1, called=1, refused=len(attempts))
    record_property("figure", f"raw stdio, {era}: {tried} attempts, 0 ran")


async def test_over_stdio_nothing_runs_for_a_bad_token(
    apps: dict[str, Server],
    signing: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    record_property: Record,
) -> None:
    app, other, tried = apps["crm"], SigningKey.load(tmp_path), 0
    target = await target_of(app)
    gone = target.grant
    app.ledger.revoke(gone)
    tokens = [*bad_tokens(signing, other, target.grant), ("revoked", signing.mint(gone, ttl=600))]
    mine = call("", target.allowed, target.arguments, ERAS[0]).body
    with counting() as ran:
        for label, token in tokens:
            (answer,) = await over_stdio(monkeypatch, app, token, signing, [mine])
            assert "Unknown tool" in json.dumps(answer), label
            tried += 1
        good = signing.mint(replace(target.grant, id=new_grant_id()), ttl=600)
        assert ran == []
        await over_stdio(monkeypatch, app, good, signing, [mine])
    assert len(ran) == 1
    record_property("figure", f"raw stdio with bad tokens: {tried} attempts, 0 ran")


async def test_the_count_finds_a_planted_hole(
    apps: dict[str, Server], signing: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def on_call_tool(_self: Gate, context: Any, call_next: Any) -> Any:
        return await call_next(context)

    monkeypatch.setattr(Gate, "on_call_tool", on_call_tool)
    target = await target_of(apps["catalog"])
    token = signing.mint(target.grant, ttl=600)
    with counting() as ran:
        async with over_http(apps["catalog"], signing) as send:
            for name, arguments in target.tools.items():
                await send(call("", name, arguments, ERAS[0]), token)
    assert {one.name for one in ran} == set(target.tools)
