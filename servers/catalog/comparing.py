"""Products side by side."""

from collections.abc import Sequence

from servers.catalog.schemas import (
    AttributeValue,
    ComparedAttribute,
    Comparison,
    Product,
    ProductSummary,
)

FACTS = ("lifecycle", "weight_g", "warranty_months", "eccn", "un_number", "origin_country")
"""What is compared beside the attributes."""


def compare(products: Sequence[Product]) -> Comparison:
    """Compare products attribute by attribute; those that differ come first."""
    names = dict.fromkeys(name for p in products for name in p.attributes)
    rows = [_row(name, {p.sku: p.attributes.get(name) for p in products}) for name in names]
    rows += [_row(name, {p.sku: getattr(p, name) for p in products}) for name in FACTS]
    rows = [row for row in rows if any(value is not None for value in row.values.values())]
    rows.sort(key=lambda row: not row.differs)
    return Comparison(items=[ProductSummary.of(p) for p in products], attributes=rows)


def _row(name: str, values: dict[str, AttributeValue | None]) -> ComparedAttribute:
    differs = len({repr(value) for value in values.values()}) > 1
    return ComparedAttribute(attribute=name, values=values, differs=differs)
