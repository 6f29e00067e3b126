"""Facts and blocks from whatever has attributes of the same names: rows, facts, snapshots."""

from dataclasses import fields
from typing import Any, TypeVar

from pydantic import BaseModel

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


def block(kind: type[Block], row: Any, **more: Any) -> Block:
    """Return a row, fact or part of a quote as a model, as `fact` does."""
    names = kind.model_fields.keys() - more.keys()
    return kind(**{name: getattr(row, name) for name in names if hasattr(row, name)}, **more)
