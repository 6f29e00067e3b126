"""What the gate costs: a granted, audited read against the same read on a bare FastMCP server."""

import asyncio
import tempfile
from pathlib import Path

from fastmcp import Client, FastMCP
from timing import interleaved, report

from servers.catalog.server import open_server
from servers.toolkit import scope
from servers.toolkit.grants import Grant, SigningKey

CALLS = 20


async def main() -> None:
    """Time `get_product` through a view, and the same function on a server with nothing of ours."""
    with tempfile.TemporaryDirectory() as folder:
        app, _ = open_server(str(Path(folder) / "catalog.db"))
        signing = SigningKey.load(Path(folder) / "keys")
        grant = Grant(
            id="g_bench", audience="catalog", agent="match", tools=frozenset({"get_product"})
        )
        tool = await app.local_provider.get_tool("get_product")
        assert tool is not None
        bare: FastMCP[None] = FastMCP("bare")

        def get_product(sku: str) -> object:
            mark = scope.current_grant.set(grant)  # the repository asks; it costs nothing here
            try:
                return tool.fn(sku)  # type: ignore[attr-defined]
            finally:
                scope.current_grant.reset(mark)

        get_product.__annotations__["return"] = tool.fn.__annotations__["return"]  # type: ignore[attr-defined]
        bare.tool(get_product)
        view = app.view(signing.mint(grant, ttl=600), signing.public)
        async with Client(bare) as plain, Client(view) as gated:

            async def calls(client: Client[object]) -> None:
                for _ in range(CALLS):
                    await client.call_tool_mcp("get_product", {"sku": "SW-P8-120"})

            medians = await interleaved(
                {
                    "bare FastMCP": lambda: calls(plain),
                    "view with gate and audit": lambda: calls(gated),
                },
                rounds=30,
            )
        report(medians, "bare FastMCP")
        app.ledger.audit.flush()
        app.database.close()


if __name__ == "__main__":
    asyncio.run(main())
