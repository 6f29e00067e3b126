"""How the columns of somebody's file fill one table of ours."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.table_files import Rows
from servers.toolkit.tables import Table, Values

_NAMED = re.compile(r"\{([^{}]+)\}")
FILLED = ELSE = "*"
NOT = "!"


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else str(value)


Text = Annotated[str, BeforeValidator(_text)]
Words = Annotated[
    tuple[Text, ...], BeforeValidator(lambda one: one if isinstance(one, list) else [one])
]


@dataclass(frozen=True)
class Fill:
    """What is taken from a file for a table; a mapping file says it in these words.

    Attributes:
        columns: Our columns, each with theirs: names, or templates such as `{First} {Last}`; the
            first that is filled counts, and of a list all of them.
        constants: What a column of ours is where the file says nothing.
        values: Words of theirs in a column of ours and what they are here; `*` is any other word.
        times: What a number of theirs is multiplied by.
        where: Columns of theirs and the words a row must have there: `*` is any, empty is none,
            `!word` any other.
        without: Columns of ours without which a row is left out.
        empty: Words that stand in cells that are empty.
        carry: Columns of theirs whose empty cells have what the row above has.
        decimal: The decimal mark of the file, where it is known.
        dates: `dmy` or `mdy`, for days such as 05/06/2026.
        part: The sheet of a workbook, or the list of a JSON object.
        source: Whose file it is; its rows are then kept by their own ids.
        file: Which of the source's files it is.
        others: Columns that go to other tables.
        own: Whether lists and maps are written as we write them.
    """

    columns: Mapping[str, Words] = field(default_factory=dict)
    constants: Annotated[Mapping[str, Text], Field(alias="set")] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    times: Mapping[str, Decimal] = field(default_factory=dict)
    where: Mapping[str, Words] = field(default_factory=dict)
    without: Annotated[Words, Field(alias="skip_without")] = ()
    empty: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    decimal: str = ""
    dates: str = ""
    part: str = ""
    source: str = ""
    file: str = ""
    others: frozenset[str] = frozenset()
    own: bool = False

    @property
    def theirs(self) -> frozenset[str]:
        """The columns of the file that this reads."""
        said = [one for names in self.columns.values() for one in names]
        return frozenset(name for one in said for name in named(one)) | {*self.where, *self.carry}

    def check(self, table: Table, header: Collection[str], file: str) -> None:
        """Refuse columns that the table does not have, and needed ones the file does not have."""
        known = [*table.fields, *table.also]
        for ours in (*self.columns, *self.constants, *self.values, *self.times):
            if ours not in known:
                raise InvalidInputError(
                    f"there is no column {ours!r} in {table.name}", fix=f"use {', '.join(known)}"
                )
        if not header or not self.where.keys() <= set(header):
            return
        for ours, names in self.columns.items():
            there = any(set(named(one)) & set(header) for one in names)
            needed = ours in table.fields and table.fields[ours].is_required()
            if needed and not there and ours not in self.constants:
                raise InvalidInputError(
                    f"{file} has no {names[0]!r}, which is to be {ours}",
                    fix="mend the mapping, or see what the file has with --propose",
                )

    def rows(self, rows: Rows, lists: Collection[str]) -> Rows:
        """Yield what each row of the file says in our columns."""
        above: Values = {}
        for number, found in rows:
            row = _trimmed(found, self.empty) if self.file else found
            if self.carry:
                above = row = {**{n: above[n] for n in self.carry if n in above}, **row}
            if all(_fits(row.get(name), words) for name, words in self.where.items()):
                ours = {**self.constants, **dict(self._filled(row, lists))}
                if all(ours.get(name) for name in self.without):
                    yield number, ours

    def _filled(self, row: Values, lists: Collection[str]) -> Iterator[tuple[str, Any]]:
        for ours, names in self.columns.items():
            said = [cell for one in names if (cell := _cell(one, row)) not in (None, "")]
            if said and ours in lists:
                yield ours, _as_list([self._meant(ours, one) for one in said])
            elif said and (meant := self._meant(ours, said[0])) != "":
                yield ours, meant

    def _meant(self, ours: str, cell: Any) -> Any:
        words = {one.casefold(): meant for one, meant in self.values.get(ours, {}).items()}
        return words.get(str(cell).casefold(), words.get(ELSE, cell)) if words else cell


def plain_fill(
    table: Table,
    header: Sequence[str],
    mapping: Mapping[str, str],
    constants: Mapping[str, str],
    file: str,
) -> Fill:
    """Return what fills a table from a file with our names, or those that a mapping gives."""
    asked = Fill({ours: (theirs,) for ours, theirs in mapping.items()}, constants)
    asked.check(table, (), file)
    if gone := sorted(set(mapping.values()) - set(header)):
        raise InvalidInputError(
            f"{file} has no {gone[0]!r}", fix="check --map; --propose shows what it has"
        )
    names = {name: mapping.get(name, name) for name in (*table.fields, *table.also)}
    columns = {ours: (theirs,) for ours, theirs in names.items() if theirs in header}
    if both := sorted(columns.keys() & constants):
        raise InvalidInputError(f"{file} says {both[0]!r} itself", fix="leave out --set")
    return Fill(columns, constants, own=not mapping)


def named(theirs: str) -> tuple[str, ...]:
    """Return the columns that a template names, or the column that it is."""
    return tuple(_NAMED.findall(theirs)) or (theirs,)


def _cell(theirs: str, row: Values) -> Any:
    """Return a cell, or a template's text, which is empty when all its cells are."""
    names = _NAMED.findall(theirs)
    if not names:
        return row.get(theirs)
    if not any(name in row for name in names):
        return ""
    return " ".join(_NAMED.sub(lambda one: _shown(row.get(one[1], "")), theirs).split())


def _shown(cell: Any) -> str:
    """Return a cell inside a template: a list as its quoted items."""
    return ", ".join(f'"{one}"' for one in cell) if isinstance(cell, list) else str(cell)


def _trimmed(row: Values, empty: Collection[str]) -> Values:
    """Return a row without spaces around its cells, or the apostrophe that marks text in them."""
    trimmed = {n: _bare(cell) if isinstance(cell, str) else cell for n, cell in row.items()}
    return {name: cell for name, cell in trimmed.items() if cell not in ("", *empty)}


def _bare(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if re.match(r"'[\d+=@-]", cell) else cell


def _as_list(cells: Sequence[Any]) -> list[Any]:
    """Return the items of a list: those of a list, or the lines of cells."""
    items: list[Any] = []
    for cell in cells:
        items += cell if isinstance(cell, list) else map(str.strip, str(cell).splitlines())
    return [item for item in items if item != ""]


def _fits(cell: Any, words: Collection[str]) -> bool:
    text = "" if cell is None else str(cell).strip().casefold()
    return any(_is(text, word.casefold()) for word in words)


def _is(text: str, word: str) -> bool:
    if word == FILLED:
        return text != ""
    return text != word[1:] if word.startswith(NOT) else text == word
