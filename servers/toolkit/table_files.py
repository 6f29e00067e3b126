"""Files of rows as people have them: CSV, JSON and XLSX in, CSV and JSON out.

A cell is text, or what JSON or a spreadsheet says; an empty cell is left out of its row, so that
the column's default holds. No number goes through a float: JSON's decimals are read from their
digits, a spreadsheet's as far as a spreadsheet shows them.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from servers.toolkit.csv_files import csv_records
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.workbooks import sheet_records

SUFFIXES = (".csv", ".tsv", ".json", ".xlsx")
Rows = Iterator[tuple[int, dict[str, Any]]]


class Found(NamedTuple):
    """What is in a file.

    Attributes:
        header: Its columns; a name may come twice, and an unnamed one is empty.
        rows: Its rows, each with its line (CSV) or place, from 1.
        said: How it was read, where that had to be found out: an encoding, a sheet.
    """

    header: list[str]
    rows: Rows
    said: str = ""


def read_rows(path: Path, part: str = "", *, flat: bool = False) -> Found:
    """Read a file of rows: of a workbook the sheet, of a JSON object the list that `part` names.

    `products.variants` is the list that each row of `products` holds, with what that row says.

    `flat` gives what lies in objects of JSON as `price.amount`.

    Raises:
        InvalidInputError: the file cannot be read, or a row has too many or too few columns (which
            is said when the row is reached).
    """
    try:
        if path.suffix.lower() == ".json":
            return _json_rows(path, part, flat=flat)
        if path.suffix.lower() == ".xlsx":
            sheet, records = sheet_records(path, part)
            return _table(path, records, f"sheet {sheet}" if part else "")
        encoding, records = csv_records(path)
        return _table(path, records, "" if encoding.startswith("utf-8") else encoding)
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="name a file there is") from problem


def file_and_part(named: Path) -> tuple[Path, str]:
    """Return the file and the part of it that `book.xlsx#Sheet` names."""
    name, mark, part = named.name.rpartition("#")
    if not mark or named.exists():
        return named, ""
    return named.with_name(name), part


def read_json(path: Path) -> Any:
    """Read a JSON file; numbers with a point are Decimals, and a key may not come twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        refuse_twice(path.name, [name for name, _ in pairs])
        return dict(pairs)

    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, parse_float=Decimal, object_pairs_hook=once)
    except UnicodeDecodeError as problem:
        raise InvalidInputError(f"{path.name} is not UTF-8", fix="save it as UTF-8") from problem
    except json.JSONDecodeError as problem:
        raise InvalidInputError(
            f"{path.name}, line {problem.lineno}: {problem.msg}", fix="mend the JSON"
        ) from problem
    except RecursionError as problem:
        raise InvalidInputError(f"{path.name} is nested too deep", fix="flatten it") from problem


def _json_rows(path: Path, part: str, *, flat: bool) -> Found:
    found, inner = read_json(path), ""
    if isinstance(found, dict):
        lists = {name: one for name, one in found.items() if isinstance(one, list)}
        if not part and len(lists) > 1:
            fix = f"name one: {path.name}#{next(iter(lists))}"
            raise InvalidInputError(f"{path.name} has the lists {', '.join(lists)}", fix=fix)
        if part not in lists:
            part, _, inner = part.partition(".")
        found = lists.get(part or next(iter(lists), ""))
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise InvalidInputError(
            f"{path.name} is not a list of rows", fix='write [{"column": value, ...}, ...]'
        )
    rows = [dict(_reached(row)) for row in found] if flat else found
    if inner:
        rows = [
            row | dict(_reached(one, f"{inner}.")) for row in rows for one in row.get(inner) or ()
        ]
    header = list(dict.fromkeys(name for row in rows for name in row))
    return Found(header, ((n, _filled(row.items())) for n, row in enumerate(rows, start=1)))


def _reached(row: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _reached(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _table(path: Path, records: Iterator[tuple[int, list[Any]]], said: str) -> Found:
    """Return rows under their header: the first row that is not blank."""
    header = ["" if one is None else str(one).strip() for one in next(records, (0, []))[1]]
    while header and not header[-1]:
        header.pop()
    exact = path.suffix.lower() != ".xlsx"
    return Found(header, _body(path, header, records, exact=exact), said)


def _body(
    path: Path, header: list[str], records: Iterator[tuple[int, list[Any]]], *, exact: bool
) -> Rows:
    for number, row in records:
        if exact and (len(row) < len(header) or any(row[len(header) :])):
            raise InvalidInputError(
                f"{path.name}, line {number}: wrong number of columns",
                fix="give every row the columns of the header",
            )
        yield number, _filled(zip(header, row, strict=False))


def _filled(cells: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in cells if value is not None and value != ""}


def refuse_twice(file: str, names: Sequence[str], used: Iterable[str] | None = None) -> None:
    """Refuse a name that comes twice, among those that are used (all, when none are given)."""
    asked = set(names if used is None else used)
    twice = next((name for name in names if name in asked and names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInputError(f"{file} has the column {twice!r} twice", fix="keep one of them")


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
