"""What a file for a table may say: its columns, derived from the table's class.

The few words a class does not say of its columns (a narrower type, a meaning) stand beside it, in
`servers/<name>/load/`. `importing` takes files in by this, `folders` writes them,
`docs/importing.md` lists it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sqlalchemy import JSON, Integer
from sqlalchemy import Table as DatabaseTable
from sqlmodel import Session, SQLModel
from sqlmodel.main import FieldInfoMetadata

from servers.toolkit.columns import Json

Values = dict[str, Any]
TODAY = "today"


class Around(Protocol):
    """What a row may look up while it is read: other rows, and the files beside its own.

    `importing.Loading` is it, and says what each does.
    """

    session: Session
    memory: dict[str, Any]

    def known(self, model: type[SQLModel], column: str, value: str = "") -> Mapping[Any, Any]: ...
    def must_know(self, model: type[SQLModel], column: str, names: Iterable[Any]) -> None: ...
    def beside(self, name: str) -> bytes: ...
    def rows_beside(self, table: str) -> Iterable[Values]: ...
    def put(self, table: Table, rows: Iterable[Values]) -> None: ...


class Row(BaseModel):
    """A row of a file: closed to columns it does not know."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)


@dataclass(frozen=True)
class Table:
    """How files fill a table of the database.

    Attributes:
        name: What files are named for: `products` is filled from `products.csv`.
        model: The table's class; its columns are the file's.
        about: What a row is, in a line.
        key: The columns that say which row it is; with none it is all of them.
        columns: What the class does not say of a column: a narrower type, words about it, or a
            pair of type and default; a column that is not the class's is for `make` to use.
        without: Columns that no file says; `make` fills them.
        form: The rows' own model, where the table keeps them whole in a column `data`.
        make: From a checked row to the columns of the database.
        tell: From a stored row back to a row of a file.
        after: What else is written once a file is in.
        also: Other columns of numbers a file may have, which `read` turns into ours.
        read: What happens to a row before it is checked.
        problems: What is wrong with a checked row by itself.
        holds: What is wrong with the whole table once a file is in it.
        whole: A file says all rows that agree in these columns; those it leaves out go.
        refers: Columns that name a row of another table, beside the foreign keys.
        doubts: What a person should look at in a checked row, which is taken all the same.
        ends: What its columns are in a row that its source no longer has; TODAY is that day.
        as_json: Written as JSON by an export: its cells are not for a spreadsheet.
    """

    name: str
    model: type[SQLModel]
    about: str
    key: tuple[str, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    form: Any = None
    make: Callable[[Any, Around], Values] | None = None
    tell: Callable[[Values, Around], Values] | None = None
    after: Callable[[Around], None] = lambda _: None
    also: Mapping[str, str] = field(default_factory=dict)
    read: Callable[[Values], Values] = lambda row: row
    problems: Callable[[Any], Iterable[str]] = lambda _: ()
    holds: Callable[[Session], Iterable[str]] = lambda _: ()
    whole: tuple[str, ...] | None = None
    refers: Mapping[str, tuple[type[SQLModel], str]] = field(default_factory=dict)
    doubts: Callable[[Any], Iterable[str]] = lambda _: ()
    ends: Mapping[str, str] = field(default_factory=dict)
    as_json: bool = False

    @cached_property
    def stored(self) -> DatabaseTable:
        return self.model.__table__  # type: ignore[attr-defined,no-any-return]

    @cached_property
    def fields(self) -> dict[str, FieldInfo]:
        """The columns of a file, each with its type, default and words."""
        found: dict[str, FieldInfo] = {}
        for form in _members(self.checked):
            for name, one in form.model_fields.items():
                if name not in self.without:
                    found.setdefault(name, one)
        return found

    @cached_property
    def checked(self) -> Any:
        if self.form is not None:
            return self.form
        given: dict[str, Any] = {}
        for name, one in self.model.model_fields.items():
            column = self.stored.c[name]
            numbered = column.primary_key and isinstance(column.type, Integer) and name == "id"
            if name not in self.without and not numbered and name != "place":
                said = self.columns.get(name)
                typed = (_type(one, said), _default(one))
                given[name] = said if isinstance(said, tuple) else typed
        more = {n: said for n, said in self.columns.items() if n not in self.stored.c}
        for name, said in more.items():
            given[name] = said if isinstance(said, tuple) else (said, ...)
        return create_model(f"{self.model.__name__}InFile", __base__=Row, **given)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.checked)

    @cached_property
    def parts(self) -> dict[str, str]:
        """The columns that hold a list or a map."""
        return {n: kind for n, one in self.fields.items() if (kind := _part(one.annotation))}

    @cached_property
    def references(self) -> dict[str, tuple[DatabaseTable, str]]:
        """The columns that name a row of a table, and where that row's name stands."""
        found = {n: (model.__table__, at) for n, (model, at) in self.refers.items()}  # type: ignore[attr-defined]
        for column in self.stored.c:
            for key in column.foreign_keys:
                if column.name in self.fields:
                    found[column.name] = (key.column.table, key.column.name)
        return found

    @cached_property
    def _columns(self) -> tuple[set[str], list[str]]:
        """The columns that hold a document, and the others."""
        documents = {one.name for one in self.stored.c if isinstance(one.type, JSON)}
        return documents, [one.name for one in self.stored.c if one.name not in documents]

    def key_of(self, values: Values) -> tuple[Any, ...]:
        if self.key:
            return tuple(values[name] for name in self.key)
        return (json.dumps({n: v for n, v in values.items() if n != "id"}, default=str),)

    def values(self, row: Any, loading: Around) -> Values:
        """Return a checked row as the columns of the database."""
        return self.plain(row) if self.make is None else self.make(row, loading)

    def plain(self, row: Any) -> Values:
        """Return a checked row's own columns, those that hold documents as JSON has them."""
        documents, others = self._columns
        said = {name: getattr(row, name) for name in others if hasattr(row, name)}
        if "data" in documents and "data" not in self.fields:
            return {**said, "data": row.model_dump(mode="json")}
        return {**said, **row.model_dump(mode="json", include=documents)} if documents else said

    def told(self, stored: Values, around: Around) -> Values:
        """Return a stored row as a row of a file."""
        if self.tell is not None:
            return self.tell(stored, around)
        if "data" in stored and "data" not in self.fields:
            return dict(stored["data"])
        return self.plain_told(stored)

    def plain_told(self, stored: Values) -> Values:
        """Return the columns that a file and the database share, as a file says them."""
        kinds = {n: self.stored.c[n].type for n in self.fields if n in stored}
        return {
            n: kind.plain(stored[n]) if isinstance(kind, Json) else stored[n]
            for n, kind in kinds.items()
        }


