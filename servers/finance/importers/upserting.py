"""Write many checked rows at once: new ones are inserted, changed ones updated, by their key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, SQLModel

from servers.toolkit.columns import as_stored

BATCH = 5_000
"""Rows of one statement; PostgreSQL and SQLite both take that many sets of parameters."""


@dataclass(frozen=True)
class Written:
    """How many rows a file brought, changed, and left as they were."""

    inserted: int
    updated: int
    unchanged: int


def upsert(
    session: Session,
    model: type[SQLModel],
    key: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    updates: Collection[str] | None = None,
) -> Written:
    """Insert rows whose key is new and update those that differ, with three kinds of statements.

    Args:
        session: An open write session.
        model: The table.
        key: The columns that say which row it is; they need not be its primary key.
        rows: Values by column; every row has the same columns, and no key comes twice.
        updates: Columns that change a row which is there already; none means all of them.
    """
    if not rows:
        return Written(0, 0, 0)
    table = model.__table__  # type: ignore[attr-defined]
    kinds = {column.name: column.type for column in table.columns}
    rows = [{name: as_stored(kinds[name], row[name]) for name in row} for row in rows]
    names = [n for n in rows[0] if n not in key and (updates is None or n in updates)]
    own = [column.name for column in table.primary_key]  # a key may hold nulls, which equal nothing
    connection = session.connection()
    columns = [table.c[name] for name in (*key, *names, *own)]
    stored = {
        tuple(row[: len(key)]): (tuple(row[len(key) : len(key) + len(names)]), row[-len(own) :])
        for row in connection.execute(select(*columns))
    }
    new, changed = [], []
    for row in rows:
        before = stored.get(tuple(row[name] for name in key))
        if before is None:
            new.append(dict(row))
        elif before[0] != tuple(row[name] for name in names):
            values = {f"new_{name}": row[name] for name in names}
            changed.append(values | {f"own_{n}": v for n, v in zip(own, before[1], strict=True)})
    for start in range(0, len(new), BATCH):
        connection.execute(insert(table), new[start : start + BATCH])
    if changed:
        change: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        where = [table.c[name] == bindparam(f"own_{name}") for name in own]
        statement = update(table).where(*where).values(change)
        for start in range(0, len(changed), BATCH):
            connection.execute(statement, changed[start : start + BATCH])
    session.expire_all()
    return Written(len(new), len(changed), len(rows) - len(new) - len(changed))
