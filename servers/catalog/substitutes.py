"""What may stand in for a product: its successor, what is on file, then what is alike."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from servers.catalog import rulebook as rb
from servers.catalog.compatibility import sold
from servers.catalog.configuration import STOPS
from servers.catalog.eligibility import Destination, check_each
from servers.catalog.schemas import LineIn, Product, Substitute
from servers.catalog.selection import Item
from servers.toolkit.findings import Severity

SIMILAR = 3


def suggest(
    product: Product,
    rows: Sequence[rb.SubstituteRow],
    catalog: Mapping[str, Product],
    rules: Sequence[rb.Rule],
    where: Destination | None,
    day: date | None = None,
) -> list[Substitute]:
    """Return stand-ins, the closest first; nothing is ever replaced by itself.

    `rows` are the product's substitutes on file, `catalog` has them and its family. Where
    destination and day are both known each stand-in is judged for them; without a day the
    lifecycle says what is sold.
    """
    found: dict[str, tuple[str, str]] = {}
    successor = catalog.get(product.successor_sku or "")
    if successor is not None:
        found[successor.sku] = ("successor", f"the successor of {product.sku}")
    for row in rows:
        if row.stand_in in catalog:
            found.setdefault(row.stand_in, (row.relation, row.note))
    if not found:
        for other in _similar(product, catalog.values()):
            same, all_names = _shared(product, other)
            found[other.sku] = ("similar", f"{same} of {all_names} attributes are the same")
    return [_judged(catalog[sku], *said, rules, where, day) for sku, said in found.items()]


def _similar(product: Product, others: Iterable[Product]) -> list[Product]:
    family = [
        other
        for other in others
        if other.family == product.family
        and other.sku != product.sku
        and other.lifecycle in ("active", "last_order")
    ]
    family.sort(key=lambda other: (-_shared(product, other)[0], other.sku))
    return family[:SIMILAR]


def _shared(product: Product, other: Product) -> tuple[int, int]:
    names = product.attributes.keys() | other.attributes.keys()
    same = sum(product.attributes.get(n) == other.attributes.get(n) for n in names)
    return same, len(names)


def _judged(
    product: Product,
    relation: str,
    note: str,
    rules: Sequence[rb.Rule],
    where: Destination | None,
    day: date | None,
) -> Substitute:
    findings = []
    allowed = product.lifecycle in ("active", "last_order") if day is None else sold(product, day)
    if where is not None:
        item = Item(LineIn(line_id="l1", sku=product.sku, quantity=1), product)
        relevant = [r for r in rules if not isinstance(r, rb.QtyPolicy)]
        findings = [
            f for f in check_each(relevant, [item], where) if f.severity is not Severity.INFO
        ]
        allowed = sold(product, where.day) and not any(f.severity in STOPS for f in findings)
    said = {"relation": relation, "note": note, "allowed": allowed, "findings": findings}
    return Substitute.model_validate({"sku": product.sku, "name": product.name, **said})
