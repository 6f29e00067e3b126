"""`dealdesk import`: your own records as files of rows, in the form in which you have them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from dealdesk.cli.import_effects import NO_JUMP, Jump, told_effects
from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, progress, say
from dealdesk.settings import Settings, load_settings
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from servers.toolkit.importing import Report

Pairs = list[str] | None
SHOWN = 10
"""How many ids are named of what is gone; their number is told whole."""
MappingName = Annotated[str | None, doc("A mapping file, or salesforce, hubspot, odoo, shopify.")]
Propose = Annotated[bool, doc("Propose a mapping for a file, by the names of its columns.")]
Save = Annotated[Path | None, doc("Where a proposed mapping is written.")]
Gone = Annotated[
    Literal["keep", "end"], doc("What the source no longer has: stays, or ends today.")
]
DryRun = Annotated[
    bool, doc("Check everything, say what it changes for past quotes, and write nothing.")
]


def import_data(
    what: Annotated[str, doc("A folder, a file of your own, or a server.")],
    table: Annotated[str | None, doc("The table of the server: items, accounts ...")] = None,
    file: Annotated[Path | None, doc("A .csv, .json or .xlsx file.")] = None,
    /,
    *,
    map_: Annotated[Pairs, doc("COLUMN=THEIRS: a column's name in the file.", name="--map")] = None,
    set_: Annotated[Pairs, doc("COLUMN=VALUE: the same in every row.", name="--set")] = None,
    mapping: MappingName = None,
    gone: Gone = "keep",
    propose: Propose = False,
    save: Save = None,
    dry_run: DryRun = False,
    jump: Jump = NO_JUMP,
    home: Home = None,
    json: Json = False,
) -> None:
    """Import FOLDER or FILE with --mapping, or FOLDER, or SERVER TABLE FILE.

    Every row is checked, and all are written or none. A row whose key is there already is changed,
    in the columns that the file has. With --mapping the files are as another program exports them.
    Without it a folder has a folder for each server with files named for tables; a new data folder
    begins with it. docs/importing.md lists every table and its columns.
    """
    from dealdesk.data_files import import_by_mapping, import_table
    from servers.registry import import_watch

    if propose:
        _propose(Path(what), save)
        return
    settings = load_settings(home=home, person=jump.person)
    watch = import_watch(last=jump.reprice, dry_run=dry_run, **jump.persons(settings))
    unknown: list[Path] = []
    constants = _pairs(set_ or (), "--set COLUMN=VALUE")
    given: dict[str, Any]
    if mapping is not None:
        if table or map_:
            raise UsageError("the mapping says this", fix="import FOLDER|FILE --mapping NAME")
        given = {"constants": constants, "dry_run": dry_run, "end_gone": gone == "end"}
        reports, unknown = import_by_mapping(settings, Path(what), mapping, watch=watch, **given)
    elif table is not None and file is not None:
        named = _pairs(map_ or (), "--map COLUMN=THEIRS")
        given = {"mapping": named, "constants": constants, "dry_run": dry_run, "watch": watch}
        reports = {what: [import_table(settings, what, table, file, **given)]}
    elif table is None:
        if map_ or set_:
            raise UsageError("a folder takes no --map and no --set", fix="name one table's file")
        reports = _whole_folder(settings, Path(what), dry_run=dry_run, watch=watch)
    else:
        raise UsageError(f"{table} of {what} needs a file", fix="import SERVER TABLE FILE")
    if json:
        effects = {"effects": asdict(watch.effects)} if watch.effects else {}
        print_json({n: [asdict(one) for one in done] for n, done in reports.items()} | effects)
    else:
        _tell(reports, dry_run=dry_run)
        for line in told_effects(watch.effects) if watch.effects else ():
            say(line)
        for path in unknown:
            say(f"{path.name}: left out, the mapping does not know it.")


def _propose(file: Path, save: Path | None) -> None:
    from dealdesk.data_files import said_by_servers
    from dealdesk.proposing import propose

    with said_by_servers():
        text = propose(file)
    if save is None:
        sys.stdout.write(text)
    elif save.exists():
        raise UsageError(f"{save} is there already", fix="name a new file")
    else:
        save.write_text(text, encoding="utf-8")
        say(f"{save} is a proposal: read it, then dealdesk import {file} --mapping {save}")


def _whole_folder(
    settings: Settings, folder: Path, *, dry_run: bool, watch: Any
) -> dict[str, list["Report"]]:
    from rich.progress import Progress

    from dealdesk.data_files import import_all
    from servers.toolkit.table_files import SUFFIXES

    files = [path for path in folder.glob("*/*") if path.suffix in SUFFIXES]
    screen = progress()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("reading", total=len(files))
        return import_all(
            settings,
            folder,
            dry_run=dry_run,
            told=lambda name: bar.update(task, advance=1, description=name),
            watch=watch,
        )


def _pairs(given: Sequence[str], form: str) -> dict[str, str]:
    pairs = dict(pair.split("=", 1) for pair in given if "=" in pair)
    if len(pairs) != len(given):
        raise UsageError(f"{' '.join(given)} says no column, or one twice", fix=f"write {form}")
    return pairs


def _tell(reports: "Mapping[str, Sequence[Report]]", *, dry_run: bool) -> None:
    done = "would be" if dry_run else "were"
    files = set()
    for server, found in reports.items():
        for one in found:
            say(
                f"{server} {one.table}: {one.rows:,} rows, all right: {one.inserted:,} {done} "
                f"added, {one.updated:,} changed, {one.unchanged:,} left as they are."
            )
            for words in _more(one):
                say(f"  {words}")
            if one.ignored and one.file not in files:
                say(f"  Left out of {one.file}: {', '.join(one.ignored)}.")
            files.add(one.file)


def _more(one: "Report") -> Iterator[str]:
    """Yield what else came of a file, a line each."""
    yield from (f"Read {words}." for words in one.read_as)
    yield from (f"Look at {words}." for words in one.doubts[:SHOWN])
    if len(one.doubts) > SHOWN:
        yield f"And at {len(one.doubts) - SHOWN:,} more like these."
    if one.gone:
        kept = f"{one.ended:,} ended" if one.ended else "kept"
        shown = ", ".join(one.gone[:SHOWN])
        more = f" and {len(one.gone) - SHOWN:,} more" if len(one.gone) > SHOWN else ""
        yield f"No longer there: {shown}{more} ({kept})."
    if one.absent:
        yield f"Not in {one.file}: {', '.join(one.absent)}."
