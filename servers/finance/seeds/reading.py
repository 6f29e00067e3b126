"""Rows from files that people edit: what is wrong is named with its file and row.

`read_json` and `read_csv` read the demo's own files. `read_table` reads a file of somebody else's
making, CSV or JSON, whose columns may have other names, and `check_rows` says everything that is
wrong in it at once.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from servers.toolkit.errors import InvalidInputError

RowType = TypeVar("RowType", bound=BaseModel)
MOST_ERRORS = 20
"""How many problems of one file are told; their number is told whole."""


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InvalidInputError: naming the file, the line and what is wrong.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="restore the file") from problem
    except UnicodeDecodeError as problem:
        raise _not_utf8(path) from problem
    except json.JSONDecodeError as problem:
        raise InvalidInputError(
            f"{path.name}, line {problem.lineno}: {problem.msg}", fix="mend the JSON"
        ) from problem


def read_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV file with their line numbers; a ragged row is an error.

    The columns may be separated by commas, semicolons or tabs: the header decides.

    Raises:
        InvalidInputError: the file cannot be read, or a row has too many or too few columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=header.count)
            reader = csv.DictReader(file, restkey="_extra", restval=None, delimiter=delimiter)
            for row in reader:
                if "_extra" in row or None in row.values():
                    raise InvalidInputError(
                        f"{path.name}, line {reader.line_num}: wrong number of columns",
                        fix="give every row the columns of the header",
                    )
                yield reader.line_num, row
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="restore the file") from problem
    except UnicodeDecodeError as problem:
        raise _not_utf8(path) from problem
    except csv.Error as problem:
        raise InvalidInputError(f"{path.name} is no CSV: {problem}", fix="save it as CSV") from None


def _not_utf8(path: Path) -> InvalidInputError:
    return InvalidInputError(
        f"{path.name} is not UTF-8 text", fix="save it as CSV UTF-8 (a choice of 'Save as')"
    )


@dataclass(frozen=True)
class RowError:
    """What is wrong with one row of a file; `row` is its line (CSV) or place (JSON), from 1."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        """Return it as a person reads it."""
        column = f", {self.column}" if self.column else ""
        return f"row {self.row}{column}: {self.message}"


@dataclass(frozen=True)
class Checked(Generic[RowType]):
    """The rows of a file that are right, with their numbers, and every problem of the others."""

    rows: list[tuple[int, RowType]]
    errors: list[RowError]


def read_table(
    path: Path, columns: Sequence[str], mapping: Mapping[str, str]
) -> list[tuple[int, dict[str, Any]]]:
    """Read a CSV or JSON file as rows under our own column names; other columns are left out.

    Args:
        path: A `.csv`, `.tsv` or `.json` file; JSON is a list of objects.
        columns: The columns we know.
        mapping: Our column -> the name it has in the file.

    Raises:
        InvalidInputError: the file cannot be read, or the mapping names what is not there.
    """
    unknown = sorted(set(mapping) - set(columns))
    if unknown:
        raise InvalidInputError(
            f"there is no column {unknown[0]!r} to map to", fix=f"use {', '.join(columns)}"
        )
    if path.suffix.lower() == ".json":
        found = read_json(path)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise InvalidInputError(
                f"{path.name} is not a list of rows", fix='write [{"column": value, ...}, ...]'
            )
        rows = list(enumerate(found, start=1))
    else:
        rows = list(read_csv(path))
    if not rows:
        raise InvalidInputError(f"{path.name} has no rows", fix="check the file")
    theirs = {name: mapping.get(name, name) for name in columns}
    present = {name for _, row in rows for name in row}
    if gone := sorted(set(mapping.values()) - present):
        raise InvalidInputError(f"{path.name} has no {gone[0]!r}", fix="check --map")
    return [
        (number, {ours: row[name] for ours, name in theirs.items() if row.get(name, "") != ""})
        for number, row in rows
    ]


def check_rows(model: type[RowType], rows: Sequence[tuple[int, Mapping[str, Any]]]) -> Checked[Any]:
    """Check rows field by field; lists and maps may be written as `a;b` and `EUR=5;GBP=4`."""
    adapter = TypeAdapter(model)
    parts = {n: kind for n, f in model.model_fields.items() if (kind := _part(f.annotation))}
    good: list[tuple[int, Any]] = []
    errors: list[RowError] = []
    for number, row in rows:
        try:
            filled = {**row, **{n: _whole(row[n], parts[n]) for n in parts if n in row}}
            good.append((number, adapter.validate_python(filled)))
        except ValidationError as problem:
            errors += [_row_error(number, one) for one in problem.errors(include_url=False)]
        except ValueError as problem:
            errors.append(RowError(number, "", str(problem)))
    return Checked(good, errors)


def _part(annotation: Any) -> str:
    """Return `list` or `dict` for a field that holds one, through unions with None."""
    if get_origin(annotation) in (Union, UnionType):
        return next((found for one in get_args(annotation) if (found := _part(one))), "")
    origin = get_origin(annotation) or annotation
    if origin in (list, tuple):
        return "list"
    return "dict" if origin is dict else ""


def _whole(cell: Any, kind: str) -> Any:
    """Return a CSV cell as the list or map it writes."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text[:1] in ("[", "{"):
        return json.loads(text)
    pieces = [piece.strip() for piece in text.split(";") if piece.strip()]
    if kind == "list":
        return pieces
    if not all("=" in piece for piece in pieces):
        raise ValueError(f"{text[:40]!r} is not a map: write EUR=100.00;GBP=90.00")
    return dict(piece.split("=", 1) for piece in pieces)


def _row_error(number: int, problem: Mapping[str, Any]) -> RowError:
    given = problem["input"] if isinstance(problem["input"], str | int) else ""
    message = str(problem["msg"])
    if problem["type"] == "missing":
        message = "is missing"
    elif problem["type"] in ("decimal_parsing", "int_parsing", "date_from_datetime_parsing"):
        form = {"d": "1234.56", "i": "1234"}.get(problem["type"][0], "2026-11-23")
        form = "2026-11-23" if problem["type"].startswith("date") else form
        message = f"{str(given)[:40]!r} cannot be read; write it like {form}"
    elif given != "":
        message = f"{message} (it is {str(given)[:40]!r})"
    return RowError(number, ".".join(str(part) for part in problem["loc"]), message)


def refuse(path: Path, errors: Sequence[RowError]) -> None:
    """Refuse a file with problems, naming the first of them and how many there are.

    Raises:
        InvalidInputError: there is at least one.
    """
    if not errors:
        return
    shown = [str(one) for one in sorted(errors, key=lambda e: e.row)[:MOST_ERRORS]]
    more = f"; and {len(errors) - len(shown)} more" if len(errors) > len(shown) else ""
    raise InvalidInputError(
        f"{path.name}: nothing was imported: {'; '.join(shown)}{more}",
        fix="mend the rows and import the file again",
    )
