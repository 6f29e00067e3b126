"""Check a whole configuration, and complete one: the two questions agents ask about lines."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from servers.catalog import rulebook as rb
from servers.catalog.bundles import misplaced, unpack
from servers.catalog.compatibility import check_together, sold
from servers.catalog.eligibility import (
    Destination,
    check_each,
    old_lists,
    unknown_jurisdiction,
)
from servers.catalog.schemas import Addition, Completion, ConfigurationCheck, LineIn, Product
from servers.catalog.selection import Add, Item, Problem, digest_of_lines, join, scenarios
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.units import Unit

MAX_STEPS = 200
MAX_DEPTH = 12
STOPS = frozenset({Severity.ERROR, Severity.BLOCKED})


def check(
    lines: Sequence[LineIn],
    rules: Sequence[rb.Rule],
    catalog: Mapping[str, Product],
    where: Destination,
) -> ConfigurationCheck:
    """Judge lines by every rule; `ok` when nothing is an error or blocked.

    What a person must decide (`needs_human`) leaves `ok` true: other lines would not help.
    """
    given, findings = join(lines, catalog)
    findings += misplaced(given)
    items = unpack(given, catalog)
    findings += [*check_each(rules, items, where), *old_lists(where)]
    if (unknown := unknown_jurisdiction(items, where)) is not None:
        findings.append(unknown)
    seen = {_key(f) for f in findings}
    for chosen in scenarios(items):
        for problem in check_together(rules, chosen, catalog, where.day):
            if _key(problem.finding) not in seen:
                seen.add(_key(problem.finding))
                findings.append(problem.finding)
    ok = not any(f.severity in STOPS for f in findings)
    return ConfigurationCheck(
        ok=ok, findings=_ordered(findings), lines_digest=digest_of_lines(lines)
    )


def complete(
    lines: Sequence[LineIn],
    rules: Sequence[rb.Rule],
    catalog: Mapping[str, Product],
    where: Destination,
) -> Completion:
    """Propose the fewest additions that make the lines fit together.

    A breadth-first search over the repairs that broken rules offer: each step mends the first
    error that has repairs, so the first set that passes is one with the fewest kinds of parts.
    Only lines that are no alternatives are completed; errors that no addition mends come back
    as findings.
    """
    given, findings = join(lines, catalog)
    findings += misplaced(given)
    items = unpack(given, catalog)
    findings += [f for f in check_each(rules, items, where) if f.severity in STOPS]
    base = scenarios(items)[0]
    additions, problems = _search(base, rules, catalog, where)
    findings += [p.finding for p in problems]
    return Completion(additions=additions, findings=_ordered(findings))


def _search(
    base: list[Item], rules: Sequence[rb.Rule], catalog: Mapping[str, Product], where: Destination
) -> tuple[list[Addition], list[Problem]]:
    queue: deque[list[Addition]] = deque([[]])
    seen: set[tuple[tuple[str, int], ...]] = set()
    best: tuple[int, list[Addition], list[Problem]] | None = None
    for _ in range(MAX_STEPS):
        if not queue:
            break
        adds = queue.popleft()
        problems = _errors(
            check_together(rules, [*base, *_as_items(adds, catalog)], catalog, where.day)
        )
        if best is None or len(problems) < best[0]:
            best = (len(problems), adds, problems)
        mendable = [p for p in problems if p.repairs]
        if not problems or not mendable or len(adds) >= MAX_DEPTH:
            if not problems:
                break
            continue
        for repair in mendable[0].repairs:
            if not all(_may_add(add, catalog, rules, where) for add in repair):
                continue
            more = [
                *adds,
                *(_addition(add, mendable[0], adds, catalog[add.sku].base_uom) for add in repair),
            ]
            key = tuple(sorted((a.sku, a.quantity) for a in more))
            if key not in seen:
                seen.add(key)
                queue.append(more)
    assert best is not None  # noqa: S101 - the first step always judges the lines as they are
    return best[1], best[2]


def _errors(problems: Iterable[Problem]) -> list[Problem]:
    return [p for p in problems if p.finding.severity in STOPS]


def _may_add(
    add: Add, catalog: Mapping[str, Product], rules: Sequence[rb.Rule], where: Destination
) -> bool:
    """A part is proposed only if it may itself be ordered, to that country, on that day."""
    product = catalog.get(add.sku)
    if product is None or not sold(product, where.day):
        return False
    item = _item(add.sku, add.quantity, 0, product)
    return not any(f.severity in STOPS for f in check_each(rules, [item], where))


def _addition(add: Add, problem: Problem, before: Sequence[Addition], unit: Unit) -> Addition:
    """An addition; one that an earlier addition needs is for the line that needed that one."""
    lines = {_line_id(place): earlier.for_line for place, earlier in enumerate(before)}
    return Addition(
        sku=add.sku,
        quantity=add.quantity,
        unit=unit,
        reason=problem.finding.message,
        rule_id=problem.finding.rule_id,
        for_line=lines.get(add.for_line, add.for_line),
    )


def _as_items(adds: Sequence[Addition], catalog: Mapping[str, Product]) -> list[Item]:
    return [_item(a.sku, a.quantity, n, catalog[a.sku]) for n, a in enumerate(adds)]


def _line_id(place: int) -> str:
    """The id of a line that is only supposed: no caller's line has one with this many digits."""
    return f"l{10_000 + place}"


def _item(sku: str, quantity: int, place: int, product: Product) -> Item:
    # not validated: a supposed quantity may pass the bound that a caller's line must keep
    line = LineIn.model_construct(line_id=_line_id(place), sku=sku, quantity=Decimal(quantity))
    return Item(line, product)


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.rule_id, finding.code, finding.subject


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The gravest first; within one severity as the rules stand."""
    rank = list(Severity)
    return sorted(findings, key=lambda f: -rank.index(f.severity))
