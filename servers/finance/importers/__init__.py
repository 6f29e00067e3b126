"""Import a file into finance: every row checked, then all of them written, or none.

`dealdesk import finance TABLE FILE` reads a CSV or JSON file. A row whose key is there already
changes it, in the columns that the file has; other columns and rows stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers.finance.importers.table import Table
from servers.finance.importers.tables import TABLES
from servers.finance.importers.upserting import Written, upsert
from servers.finance.seeds.reading import Checked, check_rows, read_table, refuse
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError


@dataclass(frozen=True)
class Report:
    """What came of an import; nothing was written when `dry_run`."""

    table: str
    rows: int
    inserted: int
    updated: int
    unchanged: int
    dry_run: bool


class _DryRunError(Exception):
    """Leaves the transaction without a commit."""


def import_file(
    database: Database,
    table: str,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Report:
    """Import a file into a table, all rows or none.

    Args:
        database: Finance's open database.
        table: A name of `TABLES`.
        path: A CSV or JSON file.
        mapping: Our column -> the name it has in the file.
        dry_run: Check everything, against the database too, and write nothing.

    Raises:
        InvalidInputError: naming up to twenty rows that are wrong, and how many there are.
    """
    known = find_table(table)
    raw = read_table(path, known.columns, mapping or {})
    checked = check_rows(known.row, raw)
    refuse(path, checked.errors)
    present = {name for _, row in raw for name in row}
    written = Written(0, 0, 0)
    try:
        written = _write(database, known, path, checked, present, dry_run=dry_run)
    except _DryRunError as done:
        written = done.args[0]
    return Report(table, len(raw), written.inserted, written.updated, written.unchanged, dry_run)


def _write(
    database: Database,
    table: Table,
    path: Path,
    checked: Checked[Any],
    present: set[str],
    *,
    dry_run: bool,
) -> Written:
    """Write checked rows in one transaction and return what became of them."""
    rows = [row for _, row in checked.rows]
    with database.write() as session:
        refuse(path, table.problems(session, checked.rows))
        table.before(session, rows)
        written = [
            upsert(
                session,
                fill.model,
                fill.key,
                list({_key(v, fill.key): v for v in map(fill.values, rows)}.values()),
                fill.given(present),
            )
            for fill in table.fills
        ]
        table.after(session, rows)
        if dry_run:
            raise _DryRunError(written[-1])
    return written[-1]


def _key(values: Mapping[str, Any], key: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(values[name] for name in key)


def find_table(name: str) -> Table:
    """Return a table that can be imported.

    Raises:
        InvalidInputError: there is none of that name.
    """
    found = TABLES.get(name.replace("-", "_"))
    if found is None:
        raise InvalidInputError(
            f"finance has no table {name!r} to import", fix=f"use one of {', '.join(TABLES)}"
        )
    return found