def tables(*found: Table) -> dict[str, Table]:
    """Return tables by name, in the order in which they are filled."""
    return {table.name: table for table in found}


def _members(form: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of a form: itself, or those of a union."""
    if isinstance(form, type):
        yield form
        return
    for part in get_args(form):
        if isinstance(part, type) or get_args(part):
            yield from _members(part)


def _type(one: FieldInfo, given: Any) -> Any:
    """Return the type of a column in a file: the class's own with its bounds, or a narrower one."""
    optional = NoneType in get_args(one.annotation)
    words = given if isinstance(given, str) else one.description
    if given is not None and not isinstance(given, str):
        kind: Any = given | None if optional else given
    else:
        bounds = [bound for bound in one.metadata if not isinstance(bound, FieldInfoMetadata)]
        kind = Annotated[one.annotation, *bounds] if bounds else one.annotation
    return Annotated[kind, Field(description=words)] if words else kind


def _default(one: FieldInfo) -> Any:
    if one.default_factory is not None:
        return Field(default_factory=one.default_factory)
    return ... if one.default is PydanticUndefined else one.default


def _part(annotation: Any) -> str:
    """Return `list` or `dict` for a type that is one, through unions with None."""
    origin = get_origin(annotation) or annotation
    if origin in (Union, UnionType, Annotated):
        return next((found for one in get_args(annotation) if (found := _part(one))), "")
    if origin in (list, tuple, frozenset):
        return "list"
    document = isinstance(origin, type) and (issubclass(origin, BaseModel) or is_dataclass(origin))
    return "dict" if document or origin in (dict, Mapping) or annotation is Any else ""
