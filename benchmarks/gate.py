"""What the gate costs: granted, audited reads against the same reads on a bare FastMCP server.

Neither shows output schemas, as our views for agents do not: a client would check every answer
against them, which costs more than the gate and hides it.
"""

import asyncio
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from fastmcp import Client, FastMCP
from timing import interleaved, report

from servers.toolkit import scope
from servers.toolkit.app import Server
from servers.toolkit.grants import Grant, SigningKey

CALLS = 20


@dataclass(frozen=True)
class Read:
    """One tool call; with `bound`, under a grant that binds all its arguments, as a run's does."""

    server: str
    tool: str
    arguments: dict[str, str]
    bound: bool


READS = (
    Read("catalog", "get_product", {"sku": "SW-P8-120"}, bound=False),
    Read("crm", "get_opportunity", {"opportunity_id": "opp_001"}, bound=True),
    Read("finance", "list_quotes", {"account_id": "acc_008"}, bound=True),
)


async def bare_server(app: Server, name: str, grant: Grant) -> FastMCP[None]:
    """Return a server with nothing of ours but the function of one tool."""
    tool: Any = await app.local_provider.get_tool(name)
    bare: FastMCP[None] = FastMCP("bare")

    def read(**arguments: object) -> object:
        mark = scope.current_grant.set(grant)  # the repository asks; it costs nothing here
        try:
            return tool.fn(**arguments)
        finally:
            scope.current_grant.reset(mark)

    read.__signature__ = tool.fn.__signature__  # type: ignore[attr-defined]
    read.__annotations__ = tool.fn.__annotations__
    bare.tool(read, name=name, output_schema=None)
    return bare


async def measure(read: Read, folder: Path) -> None:
    """Time a read through a view, and the same function on a server with nothing of ours."""
    app, _ = import_module(f"servers.{read.server}.server").open_server(str(folder / "new.db"))
    signing = SigningKey.load(folder / "keys")
    bind = {name: (value,) for name, value in read.arguments.items()} if read.bound else {}
    tools = frozenset({read.tool})
    grant = Grant(id="g_bench", audience=read.server, agent="bench", tools=tools, bind=bind)
    view = app.view(signing.mint(grant, ttl=600), signing.public, output_schemas=False)
    bare = await bare_server(app, read.tool, grant)
    async with Client(bare) as plain, Client(view) as gated:

        async def call(client: Client[Any]) -> object:
            return (await client.call_tool_mcp(read.tool, dict(read.arguments))).structured_content

        async def calls(client: Client[Any]) -> None:
            for _ in range(CALLS):
                await call(client)

        async def audited() -> None:
            await calls(gated)
            app.ledger.audit.flush()  # ten times as often as a server commits its reads

        found = await call(plain)
        assert found is not None
        assert found == await call(gated), "both do the same"
        cases = {"bare FastMCP": lambda: calls(plain), "view with gate and audit": audited}
        medians = await interleaved(cases, rounds=30)
    print(f"\n{read.server} {read.tool}, {CALLS} calls")
    report(medians, "bare FastMCP", "ms of CPU")
    app.database.close()


async def main() -> None:
    """Measure every read on a fresh copy of the demo company."""
    for read in READS:
        with tempfile.TemporaryDirectory() as folder:
            await measure(read, Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
