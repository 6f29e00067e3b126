"""Cells as people write them, read as their column wants them, and what was read as what."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from servers.toolkit.units import UNIT_WORDS
from servers.toolkit.written_numbers import read_day, read_number
from servers.toolkit.written_words import country, currency, language, words_of, yes_or_no

NAMED: dict[str, Callable[[str], str]] = {
    "country": country,
    "origin_country": country,
    "language": language,
    "currency": currency,
    "cost_currency": currency,
    "credit_currency": currency,
}
"""Columns whose type is text, and that hold a code people write as a word."""
MOMENTS = ("verified_at",)
"""Columns whose type is text, and that hold a day, or a time as ISO 8601 writes it."""
PERCENTS = ("percent", "percent_off")
"""Columns in which the sign of a percentage may stand."""
_ISO = re.compile(r"\d{4}-")
SHOWN = 5
"""How many different words of a column the report tells."""


class Cells:
    """The cells of one file on their way into a table."""

    def __init__(
        self,
        fields: Mapping[str, FieldInfo],
        mark: Callable[[], str],
        *,
        decimal: str = "",
        dates: str = "",
        times: Mapping[str, Decimal] | None = None,
        numbers: Iterable[str] = (),
    ) -> None:
        """Read by the columns' types; `mark` finds the decimal mark where none is given."""
        self._kinds = {name: _kind(name, one) for name, one in fields.items()}
        self._kinds |= dict.fromkeys(numbers, "number")
        self._mark, self._decided = mark, decimal
        self._dates, self._times = dates, times or {}
        self._read_as: dict[str, Counter[tuple[str, str]]] = {}

    def read(self, column: str, value: Any) -> Any:
        """Return what a cell says, in the column's own form.

        Raises:
            ValueError: it can be read in two ways.
        """
        kind = self._kinds.get(column)
        if not isinstance(value, str):
            number = isinstance(value, int | Decimal) and not isinstance(value, bool)
            if number and column in self._times:
                return self._multiplied(column, str(value))
            return _digits(value) if number and (kind == "text" or callable(kind)) else value
        if kind in ("text", "") and column not in self._times:
            return value
        written = value.strip()
        if column in PERCENTS:
            written = written.removesuffix("%").rstrip()
        found = self._word(kind, written)
        if column in self._times:
            found = self._multiplied(column, found)
        if found != written and written:
            self._read_as.setdefault(column, Counter())[(written[:40], str(found))] += 1
        return found

    def told(self) -> tuple[str, ...]:
        """Return what was read as what, most often first: `country: Germany as DE (3)`."""
        return tuple(_told(column, seen) for column, seen in self._read_as.items())

    def _word(self, kind: Any, written: str) -> str:
        if kind in ("number", "count"):
            return self._number(written, whole_number=kind == "count")
        if kind == "day" or (kind == "moment" and not _ISO.match(written)):
            return read_day(written, self._dates)
        return kind(written) if callable(kind) else written

    def _number(self, written: str, *, whole_number: bool) -> str:
        if written.isascii() and written.isdigit():
            return written
        try:
            found = read_number(written, self._decided)
        except ValueError:
            self._decided = self._decided or self._mark()
            found = read_number(written, self._decided)
        point = found.rpartition(".")
        return point[0] if whole_number and point[0] and not point[2].strip("0") else found

    def _multiplied(self, column: str, found: str) -> str:
        try:
            product = Decimal(found) * self._times[column]
        except ArithmeticError:
            return found
        if self._kinds[column] == "count":
            product = product.quantize(Decimal(1), ROUND_HALF_UP)
        return f"{product.normalize():f}"


def _digits(number: Any) -> str:
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def _told(column: str, seen: Counter[tuple[str, str]]) -> str:
    shown = [f"{one} as {other} ({n:,})" for (one, other), n in seen.most_common(SHOWN)]
    more = sum(seen.values()) - sum(n for _, n in seen.most_common(SHOWN))
    return f"{column}: {', '.join(shown)}" + (f", and {more:,} more" if more else "")


def _kind(name: str, one: FieldInfo) -> Any:
    """Return how a column's cells are read: by a function, or as a number, a count, a day, text."""
    parts = _parts(one.annotation)
    if name in NAMED:
        return NAMED[name]
    if name in MOMENTS:
        return "moment"
    if "each" in parts:
        return words_of([part for part in parts if isinstance(part, str)], UNIT_WORDS)
    if bool in parts:
        return yes_or_no
    for kind, types in (("day", date), ("number", Decimal), ("count", int)):
        if types in parts:
            return kind
    return "text" if str in parts else ""


def is_number(one: FieldInfo) -> bool:
    return _kind("", one) in ("number", "count")


def _parts(annotation: Any) -> list[Any]:
    """Return the plain types and the words that a column's type is made of."""
    origin = get_origin(annotation)
    if origin is Literal:
        return list(get_args(annotation))
    if origin in (list, tuple, dict, frozenset) or not get_args(annotation):
        return [annotation]
    return [part for one in get_args(annotation) for part in _parts(one)]
