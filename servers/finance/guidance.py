"""A price to aim for: bounded, explained, never set (no step of the waterfall reads it).

The floor comes from cost and the seller's margin floor. Target and stretch come from what customers
like this one accepted before, for about as much of the same item, or of its family where too few
bought the item. All three stay between the floor (or the lowest price of the policy band, whichever
is higher) and the price list. Its answer reveals cost: it is for named persons only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from servers.finance.facts.policy import GuidancePolicy
from servers.finance.findings import percent, percent_of
from servers.finance.subscriptions.proration import times
from servers.toolkit.money import from_minor, round_money, round_to, to_minor, whole_up

Outcome = Literal["accepted", "open", "not_taken"]
HALF, UPPER = Fraction(1, 2), Fraction(3, 4)
WHOLE_BP = 10_000


@dataclass(frozen=True)
class PastLine:
    """A line of an issued quote, and what became of the quote."""

    quote_id: str
    number: str
    account_id: str
    customer_kind: str
    channel: str
    line_id: str
    sku: str
    family: str
    quantity: Decimal
    list_minor: int
    net_minor: int
    outcome: Outcome
    on: date

    @property
    def ratio(self) -> Fraction:
        """Which part of the price list it was offered at."""
        return Fraction(self.net_minor, self.list_minor)


@dataclass(frozen=True)
class Deal:
    """The line that wants guidance; amounts are for its whole quantity and term."""

    line_id: str
    sku: str
    family: str
    quantity: Decimal
    customer_kind: str
    channel: str
    day: date
    currency: str
    list_minor: int
    standard_minor: int
    """What it costs without a requested discount."""
    cost_minor: Decimal | None
    """Unrounded, in minor units of the quote's currency."""
    contract_id: str | None = None


@dataclass(frozen=True)
class Point:
    """An amount to know, and why it is that."""

    minor: int
    why: str


@dataclass(frozen=True)
class Advice:
    """What guidance says about one line; what it cannot say is None, and `said` says why."""

    floor: Point | None = None
    target: Point | None = None
    stretch: Point | None = None
    comparables: tuple[PastLine, ...] = ()
    said: tuple[str, ...] = ()


def guide(deal: Deal, past: Iterable[PastLine], policy: GuidancePolicy, floor_bp: int) -> Advice:
    """Return the floor, target and stretch of a line, with the quotes they come from."""
    floor = _floor(deal, floor_bp)
    if deal.contract_id is not None:
        held = f"{deal.contract_id} is an agreed price: there is nothing to propose"
        return Advice(floor, said=(held,))
    said = [] if floor is not None else ["the cost is not known, so there is no floor"]
    compared, how = comparables(deal, past, policy)
    accepted = [line for line in compared if line.outcome == "accepted"]
    said.append(how)
    if not compared:
        return Advice(floor, said=tuple(said))
    if not accepted:
        said.append("none of them was accepted, so there is no target")
        return Advice(floor, comparables=tuple(compared), said=tuple(said))
    if floor is not None and floor.minor > deal.list_minor:
        said.append("the price list is below the floor")
    target, stretch = (_point(deal, accepted, part, floor, policy) for part in (HALF, UPPER))
    return Advice(floor, target, stretch, tuple(compared), tuple(said))


def comparables(
    deal: Deal, past: Iterable[PastLine], policy: GuidancePolicy
) -> tuple[list[PastLine], str]:
    like = [line for line in past if _alike(line, deal, policy)]
    like.sort(key=lambda line: (line.on, line.number, line.line_id), reverse=True)
    same = [line for line in like if line.sku == deal.sku]
    scope = deal.sku
    if sum(line.outcome == "accepted" for line in same) < policy.least:
        same, scope = like, f"{deal.sku} and its family {deal.family}"
    found = same[: policy.most]
    least = whole_up(deal.quantity / policy.size_factor)
    most = percent(deal.quantity * policy.size_factor)
    around = f"between {least} and {most}, in the {policy.days} days before {deal.day}"
    buyers = f"{deal.customer_kind} customers of channel {deal.channel}"
    return found, f"{len(found) or 'no'} comparable quotes: {scope}, {buyers}, {around}"


def _alike(line: PastLine, deal: Deal, policy: GuidancePolicy) -> bool:
    most = policy.size_factor
    return (
        line.family == deal.family
        and (line.customer_kind, line.channel) == (deal.customer_kind, deal.channel)
        and line.quantity <= deal.quantity * most
        and deal.quantity <= line.quantity * most
        and 0 <= (deal.day - line.on).days <= policy.days
        and line.list_minor > 0
    )


def _floor(deal: Deal, floor_bp: int) -> Point | None:
    """Return the lowest amount that earns the seller's margin, rounded up."""
    if deal.cost_minor is None or floor_bp >= WHOLE_BP:
        return None
    least = whole_up(deal.cost_minor * WHOLE_BP / (WHOLE_BP - floor_bp))
    return Point(least, "earns the seller's margin floor, and no more")


def _point(
    deal: Deal,
    accepted: Sequence[PastLine],
    part: Fraction,
    floor: Point | None,
    policy: GuidancePolicy,
) -> Point:
    """Return the amount at a quantile of what was accepted, held to the bounds."""
    ratio = quantile(accepted, deal.quantity, part)
    wanted = _share(deal, ratio)
    low = _share(deal, Fraction(WHOLE_BP - policy.lowest_bp, WHOLE_BP))
    low_why = f"held to {percent_of(policy.lowest_bp)} below the price list"
    if floor is not None and floor.minor > low:
        low, low_why = floor.minor, "held to the floor"
    name = "the middle" if part == HALF else "the upper quarter"
    shown = percent(round_to(times(Decimal(100), ratio), Decimal("0.1")))
    why = f"{name} of what {len(accepted)} accepted quotes paid: {shown}% of the price list"
    high = max(low, deal.list_minor)
    held = low_why if wanted < low else "held to the price list" if wanted > high else ""
    return Point(min(max(wanted, low), high), f"{why}; {held}" if held else why)


def quantile(lines: Iterable[PastLine], quantity: Decimal, part: Fraction) -> Fraction:
    """Return the ratio below or at which a part of the lines lies, by weight.

    A line of the same quantity weighs 1, one of half or of twice as much a half, and so on.
    """
    own = Fraction(quantity)
    sizes = [(line.ratio, Fraction(line.quantity)) for line in lines]
    weighed = sorted((ratio, min(size, own) / max(size, own)) for ratio, size in sizes)
    wanted = part * sum(weight for _, weight in weighed)
    so_far = Fraction(0)
    for ratio, weight in weighed:
        so_far += weight
        if so_far >= wanted:
            return ratio
    return weighed[-1][0]


def _share(deal: Deal, ratio: Fraction) -> int:
    exact = times(from_minor(deal.list_minor, deal.currency), ratio)
    return to_minor(round_money(exact, deal.currency), deal.currency)
