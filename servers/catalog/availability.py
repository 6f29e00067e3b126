"""When lines are ready to ship: from stock first, then from deliveries to us, then newly built."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

from servers.catalog import rulebook as rb
from servers.catalog.schemas import Availability, LineAvailability
from servers.catalog.selection import Item, finding
from servers.toolkit.findings import Finding
from servers.toolkit.money import whole_down

HANDLING = timedelta(days=1)
"""Picking and packing what is on the shelf."""


def promise(
    items: Sequence[Item],
    stock: Mapping[str, rb.Stock],
    order_date: date,
    needed_by: date | None,
    rules: Sequence[rb.Rule],
) -> Availability:
    """Return when each line is ready, and a finding where that is late or unknown.

    A bundle is followed by its components. Lines of one SKU share its shelf, in the order they
    stand. A delivery to us that should have arrived by the order date is not counted: until it is
    booked in, nobody has seen it.
    """
    tests: dict[str, rb.LeadTime] = {r.test: r for r in rules if isinstance(r, rb.LeadTime)}
    taken: dict[str, Decimal] = defaultdict(Decimal)
    lines: list[LineAvailability] = []
    findings: list[Finding] = []
    for _, group in groupby(items, key=lambda item: item.line.line_id):
        head, *inside = group
        parts = []
        for item in inside if head.product.kind == "bundle" else [head]:
            if item.product.kind == "bundle":
                continue  # its own parts stand beside it
            line = _line(item, stock.get(item.product.sku), taken, order_date)
            parts.append(line)
            findings += _judge(item, line, stock.get(item.product.sku), needed_by, tests)
        lines.append(_together(head, parts) if head.product.kind == "bundle" else parts[0])
    return Availability(lines=lines, findings=findings)


def _together(bundle: Item, parts: Sequence[LineAvailability]) -> LineAvailability:
    """A bundle is ready when its last part is; its free stock is that of the scarcest part."""
    days = [part.promise_date for part in parts]
    known = [day for day in days if day is not None]
    counted = [part.as_of for part in parts if part.as_of is not None]
    free = (whole_down(part.available * bundle.pieces / part.quantity) for part in parts)
    return LineAvailability(
        line_id=bundle.line.line_id,
        sku=bundle.product.sku,
        quantity=bundle.pieces,
        available=Decimal(min(free, default=0)),
        promise_date=max(known, default=None) if len(known) == len(days) else None,
        as_of=min(counted, default=None),
    )


def _line(
    item: Item, row: rb.Stock | None, taken: dict[str, Decimal], order_date: date
) -> LineAvailability:
    sku, wanted = item.product.sku, item.pieces
    free, ready, as_of = Decimal(0), None, None
    if item.product.kind == "subscription":
        free, ready = wanted, order_date
    elif row is not None:
        as_of = row.as_of
        on_shelf = max(Decimal(0), row.on_hand - row.reserved - taken[sku])
        coming = row.inbound_quantity if _is_coming(row, order_date) else 0
        late = max(0, row.on_hand - row.reserved) + coming - taken[sku]
        taken[sku] += wanted
        free = min(on_shelf, wanted)
        built = order_date + timedelta(days=row.lead_time_days)
        if free == wanted:
            ready = order_date + HANDLING
        elif row.inbound_date is not None and late >= wanted:
            ready = min(row.inbound_date + HANDLING, built)
        else:
            ready = built
    return LineAvailability(
        line_id=item.line.line_id,
        sku=sku,
        quantity=wanted,
        available=free,
        promise_date=ready,
        as_of=as_of,
    )


def _is_coming(row: rb.Stock, order_date: date) -> bool:
    return row.inbound_date is not None and row.inbound_date > order_date


def _judge(
    item: Item,
    line: LineAvailability,
    row: rb.Stock | None,
    needed_by: date | None,
    tests: Mapping[str, rb.LeadTime],
) -> list[Finding]:
    if line.promise_date is None:
        test = "unknown"
    elif needed_by is not None and line.promise_date > needed_by:
        test = "late"
    elif item.product.kind == "goods" and line.available < line.quantity:
        test = "backorder"
    else:
        return []
    rule = tests.get(test)
    if rule is None:
        return []
    evidence = [item.text, f"{line.available} on the shelf as of {line.as_of}"]
    if row is not None:
        evidence.append(f"lead time {row.lead_time_days} days")
        if row.inbound_quantity:
            evidence.append(f"{row.inbound_quantity} arriving {row.inbound_date}")
    fix = ""
    if test == "late":
        fix = f"agree {line.promise_date}, or suggest_substitutes"
        if line.available:
            fix = f"ship {line.available} now and the rest on {line.promise_date}"
    return [
        finding(
            rule,
            line.line_id,
            evidence,
            fix=fix,
            sku=line.sku,
            quantity=line.quantity,
            available=line.available,
            promise=line.promise_date,
            needed=needed_by,
        )
    ]
