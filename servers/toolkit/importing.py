"""Tables in: files become rows, each checked, all of them written or none.

The demo data, `dealdesk import FOLDER` and `dealdesk import SERVER TABLE FILE` all come in here. A
row whose key is there already is changed, in the columns that the file has.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Table as DatabaseTable
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, SQLModel

from servers.toolkit.cells import Cells, is_number
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.external_ids import Origin, keep, mark_ended, of_another_source
from servers.toolkit.file_problems import Problem, by_column, cell_problem, refuse
from servers.toolkit.identified import Identified
from servers.toolkit.mapping import Fill, plain_fill
from servers.toolkit.own_ids import PREFIXES, key_text
from servers.toolkit.table_files import (
    SUFFIXES,
    Found,
    Rows,
    file_and_part,
    read_rows,
    refuse_twice,
    whole,
)
from servers.toolkit.tables import Table, Values
from servers.toolkit.upserting import BATCH, Upsert
from servers.toolkit.written_numbers import decimal_mark

BESIDE = re.compile(r"[A-Za-z0-9][\w .-]{0,120}(/[A-Za-z0-9][\w .-]{0,120}){0,4}")
Told = Callable[[str], None]
Watch = Callable[[Session, Collection[str]], Callable[[], None]]
"""Looks at a database before these tables are filled; what it returns looks again, before the
commit, and may refuse the import by an error."""


@dataclass(frozen=True)
class Report:
    """What came of one file; nothing was written when it was a dry run."""

    table: str
    rows: int
    inserted: int
    updated: int
    unchanged: int
    ignored: tuple[str, ...]
    """Its columns that were left out."""
    file: str = ""
    read_as: tuple[str, ...] = ()
    """What was read as what: `country: Germany as DE (3)`."""
    absent: tuple[str, ...] = ()
    """Columns of the mapping that the file does not have."""
    doubts: tuple[str, ...] = ()
    """What a person should look at, and was taken all the same."""
    gone: tuple[str, ...] = ()
    """What the source had before and has no more, by its own ids; it stays, unless it is ended."""
    ended: int = 0


class Loading:
    """Files of one server on their way into its tables, inside one open transaction.

    Once something is wrong nothing more is written; what comes after is still checked, each row by
    itself, so that a person hears of all their problems at once.
    """

    def __init__(
        self,
        session: Session,
        spelled: dict[str, str] | None = None,
        *,
        end_gone: date | None = None,
    ) -> None:
        """Take files into a session; `spelled` is how other servers' files write each SKU.

        `end_gone` is the day on which rows end that their source no longer has.
        """
        self._end_gone = end_gone
        self._doubts: list[str] = []
        self.session = session
        self._identify = Identified(self._names, {} if spelled is None else spelled)
        self._kept: dict[Origin, dict[str, str]] = {}
        self.problems: list[Problem] = []
        self.reports: list[Report] = []
        self.memory: dict[str, Any] = {}
        self._known: dict[tuple[DatabaseTable, str, str], dict[Any, Any]] = {}
        self._folder = Path()
        self._file = ""
        self._sound = True
        self._taken: dict[str, Table] = {}

    def take(self, table: Table, path: Path, fill: Fill | None = None, **plain: Any) -> None:
        """Take a CSV, JSON or XLSX file into a table, as a mapping file's `fill` says.

        Without one its columns have our names, but for those that `mapping` gives; `constants` say
        what one is in every row. A column we do not know is left out, and a mistake when `strict`.
        """
        self._sound, self._taken[table.name] = not self.problems, table
        path, part = file_and_part(path)
        self._folder, self._file = path.parent, path.name
        try:
            found = read_rows(path, part, flat=fill is not None)
            fill = fill or self._plain(table, found.header, **plain)
            self._take(table, path, found, replace(fill, part=part))
        except InvalidInputError as problem:
            said = problem.message.removeprefix(path.name).lstrip(": ,")
            self._wrong(0, "", said)

    def _plain(
        self,
        table: Table,
        header: Sequence[str],
        *,
        mapping: Mapping[str, str] | None = None,
        constants: Mapping[str, str] | None = None,
        strict: bool = True,
    ) -> Fill:
        fill = plain_fill(table, header, mapping or {}, constants or {}, self._file)
        ignored = [name for name in header if name and name not in fill.theirs]
        if strict and ignored:
            self._wrong(0, ignored[0], f"no such column; there are {', '.join(table.fields)}")
        return fill

    def _take(self, table: Table, path: Path, found: Found, fill: Fill) -> None:
        if fill.file and not fill.where.keys() <= set(found.header):
            return  # no row can have what it must have there
        fill.check(table, found.header, path.name)
        refuse_twice(path.name, found.header, fill.theirs)
        cells = Cells(
            table.fields,
            lambda: self._mark(table, path, fill),
            decimal=fill.decimal,
            dates=fill.dates,
            times=fill.times,
            numbers=table.also,
        )
        lists = [n for n, kind in table.parts.items() if kind == "list"] if fill.file else ()
        rows = fill.rows(found.rows, lists)
        given, self._doubts = {*fill.columns, *fill.constants}, []
        count, done = self._fill(table, rows, given, cells, fill)
        known = fill.theirs | fill.others
        self.reports.append(
            Report(
                table.name,
                count,
                done.inserted,
                done.updated,
                done.same,
                tuple(name for name in found.header if name and name not in known),
                file=path.name,
                read_as=(*((f"it as {found.said}",) if found.said else ()), *cells.told()),
                absent=tuple(sorted(fill.theirs - set(found.header))),
                doubts=tuple(self._doubts),
            )
        )

    def _mark(self, table: Table, path: Path, fill: Fill) -> str:
        """Return the decimal mark that the numbers of a file show, or ours in one of our form."""
        rows = fill.rows(read_rows(path, fill.part, flat=bool(fill.file)).rows, ())
        numbers = [n for n in fill.columns if n in table.also or is_number(table.fields[n])]
        cells = (row[n] for _, row in rows for n in numbers if isinstance(row.get(n), str))
        return decimal_mark(cells, own=fill.own)

    def finish(self) -> list[Report]:
        """Check what must hold between rows, and return what came of each file, or `refuse` it."""
        for table in self._taken.values() if not self.problems else ():
            self.problems += [Problem(table.name, 0, "", one) for one in table.holds(self.session)]
        for origin, seen in self._kept.items() if not self.problems else ():
            self._keep(origin, seen)
        refuse(self.problems)
        return self.reports

    def _keep(self, origin: Origin, seen: dict[str, str]) -> None:
        if not origin.source:
            return
        if self._taken[origin.place].key[0] in PREFIXES:
            for ours, other in of_another_source(self.session, origin, seen).items():
                said = (
                    f"{seen[ours]} would be {ours}, which came from {other}: give both one source"
                )
                self.problems.append(Problem(origin.place, 0, "", said))
        gone, back = keep(self.session, origin, seen)
        rows, ended = Upsert(self._taken[origin.place], self), 0
        rows.revive(back)
        if self._end_gone is not None and (ended := rows.end(gone, self._end_gone)):
            mark_ended(self.session, origin, gone)
        place = max(n for n, one in enumerate(self.reports) if one.table == origin.place)
        told = replace(self.reports[place], gone=tuple(gone.values()), ended=ended)
        self.reports[place] = told

    def known(self, model: type[SQLModel], column: str, value: str = "") -> dict[Any, Any]:
        """Return the values of a column, each with what its row has in another (or the same)."""
        return self._names(model.__table__, column, value)  # type: ignore[attr-defined]

    def must_know(self, model: type[SQLModel], column: str, names: Iterable[Any]) -> None:
        """Refuse names that no row has (ValueError), unless the rows were wrong themselves."""
        for name in names if self._sound else ():
            if name not in self.known(model, column):
                raise ValueError(f"there is no {name}")

    def beside(self, name: str) -> bytes:
        """Return a file beside the one being read, or in a folder there; ValueError if none is."""
        if not BESIDE.fullmatch(name) or ".." in name:
            raise ValueError(f"{name!r} does not lie beside this file")
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            raise ValueError(f"{name} cannot be read") from None

    def rows_beside(self, table: str) -> list[Values]:
        """Return the rows, as they stand, of the file for another table of the same folder."""
        paths = [path for path in self._folder.glob(f"{table}.*") if path.suffix in SUFFIXES]
        try:
            return [row for path in paths for _, row in read_rows(path)[1]]
        except InvalidInputError:
            return []  # it is told when that file's turn comes

    def put(self, table: Table, rows: Iterable[Values]) -> None:
        """Write rows that follow from others; those that are there already stay."""
        there = Upsert(table, self)
        there.write([row for row in rows if table.key_of(row) not in there.stored])

    def _wrong(self, row: int, column: str, message: str) -> None:
        self.problems.append(Problem(self._file, row, column, message))

    def _names(self, table: DatabaseTable, column: str, value: str = "") -> dict[Any, Any]:
        key = (table, column, value or column)
        if key not in self._known:
            rows = self.session.connection().execute(select(table.c[column], table.c[key[2]]))
            self._known[key] = {row[0]: row[1] for row in rows}
        return self._known[key]

    def _fill(
        self, table: Table, rows: Rows, given: set[str], cells: Cells, fill: Fill
    ) -> tuple[int, Upsert]:
        kept = self._kept.setdefault(Origin(fill.source, fill.file, table.name), {})
        writing = Upsert(table, self, [] if self.problems else None)
        seen: dict[tuple[Any, ...], tuple[int, Values]] = {}
        itself = [at for target, at in table.references.values() if target is table.stored]
        for at in itself if not self.problems else ():
            self._names(table.stored, at)
        waiting: list[tuple[int, Values]] = []
        for number, row in rows:
            ours = self._read(table, number, row, cells)
            values = ours and self._checked(table, number, writing.completed(ours, given))
            if not values:
                continue
            key = table.key_of(values)
            before, same = seen.setdefault(key, (number, row if fill.file else {}))
            if before != number:
                if not fill.file or same != row:
                    said = " / ".join(str(part) for part in key)
                    self._wrong(number, "", f"is row {before} again ({said})")
                continue
            if fill.source and table.key:
                theirs = " / ".join(str(row[name]) for name in table.key if row.get(name))
                kept[key_text(key)] = theirs
            for (target, column, other), names in self._known.items():
                if target is table.stored and column in values:
                    names[values[column]] = values.get(other)
            waiting.append((number, values))
            if len(waiting) >= BATCH and not itself and table.whole is None:
                self._write(table, writing, waiting)
                waiting = []
        self._write(table, writing, waiting)
        if not self.problems:
            table.after(self)
        return len(seen), writing

    def _read(self, table: Table, number: int, row: Values, cells: Cells) -> Values | None:
        """Return a row with its cells in our form, or nothing when one can be read in two ways."""
        ours = {}
        for name, cell in row.items():
            try:
                ours[name] = self._identify.read(table, name, cells.read(name, cell))
            except ValueError as problem:
                self._wrong(number, name, str(problem))
        return ours if len(ours) == len(row) else None

    def _checked(self, table: Table, number: int, row: Values) -> Values | None:
        """Return a row as the database's columns, or nothing, and what is wrong with it."""
        try:
            read = table.read(row)
            filled = {**read, **{n: whole(read[n], k) for n, k in table.parts.items() if n in read}}
            checked = table.adapter.validate_python(filled)
            wrong = list(table.problems(checked))
            for said in wrong:
                self._wrong(number, "", said)
            self._doubts += [f"row {number}: {said}" for said in table.doubts(checked)]
            return None if wrong else table.values(checked, self)
        except ValidationError as problem:
            for column, one in by_column(problem).items():
                self._wrong(number, column, cell_problem(one))
        except (ValueError, InvalidInputError) as problem:
            self._wrong(number, "", getattr(problem, "message", str(problem)))
        return None

    def _write(self, table: Table, writing: Upsert, rows: list[tuple[int, Values]]) -> None:
        for column, (target, at) in table.references.items() if self._sound else ():
            names = self._names(target, at)
            for number, values in rows:
                if values.get(column) and values[column] not in names:
                    self._wrong(number, column, f"there is no {values[column]}")
        if self.problems:
            return
        try:
            writing.write([values for _, values in rows])
        except (IntegrityError, DataError) as problem:
            said = (str(problem.orig).strip().splitlines() or ["it"])[0]
            raise InvalidInputError(f"the database refuses a row: {said}") from problem


