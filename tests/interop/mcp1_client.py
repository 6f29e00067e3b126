"""What one call of `mcp` 1.x does with a server; run by the Python of its own environment.

`python mcp1_client.py` reads from stdin how to reach the server and which calls to make, and
prints what it was shown and told, as JSON. It imports nothing of dealdesk.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client


@asynccontextmanager
async def reached(how):
    """Open the streams to a server, over stdio or HTTP."""
    if "command" in how:
        first, *rest = how["command"]
        async with stdio_client(
            StdioServerParameters(command=first, args=rest, env=how["env"])
        ) as streams:
            yield streams
    else:
        async with streamablehttp_client(how["url"], headers=how["headers"]) as (read, write, _):
            yield read, write


async def main(asked):
    """List the tools, make the calls, and say what came back."""
    async with reached(asked) as (read, write), ClientSession(read, write) as session:
        hello = await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        results = []
        for name, arguments in asked["calls"]:
            result = await session.call_tool(name, arguments)
            results.append([result.isError, result.content[0].text, result.structuredContent])
    said = {"version": version("mcp"), "era": hello.protocolVersion, "tools": tools}
    json.dump({**said, "results": results}, sys.stdout)


asyncio.run(main(json.load(sys.stdin)))
