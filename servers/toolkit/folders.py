"""A folder of files for every server, taken in whole or not at all."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.importing import DryRunError, Report, Told, load_folder
from servers.toolkit.problems import refuse
from servers.toolkit.seeding import mark_seeded
from servers.toolkit.tables import Table


def import_folder(
    databases: Mapping[str, tuple[Database, Mapping[str, Table]]],
    folder: Path,
    *,
    dry_run: bool = False,
    told: Told | None = None,
) -> dict[str, list[Report]]:
    """Import a folder with a folder of files for each server: everything is right, or nothing is.

    A database that was never filled begins with these files, not with the demo.

    Args:
        databases: Each server's open database and tables.
        folder: Where the servers' folders are; a server may have none.
        dry_run: Check everything, against the databases too, and write nothing.
        told: Hears of each table that was read.

    Raises:
        InvalidInputError: naming up to twenty problems of all files, and how many there are.
    """
    wanted = [name for name in databases if (folder / name).is_dir()]
    if not wanted:
        raise InvalidInputError(
            f"{folder} has no folder {', '.join(databases)}", fix="see seed_data/README.md"
        )
    try:
        with ExitStack() as stack:
            loadings = {}
            for name, (database, tables) in databases.items():
                session = stack.enter_context(database.write())
                if database.setting("seeded") is None:
                    mark_seeded(session, "empty")
                if name in wanted:
                    loadings[name] = load_folder(session, tables, folder / name, told)
            problems = [
                replace(one, file=f"{name}/{one.file}")
                for name, loading in loadings.items()
                for one in loading.problems
            ]
            refuse(problems)
            reports = {name: loading.finish() for name, loading in loadings.items()}
            if dry_run:
                raise DryRunError
    except DryRunError:
        pass
    return reports
