"""Tables out: a folder of files that `importing` takes in again."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from servers.toolkit.importing import Loading
from servers.toolkit.table_files import write_rows
from servers.toolkit.tables import Table


def export_tables(session: Session, tables: Mapping[str, Table], folder: Path) -> dict[str, int]:
    """Write every table that has rows into a folder; return the rows of each."""
    folder.mkdir(parents=True, exist_ok=True)
    around, counts = Loading(session), {}
    for name, table in tables.items():
        order = [table.stored.c.place] if "place" in table.stored.c else []
        statement = select(table.stored).order_by(*order, *table.stored.primary_key)
        stored = session.connection().execute(statement).mappings()
        rows = [table.told(dict(row), around) for row in stored]
        if rows:
            path = folder / f"{name}.{'json' if table.as_json else 'csv'}"
            write_rows(path, list(table.fields), rows)
            counts[name] = len(rows)
    return counts
