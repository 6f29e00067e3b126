"""Rules about lines together: what needs, excludes, or powers and holds what."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from servers.catalog import rulebook as rb
from servers.catalog.packing import fewest, unplaced
from servers.catalog.schemas import Product
from servers.catalog.selection import Add, Item, Problem, finding, number, picked, total
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import trimmed, whole_down, whole_up

Catalog = Mapping[str, Product]
ZERO = Decimal(0)


class _Lines(NamedTuple):
    """What a rule may look at beside its subject."""

    items: Sequence[Item]
    catalog: Catalog
    free: dict[str, Decimal]  # the pieces of a SKU that no rule has used yet


def check_together(
    rules: Iterable[rb.Rule], items: Sequence[Item], catalog: Catalog, day: date
) -> list[Problem]:
    """Judge lines that could be bought together by the rules about that which are in force.

    The catalog has at least the products that the rules offer as additions.
    """
    free: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        free[item.product.sku] += item.pieces
    problems: list[Problem] = []
    for rule in rules:
        subject = picked(items, rule.subject) if rule.holds_on(day) else []
        if not subject or (rule.when is not None and not picked(items, rule.when)):
            continue
        judge = _JUDGES.get(type(rule))
        if judge and (found := judge(rule, subject, _Lines(items, catalog, free))):
            problems.append(found)
    return problems


def sold(product: Product | None, day: date) -> bool:
    if product is None or product.lifecycle == "planned":
        return False
    if product.last_order_date is not None:
        return day <= product.last_order_date
    return product.lifecycle != "eol"


def _requires_all(rule: rb.RequiresAll, subject: list[Item], lines: _Lines) -> Problem | None:
    """Every part in the needed number; a part that one rule uses is not free for the next rule."""
    missing: list[Add] = []
    evidence = [item.text for item in subject]
    for part in rule.parts:
        need, have = part.ratio.needed(total(subject)), lines.free[part.sku]
        lines.free[part.sku] = max(ZERO, have - need)
        evidence.append(f"needs {need} x {part.sku}, has {min(have, need)}")
        if have < need:
            missing.append(Add(part.sku, whole_up(need - have), subject[0].line.line_id))
    if not missing:
        return None
    return _problem(rule, subject, evidence, [missing])


def _requires_any(
    rule: rb.RequiresAny | rb.PlanGate, subject: list[Item], lines: _Lines
) -> Problem | None:
    if isinstance(rule, rb.PlanGate):
        targets, offer = picked(lines.items, rb.Selector(skus=rule.plans)), rule.plans
        what = f" x {' or '.join(rule.plans)}"
    else:
        targets, offer, what = picked(lines.items, rule.targets), rule.offer, ""
    need, have = rule.ratio.needed(total(subject)), total(targets)
    if have >= need:
        return None
    line = subject[0].line.line_id
    options = [[Add(sku, whole_up(need - have), line)] for sku in offer]
    evidence = [*(i.text for i in subject), f"needs {need}{what}, has {have}"]
    return _problem(rule, subject, evidence, options, need=need, have=have)


def _excludes(rule: rb.Excludes, subject: list[Item], lines: _Lines) -> Problem | None:
    found = [item for item in picked(lines.items, rule.targets) if item not in subject]
    if not found:
        return None
    return _problem(rule, subject, [i.text for i in (*subject, *found)], [])


def _attr_match(rule: rb.AttrMatch, subject: list[Item], lines: _Lines) -> Problem | None:
    targets = picked(lines.items, rule.targets)
    if not targets:
        return None
    offered = {
        item.product.attributes.get(name) for item in targets for name in rule.target_attributes
    } - {None}
    wrong = [i for i in subject if i.product.attributes.get(rule.attribute) not in offered]
    if not wrong:
        return None
    evidence = [f"{i.text}: {rule.attribute} {_said(i, (rule.attribute,))}" for i in wrong] + [
        f"{i.text}: {_said(i, rule.target_attributes)}" for i in targets
    ]
    line = wrong[0].line.line_id
    options = [[Add(sku, 1, line)] for sku in rule.offer]
    return _problem(rule, wrong, evidence, options)


def _said(item: Item, names: Sequence[str]) -> str:
    return ", ".join(str(item.product.attributes[n]) for n in names if n in item.product.attributes)


def _attr_sum_le(rule: rb.AttrSumLe, subject: list[Item], lines: _Lines) -> Problem | None:
    targets = picked(lines.items, rule.targets)
    if rule.only_with_targets and not targets:
        return None
    if unknown := [i for i in subject if rule.use and number(i.product, rule.use) is None]:
        return Problem(_unknown(rule, unknown))
    loads = [((number(i.product, rule.use) or 0) if rule.use else 1, i) for i in subject]
    bins = [((number(i.product, rule.provide) or 0), i) for i in targets]
    devices = [(size, whole_up(item.pieces)) for size, item in loads]
    supplies = [(size, whole_down(item.pieces)) for size, item in bins]
    used, given = (
        trimmed(sum((size * item.pieces for size, item in some), ZERO)) for some in (loads, bins)
    )
    if rule.pack:
        left = unplaced(devices, supplies)
    else:
        left = [0] * len(loads) if used <= given else [many for _, many in devices]
    if not any(left):
        return None
    evidence = [f"{i.text}: {size}{rule.unit} each" for size, i in (*loads, *bins)]
    evidence.append(f"used {used}{rule.unit}, provided {given}{rule.unit}")
    over = [(size, item, n) for (size, item), n in zip(loads, left, strict=True) if n]
    if rule.pack:
        evidence += [f"{n} x {item.product.sku} without a supply" for _, item, n in over]
        repair = _one_each(rule, over, devices, supplies, lines.catalog)
    else:
        repair = _enough(rule, used - given, over[0][1], lines.catalog)
    return _problem(rule, [i for _, i, _ in over], evidence, [repair], used=used, given=given)


def _one_each(
    rule: rb.AttrSumLe,
    over: list[tuple[int, Item, int]],
    loads: list[tuple[int, int]],
    bins: list[tuple[int, int]],
    catalog: Catalog,
) -> list[Add]:
    """The smallest target that carries each device left over, less what the others carry too.

    The smallest one each, not one big one for all: nothing says that the devices share a cabinet.
    """
    capacities = sorted(
        (number(catalog[sku], rule.provide) or 0, sku) for sku in rule.offer if sku in catalog
    )
    adds: list[tuple[int, str, int, str]] = []
    for size, item, count in over:
        fitting = next(((c, sku) for c, sku in capacities if c >= size), None)
        if fitting is None:
            return []
        adds.append((*fitting, count, item.line.line_id))
    needed = fewest(loads, bins, [(capacity, count) for capacity, _, count, _ in adds])
    return [Add(sku, n, line) for (_, sku, _, line), n in zip(adds, needed, strict=True) if n]


def _enough(rule: rb.AttrSumLe, short: Decimal, item: Item, catalog: Catalog) -> list[Add]:
    for sku in rule.offer:
        each = number(catalog[sku], rule.provide) if sku in catalog else None
        if each:
            return [Add(sku, whole_up(short / each), item.line.line_id)]
    return []


def _unknown(rule: rb.AttrSumLe, unknown: list[Item]) -> Finding:
    return Finding(
        code="ATTRIBUTE_UNKNOWN",
        severity=Severity.NEEDS_HUMAN,
        message=f"The catalog does not know {rule.use} of {unknown[0].product.sku}.",
        subject=unknown[0].line.line_id,
        rule_id=rule.rule_id,
        evidence=[item.text for item in unknown][:12],
        fix=f"ask the product manager for {rule.use}",
    )


def _count_range(rule: rb.CountRange, subject: list[Item], lines: _Lines) -> Problem | None:
    base = total(picked(lines.items, rule.per))
    have = total(subject)
    if not base or rule.minimum * base <= have <= rule.maximum * base:
        return None
    evidence = [
        *(i.text for i in subject),
        f"{base} to fit into, so {rule.minimum * base} to {rule.maximum * base}, has {have}",
    ]
    return _problem(rule, subject, evidence, [], have=have, most=rule.maximum * base)


def _note(rule: rb.Note, subject: list[Item], _lines: _Lines) -> Problem | None:
    return _problem(rule, subject, [item.text for item in subject], [])


def _problem(
    rule: rb.RuleBase,
    subject: list[Item],
    evidence: Sequence[str],
    options: Sequence[Sequence[Add]],
    **facts: object,
) -> Problem:
    repairs = tuple(tuple(option) for option in options if option)
    mend = ""
    if repairs:
        mend = " or ".join(
            "add " + " and ".join(f"{n} x {sku}" for sku, n in _by_sku(option).items())
            for option in repairs[:3]
        )
    skus = ", ".join(dict.fromkeys(item.product.sku for item in subject))
    made = finding(
        rule,
        subject[0].line.line_id,
        evidence,
        fix=mend,
        sku=skus,
        quantity=total(subject),
        **facts,
    )
    return Problem(made, repairs)


def _by_sku(option: Iterable[Add]) -> Counter[str]:
    together = Counter[str]()
    for add in option:
        together[add.sku] += add.quantity
    return together


_JUDGES: dict[type, Callable[..., Problem | None]] = {
    rb.RequiresAny: _requires_any,
    rb.PlanGate: _requires_any,
    rb.RequiresAll: _requires_all,
    rb.Excludes: _excludes,
    rb.AttrMatch: _attr_match,
    rb.AttrSumLe: _attr_sum_le,
    rb.CountRange: _count_range,
    rb.Note: _note,
}
