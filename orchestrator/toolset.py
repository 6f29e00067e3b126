"""The tools one agent is given, and no others: a scoped face of one or more MCP servers.

    async with ScopedToolset(client, {"get_account", "list_contacts"},
                             bind={"account_id": ["acc_001"]}) as toolset:
        toolset.tools                                  # for a model, in the Messages API's shape
        call = await toolset.call("get_account", {})   # account_id is filled in
        call.text                                      # for the model; call.result is the data

Nothing else of the orchestrator is needed, so another agent stack can use it as it is. The
servers' gate enforces the same scope; this side keeps a model from seeing what it cannot use,
from choosing what is already decided, and from spending a round trip on a refusal.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx2
from mcp.shared.exceptions import MCPError
from mcp.types import TextContent, Tool

from orchestrator.errors import EnvironmentProblem, ScopeError, ToolRefused, WrongAnswer

if TYPE_CHECKING:
    from fastmcp import Client
    from mcp.types import CallToolResult

IDEMPOTENCY_KEY = "dealdesk/idempotency-key"
MAX_RESULT_CHARS = 100_000
MAX_PREFIX = 120  # a server ignores keys over 200 characters
LOST = (MCPError, RuntimeError, OSError, httpx2.HTTPError)  # what a FastMCP client raises
_JUDGEMENT = re.compile(r"(?!STORAGE:)[A-Z][A-Z_]+: ")
"""How a server begins that judged a call; without a code, or with that one, it could not."""


@dataclass(frozen=True)
class Call:
    """One tool call, as the agent, the run log and the verification of an output all see it.

    `arguments` are as they were sent, bound ones included; `denied` calls were never sent. `text`
    is what the model is told: JSON, or `ERROR: CODE: what is wrong. Try: what to do next.`
    """

    name: str
    arguments: Mapping[str, Any]
    outcome: Literal["ok", "error", "denied"]
    text: str
    result: Mapping[str, Any] | None = None
    seconds: float = 0.0

    @property
    def is_error(self) -> bool:
        return self.outcome != "ok"

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        found = (self.result or {}).get("findings")
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


async def ask(
    client: Client[Any],
    server: str,
    tool: str,
    arguments: Mapping[str, Any],
    *,
    meta: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> CallToolResult:
    """Call a tool and return what the server judged; trouble of its own is no judgement.

    Raises:
        EnvironmentProblem: the server is gone, is late, has trouble with its database, or failed
            without a code.
    """
    try:
        answer = await client.call_tool_mcp(tool, dict(arguments), timeout=timeout, meta=meta)
    except LOST as problem:
        raise failed(server, f"failed during {tool}", str(problem)) from problem
    if answer.is_error and not judged(said := _words(answer)):
        raise failed(server, f"failed during {tool}", said)
    return answer


def judged(said: str) -> bool:
    """Say whether an error is a server's judgement, and not trouble of its own."""
    return _JUDGEMENT.match(said) is not None


def failed(server: str, what: str, said: str) -> EnvironmentProblem:
    """Return the error of a server that could not answer; STORAGE is told in its own words."""
    code, _, words = said.partition(": ")
    if code == "STORAGE":
        message, _, fix = words.partition(" Try: ")
        return EnvironmentProblem(message.rstrip("."), fix=fix.rstrip("."))
    fix = "see that it runs (`dealdesk doctor`), then repeat"
    return EnvironmentProblem(f"the {server} server {what}", fix=fix)


def answer_of(tool: str, answer: CallToolResult) -> dict[str, Any]:
    """Return a call's structured result; the server's no is a `ToolRefused`, in its words."""
    if answer.is_error or answer.structured_content is None:
        raise ToolRefused(_words(answer) or f"{tool} gave no answer")
    return dict(answer.structured_content)


