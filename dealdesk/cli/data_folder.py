"""`dealdesk init|import|export`: the data folder, and your own records as files of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, progress, say
from dealdesk.settings import load_settings
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from servers.toolkit.importing import Report

Pairs = list[str] | None
DryRun = Annotated[bool, doc("Check everything and write nothing.")]


async def init(
    *,
    empty: Annotated[bool, doc("Leave the databases empty, for your own data.")] = False,
    company: Annotated[
        Path | None,
        doc(
            "A YAML or JSON file with your legal entities and people, as "
            "examples/company/company.yaml has them; with --empty, finance's default policies "
            "and payment terms come with it."
        ),
    ] = None,
    home: Home = None,
) -> None:
    """Make the data folder, with the demo company.

    It holds the keys and the databases; --empty leaves the company out.
    """
    from dealdesk.data_files import make_empty, put_company
    from dealdesk.desk import Desk

    settings = load_settings(home=home)
    if empty:
        make_empty(settings)
        said = f"{settings.home} is ready, without data."
        if company is None:
            said += " Name your company next: dealdesk init --empty --company FILE."
    else:
        async with Desk.open(settings, work=False) as desk:
            await desk.check()
            said = desk.created or f"{settings.home} was ready already."
    changed = [] if company is None else put_company(settings, company)
    for words in (said, *(f"  {one}" for one in changed)):
        say(words)


def import_data(
    what: Annotated[str, doc("A folder with a folder of files for each server; or a server.")],
    table: Annotated[str | None, doc("The table of the server: items, accounts ...")] = None,
    file: Annotated[Path | None, doc("A .csv, .json or .xlsx file.")] = None,
    /,
    *,
    map_: Annotated[Pairs, doc("COLUMN=THEIRS: a column's name in the file.", name="--map")] = None,
    set_: Annotated[Pairs, doc("COLUMN=VALUE: the same in every row.", name="--set")] = None,
    dry_run: DryRun = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Import FOLDER, or SERVER TABLE FILE: every row is checked, and all are written or none.

    A row whose key is there already is changed, in the columns that the file has. A folder has a
    folder for each server with files named for tables; a new data folder begins with it.
    docs/importing.md lists every table and its columns.
    """
    from rich.progress import Progress

    from dealdesk.data_files import import_all, import_table
    from servers.toolkit.table_files import SUFFIXES

    settings = load_settings(home=home)
    if table is not None and file is not None:
        report = import_table(
            settings,
            what,
            table,
            file,
            mapping=_pairs(map_ or (), "--map COLUMN=THEIRS"),
            constants=_pairs(set_ or (), "--set COLUMN=VALUE"),
            dry_run=dry_run,
        )
        reports = {what: [report]}
    elif table is None:
        if map_ or set_:
            raise UsageError("a folder takes no --map and no --set", fix="name one table's file")
        files = [path for path in Path(what).glob("*/*") if path.suffix in SUFFIXES]
        screen = progress()
        with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
            task = bar.add_task("reading", total=len(files))
            reports = import_all(
                settings,
                Path(what),
                dry_run=dry_run,
                told=lambda name: bar.update(task, advance=1, description=name),
            )
    else:
        raise UsageError(f"{table} of {what} needs a file", fix="import SERVER TABLE FILE")
    if json:
        print_json({name: [asdict(one) for one in done] for name, done in reports.items()})
    else:
        _tell(reports, dry_run=dry_run)


def export_data(
    folder: Annotated[Path, doc("A new folder.")] = Path("dealdesk-export"),
    /,
    *,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write every table of every server into a folder that `dealdesk import` takes in again.

    The CRM keeps what it read of mails and papers, not the files themselves, and so does the
    folder. Quotes, approvals and numbers, which finance makes itself, are not in it.
    """
    from dealdesk.data_files import export_all

    counts = export_all(load_settings(home=home), folder)
    if json:
        print_json(counts)
        return
    for server, found in counts.items():
        say(f"{folder}/{server}: {len(found)} tables, {sum(found.values()):,} rows")


def _pairs(given: Sequence[str], form: str) -> dict[str, str]:
    pairs = dict(pair.split("=", 1) for pair in given if "=" in pair)
    if len(pairs) != len(given):
        raise UsageError(f"{' '.join(given)} says no column, or one twice", fix=f"write {form}")
    return pairs


def _tell(reports: "Mapping[str, Sequence[Report]]", *, dry_run: bool) -> None:
    done = "would be" if dry_run else "were"
    for server, found in reports.items():
        for one in found:
            left = f" Left out: {', '.join(one.ignored)}." if one.ignored else ""
            say(
                f"{server} {one.table}: {one.rows:,} rows, all right: {one.inserted:,} {done} "
                f"added, {one.updated:,} changed, {one.unchanged:,} left as they are.{left}"
            )
