"""What would change a price: the next quantity breaks, and the smallest way past an approval.

Everything is answered by pricing again, with the same facts and the same rules. A discount is
searched by bisection, because a higher one never lowers what its own limits ask for and never
raises a total; a quantity is tried piece by piece, the nearest first, as far as `Effort` allows.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from math import ceil
from typing import Any

from servers.finance.documents import Pricing
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import plain
from servers.finance.pricing import price
from servers.finance.schemas import LineIn, PriceRequest, QuantityBreak, WayOut
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import from_minor, six_decimals, trimmed
from servers.toolkit.units import UNITS

MOST_PIECES, ALL_BP = 100_000, 10_000
MOST_BREAKS = 12
LEAST_TRIES = 40
Terms = tuple[object, ...]
NO_RULE = -1
"""The height of a ladder none of whose rules asks for approval (rules stand at 0 and above)."""


@dataclass(frozen=True)
class Effort:
    """How many lines may be priced in one answer; a quote of ten lines counts ten each time."""

    lines: int = 1_000

    def tries(self, request: PriceRequest) -> int:
        return max(1, self.lines // len(request.lines))


def with_quantity(request: PriceRequest, line_id: str, quantity: Decimal) -> PriceRequest:
    line_of(request, line_id)
    lines = tuple(
        line.model_copy(update={"quantity": quantity}) if line.line_id == line_id else line
        for line in request.lines
    )
    return request.model_copy(update={"lines": lines})


def line_of(request: PriceRequest, line_id: str) -> LineIn:
    """Return a line of a request, or raise InvalidInputError."""
    for line in request.lines:
        if line.line_id == line_id:
            return line
    raise InvalidInputError(f"no line {line_id}", fix="give a line_id of the lines")


# quantity breaks


def quantity_breaks(
    facts: PricingFacts, request: PriceRequest, line_id: str, effort: Effort | None = None
) -> list[QuantityBreak]:
    """Return the quantity a line has and the next ones from which a piece costs something else.

    Each break says what a piece costs there, after everything that comes off the line.
    """
    line = line_of(request, line_id)
    grain = Decimal(1).scaleb(-UNITS[line.unit].decimals)  # the least that a quantity changes by

    @cache
    def at(grains: int) -> Pricing:
        return price(facts, with_quantity(request, line_id, trimmed(grains * grain)))

    def terms(grains: int) -> Terms:
        return _terms(at(grains), line_id)

    tries = max(LEAST_TRIES, (effort or Effort()).tries(request))
    low, most = int(line.quantity / grain), int(MOST_PIECES / grain)
    found = [low]
    for begins in [*_entry_bounds(facts, line, grain), most + 1]:
        while len(found) < MOST_BREAKS and at.cache_info().currsize < tries:
            following = _next(terms, low, begins - 1)
            if following is None:
                break
            found.append(following)
            low = following
        if begins <= most and terms(begins) != terms(begins - 1):
            found.append(begins)
        low = begins
    return [_break(at(grains), line_id) for grains in found[:MOST_BREAKS]]


def _terms(pricing: Pricing, line_id: str) -> Terms:
    """Return the conditions of a line apart from its quantity: its price, and its bands."""
    line = next(one for one in pricing.lines if one.line_id == line_id)
    bands = tuple(
        (step.rule_id, step.note.partition(" in ")[2].partition(";")[0])
        for step in pricing.trace
        if step.line_id == line_id and step.step == "tier"
    )
    return line.unit_price, line.price_book, line.contract_id, bands


def _next(terms: Callable[[int], Terms], low: int, high: int) -> int | None:
    """Return the first quantity with other terms; bands follow each other and never return."""
    first = terms(low)
    if low >= high or terms(high) == first:
        return None
    return low + bisect_left(range(low, high + 1), x=True, key=lambda many: terms(many) != first)


def _entry_bounds(facts: PricingFacts, line: LineIn, grain: Decimal) -> list[int]:
    mine = [one for one in facts.units if one.sku == line.sku]
    units = [Fraction(1), *(Fraction(one.numerator, one.denominator) for one in mine)]
    entries = [one for one in facts.entries if one.sku == line.sku]
    bounds = [bound for one in entries for bound in (one.min_qty, one.max_qty or Decimal(0))]
    found = {ceil(Fraction(bound) / Fraction(grain) / ratio) for bound in bounds for ratio in units}
    return sorted(begins for begins in found if line.quantity < begins * grain <= MOST_PIECES)


def _break(pricing: Pricing, line_id: str) -> QuantityBreak:
    line = next(one for one in pricing.lines if one.line_id == line_id)
    net = None if line.net_minor is None else from_minor(line.net_minor, pricing.currency)
    return QuantityBreak(
        quantity=line.quantity,
        unit_price=line.unit_price,
        allowances=[
            f"{one.label} {one.percent}%" if one.percent else one.label for one in line.allowances
        ],
        net_minor=line.net_minor,
        net_each=None if net is None else plain(six_decimals(net / line.quantity)),
    )


# ways past an approval


def ways_out(
    facts: PricingFacts,
    request: PriceRequest,
    line_id: str | None = None,
    effort: Effort | None = None,
) -> tuple[list[WayOut], list[str]]:
    """Return the smallest changes that avoid approvals, and the rules that none of them avoids.

    Only approvals of the price are meant; terms, credit and screening ask for theirs at the draft.
    `line_id` spends the whole search on the quantity of one line.
    """
    now = price(facts, request)
    asked = _rules(now)
    if not asked:
        return [], []
    if line_id is not None:
        line_of(request, line_id)
    ways = _by_discount(facts, request, asked)
    lines = [one for one in request.lines if line_id in (None, one.line_id)]
    tries = (effort or Effort()).tries(request) // len(lines)
    for line in lines:
        ways += _by_quantity(facts, request, line, asked, tries)
    avoided = {rule for way in ways for rule in way.avoids}
    return ways, sorted(asked - avoided)


def _rules(pricing: Pricing) -> frozenset[str]:
    return frozenset(need.rule_id for need in pricing.approvals)


def _rung(rule: str) -> tuple[str, int]:
    """Return the ladder of a rule and how high it stands: APR-TOTAL-2 is above APR-TOTAL-1."""
    found = re.fullmatch(r"(.+)-(\d+)", rule)
    return (found[1], int(found[2])) if found else (rule, 0)


def _heights(rules: Iterable[str]) -> dict[str, int]:
    heights: dict[str, int] = {}
    for ladder, height in map(_rung, rules):
        heights[ladder] = max(height, heights.get(ladder, NO_RULE))
    return heights


def _by_discount(facts: PricingFacts, request: PriceRequest, asked: frozenset[str]) -> list[WayOut]:

    @cache
    def at(bp: int) -> Pricing:
        return price(facts, request.model_copy(update={"discount_bp": bp}))

    def reaches(bp: int, ladder: str, height: int) -> bool:
        return _heights(_rules(at(bp))).get(ladder, NO_RULE) >= height

    edges: set[int] = set()
    now = request.discount_bp
    for ladder, height in sorted({_rung(r) for bp in (0, now, ALL_BP) for r in _rules(at(bp))}):
        for high in (height, 0):
            edges |= _edges(partial(reaches, ladder=ladder, height=high))
    nearest = sorted(edges - {now}, key=lambda bp: (abs(bp - now), bp))
    return _chosen(nearest, at, asked, {"change": "discount_bp", "before": now})


def _edges(present: Callable[[int], bool]) -> set[int]:
    """Return the two discounts side by side between which a rule begins or ends to ask, if any."""
    at_first = present(0)
    if at_first == present(ALL_BP):
        return set()
    begins = bisect_left(range(ALL_BP + 1), x=True, key=lambda bp: present(bp) != at_first)
    return {begins - 1, begins}


def _by_quantity(
    facts: PricingFacts, request: PriceRequest, line: LineIn, asked: frozenset[str], tries: int
) -> list[WayOut]:
    now = line.quantity

    @cache
    def at(quantity: Decimal) -> Pricing:
        return price(facts, with_quantity(request, line.line_id, quantity))

    way = {"change": "quantity", "line_id": line.line_id, "before": now}
    return _chosen(_around(now, tries), at, asked, way)


def _around(now: Decimal, tries: int) -> Iterator[Decimal]:
    step = 0
    while tries > 0 and step < MOST_PIECES:
        step += 1
        for quantity in (now - step, now + step):
            if 0 < quantity <= MOST_PIECES and tries > 0:
                tries -= 1
                yield quantity


def _chosen(
    values: Iterable[Any],
    at: Callable[[Any], Pricing],
    asked: frozenset[str],
    way: dict[str, Any],
) -> list[WayOut]:
    """Return the nearest values that each avoid one more rule, up to a value that avoids them all.

    A rule counts as avoided when no rule of its ladder that stands as high asks any more.
    """
    found: list[WayOut] = []
    avoided: set[str] = set()
    for value in values:
        total, left = at(value).totals.total_minor, _rules(at(value))
        heights = _heights(left)
        gone = {rule for rule in asked if heights.get(_rung(rule)[0], NO_RULE) < _rung(rule)[1]}
        if total is None or (gone <= avoided and left):
            continue
        said = {"avoids": sorted(gone), "still_needed": sorted(left), "total_minor": total}
        found.append(WayOut(after=value, **way, **said))
        avoided |= gone
        if not left:
            break
    return found
