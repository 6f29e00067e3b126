"""Every threshold of a quantity, one below it, at it, and one above."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from promotion_support import BUYER, EVERYWHERE, part, promotion

from servers.finance.charges import price_freight
from servers.finance.facts.charges import FreightRate
from servers.finance.facts.policy import GuidancePolicy
from servers.finance.facts.prices import Band, Book, Component, Contract, Entry, Formula, Schedule
from servers.finance.facts.promotions import BuyGet, Gift, Limits
from servers.finance.facts.windows import Window
from servers.finance.guidance import Deal, PastLine, comparables, guide
from servers.finance.prices.books import Ask, choose
from servers.finance.prices.bundles import Parts, bundle_problems, find_part
from servers.finance.prices.contracts import Buying, apply_contract, commitments
from servers.finance.prices.formula import chain_problems
from servers.finance.prices.tiers import Lot, next_band, reduce_lot, schedule_problem
from servers.finance.prices.units import UnitPrice, Units
from servers.finance.promotions.effects import State, effect
from servers.finance.promotions.rules import Order, refusal, settle
from servers.finance.schemas import LineIn
from servers.toolkit.findings import Finding

DAY = date(2026, 11, 23)
BELOW, UP_TO = (True, False, False), (True, True, False)
FROM, ABOVE = (False, True, True), (False, False, True)
"""For which of the three values a rule says yes."""
BUSINESS = ("business", "direct")


def at(name: str, ask: Callable[[Any], Any], limit: int, expected: tuple[Any, Any, Any]) -> Any:
    """A case: what a rule is asked around which limit, and what it says to the three values."""
    values = (limit - 1, limit, limit + 1)
    return pytest.param(ask, values, expected, id=name.replace(" ", "-"))


# tiers


def bands(first: int = 10, second: int = 20, value: int = 10) -> tuple[Band, ...]:
    return (
        Band("B1", Decimal(1), Decimal(first), Decimal(0)),
        Band("B2", Decimal(first), Decimal(second), Decimal(5)),
        Band("B3", Decimal(second), None, Decimal(value)),
    )


def reduced(quantity: int, **changes: Any) -> int:
    """What a schedule takes off so many pieces at 100."""
    schedule = Schedule("S", "all", "", Window(), bands(), **changes)
    pieces = Decimal(quantity)
    lot = Lot("l1", "A", "f", pieces, (1, 1), Decimal(100), 100 * pieces)
    measured = lot.net / 100 if changes.get("basis") == "amount" else pieces
    return int(reduce_lot(schedule, lot, measured).amount)


def following(quantity: int) -> str:
    found = next_band(Schedule("S", "all", "", Window(), bands()), Decimal(quantity))
    return "" if found is None else found.band_id


def sound(**changes: Any) -> bool:
    return not schedule_problem(Schedule("S", "all", "", Window(), bands(**changes)))


# books and contracts


def listed(quantity: int, **changes: Any) -> bool:
    entry = Entry(*("E", "B", "EUR", "", "", Window(), "A", "each", None, Decimal(9)))
    ask = Ask("A", "each", Decimal(quantity), "EUR", DAY, {"account": frozenset()})
    return choose(ask, [replace(entry, **changes)], Units(())).amount is not None


def contract(**changes: Any) -> Contract:
    plain = Contract(
        *("CON", "acc_1", "sku", "A", "fixed", Decimal(5), "EUR", Window(), False, "Call-off"),
    )
    return replace(plain, **changes)


def agreed(pieces: int, used: int = 90) -> tuple[str, Any]:
    """The finding and how many pieces have the price of a contract over 100 pieces."""
    price = UnitPrice(Decimal(9))
    buying = Buying(BUYER, "A", "f", Decimal(pieces), firm=True, currency="EUR", day=DAY, taken={})
    one = contract(max_quantity=Decimal(100), used=Decimal(used))
    apply_contract(price, buying, [one])
    return "".join(found.code for found in price.findings), price.covered


def short(pieces: int) -> bool:
    one = contract(min_commit=Decimal(100), used=Decimal(90))
    return bool(commitments([one], {"CON": Decimal(pieces)}))


# promotions


def held(**asks: Any) -> Callable[[int], bool]:
    """Whether a promotion with conditions holds for so many pieces."""

    def ask(quantity: int) -> bool:
        one = promotion("P", percent=5, conditions=replace(EVERYWHERE, **asks))
        return refusal(one, Order(BUYER, DAY, "EUR", [part("l1", quantity, "9")])) is None

    return ask


def usable(used: int) -> bool:
    one = promotion("P", percent=5, limits=Limits(usage=10, used=used))
    return refusal(one, Order(BUYER, DAY, "EUR", [part("l1", 1, "9")])) is None


def off(quantity: int, **more: Any) -> tuple[int, int]:
    """What a promotion takes off so many pieces at 10, and how many it gives away."""
    parts = [part("l1", quantity, str(10 * quantity))]
    found = effect(promotion("P", **more), parts, State.of(parts), "EUR")
    given = sum(gift.quantity for gift in found.gifts)
    return int(sum(found.offs.values())), given


def at_most_four(quantity: int) -> tuple[int, int]:
    return off(quantity, percent=10, limits=Limits(max_quantity=4))


def three_for_two(quantity: int) -> tuple[int, int]:
    return off(quantity, kind="buy_x_get_y", percent=100, buy_get=BuyGet(2, 1))


def capped(cap: int) -> bool:
    parts = [part("l1", 1, "100")]
    one = promotion("P", percent=10, limits=Limits(cap={"EUR": Decimal(cap)}))
    return effect(one, parts, State.of(parts), "EUR").capped


def exclusive(percent: int) -> bool:
    """Whether an exclusive promotion of so much wins over one of ten percent."""
    parts = [part("l1", 1, "100")]
    alone = promotion("X", percent=percent, exclusive=True)
    found = settle([alone, promotion("P", percent=10)], parts, "EUR").outcome
    return [one.promotion.code for one in found.applied] == ["X"]


# bundles, derived books, freight


def taken(quantity: int) -> bool:
    """Whether two bundles of three spare parts each may take so many."""
    parts = Parts([Component("KIT", "SPARE", 3, "included", optional=True)])
    owner = LineIn(line_id="l1", sku="KIT", quantity=2)
    one = LineIn(line_id="l2", sku="SPARE", quantity=quantity, part_of="l1")
    return not isinstance(find_part(one, [owner, one], parts), Finding)


def nested(depth: int) -> bool:
    """Whether bundles may lie so deep in each other."""
    chain = [Component(f"B{n}", f"B{n + 1}", 1, "included") for n in range(depth)]
    items = {f"B{n}": ("goods", "standard") for n in range(depth + 1)}
    return not [one for one in bundle_problems(chain, items, list(items)) if "deep" in one]


def derived(books: int) -> bool:
    """Whether a chain of so many books may be."""
    names = [f"B{n}" for n in range(books)]
    chain = [Book(names[-1], "EUR")]
    for name, base in pairwise(names):
        chain.append(Book(name, "EUR", derived_from=base, formula=Formula()))
    return not chain_problems(chain)


def carriage(grams: int) -> Decimal | None:
    rate = FreightRate("F", "ROAD", "Road", "WORLD", "EUR", Decimal(10), Decimal(1), physical=True)
    return price_freight("ROAD", "DE", [("l1", grams, 1)], [rate], {}, "EUR").gross


# guidance


POLICY = GuidancePolicy(lowest_bp=1500, size_factor=3, days=365, least=3, most=4)
DEAL = Deal("l1", "A", "f", Decimal(9), *BUSINESS, DAY, "EUR", 10_000, 10_000, Decimal(8_200))


def past(number: int = 1, at_minor: int = 9_000, **changes: Any) -> PastLine:
    plain = PastLine(
        *(f"q{number}", f"Q-{number}", "acc", *BUSINESS, "l1", "A", "f", Decimal(9)),
        *(10_000, at_minor, "accepted", DAY),
    )
    return replace(plain, **changes)


def as_many(quantity: int) -> bool:
    return bool(comparables(DEAL, [past(quantity=Decimal(quantity))], POLICY)[0])


def own_family(accepted: int) -> int:
    """How many compare where so many of the item itself were accepted."""
    family = past(99, sku="B")
    return len(comparables(DEAL, [family, *map(past, range(accepted))], POLICY)[0])


def compared(many: int) -> int:
    return len(comparables(DEAL, list(map(past, range(many))), POLICY)[0])


def target(minor: int) -> int | None:
    """The amount proposed where that much was paid; the floor is 10000 of cost 8200."""
    found = guide(DEAL, [past(at_minor=minor)], POLICY, 0).target
    return found and found.minor


def floor(cost: int) -> int | None:
    found = guide(replace(DEAL, cost_minor=Decimal(cost)), [], POLICY, 1800).floor
    return found and found.minor


TWO = {"kind": "free_item", "gift": Gift(2, every=5)}
CASES = [
    at("band", reduced, 10, (0, 50, 55)),
    at("next band", reduced, 20, (95, 200, 210)),
    at("band of an amount", lambda n: reduced(n, basis="amount", unit="flat"), 10, (0, 5, 5)),
    at("slab", lambda n: reduced(n, type="slab"), 10, (0, 5, 10)),
    at("next slab", lambda n: reduced(n, type="slab"), 20, (50, 60, 70)),
    at("the band after", following, 10, ("B2", "B3", "B3")),
    at("no band after", following, 20, ("B3", "", "")),
    at("whole reduction", lambda n: sound(value=n), 100, UP_TO),
    at("empty band", lambda n: sound(second=n), 10, ABOVE),
    at("least of an entry", lambda n: listed(n, min_qty=Decimal(10)), 10, FROM),
    at("end of an entry", lambda n: listed(n, max_qty=Decimal(10)), 10, BELOW),
    at("left of a contract", agreed, 10, (("", 9), ("", 10), ("CONTRACT_PARTLY", 10))),
    at(
        "used up contract",
        lambda used: agreed(1, used),
        100,
        (("", 1), ("CONTRACT_EXHAUSTED", None), ("CONTRACT_EXHAUSTED", None)),
    ),
    at("commitment", short, 10, BELOW),
    at("least of a promotion", held(min_quantity=5), 5, FROM),
    at("most of a promotion", held(max_quantity=5), 5, UP_TO),
    at("uses of a promotion", usable, 10, BELOW),
    at("rewarded units", at_most_four, 4, ((3, 0), (4, 0), (4, 0))),
    at("buy two get one", three_for_two, 3, ((0, 0), (10, 0), (10, 0))),
    at("buy four get two", three_for_two, 6, ((10, 0), (20, 0), (20, 0))),
    at("a gift for every five", lambda n: off(n, **TWO), 5, ((0, 0), (0, 2), (0, 2))),
    at("cap", capped, 10, BELOW),
    at("exclusive promotion", exclusive, 10, ABOVE),
    at("parts of bundles", taken, 6, UP_TO),
    at("bundles in bundles", nested, 5, UP_TO),
    at("chain of books", derived, 5, UP_TO),
    at("started kilogram", carriage, 1000, (11, 11, 12)),
    at("nothing to carry", carriage, 1, (0, 11, 11)),
    at("as many", as_many, 27, UP_TO),
    at("as few", as_many, 3, FROM),
    at("enough of the item", own_family, 3, (3, 3, 4)),
    at("newest comparables", compared, 4, (3, 4, 4)),
    at("lowest target", target, 8_500, (8_500, 8_500, 8_501)),
    at("highest target", target, 10_000, (9_999, 10_000, 10_000)),
    at("floor", floor, 8_200, (9_999, 10_000, 10_002)),
]


@pytest.mark.parametrize(("ask", "values", "expected"), CASES)
def test_a_quantity_is_where_it_says(
    ask: Callable[[Any], Any], values: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    assert tuple(ask(value) for value in values) == expected
