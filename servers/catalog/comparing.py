"""Products side by side."""

from collections.abc import Sequence

from servers.catalog import schemas as s

FACTS = ("lifecycle", "weight_g", "warranty_months", "eccn", "un_number", "origin_country")
"""What is compared beside the attributes."""


def compare(products: Sequence[s.Product]) -> s.Comparison:
    """Compare products attribute by attribute; those that differ come first."""
    names = dict.fromkeys(name for p in products for name in p.attributes)
    rows = [_row(name, {p.sku: p.attributes.get(name) for p in products}) for name in names]
    rows += [_row(name, {p.sku: getattr(p, name) for p in products}) for name in FACTS]
    rows = [row for row in rows if any(value is not None for value in row.values.values())]
    rows.sort(key=lambda row: not row.differs)
    return s.Comparison(items=[s.ProductSummary.of(p) for p in products], attributes=rows)


def _row(name: str, values: dict[str, s.AttributeValue | None]) -> s.ComparedAttribute:
    differs = len({repr(value) for value in values.values()}) > 1
    return s.ComparedAttribute(attribute=name, values=values, differs=differs)
