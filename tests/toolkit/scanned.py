"""Which tables SQLite reads whole to answer what is asked of a database."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from servers.toolkit.database import Database
from servers.toolkit.migrate import shared

Scans = list[tuple[str, str]]
"""A step of a plan, and the statement it is of."""


@contextmanager
def scans(database: Database, tables: sa.MetaData, but: Collection[str] = ()) -> Iterator[Scans]:
    """Collect the scans of a server's tables and the shared ones, `but` those that stay short."""
    growing = {*tables.tables, *shared.tables} - {*but}
    found: Scans = []

    def look(_: object, cursor: Any, statement: str, given: Any, __: object, many: bool) -> None:
        if not statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            return
        explain = f"EXPLAIN QUERY PLAN {statement}"
        for *_, step in cursor.connection.execute(explain, given[0] if many else given).fetchall():
            name = step.removeprefix("SCAN ").split()[0].rstrip("_0123456789")
            if step.startswith("SCAN ") and name in growing:  # customer_1 is customer again
                found.append((step, statement))

    sa.event.listen(database.engine, "before_cursor_execute", look)
    try:
        yield found
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", look)
