"""Who is calling, for code inside a server: set by the gate, read by repositories.

The gate puts the verified grant here for the length of one request; tools run in worker
threads that inherit it. Nothing else in a server may decide who the caller is.
"""

from contextvars import ContextVar
from typing import Any, TypeVar

from sqlalchemy import Select, false

from servers.toolkit.errors import ForbiddenError
from servers.toolkit.grants import Grant

current_grant: ContextVar[Grant | None] = ContextVar("dealdesk_grant", default=None)
current_key: ContextVar[str | None] = ContextVar("dealdesk_idempotency_key", default=None)

Statement = TypeVar("Statement", bound=Select[Any])


def grant() -> Grant:
    """Return the caller's grant; without one nobody may see anything (ForbiddenError)."""
    found = current_grant.get()
    if found is None:
        raise ForbiddenError("no grant", fix="call through a server view")
    return found


def bound(name: str) -> frozenset[str] | None:
    """Return the ids an argument is bound to, or None when the grant leaves it free."""
    values = grant().bind.get(name)
    return None if values is None else frozenset(values)


def narrow(statement: Statement, column: Any, name: str) -> Statement:
    """Add the bound ids of an argument to a query, so that only granted rows come back."""
    values = bound(name)
    if values is None:
        return statement
    return statement.where(column.in_(sorted(values)) if values else false())


def person() -> str:
    """Return the id of the person who decides; no other grant may (ForbiddenError)."""
    if not grant().person:
        raise ForbiddenError(
            "only a named person may decide this",
            fix="leave it to a person of the seller, who has a token of their own",
        )
    return grant().person


def requester() -> str:
    """Return on whose behalf the caller acts: a person's id, or `local-user`."""
    return grant().requester or grant().person or "local-user"


def actor() -> str:
    return grant().actor
