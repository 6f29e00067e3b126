"""Numbers and days as people write them; what could be read in two ways is refused."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import exponent

SPACES = r" \u00a0\u202f'’"
_MONEY = r"[A-Z]{3}|(?:US|[AC])?\$|[€£¥₣₤₩₪₫₹₺₽₴]|Fr\.|kr\.?|zł"
_PRICED = re.compile(
    rf"(?:({_MONEY})\s*)?([-+−]?[\d.,{SPACES}]*\d)\s*([-−]?)\s*(?:({_MONEY}))?", re.ASCII
)
_FORMS = {
    mark: re.compile(
        rf"([-+]?)(\d+|[1-9]\d{{0,2}}(?:[{re.escape(other)}{SPACES}]\d{{3}})+)"
        rf"(?:{re.escape(mark)}(\d+))?"
    )
    for mark, other in ((".", ","), (",", "."))
}
_DAY = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[T ]\d{1,2}:\d\d.*)?")


def number_forms(written: str) -> dict[str, str]:
    """Return a number as each decimal mark that fits would have it: {",": "1234", ".": "1.234"}.

    A currency beside it does not count. What is no number fits none.
    """
    found = _PRICED.fullmatch(written.strip())
    if found is None or not all(map(_is_money, (found[1], found[4]))):
        return {}
    text = ("-" if found[3] else "") + found[2].replace("−", "-")
    forms = {mark: form.fullmatch(text) for mark, form in _FORMS.items()}
    return {mark: _plain(*one.groups()) for mark, one in forms.items() if one is not None}


def decimal_mark(cells: Iterable[str], *, own: bool = False) -> str:
    """Return the decimal mark that cells have in common, as far as one of them shows it.

    In a file of our `own` form it is a point where no cell has a comma.
    """
    found: set[str] = set()
    commas = False
    for cell in cells:
        forms = number_forms(cell)
        commas = commas or (bool(forms) and "," in cell)
        if len(forms) == 1 and re.search("[.,]", cell):
            found |= forms.keys()
    if len(found) == 1:
        return found.pop()
    return "." if own and not found and not commas else ""


def read_number(written: str, mark: str) -> str:
    """Return a number in digits and a point; what is none comes back as it is.

    Raises:
        ValueError: it can be read in two ways, and no mark (`,` or `.`) is given.
    """
    forms = number_forms(written)
    if mark:
        return forms.get(mark, written)
    values = sorted(set(forms.values()))
    if len(values) > 1:
        raise ValueError(
            f"{written[:40]!r} is {' or '.join(values)}: say in a mapping which mark decimals have "
            "(decimal)"
        )
    return values[0] if values else written


def read_day(written: str, order: str) -> str:
    """Return a day as 2026-12-31; what is none comes back as it is.

    Raises:
        ValueError: 05/06/2026 can be read in two ways, and no order (`dmy`, `mdy`) is given.
    """
    found = _DAY.fullmatch(written.strip())
    if found is None:
        return written
    first, mark, second, third = found.groups()
    if len(first) == 4:
        return _iso(written, first, second, third)
    if len(third) != 4:
        return written
    american = order == "mdy" and mark != "."
    if not order and mark != "." and first != second:
        if int(first) <= 12 and int(second) <= 12:
            raise ValueError(
                f"{written!r} is one of two days: say which comes first (dates in the mapping)"
            )
        american = int(second) > 12
    day, month = (second, first) if american else (first, second)
    return _iso(written, third, month, day)


def _iso(written: str, year: str, month: str, day: str) -> str:
    with suppress(ValueError):
        return date(int(year), int(month), int(day)).isoformat()
    return written


def _is_money(word: str | None) -> bool:
    if word is None or not word.isascii() or not word.isalpha() or word == "kr":
        return True
    with suppress(InvalidInputError):
        return exponent(word) >= 0
    return False


def _plain(sign: str, whole: str, part: str | None) -> str:
    digits = re.sub(r"\D", "", whole)
    return ("-" if sign == "-" else "") + digits + (f".{part}" if part else "")
