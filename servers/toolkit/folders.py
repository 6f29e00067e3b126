"""A folder of files for every server, taken in whole or not at all, and given out again."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.file_problems import refuse
from servers.toolkit.importing import DryRunError, Loading, Report, Told, load_folder
from servers.toolkit.seeding import mark_seeded
from servers.toolkit.table_files import write_rows
from servers.toolkit.tables import Table


def import_folder(
    databases: Mapping[str, tuple[Database, Mapping[str, Table]]],
    folder: Path,
    *,
    dry_run: bool = False,
    told: Told | None = None,
) -> dict[str, list[Report]]:
    """Import a folder with a folder of files for each server: everything is right, or nothing is.

    A server may have no folder. A database that was never filled begins with these files, not with
    the demo. A dry run checks everything, against the databases too, and writes nothing.

    Raises:
        InvalidInputError: naming up to twenty problems of all files, and how many there are.
    """
    wanted = [name for name in databases if (folder / name).is_dir()]
    if not wanted:
        raise InvalidInputError(
            f"{folder} has no folder {', '.join(databases)}", fix="see seed_data/README.md"
        )
    with suppress(DryRunError), ExitStack() as stack:
        loadings: dict[str, Loading] = {}
        spelled: dict[str, str] = {}
        for name, (database, tables) in databases.items():
            session = stack.enter_context(database.write())
            if database.setting("seeded") is None:
                mark_seeded(session, "empty")
            if name in wanted:
                loadings[name] = load_folder(session, tables, folder / name, told, spelled)
        refuse(
            [
                replace(one, file=f"{name}/{one.file}")
                for name, loading in loadings.items()
                for one in loading.problems
            ]
        )
        reports = {name: loading.finish() for name, loading in loadings.items()}
        if dry_run:
            raise DryRunError
    return reports


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
