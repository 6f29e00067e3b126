"""Bundles: the parts a bundle line stands for, and whether its optional parts belong to it.

A bundle is judged by what is in it. Its required components count wherever the parts themselves
would: for compatibility, for the shelf, for weight and dangerous goods. An optional part is a line
of its own that says so with `part_of`.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from servers.catalog.schemas import Component, LineIn, Product
from servers.catalog.selection import MAX_EVIDENCE, Item
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import trimmed

MAX_DEPTH = 5
"""Bundles inside bundles, at most so deep; the loader refuses deeper ones."""


def unpack(items: Sequence[Item], catalog: Mapping[str, Product]) -> list[Item]:
    """Return the items, each bundle followed by its required components.

    A component keeps the line's id and its place (optional, alternative), and is counted in
    pieces: four cameras in a kit, three kits, are twelve.
    """
    found: list[Item] = []
    for item in items:
        found.append(item)
        if item.product.kind == "bundle":
            found += _inside(item, item.pieces, catalog, MAX_DEPTH)
    return found


def _inside(
    item: Item, count: Decimal, catalog: Mapping[str, Product], depth: int
) -> Iterator[Item]:
    for part in item.product.components:
        product = catalog.get(part.sku)
        if part.optional or product is None or depth == 0:
            continue
        made = Item(_line(item.line, part, product, count), product, inside=item.product.sku)
        yield made
        yield from _inside(made, made.pieces, catalog, depth - 1)


def _line(line: LineIn, part: Component, product: Product, count: Decimal) -> LineIn:
    """The line a component would be; not validated, its count may pass a caller's bound."""
    change: dict[str, object] = {
        "sku": part.sku,
        "quantity": trimmed(part.quantity * count),
        "unit": "each",
        "options": (),
    }
    if product.kind != "subscription":
        change |= {"term_months": None, "start": None, "end": None}
    return line.model_copy(update=change)


def misplaced(items: Sequence[Item]) -> list[Finding]:
    """Return what is wrong with optional parts: not of that bundle, too many, wrong in number."""
    lines = {item.line.line_id: item for item in items}
    findings: list[Finding] = []
    for item in items:
        if item.line.part_of is not None:
            findings += _belongs(item, lines[item.line.part_of])
    for bundle in items:
        if bundle.product.kind == "bundle":
            parts = [i for i in items if i.line.part_of == bundle.line.line_id]
            findings += _in_groups(bundle, parts)
    return findings


def _belongs(item: Item, bundle: Item) -> Iterator[Finding]:
    offered = {part.sku: part for part in bundle.product.components if part.optional}
    part = offered.get(item.product.sku)
    if part is None:
        names = ", ".join(offered) or "none"
        yield Finding(
            code="BUNDLE_PART",
            severity=Severity.ERROR,
            message=f"{item.product.sku} is no optional part of {bundle.product.sku}.",
            subject=item.line.line_id,
            rule_id="catalog.bundle-part",
            evidence=[bundle.text, item.text, f"optional parts: {names}"],
            fix="quote it as a line of its own, without part_of",
        )
    elif item.pieces > part.quantity * bundle.pieces:
        most = trimmed(part.quantity * bundle.pieces)
        yield Finding(
            code="BUNDLE_COUNT",
            severity=Severity.ERROR,
            message=f"{bundle.product.sku} takes at most {most} x {part.sku}.",
            subject=item.line.line_id,
            rule_id="catalog.bundle-count",
            evidence=[bundle.text, item.text, f"{part.quantity} in each bundle"],
            fix=f"{most} as part of the bundle, the others as a line without part_of",
        )


def _in_groups(bundle: Item, parts: Sequence[Item]) -> Iterator[Finding]:
    """The parts chosen from each group, counted by kind: two sorts of lens are two."""
    group_of = {part.sku: part.group for part in bundle.product.components if part.optional}
    for group in bundle.product.option_groups:
        offered = [sku for sku, name in group_of.items() if name == group.group]
        chosen = {part.product.sku for part in parts} & set(offered)
        if group.min_select <= len(chosen) <= group.max_select:
            continue
        few = len(chosen) < group.min_select
        wanted = f"at least {group.min_select}" if few else f"at most {group.max_select}"
        yield Finding(
            code="BUNDLE_GROUP",
            severity=Severity.ERROR,
            message=f"{bundle.product.sku} takes {wanted} of {group.group}, has {len(chosen)}.",
            subject=bundle.line.line_id,
            rule_id="catalog.count-in-group",
            evidence=[bundle.text, *(part.text for part in parts)][:MAX_EVIDENCE],
            fix=f"{'choose from' if few else 'keep some of'} {', '.join(offered)}"[:300],
        )
