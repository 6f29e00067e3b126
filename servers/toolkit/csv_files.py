"""CSV as programs write it: its encoding, delimiter, blank lines and empty last columns."""

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path

from servers.toolkit.errors import InvalidInputError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 65_536
"""Characters that are read at a time, and that are enough to find the delimiter."""
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_EXCEL_SAYS = re.compile(r"\s*sep=(.)\r?\n")


def csv_records(path: Path) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Return the encoding of a file and its rows that are not blank, each with its line.

    Raises:
        InvalidInputError: it is no text in a known encoding, or (at that row) no CSV.
    """
    encoding = _encoding(path)
    return encoding, _records(path, encoding)


def _encoding(path: Path) -> str:
    """Return the encoding: what a mark at the beginning says, else UTF-8, else Windows's own."""
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((name for mark, name in MARKS if start.startswith(mark)), "")
    for name in (marked,) if marked else ("utf-8", "cp1252"):
        if _reads_as(path, name):
            return name
    raise InvalidInputError(
        f"{path.name} is not text in UTF-8, UTF-16 or Windows-1252",
        fix="save it as CSV UTF-8 (a choice of 'Save as')",
    )


def _reads_as(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding) as file:
            while file.read(SAMPLE):
                pass
    except UnicodeError:
        return False
    return True


def _records(path: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding=encoding, newline="") as file:
            delimiter, said = _delimiter(file.read(SAMPLE))
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter)
            filled = ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
            if said:
                next(filled)
            yield from filled
    except csv.Error as problem:
        raise InvalidInputError(f"{path.name} is no CSV: {problem}", fix="save it as CSV") from None


def _delimiter(sample: str) -> tuple[str, bool]:
    """Return what parts the columns, and whether a line of its own says so, as Excel's do."""
    if said := _EXCEL_SAYS.match(sample):
        return said[1], True
    header = next((one for one in _QUOTED.sub("", sample).splitlines() if one.strip()), "")
    return max(",;\t|", key=header.count), False
