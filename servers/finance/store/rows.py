"""From rows to facts and to blocks of an answer: the one way, whatever the table."""

from dataclasses import fields
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Select
from sqlmodel import Session

from servers.finance.facts.windows import Window

Fact = TypeVar("Fact")
Block = TypeVar("Block", bound=BaseModel)


def fact(kind: type[Fact], row: Any, **more: Any) -> Fact:
    """Return a row as a fact, whose fields are the columns of these names.

    A field `window` is `valid_from` and `valid_to`. `more` gives what is no column, or another
    value than the column's.
    """
    names = {one.name for one in fields(kind)} - more.keys()  # type: ignore[arg-type] # dataclasses
    if "window" in names:
        more["window"] = Window(row.valid_from, row.valid_to)
    return kind(**{name: getattr(row, name) for name in names if hasattr(row, name)}, **more)


def facts(session: Session, kind: type[Fact], statement: Select[Any]) -> tuple[Fact, ...]:
    """Return the rows of a query as facts, in its order."""
    return tuple(fact(kind, row) for row in session.scalars(statement))


def block(kind: type[Block], row: Any, **more: Any) -> Block:
    """Return a row, or part of a quote, as a model whose fields are the columns of these names."""
    names = kind.model_fields.keys() - more.keys()
    return kind(**{name: getattr(row, name) for name in names if hasattr(row, name)}, **more)
