"""The rows of a query as facts: the one way, whatever the table."""

from typing import Any, TypeVar

from sqlalchemy import Select
from sqlmodel import Session

from servers.finance.facts.copies import fact

Fact = TypeVar("Fact")


def facts(session: Session, kind: type[Fact], statement: Select[Any]) -> tuple[Fact, ...]:
    return tuple(fact(kind, row) for row in session.scalars(statement))
