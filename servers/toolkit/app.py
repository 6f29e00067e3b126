"""Make a server: the base app, its scoped views, and error mapping in one place.

One base app per server holds the components. Nobody talks to it directly: each caller gets a
thin view that shares the components and carries its own gate (0.2 ms to build).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import fastmcp.exceptions
import pydantic
from fastmcp import FastMCP
from fastmcp.exceptions import PromptError, ResourceError, ToolError
from fastmcp.server.auth import AccessToken, TokenVerifier
from fastmcp.server.completions import CompletionHandler
from fastmcp.server.middleware import Middleware, MiddlewareContext
from fastmcp.server.providers import Provider
from fastmcp.server.server import logger as fastmcp_logger
from fastmcp.utilities.async_utils import call_sync_fn_in_threadpool as off_loop
from fastmcp.utilities.json_schema import dereference_refs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from servers.toolkit import declare
from servers.toolkit.database import Database
from servers.toolkit.errors import DomainError, NotFoundError
from servers.toolkit.gate import Gate
from servers.toolkit.grants import Grant, GrantError, PublicKey
from servers.toolkit.ledger import Ledger
from servers.toolkit.person_tokens import PREFIX, People

MAX_ARGUMENT_BYTES = 256 * 1024
MAX_DEPTH = 16


class _Refusals(logging.Filter):
    """Keeps refusals out of the log: they are answers, audited, and no fault of the server."""

    def filter(self, record: logging.LogRecord) -> bool:
        problem = record.exc_info[1] if record.exc_info else None
        if problem is None:
            return not record.getMessage().startswith(("Error calling tool", "Invalid arguments"))
        if record.getMessage().startswith("Error rendering prompt"):
            return not isinstance(problem.__cause__ or problem, ValueError)
        return not isinstance(
            problem, DomainError | fastmcp.exceptions.NotFoundError | pydantic.ValidationError
        )


fastmcp_logger.addFilter(_Refusals())


class Server(FastMCP[Any]):
    """A FastMCP app that serves nobody by itself; `view` gives one caller a scoped face of it."""

    database: Database
    ledger: Ledger
    people: People | None = None
    """Who says whether a person was proved, on the server that knows them."""

    def view(
        self, grant: Grant | str, key: PublicKey | None = None, *, output_schemas: bool = True
    ) -> FastMCP[Any]:
        """Return the server as the holder of a grant sees it (in-process and stdio).

        A grant is made in this process, or a token, which `key` must then verify. A client checks
        each output schema that it is shown, once per connection, at ten times the cost of a call;
        the orchestrator, whose agents live for a few calls, verifies results itself.
        """
        source = None if key is None else (lambda: key)
        gate = Gate(self.name, self.ledger, fixed=grant, key=source, people=self.people)
        return self._face(gate, output_schemas=output_schemas)

    def http_view(
        self, key: Callable[[], PublicKey], *, without_token: Grant | None = None
    ) -> FastMCP[Any]:
        """Return the server as HTTP callers see it: each request's Bearer token is its grant.

        `key` is called when the first token must be verified. `without_token` is a local profile
        for requests without a token; None refuses them (401).
        """
        gate = Gate(
            self.name,
            self.ledger,
            http=True,
            key=key,
            without_token=without_token,
            people=self.people,
        )
        verifier = None if without_token is not None else _Verifier(self.name, key, self.people)
        return self._face(gate, auth=verifier)

    @property
    def completion_handler(self) -> CompletionHandler | None:
        return self._completion_handler

    def _face(self, gate: Gate, **more: Any) -> FastMCP[Any]:
        about: dict[str, Any] = {
            "instructions": self.instructions or "",
            "version": self.version or "",
        }
        about |= {"providers": [self.local_provider], "completion": self.completion_handler}
        return make_view(self.name, gate=gate, **about, **more)


def make_view(
    name: str,
    *,
    instructions: str,
    version: str,
    providers: Sequence[Provider],
    gate: Middleware,
    completion: CompletionHandler | None,
    auth: TokenVerifier | None = None,
    output_schemas: bool = True,
) -> FastMCP[Any]:
    """Return the app that a caller talks to: components behind a gate, limits, one form of errors.

    The gate decides about every request, before anything else does; `auth` answers 401 to HTTP
    requests whose token proves nothing. Completion is given since a shared provider has none.
    """
    face: FastMCP[Any] = FastMCP(
        name,
        instructions=instructions,
        version=version,
        providers=providers,
        middleware=[gate, LimitsAndErrors(output_schemas=output_schemas)],
        auth=auth,
        mask_error_details=True,
        dereference_schemas=False,  # done once, for all views: see `inlined`
        cache_ttl=60,
        cache_scope="private",
    )
    if completion is not None:
        face.add_completion_handler(completion)
    face.custom_route("/health", methods=["GET"])(health)
    return face


class LimitsAndErrors(Middleware):
    """Limits on arguments, and every error as `CODE: what is wrong. Try: what to do next`."""

    def __init__(self, *, output_schemas: bool) -> None:
        self._output_schemas = output_schemas

    async def on_list_tools(self, context: MiddlewareContext[Any], call_next: Any) -> Any:
        """List tools, without output schemas where nobody reads them."""
        tools = await call_next(context)
        if self._output_schemas:
            for tool in tools:  # shared by all views: done for the first that lists them
                tool.output_schema = inlined(tool.output_schema)
            return tools
        return [tool.model_copy(update={"output_schema": None}) for tool in tools]

    async def on_call_tool(self, context: MiddlewareContext[Any], call_next: Any) -> Any:
        """Run a tool; a caller never sees a traceback, a path, SQL or its own input echoed."""
        _check_size(context.message.arguments or {})
        try:
            return await call_next(context)
        except DomainError as problem:
            raise ToolError(str(problem)) from problem
        except (fastmcp.exceptions.ValidationError, pydantic.ValidationError) as problem:
            raise ToolError(_invalid(problem.__cause__ or problem)) from problem
        except ToolError as problem:
            if isinstance(problem.__cause__, DomainError):
                raise ToolError(str(problem.__cause__)) from problem
            raise

    async def on_read_resource(self, context: MiddlewareContext[Any], call_next: Any) -> Any:
        """Read a resource; one that is not there reads like one that is not granted."""
        try:
            return await call_next(context)
        except (DomainError, ResourceError) as problem:
            cause = problem if isinstance(problem, DomainError) else problem.__cause__
            if isinstance(cause, NotFoundError | pydantic.ValidationError):
                raise fastmcp.exceptions.NotFoundError(
                    f"Unknown resource: {str(context.message.uri)!r}"
                ) from problem
            if isinstance(cause, DomainError):
                raise ResourceError(str(cause)) from problem
            raise

    async def on_get_prompt(self, context: MiddlewareContext[Any], call_next: Any) -> Any:
        """Get a prompt; arguments that do not fit are not echoed, and what they are is said."""
        try:
            return await call_next(context)
        except PromptError as problem:
            if not isinstance(problem.__cause__, ValueError):
                raise
            name = context.message.name
            prompt = await context.fastmcp_context.fastmcp.get_prompt(name)  # type: ignore[union-attr]
            takes = [
                f"{argument.name}{'' if argument.required else ' (optional)'}"
                for argument in (prompt.arguments if prompt is not None else None) or ()
            ]
            raise fastmcp.exceptions.ValidationError(
                f"INVALID_INPUT: the arguments do not fit {name}. Try: {', '.join(takes)}, "
                "each as its description says."
            ) from problem


def create_app(name: str, database: Database, *, instructions: str, version: str) -> Server:
    """Return the base app of a server; define its components on it, then call `finish`."""
    ledger = Ledger(database)
    app = Server(
        name,
        instructions=instructions,
        version=version,
        middleware=[Gate(name, ledger)],  # closed: without a view there is no grant
        mask_error_details=True,
        on_duplicate="error",
    )
    app.database, app.ledger = database, ledger
    return app


def finish(app: Server, completion: CompletionHandler | None = None) -> Server:
    """Close the definition of a server, which `declare.check` may refuse to start."""
    if completion is not None:
        app.add_completion_handler(completion)

    async def listed() -> None:
        provider = app.local_provider
        tools = await provider.list_tools()
        for tool in tools:
            tool.parameters = inlined(tool.parameters)
        declare.check(
            tools,
            await provider.list_resources(),
            await provider.list_resource_templates(),
            await provider.list_prompts(),
        )

    _run(listed())
    return app


def inlined(schema: Any) -> Any:
    """Return a schema with its definitions in place; it takes long, so not when there are none."""
    return dereference_refs(schema) if schema and "$defs" in schema else schema


class _Verifier(TokenVerifier):
    """Answers 401 to a request whose token is not valid; the gate checks everything else."""

    def __init__(self, audience: str, key: Callable[[], PublicKey], people: People | None) -> None:
        super().__init__()
        self._audience, self._key, self._people = audience, key, people

    async def verify_token(self, token: str) -> AccessToken | None:
        grant: Grant | None = None
        if token.startswith(PREFIX):
            grant = None if self._people is None else await off_loop(self._people.by_token, token)
        else:
            with suppress(GrantError):
                grant = self._key().verify(token, self._audience)
        if grant is None:
            return None
        until = grant.expires or None
        return AccessToken(token=token, client_id=grant.actor, scopes=[], expires_at=until)


async def health(_request: Request) -> Response:
    """Answer that the process serves; behind no gate, and it says nothing else."""
    return JSONResponse({"status": "ok"})


def _run(work: Any) -> None:
    """Run a coroutine that never waits, so that it works inside a running loop too."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("listing local components waited for something")


def _check_size(arguments: dict[str, Any]) -> None:
    def depth(value: Any, level: int = 0) -> int:
        if level > MAX_DEPTH:
            return level
        children = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            return max((depth(child, level + 1) for child in children), default=level)
        return level

    size = len(json.dumps(arguments, default=str))
    if size > MAX_ARGUMENT_BYTES or depth(arguments) > MAX_DEPTH:
        raise ToolError("INVALID_INPUT: the arguments are too large. Try: fewer or shorter ones.")


def _invalid(problem: BaseException) -> str:
    if not isinstance(problem, pydantic.ValidationError):
        return "INVALID_INPUT: the arguments do not fit. Try: the tool's input schema."
    parts = [
        f"{'.'.join(str(step) for step in error['loc']) or 'arguments'}: {error['msg']}"
        for error in problem.errors(include_url=False, include_input=False)[:5]
    ]
    return f"INVALID_INPUT: {'; '.join(parts)}. Try: the tool's input schema."
