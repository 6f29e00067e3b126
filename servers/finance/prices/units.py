"""Units of measure: how many base units a box or a dozen is.

Quantities are compared in base units. A price of a unit of its own is the price of that unit; a
price per base unit multiplies. A unit without a factor has no price: nothing is guessed.
"""

from collections.abc import Iterable
from decimal import Decimal

from servers.finance.facts.items import ItemUnit

Ratio = tuple[int, int]
"""Base units per unit, as numerator and denominator."""
ONE: Ratio = (1, 1)


class Units:
    """The units of some items, by SKU."""

    def __init__(self, rows: Iterable[ItemUnit]) -> None:
        self._of: dict[str, dict[str, Ratio]] = {}
        for row in rows:
            self._of.setdefault(row.sku, {})[row.unit] = (row.numerator, row.denominator)

    def ratio(self, sku: str, unit: str) -> Ratio | None:
        """Return a unit's factor; an item without any unit rows has one unit, whatever its name."""
        mine = self._of.get(sku)
        return ONE if mine is None else mine.get(unit)

    def base_unit(self, sku: str) -> str:
        rows = self._of.get(sku, {})
        return next((unit for unit, ratio in sorted(rows.items()) if ratio == ONE), "each")

    def multiplies(self, sku: str, priced_by: str, unit: str) -> bool:
        mine = self._of.get(sku)
        if mine is None:
            return priced_by == "" and unit == "each"
        if unit not in mine:
            return False
        return priced_by == "" or mine.get(priced_by) == ONE


def in_base(quantity: Decimal, ratio: Ratio) -> Decimal:
    return quantity * ratio[0] / ratio[1]
