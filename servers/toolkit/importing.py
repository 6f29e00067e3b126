"""Rows from files that people edit: what is wrong is named with its file and line."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from servers.toolkit.errors import InvalidInputError


def read_json(path: Path) -> Any:
    """Read a JSON file of the demo data.

    Raises:
        InvalidInputError: naming the file, the line and what is wrong.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="restore the file") from problem
    except json.JSONDecodeError as problem:
        raise InvalidInputError(
            f"{path.name}, line {problem.lineno}: {problem.msg}", fix="mend the JSON"
        ) from problem


def read_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV file with their line numbers; a ragged row is an error.

    Raises:
        InvalidInputError: the file cannot be read, or a row has too many or too few columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="_extra", restval=None)
            for row in reader:
                if "_extra" in row or None in row.values():
                    raise InvalidInputError(
                        f"{path.name}, line {reader.line_num}: wrong number of columns",
                        fix="give every row the columns of the header",
                    )
                yield reader.line_num, row
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="restore the file") from problem
