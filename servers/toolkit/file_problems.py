"""What is wrong in files, each with its file, row and column, and all of it told at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from servers.toolkit.errors import InvalidInputError

MOST_ERRORS = 20
"""How many problems are told; their number is told whole."""

_KIND = re.compile(r"decimal|literal\[.*\]|constrained-\w+|function-[\w-]+\(.*\)")
"""What pydantic adds to a path to say which of several types it tried."""


@dataclass(frozen=True)
class Problem:
    """What is wrong in a file; `row` is a line (CSV) or a place, from 1, and 0 the whole file."""

    file: str
    row: int
    column: str
    message: str

    def __str__(self) -> str:
        place = f"row {self.row}" if self.row else ""
        where = ", ".join(part for part in (place, self.column) if part)
        return f"{self.file}: {where}: {self.message}" if where else f"{self.file}: {self.message}"


def by_column(problem: ValidationError) -> dict[str, Any]:
    """Return what is wrong, by column; of a cell that may be one of several things, once."""
    found: dict[str, Any] = {}
    for one in problem.errors(include_url=False):
        path = [str(part) for part in one["loc"] if not _KIND.fullmatch(str(part))]
        found.setdefault(".".join(path), one)
    return found


def cell_problem(problem: Mapping[str, Any]) -> str:
    given = problem["input"] if isinstance(problem["input"], str | int) else ""
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] in ("decimal_parsing", "int_parsing", "date_from_datetime_parsing"):
        form = {"d": "1234.56", "i": "1234"}.get(problem["type"][0], "2026-11-23")
        form = "2026-11-23" if problem["type"].startswith("date") else form
        return f"{str(given)[:40]!r} cannot be read; write it like {form}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{message} (it is {str(given)[:40]!r})" if given != "" else message


def refuse(problems: Sequence[Problem]) -> None:
    """Refuse files with problems, naming the first of them and how many there are."""
    if not problems:
        return
    files = list(dict.fromkeys(one.file for one in problems))
    ordered = sorted(problems, key=lambda one: (files.index(one.file), one.row))
    more = len(problems) - MOST_ERRORS
    raise InvalidInputError(
        f"nothing was imported: {'; '.join(map(str, ordered[:MOST_ERRORS]))}"
        + (f"; and {more} more" if more > 0 else ""),
        fix="mend the rows and import again",
    )
