"""A folder of files for every server, taken in whole or not at all, and given out again."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.file_problems import refuse
from servers.toolkit.importing import DryRunError, Loading, Report, Told, Watch, load_folder
from servers.toolkit.mapping_files import Take
from servers.toolkit.seeding import mark_seeded
from servers.toolkit.table_files import write_rows
from servers.toolkit.tables import Table

Databases = Mapping[str, tuple[Database, Mapping[str, Table]]]


def import_folder(
    databases: Databases,
    folder: Path,
    *,
    dry_run: bool = False,
    told: Told | None = None,
    watches: Mapping[str, Watch] | None = None,
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
            f"{folder} has no folder {', '.join(databases)}",
            fix="name a mapping for files of your own (--mapping); docs/importing.md says how",
        )
    with suppress(DryRunError), ExitStack() as stack:
        spelled: dict[str, str] = {}
        sessions = _sessions(stack, databases)
        filled = {name: [one.stem for one in (folder / name).iterdir()] for name in wanted}
        look_again = _looks(watches or {}, sessions, filled)
        loadings = {
            name: load_folder(session, databases[name][1], folder / name, told, spelled)
            for name, session in sessions.items()
            if name in wanted
        }
        reports = _finished(loadings, look_again)
        if dry_run:
            raise DryRunError
    return reports


def import_mapped(
    databases: Databases,
    takes: Sequence[Take],
    *,
    constants: Mapping[str, str] | None = None,
    dry_run: bool = False,
    end_gone: date | None = None,
    watches: Mapping[str, Watch] | None = None,
) -> dict[str, list[Report]]:
    """Import files as a mapping says: every row of all of them is right, or nothing is written.

    `constants` say what a column is, in every table that has it, where the file says nothing. What
    a source no longer has is told, and ended on the day `end_gone`, if one is given.
    """
    takes = [_with(one, databases, constants or {}) for one in takes]
    _check_places(databases, takes)
    with suppress(DryRunError), ExitStack() as stack:
        spelled: dict[str, str] = {}
        sessions = _sessions(stack, databases)
        filled = {name: [one.table for one in takes if one.server == name] for name in sessions}
        look_again = _looks(watches or {}, sessions, filled)
        loadings = {
            name: Loading(session, spelled, end_gone=end_gone)
            for name, session in sessions.items()
            if any(one.server == name for one in takes)
        }
        for server, loading in loadings.items():
            for name, table in databases[server][1].items():
                for one in takes:
                    if (one.server, one.table) == (server, name):
                        loading.take(table, one.path, one.fill)
        reports = _finished(loadings, look_again)
        if dry_run:
            raise DryRunError
    return reports


def _with(take: Take, databases: Databases, constants: Mapping[str, str]) -> Take:
    if take.server not in databases:
        raise InvalidInputError(
            f"{take.fill.file}: there is no {take.server!r}", fix=f"use {', '.join(databases)}"
        )
    table = databases[take.server][1].get(take.table)
    known = {name: said for name, said in constants.items() if table and name in table.fields}
    return replace(take, fill=replace(take.fill, constants={**take.fill.constants, **known}))


def _check_places(databases: Databases, takes: Sequence[Take]) -> None:
    for one in takes:
        known = databases[one.server][1]
        if one.table not in known:
            raise InvalidInputError(
                f"{one.fill.file}: {one.server} has no table {one.table!r}",
                fix=f"name one of {', '.join(known)}",
            )


def _sessions(stack: ExitStack, databases: Databases) -> dict[str, Session]:
    """Open a transaction on each database; one that was never filled stays without the demo."""
    found = {}
    for name, (database, _) in databases.items():
        found[name] = stack.enter_context(database.write())
        if database.setting("seeded") is None:
            mark_seeded(found[name], "empty")
    return found


def _looks(
    watches: Mapping[str, Watch],
    sessions: Mapping[str, Session],
    filled: Mapping[str, Collection[str]],
) -> list[Callable[[], None]]:
    """Let servers look before their tables are filled; return what looks again afterwards."""
    there = [name for name in watches if filled.get(name)]
    return [watches[name](sessions[name], filled[name]) for name in there]


def _finished(
    loadings: Mapping[str, Loading], look_again: Sequence[Callable[[], None]]
) -> dict[str, list[Report]]:
    problems = [
        replace(one, file=f"{name}/{one.file}")
        for name, loading in loadings.items()
        for one in loading.problems
    ]
    refuse(problems)
    reports = {name: loading.finish() for name, loading in loadings.items()}
    for look in look_again:
        look()
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
