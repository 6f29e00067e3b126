"""Files of rows as people have them: CSV, JSON and XLSX in, CSV and JSON out.

Every cell is text (or what JSON says); an empty cell is left out of its row, so that the column's
default holds. No number goes through a float: JSON's decimals are read from their digits, a
spreadsheet's as far as a spreadsheet shows them.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from servers.toolkit.errors import InvalidInputError

SUFFIXES = (".csv", ".tsv", ".json", ".xlsx")
Rows = Iterator[tuple[int, dict[str, Any]]]
SHOWN_DIGITS = 15
"""How many digits a spreadsheet shows; what it stores beyond them is noise of its own sums."""


def read_rows(path: Path) -> tuple[list[str], Rows]:
    """Return the columns of a file and its rows, each with its line (CSV) or place, from 1.

    Raises:
        InvalidInputError: the file cannot be read, a column comes twice, or a row has too many or
            too few columns (which is said when the row is reached).
    """
    read = {".json": _json_rows, ".xlsx": _sheet_rows}.get(path.suffix.lower(), _csv_rows)
    try:
        return read(path)
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="name a file there is") from problem
    except UnicodeDecodeError as problem:
        raise _not_utf8(path) from problem


def read_json(path: Path) -> Any:
    """Read a JSON file; numbers with a point are Decimals, and a key may not come twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _refuse_twice(path, [name for name, _ in pairs])
        return dict(pairs)

    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, parse_float=Decimal, object_pairs_hook=once)
    except json.JSONDecodeError as problem:
        raise InvalidInputError(
            f"{path.name}, line {problem.lineno}: {problem.msg}", fix="mend the JSON"
        ) from problem


def _json_rows(path: Path) -> tuple[list[str], Rows]:
    found = read_json(path)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise InvalidInputError(
            f"{path.name} is not a list of rows", fix='write [{"column": value, ...}, ...]'
        )
    header = list(dict.fromkeys(name for row in found for name in row))
    return header, ((n, _filled(row.items())) for n, row in enumerate(found, start=1))


def _csv_rows(path: Path) -> tuple[list[str], Rows]:
    """Read a CSV file; commas, semicolons or tabs part its columns: the header decides."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        delimiter = max(",;\t", key=first.count)
        file.seek(0)
        header = next(csv.reader(file, delimiter=delimiter), [])
    _refuse_twice(path, header)
    return header, _csv_body(path, header, delimiter)


def _csv_body(path: Path, header: list[str], delimiter: str) -> Rows:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            for row in filter(None, islice(reader, 1, None)):
                if len(row) != len(header):
                    raise InvalidInputError(
                        f"{path.name}, line {reader.line_num}: wrong number of columns",
                        fix="give every row the columns of the header",
                    )
                yield reader.line_num, _filled(zip(header, row, strict=True))
    except UnicodeDecodeError as problem:
        raise _not_utf8(path) from problem
    except csv.Error as problem:
        raise InvalidInputError(f"{path.name} is no CSV: {problem}", fix="save it as CSV") from None


def _sheet_rows(path: Path) -> tuple[list[str], Rows]:
    """Read the first sheet of a workbook; formulas count as what they came to."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as problem:
        raise InvalidInputError(
            f"{path.name} is no XLSX workbook", fix="save it as .xlsx or as CSV"
        ) from problem
    lines = enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
    header = [_cell(one) for one in next(lines, (1, ()))[1]]
    while header and not header[-1]:
        header.pop()
    _refuse_twice(path, header)
    rows = (
        (number, _filled(zip(header, map(_cell, row), strict=False)))
        for number, row in lines
        if any(one is not None for one in row)
    )
    return header, rows


def _cell(value: object) -> str:
    """Return what a cell of a spreadsheet shows, as CSV would have it."""
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return _written(value)
    return f"{Decimal(f'{value:.{SHOWN_DIGITS}g}'):f}"


def _filled(cells: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in cells if value is not None and value != ""}


def _refuse_twice(path: Path, names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInputError(
            f"{path.name} has the column {twice!r} twice", fix="keep one of them"
        )


def _not_utf8(path: Path) -> InvalidInputError:
    return InvalidInputError(
        f"{path.name} is not UTF-8 text", fix="save it as CSV UTF-8 (a choice of 'Save as')"
    )


def whole(cell: Any, kind: str) -> Any:
    """Return a cell as the `list` or `dict` it writes: `a;b`, `EUR=5;GBP=4`, or JSON."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text[:1] in ("[", "{"):
        return json.loads(text, parse_float=Decimal)
    pieces = [piece.strip() for piece in text.split(";") if piece.strip()]
    if kind == "list":
        return pieces
    if not all("=" in piece for piece in pieces):
        raise ValueError(f"{text[:40]!r} is not a map: write EUR=100.00;GBP=90.00")
    return dict(piece.split("=", 1) for piece in pieces)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as `read_rows` reads them; what is empty is left out."""
    if path.suffix == ".json":
        kept = [_filled(row.items()) for row in rows]
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1, default=str) + "\n", "utf-8")
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([_written(row.get(name)) for name in header] for row in rows)


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    simple = None
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        simple = [str(one) for one in value]
    if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
        simple = [f"{name}={one}" for name, one in value.items()]
    if simple is not None and all(map(_plain, simple)):
        return ";".join(simple)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _plain(piece: str) -> bool:
    """Say whether an item of a list can stand in a cell unquoted and is read back the same."""
    return bool(piece) and piece == piece.strip() and ";" not in piece and piece[0] not in "[{"
