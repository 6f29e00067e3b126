"""The rows of a query as facts: the one way, whatever the table."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Select
from sqlmodel import Session

from servers.finance.facts.copies import fact

Fact = TypeVar("Fact")
Key = TypeVar("Key", bound=Hashable)
Given = ParamSpec("Given")
KEPT = "kept"


@contextmanager
def keeping(session: Session) -> Iterator[None]:
    """Let what is `kept` be found once in here, for many quotes; nothing may write meanwhile."""
    session.info[KEPT] = {}
    try:
        yield
    finally:
        del session.info[KEPT]


def kept(
    find: Callable[Concatenate[Session, Given], Fact],
) -> Callable[Concatenate[Session, Given], Fact]:
    """Make a look-up find the same once while its session is `keeping`."""

    @wraps(find)
    def found(session: Session, /, *given: Given.args, **named: Given.kwargs) -> Fact:
        known = session.info.get(KEPT)
        if known is None:
            return find(session, *given, **named)
        key = (found, *given)
        if key not in known:
            known[key] = find(session, *given, **named)
        return known[key]  # type: ignore[no-any-return]

    return found


def facts(session: Session, kind: type[Fact], statement: Select[Any]) -> tuple[Fact, ...]:
    return tuple(fact(kind, row) for row in session.scalars(statement))


def grouped(pairs: Iterable[tuple[Key, Fact]]) -> dict[Key, list[Fact]]:
    found: dict[Key, list[Fact]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found
