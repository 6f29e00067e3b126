"""What is in the data folder's databases: a company of one's own, files of rows in and out."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from shutil import rmtree
from typing import Any

from dealdesk.keys import signing_key
from dealdesk.settings import Settings
from orchestrator.errors import EnvironmentProblem, UsageError
from orchestrator.servers import set_up_company
from servers.registry import NAMES, open_server, tables_of
from servers.toolkit.database import Database
from servers.toolkit.errors import DomainError, ForbiddenError, InvalidInputError
from servers.toolkit.folders import export_tables, import_folder, import_mapped
from servers.toolkit.importing import Report, import_file
from servers.toolkit.mapping_files import plan, read_mapping
from servers.toolkit.seeding import mark_seeded

READ = (".csv", ".tsv", ".txt", ".json", ".xlsx")
"""Files of a folder that a mapping may know."""


def import_table(
    settings: Settings,
    server: str,
    table: str,
    path: Path,
    *,
    mapping: Mapping[str, str],
    constants: Mapping[str, str],
    dry_run: bool,
    watch: Any = None,
) -> Report:
    """Import a file into a table of a server: all of its rows, or none."""
    known, name = tables_of(server) if server in NAMES else {}, table.replace("-", "_")
    if name not in known:
        there = f"one of {', '.join(known)}" if known else f"a server: {', '.join(NAMES)}"
        raise UsageError(f"there is no table {table!r} in {server}", fix=f"name {there}")
    with said_by_servers():
        app, _ = open_server(server, settings.server_url(server))
        try:
            return import_file(
                app.database,
                known[name],
                path,
                mapping=mapping,
                constants=constants,
                dry_run=dry_run,
                watch=watch if server == "finance" else None,
            )
        finally:
            app.database.close()


def import_all(
    settings: Settings,
    folder: Path,
    *,
    dry_run: bool,
    told: Callable[[str], None],
    watch: Any,
) -> dict[str, list[Report]]:
    """Import a folder with a folder of files for each server: everything, or nothing."""
    with said_by_servers(), _databases(settings) as databases:
        every = {name: (database, tables_of(name)) for name, database in databases.items()}
        watches = {"finance": watch}
        return import_folder(every, folder, dry_run=dry_run, told=told, watches=watches)


def import_by_mapping(
    settings: Settings,
    what: Path,
    mapping: str,
    *,
    constants: Mapping[str, str],
    dry_run: bool,
    end_gone: bool,
    watch: Any,
) -> tuple[dict[str, list[Report]], list[Path]]:
    """Import a file or the files of a folder as a mapping says: everything, or nothing.

    Return what came of them, and the files that the mapping does not know.
    """
    there = sorted(what.iterdir()) if what.is_dir() else [what]
    found = [one for one in there if one.suffix.lower() in READ] if what.is_dir() else there
    today = date.today()  # noqa: DTZ011 - the user's own day
    with said_by_servers(), _databases(settings) as databases:
        takes, unknown = plan(read_mapping(mapping_path(mapping)), found, today.isoformat())
        every = {name: (database, tables_of(name)) for name, database in databases.items()}
        end = today if end_gone else None
        given: dict[str, Any] = {"constants": constants, "dry_run": dry_run, "end_gone": end}
        return import_mapped(every, takes, **given, watches={"finance": watch}), unknown


def mapping_path(named: str) -> Path:
    """Return the mapping file of this path, or the one of this name that comes with dealdesk."""
    shipped = Path(str(files("dealdesk"))) / "mappings" / f"{named}.toml"
    return shipped if shipped.is_file() and not Path(named).is_file() else Path(named)


def export_all(settings: Settings, folder: Path) -> dict[str, dict[str, int]]:
    """Write every table of every server into a new folder; return the rows of each."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already", fix="name a new folder")
    with said_by_servers(), _databases(settings) as databases:
        done = {}
        for name, database in databases.items():
            with database.session() as session:
                done[name] = export_tables(session, tables_of(name), folder / name)
        return done


def make_empty(settings: Settings) -> None:
    """Make the keys and databases without data."""
    signing_key(settings)
    with said_by_servers(), _databases(settings) as databases:
        for name, database in databases.items():
            if (how := database.setting("seeded")) not in (None, "empty"):
                raise EnvironmentProblem(
                    f"the {name} database holds the {how} data already",
                    fix="choose another folder with --home",
                )
            if how is None:
                with database.write() as session:
                    mark_seeded(session, "empty")


def put_company(settings: Settings, company: Path) -> list[str]:
    try:
        return set_up_company(settings.urls, company)
    except DomainError as problem:
        raise EnvironmentProblem(problem.message, fix=problem.fix) from problem


@contextmanager
def nothing_half_made(home: Path) -> Iterator[None]:
    """Take a data folder away again that was new, when making it fails."""
    there = home.is_dir()
    new = not any(home.iterdir()) if there else not home.exists()
    try:
        yield
    except BaseException:
        if new:
            rmtree(home, ignore_errors=True)
            if there:
                home.mkdir(mode=0o700)
        raise


@contextmanager
def _databases(settings: Settings) -> Iterator[dict[str, Database]]:
    found: dict[str, Database] = {}
    try:
        for name in NAMES:
            found[name] = Database.open(settings.server_url(name), name)
        yield found
    finally:
        for database in found.values():
            database.close()


@contextmanager
def said_by_servers() -> Iterator[None]:
    """Say what the servers said in the words of the command."""
    try:
        yield
    except (InvalidInputError, ForbiddenError) as problem:
        raise UsageError(problem.message, fix=problem.fix) from problem
    except DomainError as problem:
        raise EnvironmentProblem(problem.message, fix=problem.fix) from problem
    except OSError as problem:
        raise EnvironmentProblem(
            f"the folder cannot be used: {problem.strerror}", fix="check it and its permissions"
        ) from problem
