"""Lines of a quote as a person types them, or as a file has them; no product is looked up here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestrator.errors import UsageError
from servers.toolkit.table_files import read_rows
from servers.toolkit.units import UNIT_WORDS
from servers.toolkit.written_numbers import read_number

EXAMPLE = 'write "12 x SKU", "3 boxes of cable" or "10 licences SKU for 24 months"'
WHAT = ("sku", "product", "phrase")
COLUMNS = (*WHAT, "quantity", "unit", "term_months", "discount")
MONTHS = {"month": 1, "year": 12}
_LINE = re.compile(r"([\d.,'’]+)(?:\s*[x×*]\s+|\s*+(?=\D)(?![x×*]$))(.+)")
_TIMES = re.compile(r"\s*[\d.,'’]+\s*[x×*]\s")
_TERM = re.compile(r"(.+?)\s+(?:for|für)\s+(\d{1,3})\s+(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Typed:
    """How much of what: the words name a product, and the unit is the item's own when not said."""

    words: str
    quantity: int | str
    unit: str | None = None
    term_months: int | None = None


def read_line(text: str) -> Typed:
    """Read `12 x SKU`. Without the x, a unit may follow the number; with it, `boxes of` may."""
    found = _LINE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} says no quantity and product", fix=EXAMPLE)
    words, months = _term(found[2].split())
    unit, rest = _unit(words)
    named = rest[0].casefold() in ("of", "von") and len(rest) > 1
    if _TIMES.match(text) and not named:
        unit, rest = None, words
    elif named:
        rest = rest[1:]
    return Typed(" ".join(rest), _quantity(found[1], text), unit, months)


def _term(words: list[str]) -> tuple[list[str], int | None]:
    found = _TERM.fullmatch(" ".join(words))
    per = MONTHS.get(UNIT_WORDS.get(found[3].casefold(), "")) if found else None
    if found is None or per is None:
        return words, None
    return found[1].split(), int(found[2]) * per


def _unit(words: list[str]) -> tuple[str | None, list[str]]:
    for many in (2, 1):
        unit = UNIT_WORDS.get(" ".join(words[:many]).casefold().rstrip("."))
        if unit is not None and words[many:]:
            return unit, words[many:]
    return None, words


def _quantity(written: str, text: str) -> int | str:
    try:
        number = Decimal(read_number(written, ""))
    except (ArithmeticError, ValueError) as problem:
        fix = "write 1000 without a mark, or 1.0 for one"
        raise UsageError(f"{text!r}: {written} is no number, or two", fix=fix) from problem
    return int(number) if number == number.to_integral_value() else f"{number.normalize():f}"


def read_file(path: Path) -> tuple[list[Typed], str | None]:
    """Read a file of lines; return them, and the discount when the file gives one for all.

    Its columns are sku, product or phrase; quantity; and, if need be, unit, term_months, discount.
    """
    found = read_rows(path)
    names = [name.strip().lower() for name in found.header]
    if not set(names) & set(WHAT) or "quantity" not in names or set(names) - set(COLUMNS):
        raise UsageError(
            f"{path.name} has the columns {', '.join(found.header)}",
            fix="name them sku (or product), quantity, and if need be unit, term_months, discount",
        )
    rows = [
        (f"{path.name}, {place}", {name.strip().lower(): str(cell) for name, cell in row.items()})
        for place, row in found.rows
    ]
    discounts = {row.get("discount", "") for _, row in rows}
    if len(discounts) > 1:
        fix = "give one for all, and change lines with `dealdesk quote revise --adjust`"
        raise UsageError(f"{path.name} has different discounts on its lines", fix=fix)
    return [_typed(where, row) for where, row in rows], next(iter(discounts), "") or None


def _typed(where: str, row: dict[str, Any]) -> Typed:
    words = next((row[name] for name in WHAT if row.get(name)), "")
    unit = row.get("unit", "")
    known = UNIT_WORDS.get(unit.casefold().rstrip("."))
    if not words or not row.get("quantity") or (unit and known is None):
        wrong = f"the unit {unit!r} is not known" if unit and known is None else "a cell is missing"
        raise UsageError(f"{where}: {wrong}", fix="every row has a product and a quantity")
    months = row.get("term_months")
    if months is not None and not months.isdecimal():
        raise UsageError(f"{where}: {months!r} is no number of months", fix="write 24")
    return Typed(words, _quantity(row["quantity"], where), known, int(months) if months else None)
