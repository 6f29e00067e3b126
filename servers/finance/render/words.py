"""Amounts, dates and codes in words, the way a customer expects to read them."""

import unicodedata
from datetime import date
from decimal import Decimal

import pycountry
from babel.dates import format_date

from servers.finance.facts.blocks import Allowance, SellerBlock
from servers.toolkit.money import exponent, from_minor
from servers.toolkit.shipped import shipped
from servers.toolkit.units import UNITS

LOCALE = "en_GB"

_FILE = shipped(__package__, "words")
TAX: dict[str, str] = _FILE["tax"]
LEVIES: dict[str, list[str]] = _FILE["levies"]
"""Taxes on sales that are no VAT, by country: the name, and the code of UNECE 5153."""
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def amount(minor: int | None, currency: str) -> str:
    """Return an amount without its currency: `1,234.50`; a dash when there is none."""
    if minor is None:
        return "–"
    return _number(from_minor(minor, currency), exponent(currency))


def money(minor: int | None, currency: str) -> str:
    """Return an amount with its currency code: `1,234.50 EUR`; a dash when there is none."""
    return "–" if minor is None else f"{amount(minor, currency)} {currency}"


def off(minor: int, currency: str) -> str:
    """Return a reduction as it is printed: `−12.00`; nothing off is `0.00`."""
    return f"−{amount(minor, currency)}" if minor > 0 else amount(-minor, currency)


def decimals_of(price: str | None, currency: str) -> int:
    """Return how many decimals a unit price needs: the currency's, or more when it has them."""
    found = Decimal(price or "0").normalize().as_tuple().exponent
    return max(exponent(currency), -found if isinstance(found, int) else 0)


def unit_price(price: str | None, currency: str, decimals: int | None = None) -> str:
    if price is None:
        return "–"
    return _number(Decimal(price), decimals_of(price, currency) if decimals is None else decimals)


def _number(value: Decimal, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", "−")


def day(value: date | None) -> str:
    """Return a date as `23 November 2026`; a dash when there is none."""
    return "–" if value is None else str(format_date(value, "d MMMM y", locale=LOCALE))


def country(code: str) -> str:
    found = pycountry.countries.get(alpha_2=code)
    return str(getattr(found, "common_name", found.name)) if found else code


def quantity(count: Decimal, unit: str) -> str:
    """Return a count with its unit: `12 pcs`, `2.5 kg`."""
    one, many, *_ = UNITS[unit]
    return f"{count:,f} {one if count == 1 else many}"


def percent(rate: str | None) -> str:
    """Return a percentage without needless zeros: `19%`."""
    return "" if rate is None else f"{Decimal(rate).normalize():f}%"


def reduction(one: Allowance) -> str:
    """Return what a reduction is called: `Volume discount 5%`."""
    return f"{one.label} {percent(one.percent)}".rstrip()


def basis_points(count: int) -> str:
    """Return basis points as a percentage: 1850 is `18.5%`."""
    return percent(str(Decimal(count) / 100))


def weight(grams: int) -> str:
    """Return a weight in kilograms: `14.4 kg`."""
    return f"{(Decimal(grams) / 1000).normalize():f} kg"


def iban(value: str) -> str:
    plain = value.replace(" ", "")
    return " ".join(plain[i : i + 4] for i in range(0, len(plain), 4))


def severity(value: str) -> str:
    return str(value).replace("_", " ")


def cover_text(cover: str) -> str:
    return str(_FILE["covers"][cover])


def levy(country: str) -> str:
    """Return what a country calls its tax on sales, where that is no VAT."""
    return LEVIES.get(country, ("VAT",))[0]


def signed(seller: SellerBlock) -> list[str]:
    """Return what stands under the name of whoever signs."""
    if not seller.signatory_name:
        return []
    return [", ".join(filter(None, (seller.signatory_title, seller.legal_name)))]


def tax_words(category: str, rate: str, name: str = "") -> str:
    """Return what the tax line says, by its UNCL5305 category and the tax's own name."""
    said = TAX.get(category, category).format(rate=f"{Decimal(rate).normalize():f}")
    return said.replace("VAT", name or "VAT")


def place(jurisdiction: str) -> str:
    """Return the name of a country, or of a country's part: `DE` or `US-CA`."""
    if "-" not in jurisdiction:
        return country(jurisdiction)
    found = pycountry.subdivisions.get(code=jurisdiction)  # type: ignore[no-untyped-call]
    return str(found.name) if found else jurisdiction


def clean(text: str) -> str:
    """Return text without what is not to be seen: control characters and turned directions.

    A name may be written from right to left; it may not turn the amounts that stand after it.
    """
    if text.isprintable():
        return text
    kept = (c if unicodedata.category(c) != "Cc" else " " for c in text if c not in _TURNS)
    return "".join(kept)


def standing(number: str | None, status: str) -> str:
    if status in ("issued", "accepted"):
        return "" if status == "issued" else "accepted"
    return f"{status} · {'not an offer' if number is None else 'no longer an offer'}"


def title(number: str | None, status: str) -> str:
    if number is None:
        return "Draft quote" if status in ("draft", "waiting", "approved") else f"Quote ({status})"
    return f"Quote {number}"