class DryRunError(Exception):
    """Leaves the transactions without a commit."""


def import_file(
    database: Database,
    table: Table,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    dry_run: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Import a file into a table, all rows or none; columns we do not know are left out, and said.

    Raises:
        InvalidInputError: naming up to twenty rows that are wrong, and how many there are.
    """
    with suppress(DryRunError), database.write() as session:
        look_again = watch and watch(session, {table.name})
        loading = Loading(session)
        loading.take(table, path, mapping=mapping, constants=constants, strict=False)
        (report,) = loading.finish()
        if not report.rows:
            raise InvalidInputError(f"{path.name} has no rows", fix="check the file")
        if look_again:
            look_again()
        if dry_run:
            raise DryRunError
    return report


def load_folder(
    session: Session,
    tables: Mapping[str, Table],
    folder: Path,
    told: Told | None = None,
    spelled: dict[str, str] | None = None,
) -> Loading:
    """Take the files of a folder, named for tables, into an open write session: all or none."""
    loading = Loading(session, spelled)
    files = {path: path.stem for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES}
    for path, name in files.items():
        if name not in tables or list(files.values()).count(name) > 1:
            what = "there are two files for one table" if name in tables else "is no table's name"
            loading.problems.append(Problem(path.name, 0, "", what))
    for name, table in tables.items():
        for path in (path for path, stem in files.items() if stem == name):
            loading.take(table, path)
            if told is not None:
                told(name)
    return loading
