"""Bundles: a product made of others, with a price of its own or the sum of its parts.

A bundle has a price of its own exactly when all its required parts are included in it; it is the
sum of its parts when they are priced. Required parts are shown on the bundle's line. Optional
parts are lines of their own that name it (`part_of`): included ones are free, priced ones cost
their list price less the bundle's percentage. Parts are priced by the customer's books; contracts
see the bundle, not what is in it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from servers.finance.facts.blocks import ComponentBlock
from servers.finance.facts.prices import Component, Entry, Item
from servers.finance.facts.windows import Window
from servers.finance.findings import finding, percent, plain
from servers.finance.prices.books import Choice
from servers.finance.prices.units import UnitPrice
from servers.finance.schemas import LineIn
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import six_decimals, trimmed

MAX_DEPTH = 5
"""How deep bundles may lie in bundles."""
ZERO = Decimal(0)
RULE = "BUNDLE"
Look = Callable[[str, Decimal, str], Choice]
"""How the price of a part is looked up: SKU, pieces and line to a choice of the books."""


class Parts:
    """The components of bundles, by bundle."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._of: dict[str, list[Component]] = {}
        for one in sorted(components, key=lambda c: (c.bundle_sku, c.sku)):
            self._of.setdefault(one.bundle_sku, []).append(one)

    def required(self, sku: str) -> list[Component]:
        return [one for one in self._of.get(sku, ()) if not one.optional]

    def optional(self, bundle: str, sku: str) -> Component | None:
        return next((c for c in self._of.get(bundle, ()) if c.optional and c.sku == sku), None)

    def summed(self, sku: str) -> bool:
        return any(one.price_mode == "priced" for one in self.required(sku))

    def leaves(self, sku: str, times: int = 1, depth: int = 0) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.required(sku):
            inner = self.required(one.sku) and depth < MAX_DEPTH
            many = times * one.quantity
            parts = self.leaves(one.sku, many, depth + 1) if inner else {one.sku: many}
            for part, quantity in parts.items():
                found[part] = found.get(part, 0) + quantity
        return found

    def blocks(self, sku: str, items: Mapping[str, Item]) -> list[ComponentBlock]:
        return [
            ComponentBlock(sku=part, name=items[part].name if part in items else part, quantity=n)
            for part, n in sorted(self.leaves(sku).items())
        ]


def completed(items: Mapping[str, Item], parts: Parts) -> dict[str, Item]:
    """Return the items with cost, weight and flags of bundles that state none of their own."""
    done = dict(items)
    for sku, item in items.items():
        inside = [(items.get(part), n) for part, n in parts.leaves(sku).items()]
        if not inside:
            continue
        known = [(one, n) for one, n in inside if one is not None]
        flags = item.flags.union(*(one.flags for one, _ in known))
        whole = len(known) == len(inside)
        costs = [one.cost * n for one, n in known if one.cost is not None]
        same = {one.cost_currency for one, _ in known} == {item.cost_currency}
        cost = sum(costs, ZERO) if whole and same and len(costs) == len(known) else None
        grams = [one.weight_g * n for one, n in known if one.weight_g is not None]
        weight = sum(grams) if whole and len(grams) == len(known) else None
        done[sku] = replace(
            item,
            cost=cost if item.cost is None else item.cost,
            weight_g=weight if item.weight_g is None else item.weight_g,
            flags=flags,
        )
    return done


def summed_price(sku: str, pieces: Decimal, subject: str, parts: Parts, look: Look) -> Choice:
    total, said, findings = ZERO, [], []
    for one in parts.required(sku):
        if one.price_mode == "included":
            said.append(f"{one.quantity} x {one.sku} included")
            continue
        found = look(one.sku, pieces * one.quantity, subject)
        findings += found.findings
        if found.entry is None or found.amount is None:
            continue
        if found.entry.default_term_months is not None:
            fix = "make it an optional part"
            findings.append(_wrong(subject, f"{one.sku} is sold for a term", fix))
            continue
        each = six_decimals(found.amount * (1 - one.percent_off / 100))
        total += each * one.quantity
        less = f" less {percent(one.percent_off)}%" if one.percent_off else ""
        said.append(f"{one.quantity} x {one.sku} at {plain(found.amount)}{less}")
    if findings:
        return Choice(findings=findings)
    name, note, amount = f"{sku}: sum of its parts", "; ".join(said), six_decimals(total)
    entry = Entry(name, "", "", "", "", Window(), sku, "", None, amount, note=note)
    return Choice(entry=entry, amount=amount)


