"""Where the servers are: in this process by default, or over stdio or HTTP.

The only file of the orchestrator that opens a server, and only by the list of servers. Everything
else speaks MCP through the clients that `Servers.connect` gives out, each holding one grant.
"""

import asyncio
import importlib
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import ClientTransport, StdioTransport, StreamableHttpTransport
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR

from orchestrator.errors import EnvironmentProblem
from orchestrator.toolset import failed, judged
from servers.registry import NAMES, open_server
from servers.toolkit.app import Server
from servers.toolkit.errors import DomainError
from servers.toolkit.gate import RELEASE
from servers.toolkit.grants import Grant, PublicKey, SigningKey

SAFE_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "DEALDESK_HOME")


@dataclass
class Servers:
    """The servers; opened once, connected to once per agent.

    `elsewhere` are standard `mcpServers` entries for servers that are not in this process;
    `created` says what was loaded into databases that were new: `{server: {table: rows}}`; `keys`
    is the folder of the keys by which servers in this process sign documents and state verdicts.
    """

    urls: Mapping[str, str]  # the database of each server, a file path or URL
    key: PublicKey
    elsewhere: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    created: dict[str, dict[str, int]] = field(default_factory=dict)
    keys: Path | None = None
    _apps: dict[str, Server] = field(default_factory=dict)

    def app(self, name: str) -> Server:
        """Return an in-process server, opening (and filling, when new) its database."""
        if name not in self._apps:
            # a refused call is an answer to the agent that made it, not news for the terminal
            logging.getLogger("fastmcp").setLevel(logging.CRITICAL)
            try:
                app, loaded = open_server(name, self.urls[name])
            except DomainError as problem:
                raise EnvironmentProblem(problem.message, fix=problem.fix) from problem
            app.database.keys = self.keys
            self._apps[name] = app
            if loaded:
                self.created[name] = loaded
        return self._apps[name]

    @asynccontextmanager
    async def hold(
        self, grant: Grant, signing: SigningKey, *, ttl: int
    ) -> AsyncIterator[Client[Any]]:
        """Open a client that holds a grant, and revoke it at the end, whatever happened."""
        async with self.opened(grant.audience, signing.mint(grant, ttl=ttl)) as client:
            try:
                yield client
            finally:
                await self._release(grant.audience, grant, client)

    @asynccontextmanager
    async def opened(self, name: str, token: str) -> AsyncIterator[Client[Any]]:
        """Open a client by the token of a grant or of a person, and leave the token as it is."""
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(self._client(name, token))
            except (RuntimeError, OSError, MCPError) as problem:
                refusing = (
                    ", or takes no such token" if "url" in self.elsewhere.get(name, ()) else ""
                )
                raise failed(name, f"cannot be reached{refusing}", str(problem)) from problem
            try:
                yield client
            except MCPError as problem:
                if problem.code != INTERNAL_ERROR or judged(str(problem)):
                    raise
                raise failed(name, "failed", str(problem)) from problem

    async def _release(self, name: str, grant: Grant, client: Client[Any]) -> None:
        """Revoke a grant for good; a server that is gone is covered by the grant's expiry."""
        if name in self._apps and name not in self.elsewhere:
            try:
                await asyncio.to_thread(self._apps[name].ledger.revoke, grant)
            except DomainError as problem:
                raise EnvironmentProblem(problem.message, fix=problem.fix) from problem
        else:
            with suppress(MCPError, RuntimeError):
                await client.call_tool_mcp(RELEASE, {})

    def _client(self, name: str, token: str) -> Client[Any]:
        entry = self.elsewhere.get(name)
        if entry is None:
            # client and server are both ours, so the protocol version need not be negotiated
            view = self.app(name).view(token, self.key, output_schemas=False)
            return Client(view, mode="2026-07-28")
        transport: ClientTransport
        if "url" in entry:
            transport = StreamableHttpTransport(entry["url"], auth=token)
        else:
            environment = {n: os.environ[n] for n in SAFE_ENVIRONMENT if n in os.environ}
            environment |= {**entry.get("env", {}), "DEALDESK_GRANT": token}
            transport = StdioTransport(
                entry["command"], list(entry.get("args", ())), env=environment, keep_alive=False
            )
        return Client(transport, timeout=30)

    def close(self) -> None:
        for app in self._apps.values():
            app.ledger.audit.close()
            app.database.close()
        self._apps.clear()


def set_up_company(urls: Mapping[str, str], company: Path) -> list[str]:
    """Write the company of a company file into the databases, and tell a person what."""
    said, zones = _set_up("finance", urls, company)
    return [*said, *_set_up("catalog", urls, zones)]


def _set_up(server: str, urls: Mapping[str, str], given: Any) -> Any:
    from servers.toolkit.database import Database

    module = importlib.import_module(f"servers.{server}.server")
    database = Database.open(urls[server], server)
    try:
        return module.set_up(database, given)
    finally:
        database.close()


def read_elsewhere(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read a standard `{"mcpServers": {...}}` file; other servers' entries are ignored."""
    if path is None:
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["mcpServers"]
        return {
            n: dict(e) for n, e in entries.items() if n in NAMES and ("url" in e or e["command"])
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise EnvironmentProblem(
            f"{path} does not say where the servers are",
            fix='write {"mcpServers": {"crm": {"url": "http://127.0.0.1:8001/mcp"}}}',
        ) from problem
