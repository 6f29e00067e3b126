"""The tables that can be imported: their columns, their keys, and what must hold between rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from sqlmodel import Session, SQLModel, select

from servers.finance.seeds.reading import RowError

Rows = Sequence[tuple[int, Any]]
Values = dict[str, Any]


def nothing(_session: Session, _rows: Sequence[Any]) -> None:
    """Ask for nothing beyond what each row and its references promise."""


@dataclass(frozen=True)
class Fill:
    """A table of the database that an imported row fills.

    Attributes:
        model: The table.
        key: Its columns that say which row it is.
        values: From a checked row to its columns.
        source: Its column -> the file's column it comes from, where the names differ.
    """

    model: type[SQLModel]
    key: tuple[str, ...]
    values: Callable[[Any], Values]
    source: Mapping[str, str] = field(default_factory=dict)

    def given(self, present: Collection[str]) -> set[str]:
        """Return the columns that a file with these columns says something about."""
        names = self.model.model_fields
        return {name for name in names if self.source.get(name, name) in present}


@dataclass(frozen=True)
class Table:
    """A table that can be imported.

    Attributes:
        about: What it is, in a line.
        row: The columns of a file, each checked.
        fills: The database's tables it fills, in order; the last one's key is the row's key.
        refers: A file's column -> the table and column that must know its value; empty is let be.
        before: What makes room in the database for the rows.
        after: What must hold in the whole table once they are written; it raises.
        also: Columns that the row takes in another form, `max_qty_inclusive` say.
    """

    about: str
    row: type[BaseModel]
    fills: tuple[Fill, ...]
    refers: Mapping[str, tuple[type[SQLModel], str]] = field(default_factory=dict)
    before: Callable[[Session, Sequence[Any]], None] = nothing
    after: Callable[[Session, Sequence[Any]], None] = nothing
    also: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The columns a file may have."""
        return [*self.row.model_fields, *self.also]

    def problems(self, session: Session, checked: Rows) -> list[RowError]:
        """Return what is wrong between the rows of a file, and with what they name."""
        errors, seen = [], dict[tuple[Any, ...], int]()
        last = self.fills[-1]
        for number, row in checked:
            values = last.values(row)
            key = tuple(values[name] for name in last.key)
            if key in seen:
                said = " / ".join(str(part) for part in key)
                errors.append(RowError(number, "", f"is row {seen[key]} again ({said})"))
            seen[key] = number
        for column, (model, name) in self.refers.items():
            known = set(session.exec(select(getattr(model, name))))
            errors += [
                RowError(number, column, f"there is no {value}")
                for number, row in checked
                if (value := getattr(row, column)) and value not in known
            ]
        return errors
