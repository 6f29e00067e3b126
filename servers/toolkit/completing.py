"""Completion of arguments: from what was typed to the ids that the caller's grant reaches.

A server names a finder per argument. Finders query through the same narrowing as its tools; what
a grant binds by name is taken out here once more, so that no finder can leak by forgetting it.
"""

from collections.abc import Callable, Mapping, Sequence

from fastmcp.server.completions import CompletionHandler, CompletionReference
from mcp.types import Completion, CompletionArgument, CompletionContext
from sqlmodel import Session

from servers.toolkit import scope
from servers.toolkit.database import Database

MOST = 100
WINDOW = 1000
"""Ids a finder returns at most; beyond that the total is not said."""

Finder = Callable[[Session, str, Mapping[str, str]], Sequence[str]]
"""Takes a session, what was typed, and the arguments that are known already."""


def completer(database: Database, finders: Mapping[str, Finder]) -> CompletionHandler:
    def complete(
        _reference: CompletionReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        find = finders.get(argument.name)
        if find is None:
            return None
        known = (context.arguments if context is not None else None) or {}
        with database.session() as session:
            found = find(session, _clean(argument.value), {k: _clean(v) for k, v in known.items()})
        allowed = scope.bound(argument.name)
        values = [value for value in found if allowed is None or value in allowed]
        return Completion(
            values=values[:MOST],
            total=len(values) if len(found) < WINDOW else None,
            has_more=len(values) > MOST or len(found) >= WINDOW,
        )

    return complete


def _clean(typed: str) -> str:
    """Return typed text that any database takes."""
    return typed[:200].encode("utf-8", "ignore").decode().replace("\x00", "").strip()
