"""What one promotion takes off, on the parts of a quote as they stand: pure arithmetic.

A part is a line or the freight. Every amount is rounded half up once: by line where a promotion
counts for each, once and then split without loss where it counts across. No part falls below zero.
Parts come in canonical order, so that it never matters in which order lines were asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.prices import Item
from servers.finance.facts.promotions import Promotion, Selector
from servers.finance.prices.units import ONE, Ratio, in_base
from servers.toolkit.money import round_money, split_proportionally

ZERO = Decimal(0)
FREIGHT = ""
"""The id of the part that is the freight."""


@dataclass(frozen=True)
class Part:
    """A line, or the freight (no item), as it is before any promotion.

    `counted` lines are in the totals; `closed` ones have a price that promotions do not touch.
    `ratio` is base units per unit, `term` the term in default terms: a fixed price is for a base
    unit (or for a unit it names) and for the default term. `net` is `start` without the tax that
    its price includes, if any: what a promotion asks for is measured before tax.
    """

    part_id: str
    quantity: Decimal
    start: Decimal
    item: Item | None = None
    unit: str = "each"
    counted: bool = True
    closed: bool = False
    ratio: Ratio = ONE
    term: Ratio = ONE
    net: Decimal | None = None

    @property
    def measured(self) -> Decimal:
        return self.start if self.net is None else self.net

    @property
    def pieces(self) -> Decimal:
        return in_base(self.quantity, self.ratio)


@dataclass
class State:
    """What is left of every part, and which units promotions gave away or rewarded."""

    remaining: dict[str, Decimal]
    free: dict[str, Decimal] = field(default_factory=dict)
    rewarded: dict[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Iterable[Part]) -> "State":
        return cls({part.part_id: part.start for part in parts})


@dataclass(frozen=True)
class GiftLine:
    """A free item: beside which line, what, and how many."""

    beside: str
    sku: str
    quantity: int


@dataclass(frozen=True)
class Effect:
    """What a promotion does: amounts by part, units it rewards, free items."""

    offs: Mapping[str, Decimal] = field(default_factory=dict)
    units: Mapping[str, Decimal] = field(default_factory=dict)
    gifts: tuple[GiftLine, ...] = ()
    capped: bool = False


def canonical(parts: Iterable[Part]) -> list[Part]:
    """Return parts in the order that rules work in: l1, l2, ... l10, the freight first."""
    return sorted(parts, key=lambda part: (len(part.part_id), part.part_id))


def is_shipping(promotion: Promotion) -> bool:
    return promotion.target == "shipping" or promotion.kind == "free_shipping"


def targets(promotion: Promotion, parts: Iterable[Part]) -> list[Part]:
    if is_shipping(promotion):
        return [part for part in parts if part.item is None]
    if promotion.target == "order":
        return [part for part in parts if part.item and part.counted and not part.closed]
    each = promotion.allocation == "each" and promotion.kind in ("percent", "amount", "fixed_price")
    return _fitting(promotion.on, parts, counted=not each)


def _fitting(meant: Selector, parts: Iterable[Part], *, counted: bool) -> list[Part]:
    lines = [part for part in parts if not part.closed and (part.counted or not counted)]
    return [part for part in lines if part.item and meant.fits(part.item, part.unit)]


def effect(promotion: Promotion, parts: Sequence[Part], state: State, currency: str) -> Effect:
    """Return what a promotion does to parts in canonical order; it changes nothing itself."""
    mine = targets(promotion, parts)
    if not mine:
        return Effect()
    if promotion.kind == "free_item":
        return Effect(gifts=_gifts(promotion, mine, parts))
    if promotion.kind == "buy_x_get_y":
        found = _buy_get(promotion, mine, parts, state, currency)
    elif promotion.allocation == "across" or promotion.target == "order":
        found = Effect(_across(promotion, mine, state, currency))
    else:
        each = {
            p.part_id: round_money(_each(promotion, p, state, currency), currency) for p in mine
        }
        offs = {name: min(state.remaining[name], off) for name, off in each.items()}
        found = Effect({name: off for name, off in offs.items() if off > 0})
    return _cap(promotion, found, parts, currency)


def _each(promotion: Promotion, part: Part, state: State, currency: str) -> Decimal:
    """Return what a promotion takes off one part, not rounded yet."""
    left = part.quantity - state.free.get(part.part_id, 0)
    units = min(left, Decimal(promotion.limits.max_quantity or left))
    if units <= 0:
        return ZERO
    now = state.remaining[part.part_id]
    if promotion.kind == "free_shipping":
        return now
    if promotion.kind == "percent":
        if promotion.base == "list":
            return part.start * units * promotion.percent / (100 * part.quantity)
        return now * units * promotion.percent / (100 * left)
    worth, amount = now * units / left, promotion.amount[currency]
    if promotion.kind == "fixed_price":
        whole = in_base(amount * units, part.term)
        return max(ZERO, worth - (whole if promotion.on.units else in_base(whole, part.ratio)))
    if promotion.prorated:
        amount = in_base(amount, part.term)
    return min(worth, amount * units if promotion.per == "unit" else amount)


def _across(
    promotion: Promotion, mine: Sequence[Part], state: State, currency: str
) -> dict[str, Decimal]:
    """Return one amount on all parts together, split in proportion to what is left of each."""
    weights = [state.remaining[part.part_id] for part in mine]
    pool = sum(weights, ZERO)
    if promotion.kind == "percent":
        listed = promotion.base == "list"
        base = sum((part.start for part in mine), ZERO) if listed else pool
        whole = round_money(base * promotion.percent / 100, currency)
    else:
        whole = promotion.amount[currency]
    shares = split(min(pool, whole), weights, currency)
    return {part.part_id: off for part, off in zip(mine, shares, strict=True) if off > 0}


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split an amount over what is left of parts: exact, and no share above its part."""
    return split_proportionally(round_money(amount, currency), weights, currency)


