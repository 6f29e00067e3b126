"""The rows of a query as facts: the one way, whatever the table."""

from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlmodel import Session

from servers.finance.facts.copies import fact

Fact = TypeVar("Fact")
Key = TypeVar("Key", bound=Hashable)


def facts(session: Session, kind: type[Fact], statement: Select[Any]) -> tuple[Fact, ...]:
    return tuple(fact(kind, row) for row in session.scalars(statement))


def grouped(pairs: Iterable[tuple[Key, Fact]]) -> dict[Key, list[Fact]]:
    found: dict[Key, list[Fact]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found
