"""Rows of an XLSX workbook, as it shows them."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from servers.toolkit.errors import InvalidInputError

SHOWN_DIGITS = 15
"""How many digits a spreadsheet shows; what it stores beyond them is noise of its own sums."""
MOST_UNPACKED = 500_000_000
MOST_ROWS = 1_048_576
Record = tuple[int, list[Any]]


def sheet_records(path: Path, sheet: str = "") -> tuple[str, Iterator[Record]]:
    """Return the name of a sheet and its filled rows: the first one that has any, or the one named.

    Formulas count as what they came to.
    """
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = _opened(path)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as problem:
        raise InvalidInputError(
            f"{path.name} is no XLSX workbook", fix="save it as .xlsx or as CSV"
        ) from problem
    names = [one.title for one in book.worksheets]
    if sheet and sheet not in names:
        book.close()
        raise InvalidInputError(
            f"{path.name} has no sheet {sheet!r}", fix=f"name one of {', '.join(names)}"
        )
    for name in [sheet] if sheet else names:
        if next(_records(path, book[name]), None) is not None:
            return name, _closing(book, _records(path, book[name]))
    book.close()
    return "", iter(())


def _closing(book: Any, records: Iterator[Record]) -> Iterator[Record]:
    try:
        yield from records
    finally:
        book.close()


def _opened(path: Path) -> Any:
    from openpyxl import load_workbook

    with ZipFile(path) as packed:
        if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
            raise InvalidInputError(
                f"{path.name} unpacks to more than {MOST_UNPACKED // 10**6} MB", fix="split it"
            )
    return load_workbook(path, read_only=True, data_only=True)


def _records(path: Path, sheet: Any) -> Iterator[Record]:
    sheet.reset_dimensions()  # what a file says of its size is often wrong
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > MOST_ROWS:
            raise InvalidInputError(f"{path.name} has rows that no workbook has", fix="split it")
        if any(one is not None for one in row):
            yield number, [_cell(one) for one in row]


def _cell(value: Any) -> Any:
    """Return what a cell shows: text, or a number as exact as it is shown."""
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value) if isinstance(value, timedelta) else Decimal(f"{value:.{SHOWN_DIGITS}g}")