def _buy_get(
    promotion: Promotion, mine: Sequence[Part], parts: Sequence[Part], state: State, currency: str
) -> Effect:
    """Reward the cheapest units, and count the dearest as bought; of equal ones the later line.

    A unit is bought or rewarded, never both, and a unit that another promotion rewarded is
    neither; units that another promotion only counted as bought may count again.
    """
    rule = promotion.buy_get
    assert rule is not None  # noqa: S101 - a promotion of this kind has it
    left = {p.part_id: p.quantity - state.rewarded.get(p.part_id, 0) for p in parts}
    buyable = _fitting(rule.of or promotion.on, parts, counted=True)
    mine_ids, buy_ids = {p.part_id for p in mine}, {p.part_id for p in buyable}

    def units_of(ids: set[str]) -> Decimal:
        return sum((left[part_id] for part_id in ids), ZERO)

    rounds = min(
        units_of(buy_ids) // rule.buy,
        units_of(mine_ids) // rule.get,
        units_of(buy_ids | mine_ids) // (rule.buy + rule.get),
    )
    if promotion.limits.max_quantity is not None:
        rounds = min(rounds, Decimal(promotion.limits.max_quantity // rule.get))
    bought = rounds * rule.buy
    apart = [part for part in buyable if part.part_id not in mine_ids]
    later_first = [part for part in reversed(buyable) if part.part_id in mine_ids]
    for part in [*apart, *sorted(later_first, key=_unit_price, reverse=True)]:
        n = min(bought, left[part.part_id])
        left[part.part_id] -= n
        bought -= n
    units, wanted, offs = {}, rounds * rule.get, {}
    later_first = list(reversed(mine))
    for part in sorted(later_first, key=_unit_price):
        if n := min(wanted, left[part.part_id]):
            paid = part.quantity - state.free.get(part.part_id, 0)
            off = state.remaining[part.part_id] * n * promotion.percent / (100 * paid)
            offs[part.part_id] = min(state.remaining[part.part_id], round_money(off, currency))
            units[part.part_id], wanted = n, wanted - n
    return Effect(offs, units)


def _unit_price(part: Part) -> Decimal:
    return part.start / part.quantity


def _gifts(
    promotion: Promotion, mine: Sequence[Part], parts: Sequence[Part]
) -> tuple[GiftLine, ...]:
    """Return the free items; goods are given only where goods are carried anyway."""
    rule = promotion.gift
    assert rule is not None  # noqa: S101 - a promotion of this kind has it
    most = promotion.limits.max_quantity
    goods = any(p.item is not None and p.item.kind == "goods" and p.counted for p in parts)
    if rule.sku and not goods:
        return ()
    bought = (
        [(mine[0], rule.sku, sum((part.quantity for part in mine), ZERO))]
        if rule.sku
        else [(part, part.item.sku, part.quantity) for part in mine if part.item is not None]
    )
    lines = []
    for part, sku, quantity in bought:
        given = rule.quantity * (int(quantity // rule.every) if rule.every else 1)
        given = given if most is None else min(given, most)
        if given:
            lines.append(GiftLine(part.part_id, sku, given))
            most = None if most is None else most - given
    return tuple(lines)


def _cap(promotion: Promotion, found: Effect, parts: Sequence[Part], currency: str) -> Effect:
    cap = promotion.limits.cap.get(currency)
    if cap is None:
        return found
    counted = [p.part_id for p in parts if p.counted and p.part_id in found.offs]
    whole = sum((found.offs[name] for name in counted), ZERO)
    offs = {name: min(cap, off) for name, off in found.offs.items()}
    if whole > cap:
        shares = split(cap, [found.offs[name] for name in counted], currency)
        offs.update(zip(counted, shares, strict=True))
    return Effect(offs, found.units, found.gifts, capped=whole > cap)
