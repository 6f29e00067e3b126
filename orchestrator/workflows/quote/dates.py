"""Dates as people write them, read by rule: month names in five languages, ISO, day first."""

from __future__ import annotations

import re
from datetime import date, timedelta

from servers.toolkit.shipped import shipped

_MONTHS: list[list[str]] = shipped(__package__, "months")["months"]
_NAME = "|".join(sorted({n for names in _MONTHS for n in names}, key=len, reverse=True))
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.|º)?(?:\s+of|\s+de|\s+di)?\s+({_NAME})\w*\.?"
    r"(?:,?\s+(?:de\s+)?(\d{4}))?",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"\b({_NAME})\w*\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}}))?", re.IGNORECASE
)
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_NUMERIC = re.compile(r"\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b")
_END_OF = re.compile(
    rf"\b(?:end of|ende|fin(?:e)? (?:de|di))\s+({_NAME})\w*(?:\s+(\d{{4}}))?", re.IGNORECASE
)


def read_date(text: str, today: date) -> date | None:
    """Return the first date a text names, on or after `today` when it gives no year.

    Numeric dates are read day first, except for an ISO date. Words like "soon" are no date.
    """
    return find_date(text, today)[0]


def find_date(text: str, today: date) -> tuple[date | None, int]:
    """Return the date that `read_date` reads, and where its words end; 0 when there is none."""
    if found := _ISO.search(text):
        day = _make(int(found[1]), int(found[2]), int(found[3]))
    elif found := _NUMERIC.search(text):
        day = _make(int(found[3]), int(found[2]), int(found[1]))
    elif found := _DAY_MONTH.search(text):
        day = _coming(int(found[1]), _month(found[2]), found[3], today)
    elif found := _MONTH_DAY.search(text):
        day = _coming(int(found[2]), _month(found[1]), found[3], today)
    elif found := _END_OF.search(text):
        first = _coming(1, _month(found[1]), found[2], today.replace(day=1))
        day = None if first is None else _last_of(first)
    else:
        return None, 0
    return day, found.end()


def _month(name: str) -> int:
    low = name.lower()
    return next(i for i, names in enumerate(_MONTHS, start=1) if low in names)


def _coming(day: int, month: int, year: str | None, today: date) -> date | None:
    if year is not None:
        return _make(int(year), month, day)
    this = _make(today.year, month, day)
    return this if this is None or this >= today else _make(today.year + 1, month, day)


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _last_of(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