def check_about(tool: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Refuse an answer that is about another quote, deal or account than was asked (WrongAnswer).

    Nothing of it is used: its number and total would be told to this customer.
    """
    for name, wanted in asked.items():
        said = answer.get(name) or wanted
        if name.endswith("_id") and isinstance(wanted, str) and said != wanted:
            raise WrongAnswer(
                f"{tool} was asked about {name} {wanted}, and answered about {said}",
                fix="see what the server did; nothing of the answer was used",
            )


def told(name: str, arguments: Mapping[str, Any], answer: CallToolResult) -> Call:
    """Return what came of a call: the structured result, or text, or an error."""
    words = _words(answer)
    data = answer.structured_content
    text = words if data is None else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if answer.is_error:
        text = words
    elif not text:
        text = "NO_RESULT: the tool answered with nothing readable."
    elif len(text) > MAX_RESULT_CHARS:
        text = f"TOO_LONG: the result has {len(text)} characters. Try: a smaller page."
    else:
        result = data if isinstance(data, Mapping) or data is None else {"result": data}
        return Call(name, arguments, "ok", text, result)
    return Call(name, arguments, "error", f"ERROR: {text}")


def _words(answer: CallToolResult) -> str:
    return "\n".join(part.text for part in answer.content if isinstance(part, TextContent))


@dataclass
class _Held:
    """A tool this toolset holds, on the server it belongs to."""

    server: str
    client: Client[Any]
    tool: Tool
    effects: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def takes(self) -> Mapping[str, Any]:
        return self.tool.input_schema.get("properties") or {}

    @property
    def reads_only(self) -> bool:
        return bool(self.tool.annotations and self.tool.annotations.read_only_hint)


class _RefusedError(Exception):
    """A call that must not be sent; the text says why and what to do instead."""


class ScopedToolset:
    """An async context that connects, checks that its tools exist, and calls only those."""

    def __init__(
        self,
        clients: Client[Any] | Mapping[str, Client[Any]],
        allowed: Iterable[str],
        *,
        bind: Mapping[str, Sequence[Any]] | None = None,
        idempotency_prefix: str = "",
        timeout: float = 30.0,
    ) -> None:
        """Describe the scope; `async with` opens it.

        Args:
            clients: One FastMCP client, or one per server name.
            allowed: Tool names; with named servers, `server.tool`.
            bind: Per argument name, the values it may take. One value: the argument is hidden
                from the model and filled in. Several: the model chooses among them.
            idempotency_prefix: Names this piece of work (`run:step`) in the key that a write
                sends, so that repeating the work has no second effect. Empty: no keys.
            timeout: Seconds one call may take.
        """
        self._clients = clients if isinstance(clients, Mapping) else {"": clients}
        self._allowed = frozenset(allowed)
        self._bind = dict(bind or {})
        self._prefix = idempotency_prefix
        self._timeout = timeout
        self._held: dict[str, _Held] = {}
        self._calls: list[Call | None] = []
        self._stack = AsyncExitStack()
        if len(idempotency_prefix) > MAX_PREFIX:
            raise ScopeError(f"an idempotency prefix has at most {MAX_PREFIX} characters")
        for name, values in self._bind.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise ScopeError(f"{name} is bound to no list of values", fix=f"{name}: [value]")

    async def __aenter__(self) -> Self:
        """Connect to every server and check the scope against what is really there."""
        async with AsyncExitStack() as stack:
            there: dict[str, dict[str, _Held]] = {}
            for server, client in self._clients.items():
                try:
                    await stack.enter_async_context(client)
                    listed = await client.list_tools()
                except LOST as problem:
                    place = server or client.name
                    raise failed(place, "cannot be reached", str(problem)) from problem
                there[server] = {tool.name: _Held(server, client, tool) for tool in listed}
            self._held = self._choose(there)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._held = {}
        await self._stack.aclose()

    @property
    def tools(self) -> list[dict[str, Any]]:
        """What to show a model, sorted by name: `name`, `description`, `input_schema`."""
        return [
            {
                "name": name,
                "description": held.tool.description or "",
                "input_schema": _narrowed(held.tool.input_schema, self._bind),
            }
            for name, held in sorted(self._held.items())
        ]

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order they were asked for."""
        return tuple(call for call in self._calls if call is not None)

    def reads_only(self, name: str) -> bool:
        """Whether a call changes nothing; one that will be refused changes nothing either."""
        return name not in self._held or self._held[name].reads_only

    async def call(self, name: str, arguments: Any) -> Call:
        """Call a tool, or refuse to; what went wrong is in the answer, for the model to read.

        Raises:
            EnvironmentProblem: the server is gone, or could not judge the call.
        """
        place, started = len(self._calls), time.perf_counter()
        self._calls.append(None)
        try:
            held, sent = self._admit(name, arguments)
        except _RefusedError as refusal:
            asked = arguments if isinstance(arguments, dict) else {}
            done = Call(name, asked, "denied", f"ERROR: {refusal}")
        else:
            done = await self._send(held, sent)
        done = replace(done, seconds=time.perf_counter() - started)
        self._calls[place] = done
        return done

    def _choose(self, there: Mapping[str, Mapping[str, _Held]]) -> dict[str, _Held]:
        chosen: dict[str, _Held] = {}
        for wanted in sorted(self._allowed):
            server, _, name = ("", "", wanted) if "" in there else wanted.partition(".")
            if name not in there.get(server, {}):
                known = ", ".join(sorted(there.get(server, there))) or "none"
                raise ScopeError(f"no tool {wanted!r} is there", fix=f"this grant shows: {known}")
            if name in chosen:
                raise ScopeError(f"two servers have an allowed tool {name!r}", fix="allow one")
            chosen[name] = there[server][name]
        taken = {argument for held in chosen.values() for argument in held.takes}
        if loose := sorted(set(self._bind) - taken):
            raise ScopeError(f"no allowed tool takes the bound argument {', '.join(loose)}")
        return chosen

    def _admit(self, name: str, arguments: Any) -> tuple[_Held, dict[str, Any]]:
        """Return the tool and the arguments to send: the model's, with the bound ones added."""
        if (held := self._held.get(name)) is None:
            known = ", ".join(sorted(self._held)) or "none"
            raise _RefusedError(f"NO_SUCH_TOOL: no tool {name[:64]!r}. Try: one of {known}.")
        if not isinstance(arguments, dict):
            raise _RefusedError("INVALID_INPUT: arguments are no object. Try: the input schema.")
        sent = dict(arguments)
        for key, values in self._bind.items():
            if key in held.takes and len(values) == 1:
                if sent.setdefault(key, values[0]) != values[0]:
                    raise _RefusedError(f"FIXED: {key} is set by your task. Try: leave it out.")
            elif key in held.takes and sent.get(key) not in values:
                choices = ", ".join(json.dumps(value) for value in values)
                raise _RefusedError(f"NOT_GRANTED: {key} may not be that. Try: {choices}.")
        return held, sent

    async def _send(self, held: _Held, arguments: dict[str, Any]) -> Call:
        if held.reads_only or not self._prefix:
            return await self._round_trip(held, arguments, None)
        async with held.turn:  # one at a time: the key counts the effects that happened
            key = f"{self._prefix}:{held.tool.name}:{held.effects}"
            done = await self._round_trip(held, arguments, {IDEMPOTENCY_KEY: key})
            # After an error the next try carries the same key: if the write did happen (a lost
            # answer) the server gives its result, and if it did not, the key is still unused.
            held.effects += not done.is_error
        return done

    async def _round_trip(
        self, held: _Held, arguments: dict[str, Any], meta: dict[str, Any] | None
    ) -> Call:
        name, server = held.tool.name, held.server or held.client.name
        answer = await ask(held.client, server, name, arguments, meta=meta, timeout=self._timeout)
        call = told(name, arguments, answer)
        fixed = {one: arguments.get(one) for one in self._bind}
        check_about(name, fixed, call.result or {})
        return call


def _narrowed(schema: Mapping[str, Any], bind: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return a tool's schema without arguments bound to one value, others limited to theirs."""
    properties = dict(schema.get("properties") or {})
    required = [name for name in schema.get("required", ()) if name not in bind]
    for name in bind.keys() & properties.keys():
        if len(bind[name]) == 1:
            del properties[name]
        else:
            properties[name] = {**properties[name], "enum": list(bind[name])}
            required.append(name)
    return {**schema, "type": "object", "properties": properties, "required": sorted(required)}
