"""Which promotions hold for an order, and which of them apply together.

What a promotion asks for in merchandise is measured after contracts and tiers and before
promotions and discounts, so that a discount can never cost the customer another advantage.

Of one stacking group one promotion applies, an exclusive one applies alone, and all that apply do
so by priority, the highest first. Every combination that these rules allow is worked out, and the
one that takes most money off wins; so another code can never make an order dearer. A gift has no
amount: it decides only between combinations that take equally much off.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import combinations, product
from math import prod

from servers.finance.facts.customers import Customer
from servers.finance.facts.promotions import Promotion
from servers.finance.findings import plain
from servers.finance.promotions.effects import Effect, Part, State, effect, is_shipping, targets

ZERO = Decimal(0)


@dataclass(frozen=True)
class Order:
    """What promotions ask about an order."""

    customer: Customer
    day: date
    currency: str
    parts: Sequence[Part]

    @property
    def merchandise(self) -> Decimal:
        """What the lines in the total cost before promotions and discounts."""
        return sum((p.measured for p in self.parts if p.item is not None and p.counted), ZERO)


@dataclass(frozen=True)
class Refusal:
    """Why a promotion gives nothing: a finding's code, in words, and what to do."""

    code: str
    message: str
    fix: str


def refusal(promotion: Promotion, order: Order) -> Refusal | None:
    """Return the first reason for which a promotion gives nothing to an order, if there is one."""
    for code, words, fix in _refusals(promotion, order):
        return Refusal(code, f"promotion {promotion.code} {words}", fix)
    return None


def _refusals(promotion: Promotion, order: Order) -> Iterator[tuple[str, str, str]]:
    """Yield the code of a reason, its words after the promotion's name, and what to do."""
    asks, limits, window = promotion.conditions, promotion.limits, promotion.window
    customer, currency = order.customer, order.currency
    missing = "tell the customer what is missing"
    if window.ended(order.day):
        ended = f"ended on {window.last} and was not applied"
        yield "PROMO_EXPIRED", ended, "tell the customer that it ended"
    if not window.covers(order.day):
        yield "PROMO_NOT_YET", "has not begun", "quote later"
    priced = promotion.kind not in ("amount", "fixed_price") or currency in promotion.amount
    if currency not in asks.minimum or not priced:
        yield "PROMO_CURRENCY", f"does not hold in {currency}", "quote in another currency"
    for allowed, own, what in (
        (asks.customer_kinds, customer.kind, "customers of kind"),
        (asks.channels, customer.channel, "channel"),
        (asks.countries, customer.country, "customers in"),
        (asks.segments, customer.segment, "segment"),
    ):
        if allowed and own not in allowed:
            whom = f"is for {what} {', '.join(allowed)}"
            yield "PROMO_CUSTOMER", whom, "tell the customer whom it is for"
    measured = _measured(promotion, order)
    if sum((part.measured for part in measured), ZERO) < asks.minimum[currency]:
        least = f"asks for merchandise of {plain(asks.minimum[currency])} {currency}"
        yield "PROMO_MINIMUM", least, missing
    mine, shipping = targets(promotion, order.parts), is_shipping(promotion)
    if not mine and not shipping:
        yield (
            "PROMO_NO_LINES",
            "applies to no line of this quote",
            "tell the customer what it holds for",
        )
    if asks.measured is None and not shipping:
        measured = [part for part in mine if part.counted]
    quantity = sum((part.pieces for part in measured), ZERO)
    if asks.min_quantity is not None and quantity < asks.min_quantity:
        yield "PROMO_QUANTITY", f"asks for a quantity of {asks.min_quantity}", missing
    if asks.max_quantity is not None and quantity > asks.max_quantity:
        most = f"holds up to a quantity of {asks.max_quantity}"
        yield "PROMO_QUANTITY", most, "tell the customer how far"
    if limits.usage is not None and limits.used >= limits.usage:
        used = f"was for {limits.usage} orders and is used up"
        yield "PROMO_BUDGET", used, "tell the customer that it is used up"


def _measured(promotion: Promotion, order: Order) -> list[Part]:
    only = promotion.conditions.measured
    firm = [part for part in order.parts if part.counted]
    return [p for p in firm if p.item and (only is None or only.fits(p.item, p.unit))]


def over_budget(promotion: Promotion, amount: Decimal, currency: str) -> Refusal | None:
    """Say so when an amount is more than a promotion has left; then it gives nothing at all."""
    budget = promotion.limits.budget.get(currency)
    if budget is None:
        return None
    left = max(ZERO, budget - promotion.limits.spent.get(currency, ZERO))
    if amount <= left:
        return None
    has = f"has {plain(left)} {currency} of its budget left and would take {plain(amount)}"
    fix = "ask whoever owns the promotion for more budget, or quote without it"
    return Refusal("PROMO_BUDGET", f"promotion {promotion.code} {has}", fix)


