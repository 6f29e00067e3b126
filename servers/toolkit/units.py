"""Units of measure, the one list of them: their words, their codes, how finely each is counted."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from servers.toolkit.errors import InvalidInputError

# fmt: off
Unit = Literal[
    "each", "box", "license", "hour", "day", "month",
    "pair", "set", "pack", "case", "carton", "pallet", "roll", "bag", "bottle",
    "g", "kg", "t", "ml", "l", "m", "m2", "m3", "week", "year", "user",
]
# fmt: on


class Measure(NamedTuple):
    """What a unit is called, its UN/ECE Recommendation 20 or 21 code, and its decimals."""

    one: str
    many: str
    code: str
    decimals: int = 0


UNITS: dict[str, Measure] = {
    "each": Measure("pc", "pcs", "C62"),
    "pair": Measure("pair", "pairs", "PR"),
    "set": Measure("set", "sets", "SET"),
    "pack": Measure("pack", "packs", "XPK"),
    "box": Measure("box", "boxes", "XBX"),
    "case": Measure("case", "cases", "XCS"),
    "carton": Measure("carton", "cartons", "XCT"),
    "pallet": Measure("pallet", "pallets", "XPX"),
    "roll": Measure("roll", "rolls", "XRO"),
    "bag": Measure("bag", "bags", "XBG"),
    "bottle": Measure("bottle", "bottles", "XBO"),
    "g": Measure("g", "g", "GRM", 3),
    "kg": Measure("kg", "kg", "KGM", 3),
    "t": Measure("t", "t", "TNE", 3),
    "ml": Measure("ml", "ml", "MLT", 3),
    "l": Measure("l", "l", "LTR", 3),
    "m": Measure("m", "m", "MTR", 3),
    "m2": Measure("m²", "m²", "MTK", 3),
    "m3": Measure("m³", "m³", "MTQ", 3),
    "hour": Measure("hour", "hours", "HUR", 2),
    "day": Measure("day", "days", "DAY", 2),
    "week": Measure("week", "weeks", "WEE", 2),
    "month": Measure("month", "months", "MON"),
    "year": Measure("year", "years", "ANN"),
    "license": Measure("licence", "licences", "C62"),
    "user": Measure("user", "users", "C62"),
}

_WORDS = {
    "each": "ea, pc, pcs, piece, pieces, unit, units, item, items, stk, st, stck, stück, stueck, "
    "stücke, einheit, einheiten, c62, h87",
    "pair": "pairs, pr, paar, paare",
    "set": "sets, satz, sätze, kit, kits",
    "pack": "packs, pk, pkg, package, packages, packet, packets, packung, packungen, pck, pkt, "
    "päckchen, paket, pakete, ve, gebinde",
    "box": "boxes, bx, schachtel, schachteln",
    "case": "cases, cs, kiste, kisten, kst",
    "carton": "cartons, ctn, ct, karton, kartons, ktn, krt",
    "pallet": "pallets, plt, palette, paletten, pal",
    "roll": "rolls, rl, rolle, rollen, rol",
    "bag": "bags, bg, beutel, sack, säcke, tüte, tüten",
    "bottle": "bottles, btl, flasche, flaschen, fl",
    "g": "gr, gram, grams, gramme, gramm",
    "kg": "kgs, kilo, kilos, kilogram, kilograms, kilogramme, kilogramm",
    "t": "to, ton, tonne, tonnes, tons, tonnen",
    "ml": "millilitre, millilitres, milliliter, milliliters",
    "l": "lt, ltr, litre, litres, liter, liters",
    "m": "mtr, lfm, lfdm, meter, meters, metre, metres, laufmeter",
    "m2": "m², qm, sqm, square metre, square metres, square meter, square meters, quadratmeter",
    "m3": "m³, cbm, cubic metre, cubic metres, cubic meter, cubic meters, kubikmeter",
    "hour": "hours, h, hr, hrs, std, stunde, stunden",
    "day": "days, d, tag, tage, personentag, personentage, pt, man-day, man-days, manntag, "
    "manntage",
    "week": "weeks, wk, wks, woche, wochen",
    "month": "months, mo, mon, monat, monate",
    "year": "years, yr, yrs, jahr, jahre",
    "license": "licenses, licence, licences, lic, lizenz, lizenzen, seat, seats",
    "user": "users, nutzer, benutzer, anwender",
}
UNIT_WORDS: dict[str, str] = {
    word.casefold(): unit for unit in _WORDS for word in (unit, *_WORDS[unit].split(", "))
}
"""What people write for a unit, in English and German: case folded, without a full stop.

A dozen is not here: it is a pack of twelve, and how many are in a pack is the item's to say.
"""


class Counted(Protocol):
    """A line, as far as it says how much of what."""

    @property
    def line_id(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit(self) -> str: ...


def check_quantities(lines: Iterable[Counted]) -> None:
    """Refuse a quantity that is finer than its unit is counted."""
    for line in lines:
        most = UNITS[line.unit].decimals
        if line.quantity != round(line.quantity, most):
            takes = f"at most {most} decimals" if most else "whole numbers only"
            raise InvalidInputError(
                f"line {line.line_id}: {line.quantity} {line.unit}, which takes {takes}",
                fix="round the quantity, or give it in the unit that it is measured in",
            )
