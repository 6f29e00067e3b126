"""A small office server for the loop's tests, and the toolsets over it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.context import Context
from fastmcp.tools import ToolResult
from mcp.types import ToolAnnotations
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parent.parent))  # for fake_messages

from orchestrator.toolset import IDEMPOTENCY_KEY, ScopedToolset

READS = ToolAnnotations(read_only_hint=True)


class Account(BaseModel):
    account_id: str
    name: str


class Judged(BaseModel):
    ok: bool
    findings: list[dict[str, str]] = []


class Stored(BaseModel):
    body: str
    replayed: bool = False


class Office:
    """An MCP server with one tool of each kind, and a record of what reached it."""

    def __init__(self, name: str = "office") -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.stored: dict[str | None, Stored] = {}
        self.keys: list[str | None] = []
        self.together = asyncio.Barrier(2)
        self.inside = 0
        self.app: FastMCP[Any] = FastMCP(name, mask_error_details=True)
        self._define()

    def _define(self) -> None:
        app, seen = self.app, self.seen

        @app.tool(annotations=READS)
        def get_account(account_id: str) -> Account:
            """Get an account."""
            seen.append(("get_account", {"account_id": account_id}))
            return Account(account_id=account_id, name="Alder & Finch")

        @app.tool(annotations=READS)
        def check(lines: list[dict[str, Any]], account_id: str = "") -> Judged:
            """Check lines."""
            seen.append(("check", {"lines": lines, "account_id": account_id}))
            return Judged(ok=False, findings=[{"code": "PSU_MISSING", "severity": "error"}])

        @app.tool(annotations=READS)
        async def meet(who: str) -> Account:
            """Return once two callers are here at the same time."""
            await self.together.wait()
            return Account(account_id=who, name=who)

        @app.tool(annotations=READS)
        async def stall() -> Account:
            """Never answer."""
            await asyncio.Event().wait()
            raise AssertionError

        @app.tool(annotations=READS)
        def complain() -> Account:
            """Fail with words for the model."""
            raise ToolError("NOT_FOUND: no such row. Try: another id.")

        @app.tool(annotations=READS)
        def crash() -> Account:
            """Fail with words that are for nobody."""
            raise RuntimeError("password=hunter2")

        @app.tool(annotations=READS)
        def jam() -> Account:
            """Fail because of the database."""
            raise ToolError("STORAGE: the office database stayed locked. Try: again.")

        @app.tool(annotations=READS, output_schema=None)
        def say(words: str) -> str:
            """Answer with text only."""
            return words

        @app.tool(annotations=READS)
        def lie() -> Account:
            """Break the promise of the output schema."""
            return ToolResult(structured_content={"wrong": 1})  # type: ignore[return-value]

        @app.tool
        async def alone() -> Judged:
            """Write, and say whether no other write happened meanwhile."""
            self.inside += 1
            for _ in range(50):
                await asyncio.sleep(0)
            ok = self.inside == 1
            self.inside -= 1
            return Judged(ok=ok)

        @app.tool
        def add_note(body: str, ctx: Context) -> Stored:
            """Write a note, once per key."""
            meta = ctx.request_context.meta if ctx.request_context else None
            key = (meta or {}).get(IDEMPOTENCY_KEY)
            self.keys.append(key)
            seen.append(("add_note", {"body": body}))
            if body == "bad":
                raise ToolError("INVALID_INPUT: not that. Try: another body.")
            if key is not None and key in self.stored:
                return self.stored[key].model_copy(update={"replayed": True})
            self.stored[key] = Stored(body=body)
            return self.stored[key]

    @property
    def names(self) -> list[str]:
        """The tools that were really reached, in order."""
        return [name for name, _ in self.seen]


Scope = Callable[..., Any]


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def scope(office: Office) -> Scope:
    """Open a toolset over the office: `async with scope("get_account", bind=...) as toolset`."""

    @asynccontextmanager
    async def open_scope(*names: str, **options: Any) -> AsyncIterator[ScopedToolset]:
        async with ScopedToolset(Client(office.app), names, **options) as toolset:
            yield toolset

    return open_scope
