"""Several servers as one: every component stays behind the gate of the server that owns it.

Mounting servers in each other would lose their completions and reword their refusals. Here the
components are shared as they are, and one middleware hands each request to a gate: the owner's,
found by the component's name. The gates are the same as anywhere else; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from fastmcp import FastMCP
from fastmcp.server.completions import CompletionReference, CompletionValues
from fastmcp.server.middleware import Middleware
from fastmcp.utilities.components import FastMCPComponent
from mcp.types import CompletionArgument, CompletionContext
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from servers.toolkit.app import Server, health, make_view
from servers.toolkit.gate import LISTS, Context, Gate, Next
from servers.toolkit.grants import Grant

KINDS = {"tools": "tool", "prompts": "prompt", "resources": "resource"} | {
    "ref/prompt": "prompt",
    "ref/resource": "resource",
}
"""The kind of component by the first word of a method, or by the whole of a reference."""


class SharedNameError(Exception):
    """Two servers have a component of the same name, so neither can be told by its name."""


class Part(NamedTuple):
    """One of the servers, and the gate that its caller's grant opens."""

    server: Server
    gate: Gate


class Routes(Middleware):
    """Hands every request to the gate of the server that owns what it names.

    What no server owns goes to the first one's gate, which refuses it as it refuses anything
    that does not exist.
    """

    def __init__(self, parts: Sequence[Part], owners: Mapping[tuple[str, str], Part]) -> None:
        """Take the parts, and who owns which `(kind, name)`; see `owners_of`."""
        self._parts = parts
        self._owners = owners

    def owner(self, kind: str, name: str) -> Part | None:
        """Return the part that owns a component; a resource of a template by where it lives."""
        found = self._owners.get((kind, name))
        if found is None and kind == "resource":
            found = self._owners.get(("place", _place(name)))
        return found

    async def __call__(self, context: Context, call_next: Next) -> Any:
        """Let the owner's gate decide, with everything behind it; lists are each gate's own."""
        if context.method in LISTS:
            return await self._list(context, call_next)
        part = self.owner(*_named(context.method, context.message)) or self._parts[0]
        return await part.gate(context, call_next)

    async def _list(self, context: Context, call_next: Next) -> list[FastMCPComponent]:
        kind = _kind(context.method)
        shown: list[FastMCPComponent] = []
        for part in self._parts:

            async def own(inner: Context, part: Part = part) -> list[FastMCPComponent]:
                found = await call_next(inner)
                return [item for item in found if self.owner(kind, _key(item)) is part]

            shown += await part.gate(context, own)
        return shown

    def complete(
        self,
        reference: CompletionReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Awaitable[CompletionValues] | CompletionValues:
        """Complete an argument as its owner does; the owner's gate has let it through."""
        part = self.owner(*_named(reference.type, reference))
        handler = None if part is None else part.server.completion_handler
        return None if handler is None else handler(reference, argument, context)


async def owners_of(parts: Sequence[Part]) -> dict[tuple[str, str], Part]:
    """Return the owner of each component, and of each URI prefix that templates fill."""
    owners: dict[tuple[str, str], Part] = {}

    def claim(kind: str, name: str, part: Part) -> None:
        if owners.setdefault((kind, name), part) is not part:
            both = f"{owners[kind, name].server.name} and {part.server.name}"
            raise SharedNameError(f"{both} both have the {kind} {name}")

    for part in parts:
        provider = part.server.local_provider
        for tool in await provider.list_tools():
            claim("tool", tool.name, part)
        for prompt in await provider.list_prompts():
            claim("prompt", prompt.name, part)
        for resource in await provider.list_resources():
            claim("resource", _key(resource), part)
        for template in await provider.list_resource_templates():
            claim("resource", _key(template), part)
            claim("place", _place(template.uri_template), part)
    return owners


async def combined_view(
    name: str, version: str, served: Sequence[tuple[Server, Grant]]
) -> FastMCP[Any]:
    """Return several servers as one that the holder of one grant for each may use.

    Raises:
        SharedNameError: two servers have a component of the same name.
    """
    parts = [Part(s, Gate(s.name, s.ledger, fixed=g, people=s.people)) for s, g in served]
    routes = Routes(parts, await owners_of(parts))
    return make_view(
        name,
        instructions="\n".join(f"{s.name}: {s.instructions}" for s, _ in served),
        version=version,
        providers=[s.local_provider for s, _ in served],
        gate=routes,
        completion=routes.complete,
    )


def combined_app(faces: Mapping[str, FastMCP[Any]], allowed_hosts: Sequence[str]) -> Starlette:
    """Return one HTTP app with each face at `/<name>/mcp`, behind its own gate, and `/health`."""
    apps = {
        name: face.http_app(
            path="/mcp",
            stateless_http=True,
            host_origin_protection=True,
            allowed_hosts=list(allowed_hosts) or None,
        )
        for name, face in faces.items()
    }

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in apps.values():
                await stack.enter_async_context(app.lifespan(app))
            yield

    mounts = [Mount(f"/{name}", app) for name, app in apps.items()]
    outer = Starlette(routes=[Route("/health", health), *mounts], lifespan=lifespan)
    outer.router.redirect_slashes = False  # a redirect would repeat a Host that nobody checked
    return outer


def _named(method: str | None, message: Any) -> tuple[str, str]:
    """Return the kind and name of what a request is about; a message can still be unparsed."""

    def part_of(thing: Any, key: str) -> Any:
        return thing.get(key) if isinstance(thing, Mapping) else getattr(thing, key, None)

    if method == "completion/complete":
        message = part_of(message, "ref")
        method = part_of(message, "type")
    return _kind(method), str(part_of(message, "name") or part_of(message, "uri"))


def _kind(method: object) -> str:
    said = str(method)
    return KINDS.get(said) or KINDS.get(said.partition("/")[0], "")


def _key(component: FastMCPComponent) -> str:
    """Return what a component is named by: its URI, its URI template or its name."""
    for attribute in ("uri_template", "uri"):
        if found := getattr(component, attribute, None):
            return str(found)
    return component.name


def _place(uri: str) -> str:
    """Return the scheme and the authority: `crm://accounts` of `crm://accounts/{account_id}`."""
    return "/".join(uri.split("/")[:3])
