"""The gate: the one place that decides what a caller may see and do, on every transport.

Each server view carries one gate, and the gate knows the caller's grant from exactly one place,
chosen when it is built: a fixed grant (in-process, stdio, a local profile) or the Bearer token
of *this* message's HTTP request. It never looks at a context variable or at "the current
request": the SDK runs in-memory handlers in the sender's context, where those name the outer
caller. Everything that is not granted reads exactly like something that does not exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from fastmcp.exceptions import NotFoundError, ToolError
from fastmcp.prompts import Prompt
from fastmcp.resources import Resource, ResourceTemplate
from fastmcp.server.middleware import Middleware, MiddlewareContext
from fastmcp.tools import Tool
from fastmcp.tools.base import ToolResult
from fastmcp.utilities.async_utils import call_sync_fn_in_threadpool as off_loop
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, CompleteResult, Completion

from servers.toolkit import scope
from servers.toolkit.declare import card_of, declaration, within, without_card
from servers.toolkit.errors import StorageError
from servers.toolkit.grants import Grant, GrantError, PublicKey, bound_value
from servers.toolkit.idempotency import MAX_KEY, META_KEY
from servers.toolkit.ledger import Ledger
from servers.toolkit.person_tokens import PREFIX, People

RELEASE = "release_grant"
"""The one call that every grant may make and no list shows: it revokes itself."""

OPEN = frozenset({"initialize", "server/discover", "ping", "logging/setLevel"})
LISTS = frozenset({"tools/list", "resources/list", "resources/templates/list", "prompts/list"})
USES = frozenset({"tools/call", "resources/read", "prompts/get", "completion/complete"})

Context = MiddlewareContext[Any]
Next = Callable[..., Any]


class Gate(Middleware):
    """Checks every request of one server view against the caller's grant."""

    def __init__(
        self,
        audience: str,
        ledger: Ledger,
        *,
        fixed: Grant | str | None = None,
        key: Callable[[], PublicKey] | None = None,
        http: bool = False,
        without_token: Grant | None = None,
        people: People | None = None,
    ) -> None:
        """Build a gate.

        Args:
            audience: The server's name; a grant for another server opens nothing.
            fixed: The grant (or its token) of whoever holds this view. None: nobody.
            key: Where the public key comes from when a token must be verified.
            http: Take the token from each HTTP request instead of `fixed`.
            without_token: With `http`, the profile that a request without any token gets.
            people: Who says whether a person was proved; None: a signed grant proves them.
        """
        self._audience, self._ledger = audience, ledger
        self._fixed, self._http, self._without_token = fixed, http, without_token
        self._people = people
        self._verify = lru_cache(maxsize=1024)(
            lambda token: (key or _no_key)().verify(token, audience)
        )

    async def grant_for(self, context: Context) -> Grant | None:
        """Return the live grant behind a request, or None."""
        try:
            found = await self._claimed(context)
        except GrantError:
            return None
        if found is None or found.audience != self._audience:
            return None
        if found.expires and found.expires <= time.time():
            return None
        revoked = self._ledger.known(found.id)
        if revoked is None:
            revoked = await off_loop(self._ledger.is_revoked, found.id)
        return None if revoked else found

    async def _claimed(self, context: Context) -> Grant | None:
        if not self._http:
            return await self._opened(self._fixed)
        wire = context.fastmcp_context.request_context if context.fastmcp_context else None
        request = getattr(wire, "request", None)  # this message's own request, None off HTTP
        if request is None:
            return None
        header = request.headers.get("authorization")
        if header is None:
            return self._without_token
        scheme, _, token = header.partition(" ")
        return await self._opened(token) if scheme.lower() == "bearer" else None

    async def _opened(self, shown: Grant | str | None) -> Grant | None:
        """Return what a grant or a token opens; who only claims to be a person is none here."""
        if isinstance(shown, str) and shown.startswith(PREFIX):
            return None if self._people is None else await off_loop(self._people.by_token, shown)
        found = self._verify(shown) if isinstance(shown, str) else shown
        if self._people is None or found is None or not found.person:
            return found
        worth: Grant = await off_loop(self._people.by_name, found)
        return worth

    async def on_request(self, context: Context, call_next: Next) -> Any:
        """Decide who is calling; every request on every transport comes through here.

        Trouble with the database, here or in what is called, is told as that and nothing else.
        """
        if context.method in OPEN:
            return await call_next(context)
        try:
            return await self._decide(context, call_next)
        except Exception as problem:
            if (trouble := _storage_trouble(problem)) is None:
                raise
            if context.method == "tools/call":
                raise ToolError(str(trouble)) from problem
            raise MCPError(INTERNAL_ERROR, str(trouble)) from problem

    async def _decide(self, context: Context, call_next: Next) -> Any:
        grant = await self.grant_for(context)
        if grant is None or context.method not in LISTS | USES:
            reason = "no live grant" if grant is None else "method"
            return await self._refuse(context, grant, reason)
        completes = context.method == "completion/complete"
        if completes and not await _may_complete(grant, context):
            await self._denied(grant, context, "completion", _reference(context.message)[1])
            return CompleteResult(completion=Completion(values=[]))
        key = _request_meta(context).get(META_KEY)
        fits = isinstance(key, str) and 0 < len(key) <= MAX_KEY
        grant_mark = scope.current_grant.set(grant)
        key_mark = scope.current_key.set(key if fits else None)
        try:
            return await call_next(context)
        finally:
            scope.current_grant.reset(grant_mark)
            scope.current_key.reset(key_mark)

    async def _refuse(self, context: Context, grant: Grant | None, reason: str) -> Any:
        name = _name(context.message)
        await self._denied(grant, context, name, reason)
        if context.method in LISTS:
            return []
        if context.method == "tools/call":
            raise NotFoundError(f"Unknown tool: {name!r}")
        if context.method == "completion/complete":
            return CompleteResult(completion=Completion(values=[]))
        if context.method not in USES:  # as the SDK says of a method that nobody serves
            raise MCPError(METHOD_NOT_FOUND, "Method not found", context.method)
        raise MCPError(INVALID_PARAMS, "Not found")

    async def on_list_tools(self, context: Context, call_next: Next) -> Sequence[Tool]:
        """Show the granted tools; one whose page is not granted names no page."""
        grant = scope.grant()
        return [
            tool if card_of(tool) in (None, *grant.resources) else without_card(tool)
            for tool in await call_next(context)
            if tool.name in grant.tools and _may_hold(grant, declaration(tool))
        ]

    async def on_list_prompts(self, context: Context, call_next: Next) -> Sequence[Prompt]:
        grant = scope.grant()
        return [item for item in await call_next(context) if item.name in grant.prompts]

    async def on_list_resources(self, context: Context, call_next: Next) -> Sequence[Resource]:
        grant = scope.grant()
        return [item for item in await call_next(context) if str(item.uri) in grant.resources]

    async def on_list_resource_templates(
        self, context: Context, call_next: Next
    ) -> Sequence[ResourceTemplate]:
        grant = scope.grant()
        return [
            template
            for template in await call_next(context)
            if template.uri_template in grant.resources
            and within(grant.bind, declaration(template))
        ]

    async def on_call_tool(self, context: Context, call_next: Next) -> ToolResult:
        """Check name, bound arguments and budget, then run the tool and audit what came of it."""
        grant, call = scope.grant(), context.message
        arguments: dict[str, Any] = call.arguments or {}
        if call.name == RELEASE:
            await off_loop(self._ledger.revoke, grant)
            return ToolResult(content="released")
        tool = None
        if call.name in grant.tools and not _picks(_request_meta(context).get("fastmcp", {})):
            tool = await context.fastmcp_context.fastmcp.get_tool(call.name)  # type: ignore[union-attr]
        said = declaration(tool) if tool is not None else {}
        if tool is None or not _may_hold(grant, said):
            await self._denied(grant, context, call.name, "not granted", arguments)
            raise NotFoundError(f"Unknown tool: {call.name!r}")
        if refused := _unbound(grant, tool.parameters.get("properties", {}), arguments):
            await self._denied(grant, context, call.name, f"bound argument {refused}", arguments)
            raise ToolError(_no_such(refused, arguments.get(refused)))
        limit = grant.calls.get(call.name)
        if limit is not None and not await off_loop(self._ledger.spend, grant, call.name, limit):
            await self._denied(grant, context, call.name, "call budget", arguments)
            raise ToolError(
                f"BUDGET: {call.name} may be called {limit} times under this grant. "
                "Try: finish with what you have."
            )
        write = bool(said.get("write"))
        outcome, reason = "error", ""
        try:
            result: ToolResult = await call_next(context)
            outcome = "error" if result.is_error else "allowed"
        except Exception as problem:
            reason = type(problem).__name__
            raise
        finally:
            await self._audit(grant, context, call.name, arguments, outcome, reason, at_once=write)
        result.meta = {**(result.meta or {}), "ifc": _label(said)}
        return result

    async def on_read_resource(self, context: Context, call_next: Next) -> Any:
        """Check the URI against the granted templates and the bound ids in it."""
        grant, uri = scope.grant(), str(context.message.uri)
        if uri not in grant.resources:
            app = context.fastmcp_context.fastmcp  # type: ignore[union-attr]
            template = await app.get_resource_template(uri)
            if template is None or template.uri_template not in grant.resources:
                await self._denied(grant, context, uri, "not granted")
                raise NotFoundError(f"Unknown resource: {uri!r}")
            variables = template.matches(uri) or {}
            outside = not within(grant.bind, declaration(template))
            if outside or _unbound(grant, variables, variables):
                await self._denied(grant, context, uri, "bound variable")
                raise NotFoundError(f"Unknown resource: {uri!r}")
        await self._audit(grant, context, uri, None, "allowed")
        return await call_next(context)

    async def on_get_prompt(self, context: Context, call_next: Next) -> Any:
        """Check the prompt's name and the bound ids among its arguments."""
        grant, name = scope.grant(), context.message.name
        arguments = context.message.arguments or {}
        if name not in grant.prompts or any(
            value not in grant.bind.get(key, (value,)) for key, value in arguments.items()
        ):
            await self._denied(grant, context, name, "not granted", arguments)
            raise NotFoundError(f"Unknown prompt: {name!r}")
        await self._audit(grant, context, name, arguments, "allowed")
        return await call_next(context)

    async def _denied(
        self,
        grant: Grant | None,
        context: Context,
        component: str,
        reason: str,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        at_once = context.method not in LISTS
        await self._audit(grant, context, component, arguments, "denied", reason, at_once=at_once)

    async def _audit(
        self,
        grant: Grant | None,
        context: Context,
        component: str,
        arguments: Mapping[str, Any] | None,
        outcome: str,
        reason: str = "",
        *,
        at_once: bool = False,
    ) -> None:
        audit, method = self._ledger.audit, context.method or ""
        due = audit.record(grant, method, component, arguments, outcome, reason=reason)
        if due or at_once:
            await off_loop(audit.flush)


def _storage_trouble(problem: BaseException | None) -> StorageError | None:
    """Return the trouble with the database that an error comes from, however it was wrapped."""
    while problem is not None and not isinstance(problem, StorageError):
        problem = problem.__cause__
    return problem


def _no_key() -> PublicKey:
    raise GrantError("this view verifies no tokens")


def _request_meta(context: Context) -> Mapping[str, Any]:
    """Return this message's `_meta` as it came over the wire, not the rebuilt one."""
    wire = context.fastmcp_context.request_context if context.fastmcp_context else None
    meta = getattr(wire, "meta", None)
    return meta if isinstance(meta, Mapping) else {}


def _may_hold(grant: Grant, said: Mapping[str, Any]) -> bool:
    """Say whether this holder may have the tool at all.

    Some are for named persons only, and a grant that binds other records than its own opens none.
    """
    return (bool(grant.person) or not said.get("person_only")) and within(grant.bind, said)


def _picks(said: object) -> bool:
    """Say whether `_meta.fastmcp` would pick another component than the one checked here.

    Tags pick nothing, and some clients send back the whole `_meta` of the tool they were shown.
    """
    return not isinstance(said, Mapping) or not said.keys() <= {"tags"}


def _name(message: Any) -> str:
    for attribute in ("name", "uri"):
        if value := getattr(message, attribute, None):
            return str(value)
    return ""


def _reference(message: Any) -> tuple[str, str]:
    """Return kind and name of what is to be completed; nobody has checked the message yet."""
    reference = message.get("ref") if isinstance(message, Mapping) else None
    if not isinstance(reference, Mapping):
        return "", ""
    kind = str(reference.get("type"))
    return kind, str(reference.get("uri" if kind == "ref/resource" else "name") or "")


async def _may_complete(grant: Grant, context: Context) -> bool:
    """Say whether a granted component has this argument; finders know those of others too."""
    kind, name = _reference(context.message)
    argument = context.message.get("argument") if isinstance(context.message, Mapping) else None
    wanted = str(argument.get("name")) if isinstance(argument, Mapping) else ""
    if kind == "ref/resource":
        return name in grant.resources and f"{{{wanted}}}" in name
    if kind != "ref/prompt" or name not in grant.prompts:
        return False
    prompt = await context.fastmcp_context.fastmcp.get_prompt(name)  # type: ignore[union-attr]
    return prompt is not None and wanted in {one.name for one in prompt.arguments or ()}


def _unbound(
    grant: Grant, properties: Mapping[str, Any], arguments: Mapping[str, Any]
) -> str | None:
    """Return the first bound argument that is missing or takes a value it may not, or None."""
    for name, allowed in grant.bind.items():
        if name in properties and (
            name not in arguments or bound_value(arguments[name]) not in allowed
        ):
            return name
    return None


def _no_such(name: str, value: object) -> str:
    """Return the error of a row that does not exist, so that a refusal does not show it is one."""
    shown = repr(value)[:80] if isinstance(value, str) else "like that"
    return (
        f"NOT_FOUND: no {name} {'was given' if value is None else shown}. "
        f"Try: use the {name} of your task."
    )


def _label(said: Mapping[str, Any]) -> dict[str, str]:
    return {
        "integrity": str(said.get("integrity", "untrusted")),
        "confidentiality": str(said.get("confidentiality", "private")),
    }