MOST_COMBINATIONS = 256
"""Above this many, groups are settled one after the other, the highest priority first."""


@dataclass(frozen=True)
class Applied:
    """A promotion that applies, and what it does."""

    promotion: Promotion
    effect: Effect
    amount: Decimal


@dataclass
class Outcome:
    """What a combination of promotions comes to."""

    applied: list[Applied] = field(default_factory=list)
    idle: list[Promotion] = field(default_factory=list)
    refused: dict[str, Refusal] = field(default_factory=dict)

    @property
    def benefit(self) -> Decimal:
        return sum((one.amount for one in self.applied), ZERO)

    @property
    def rank(self) -> tuple[Decimal, int, list[int]]:
        """What decides between combinations: money, then gifts, then priorities."""
        gifts = sum(gift.quantity for one in self.applied for gift in one.effect.gifts)
        return self.benefit, gifts, [one.promotion.priority for one in self.applied]


@dataclass(frozen=True)
class Settled:
    """The combination that applies, the promotions of equal rank, and what exclusives came to."""

    outcome: Outcome
    conflicts: tuple[tuple[Promotion, Promotion], ...] = ()
    alone: Outcome | None = None
    together: Outcome | None = None


def in_order(promotions: Iterable[Promotion]) -> list[Promotion]:
    return sorted(promotions, key=lambda p: (-p.priority, p.code, p.promotion_id))


def run(promotions: Iterable[Promotion], parts: Sequence[Part], currency: str) -> Outcome:
    state, outcome = State.of(parts), Outcome()
    counted = {part.part_id for part in parts if part.counted}
    for promotion in in_order(promotions):
        found = effect(promotion, parts, state, currency)
        amount = sum((off for name, off in found.offs.items() if name in counted), ZERO)
        if refused := over_budget(promotion, amount, currency):
            outcome.refused[promotion.promotion_id] = refused
            continue
        if not found.offs and not found.gifts:
            outcome.idle.append(promotion)
            continue
        for name, off in found.offs.items():
            state.remaining[name] -= off
        for name, units in found.units.items():
            state.rewarded[name] = state.rewarded.get(name, 0) + units
            if promotion.percent == 100:
                state.free[name] = state.free.get(name, 0) + units
        outcome.applied.append(Applied(promotion, found, amount))
    return outcome


def settle(promotions: Iterable[Promotion], parts: Sequence[Part], currency: str) -> Settled:
    holding = in_order(promotions)
    conflicts = equal_ranks(holding)
    clashing = {one.promotion_id for pair in conflicts for one in pair}
    holding = [one for one in holding if one.promotion_id not in clashing]
    together = _best_stack([one for one in holding if not one.exclusive], parts, currency)
    alone = max(
        (run([one], parts, currency) for one in holding if one.exclusive),
        key=lambda outcome: outcome.rank,
        default=None,
    )
    wins = alone is not None and alone.rank[:2] > together.rank[:2]
    best = alone if wins and alone is not None else together
    return Settled(best, tuple(conflicts), alone, together)


def equal_ranks(promotions: Sequence[Promotion]) -> list[tuple[Promotion, Promotion]]:
    """Return the promotions of one group and priority: nothing decides between those."""
    ranks: dict[tuple[str, int], list[Promotion]] = {}
    for one in promotions:
        ranks.setdefault((one.stack_group, one.priority), []).append(one)
    return [pair for same in ranks.values() for pair in combinations(same, 2)]


def _best_stack(promotions: Sequence[Promotion], parts: Sequence[Part], currency: str) -> Outcome:
    groups: dict[str, list[Promotion | None]] = {}
    closed: set[str] = set()
    for one in promotions:  # the highest priority first
        if one.stack_group not in closed:
            groups.setdefault(one.stack_group, []).append(one)
        if one.pick == "priority":
            closed.add(one.stack_group)
    for name in groups.keys() - closed:
        groups[name].append(None)
    options = list(groups.values())
    if prod(len(mine) for mine in options) <= MOST_COMBINATIONS:
        outcomes = [run(_some(plan), parts, currency) for plan in product(*options)]
        return max(outcomes, key=lambda outcome: outcome.rank)
    chosen: list[Promotion] = []
    for mine in options:
        tries = [run([*chosen, *_some([one])], parts, currency) for one in mine]
        best = max(range(len(mine)), key=lambda place: tries[place].rank)
        chosen += _some([mine[best]])
    return run(chosen, parts, currency)


def _some(plan: Iterable[Promotion | None]) -> list[Promotion]:
    return [one for one in plan if one is not None]
