"""Tables in short, for a migration: what it makes stays so, however the tables go on from there."""

from typing import Any

import sqlalchemy as sa

from servers.toolkit.shipped import shipped

TYPES: dict[str, Any] = {"text": sa.Text, "json": sa.JSON, "date": sa.Date} | {
    "bool": sa.Boolean,
    "int": sa.Integer,
    "big": sa.BigInteger,
}
NOW: dict[str, Any] = {}


def add_table(
    to: sa.MetaData,
    name: str,
    columns: str,
    *more: tuple[str, ...] | sa.Index,
    **rules: str | tuple[str, ...],
) -> sa.Table:
    """Return a new table, its columns written `sku 32 key, cost big?, family 40 index`.

    A column is a name and a type, a number being text of at most that many characters; `?` lets it
    be null. `key`, `index`, `unique` follow, or the `table.column` it refers to, `deferred` to the
    end of a transaction. `more` are columns that are unique together, and indexes; `rules` by name
    such columns, or a condition.
    """
    return sa.Table(name, to, *map(_column, columns.split(", ")), *constraints(*more, **rules))


def tables_in(package: str, name: str) -> sa.MetaData:
    """Return the tables that `<name>.toml` of a package lists, in the words of `add_table`."""
    made = sa.MetaData()
    for table, said in shipped(package, name).items():
        columns = ", ".join(f"{column} {kind}" for column, kind in said["columns"].items())
        once = [tuple(said["unique"])] if "unique" in said else []
        indexes = [
            one_of(index, *one["columns"], where=one.get("where"))
            for index, one in said.get("one_of", {}).items()
        ]
        add_table(made, table, columns, *once, *indexes, **said.get("rules", {}))
    return made


def constraints(
    *more: tuple[str, ...] | sa.Index, **rules: str | tuple[str, ...]
) -> tuple[sa.Constraint | sa.Index, ...]:
    """Return what holds between columns: `more` and `rules` are those of `add_table`."""
    items = [sa.UniqueConstraint(*one) if isinstance(one, tuple) else one for one in more]
    named = (
        sa.CheckConstraint(said, name=name)
        if isinstance(said, str)
        else sa.UniqueConstraint(*said, name=name)
        for name, said in rules.items()
    )
    return (*items, *named)


def _column(said: str) -> "sa.Column[Any]":
    name, kind, *words = said.split()
    plain = kind.removesuffix("?")
    late = {"deferrable": True, "initially": "DEFERRED"} if "deferred" in words else NOW
    return sa.Column(
        name,
        sa.String(int(plain)) if plain.isdigit() else TYPES[plain],
        *(sa.ForeignKey(word, **late) for word in words if "." in word),
        primary_key="key" in words,
        nullable=kind != plain,
        index="index" in words or None,
        unique="unique" in words or None,
    )


def one_of(name: str, *columns: str, where: str | None = None) -> sa.Index:
    """Return the index that lets one row have these values, among those that a condition names."""
    kept = None if where is None else sa.text(where)
    return sa.Index(name, *columns, unique=True, sqlite_where=kept, postgresql_where=kept)