def part_price(price: UnitPrice, part: Component, owner: LineIn) -> None:
    """Give an optional part its price within the bundle: free, or less the percentage."""
    before = price.amount
    if before is None:
        return
    if part.price_mode == "included":
        price.amount, note = Decimal("0.00"), f"included in {part.bundle_sku}, free of charge"
    else:
        price.amount = six_decimals(before * (1 - part.percent_off / 100))
        note = f"{percent(part.percent_off)}% off as a part of {part.bundle_sku}"
    source = f"{part.bundle_sku}/{part.sku}"
    price.note("bundle", RULE, before, f"{note} ({owner.line_id})", source=source)


def find_part(
    line: LineIn, lines: Sequence[LineIn], parts: Parts
) -> tuple[Component, LineIn] | Finding:
    """Return which part of which line a part is, or why it is none.

    All lines that take the same part of the same bundle together may take what the bundle has.
    """
    owner = next((one for one in lines if one.line_id == line.part_of), None)
    if owner is None:
        fix = "set part_of to the line_id of the bundle"
        return _wrong(line.line_id, f"there is no line {line.part_of}", fix)
    part = parts.optional(owner.sku, line.sku)
    if part is None:
        fix = "leave out part_of"
        return _wrong(line.line_id, f"{line.sku} is no optional part of {owner.sku}", fix)
    if is_firm(line) and not is_firm(owner):
        fix = "make the part optional or an alternative too"
        return _wrong(line.line_id, f"its bundle {owner.line_id} is not in the total", fix)
    same = [o for o in lines if o.part_of == line.part_of and o.sku == line.sku and is_firm(o)]
    taken = sum((one.quantity for one in same), ZERO) if is_firm(line) else line.quantity
    most = trimmed(part.quantity * owner.quantity)
    if taken > most:
        fix = "put what goes beyond on a line without part_of"
        message = f"{owner.line_id} takes at most {most} of {line.sku}, not {taken}"
        return _wrong(line.line_id, message, fix)
    return part, owner


def is_firm(line: LineIn) -> bool:
    return not line.optional and line.alternative_of is None


def _wrong(line_id: str, message: str, fix: str) -> Finding:
    return finding("BUNDLE_PART", Severity.ERROR, message, subject=line_id, rule_id=RULE, fix=fix)


def bundle_problems(
    components: Sequence[Component], items: Mapping[str, tuple[str, str]], priced: Iterable[str]
) -> list[str]:
    """Say what is wrong with bundles; `items` gives kind and tax class, `priced` has own prices."""
    parts, own, problems = Parts(components), set(priced), []
    for sku in sorted({one.bundle_sku for one in components}):
        required = parts.required(sku)
        if trail := _circle(sku, parts, (sku,)):
            problems.append(trail)
        if parts.summed(sku) == (sku in own):
            both = "both a price of its own and" if sku in own else "neither a price of its own nor"
            problems.append(f"{sku} has {both} priced parts: it needs exactly one of them")
        problems += [
            f"{sku}: {one.sku} is of another kind or tax class: make it an optional part"
            for one in required
            if items.get(one.sku) != items.get(sku)
        ]
    return problems


def _circle(sku: str, parts: Parts, trail: tuple[str, ...]) -> str:
    for one in parts.required(sku):
        if one.sku in trail:
            return f"{' > '.join([*trail, one.sku])} is a circle"
        if len(trail) > MAX_DEPTH:
            return f"{trail[0]} is more than {MAX_DEPTH} bundles deep"
        if found := _circle(one.sku, parts, (*trail, one.sku)):
            return found
    return ""
