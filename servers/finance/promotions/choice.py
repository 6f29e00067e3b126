"""Which promotions apply together: the combination that takes most off, and why the rest lost.

Of one stacking group one promotion applies, an exclusive one applies alone, and all that apply do
so by priority, the highest first. Every combination that these rules allow is worked out, and the
one that takes most money off wins; so another code can never make an order dearer. A gift has no
amount: it decides only between combinations that take equally much off.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations, product
from math import prod

from servers.finance.facts.promotions import Promotion
from servers.finance.promotions.effects import Effect, Part, State, effect
from servers.finance.promotions.rules import Refusal, over_budget

ZERO = Decimal(0)
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
    for one in promotions:  # the highest priority first
        mine = groups.setdefault(one.stack_group, [])
        if not any(other is not None and other.pick == "priority" for other in mine):
            mine.append(one)
    for mine in groups.values():
        if not any(one is not None and one.pick == "priority" for one in mine):
            mine.append(None)
    options = list(groups.values())
    if prod(len(mine) for mine in options) <= MOST_COMBINATIONS:
        plans = (_some(plan) for plan in product(*options))
        outcomes = [run(plan, parts, currency) for plan in plans]
        return max(outcomes, key=lambda outcome: outcome.rank)
    chosen: list[Promotion] = []
    for mine in options:
        tries = [run([*chosen, *_some([one])], parts, currency) for one in mine]
        best = max(range(len(mine)), key=lambda place: tries[place].rank)
        chosen += _some([mine[best]])
    return run(chosen, parts, currency)


def _some(plan: Iterable[Promotion | None]) -> list[Promotion]:
    return [one for one in plan if one is not None]
