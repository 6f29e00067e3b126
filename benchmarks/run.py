"""What orchestration costs: a warm offline run against a bare loop that makes the same calls.

The bare loop is what one would write without dealdesk: per agent a connection, a list of tools and
the very calls a real run made, recorded from one; no grants, no gate, no audit, no contracts, no
event log, no checkpoints. Both work on fresh copies of one data folder, warmed with another deal.
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from fastmcp import Client, FastMCP
from fastmcp.server.middleware import Middleware
from timing import report

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from orchestrator import runner, toolset
from orchestrator.servers import Servers
from orchestrator.workflow import Effect
from servers.registry import NAMES
from servers.toolkit import scope
from servers.toolkit.grants import Grant, SigningKey
from servers.toolkit.statements import StatementKey

WARM = "Quote Nordlicht for the PoE switches"
GOAL = "Quote Alder & Finch for the switches they asked about last week"
ROUNDS = 5

Calls = list[tuple[str, list[str], list[tuple[str, str, dict[str, Any]]]]]
"""Per agent or effect: its name, its servers, and (server, tool, arguments) of each call."""


def desk(home: Path) -> Any:
    """Open a desk on a data folder."""
    settings = load_settings(home=str(home), model="playbook", order_date="2026-11-23")
    return Desk.open(settings)


async def recorded(home: Path) -> Calls:
    """Play the goal once and write down who called what."""
    made: Calls = []
    kept_call, kept_enter = toolset.ScopedToolset.call, toolset.ScopedToolset.__aenter__
    kept_effect = runner.Runner._call

    async def enter(self: Any) -> Any:
        opened = await kept_enter(self)
        made.append((self._prefix, list(self._clients), []))
        return opened

    async def call(self: Any, name: str, arguments: Any) -> Any:
        done = await kept_call(self, name, arguments)
        entry = next(m for m in made if m[0] == self._prefix)
        entry[2].append((self._held[name].server, name, dict(done.arguments)))
        return done

    async def effect(self: Any, run: Any, effect: Effect, arguments: Any, ordinal: int) -> Any:
        server, _, tool = effect.tool.partition(".")
        if server in NAMES:
            made.append((effect.name, [server], [(server, tool, dict(arguments))]))
        return await kept_effect(self, run, effect, arguments, ordinal)

    toolset.ScopedToolset.call, toolset.ScopedToolset.__aenter__ = call, enter  # type: ignore[method-assign]
    runner.Runner._call = effect  # type: ignore[method-assign]
    try:
        async with desk(home) as opened:
            await opened.wait(await opened.submit(GOAL))
    finally:
        toolset.ScopedToolset.call = kept_call  # type: ignore[method-assign]
        toolset.ScopedToolset.__aenter__ = kept_enter  # type: ignore[method-assign]
        runner.Runner._call = kept_effect  # type: ignore[method-assign]
    return made


async def ours(home: Path) -> float:
    """Time a warm run with everything on."""
    async with desk(home) as opened:
        await opened.wait(await opened.submit(WARM))
        start = time.perf_counter()
        result = await opened.wait(await opened.submit(GOAL))
        took = time.perf_counter() - start
    assert result["outcome"] == "issued"
    return took


class NoOutputSchemas(Middleware):
    """Lists tools without output schemas, as our own views for agents do."""

    async def on_list_tools(self, context: Any, call_next: Any) -> Any:
        """Drop the schemas, so that a client has none to check."""
        tools = await call_next(context)
        return [tool.model_copy(update={"output_schema": None}) for tool in tools]


async def bare(home: Path, calls: Calls, *, schemas: bool) -> float:
    """Time the same calls by a bare loop on servers without a gate."""
    async with desk(home) as opened:
        await opened.wait(await opened.submit(WARM))
    signing = SigningKey.load(home / "keys")
    servers = Servers({name: str(home / f"{name}.db") for name in NAMES}, signing.public)
    plain = {
        name: FastMCP(
            name,
            providers=[servers.app(name).local_provider],
            dereference_schemas=False,
            middleware=[] if schemas else [NoOutputSchemas()],
        )
        for name in NAMES
    }
    scope.current_grant.set(Grant(id="bare", audience="any", agent="bare", run="bare"))
    quote: dict[str, Any] = {}
    start = time.perf_counter()
    for _, names, made in calls:
        async with AsyncExitStack() as stack:
            clients = {}
            for name in names:
                client = Client(plain[name], mode="2026-07-28")
                clients[name] = await stack.enter_async_context(client)
                await client.list_tools()
            for server, tool, arguments in made:
                sent = {**arguments, **{k: quote[k] for k in arguments if k in quote}}
                answer = await clients[server].call_tool_mcp(tool, sent)
                if tool == "create_quote":
                    found = answer.structured_content or {}
                    quote = {"quote_id": found["quote_id"], "digest": found["digest"]}
                assert tool != "issue_quote" or not answer.is_error, answer
    took = time.perf_counter() - start
    servers.close()
    return took


async def main() -> None:
    """Time both, taking turns."""
    cases: dict[str, Callable[[Path], Awaitable[float]]] = {
        "bare loop": lambda home: bare(home, calls, schemas=False),
        "bare loop, output schemas listed": lambda home: bare(home, calls, schemas=True),
        "dealdesk run": ours,
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    with tempfile.TemporaryDirectory() as folder:
        seeded = Path(folder) / "seeded"
        async with Desk.open(load_settings(home=str(seeded)), work=False):
            pass
        StatementKey.load(seeded / "keys")  # what one copy's servers stated holds in all
        calls = await recorded(Path(shutil.copytree(seeded, Path(folder) / "recorded")))
        for place in range(ROUNDS):
            for name, case in cases.items():
                home = Path(shutil.copytree(seeded, Path(folder) / f"{name}-{place}"))
                times[name].append(await case(home))
    agents = sum(1 for name, *_ in calls if "/" in name)
    made = sum(len(entry[2]) for entry in calls)
    medians = {name: statistics.median(found) for name, found in times.items()}
    report(medians, "bare loop")
    print(f"{agents} agents, {made} tool calls; per agent:", end=" ")
    print(", ".join(f"{name} {m / agents * 1000:.1f} ms" for name, m in medians.items()))


if __name__ == "__main__":
    asyncio.run(main())
