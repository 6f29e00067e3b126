"""How far the search for breaks and ways out goes: to its last try, and not one further."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line

from servers.finance.facts.policy import RoleAbove
from servers.finance.facts.prices import Band, Schedule
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.windows import Window
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.whatif import (
    LEAST_TRIES,
    MOST_BREAKS,
    MOST_PIECES,
    Effort,
    quantity_breaks,
    ways_out,
)
from servers.toolkit.database import Database

SWITCH = "SW-P8-120"


@pytest.fixture
def facts(database: Database) -> PricingFacts:
    with acting(everyone()), database.session() as session:
        return collect(session, request()).pricing


def request(quantity: int = 1, **changes: Any) -> PriceRequest:
    return PriceRequest.model_validate(asking(line("l1", SWITCH, quantity), **changes))


def breaks(facts: PricingFacts, quantity: int = 1, **more: Any) -> list[int]:
    return [one.quantity for one in quantity_breaks(facts, request(quantity), "l1", **more)]


def banded(facts: PricingFacts, *lowers: int) -> PricingFacts:
    """The facts with one schedule: from each quantity on, a percent more comes off."""
    edges = [Decimal(1), *map(Decimal, lowers), None]
    bands = tuple(
        Band(f"B{n}", lower, edges[n + 1], Decimal(n))
        for n, lower in enumerate(edges)
        if lower is not None
    )
    return replace(facts, tiers=(Schedule("S", "all", "", Window(), bands),))


@pytest.mark.parametrize("many", [MOST_BREAKS - 2, MOST_BREAKS - 1, MOST_BREAKS])
def test_as_many_breaks_are_told_as_one_reads(facts: PricingFacts, many: int) -> None:
    assert MOST_BREAKS == 12
    every = [1, *range(10, 10 + many)]
    assert breaks(banded(facts, *every[1:]), effort=Effort(10_000)) == every[:MOST_BREAKS]


def test_the_search_for_breaks_prices_some_forty_times_at_least(facts: PricingFacts) -> None:
    """Each band costs about seventeen tries of a hundred thousand pieces."""
    many = banded(facts, *range(100, 100 + 8))
    found = breaks(many, effort=Effort(1))
    assert LEAST_TRIES == 40
    assert 2 <= len(found) < len(breaks(many, effort=Effort(10_000)))


@pytest.mark.parametrize(
    ("bound", "found"),
    [(2, [1, 2]), (MOST_PIECES, [1, MOST_PIECES]), (MOST_PIECES + 1, [1]), (1, [1])],
)
def test_an_entry_that_begins_within_reach_is_a_break(
    facts: PricingFacts, bound: int, found: list[int]
) -> None:
    (entry,) = [one for one in facts.entries if one.sku == SWITCH and one.channel == ""]
    many = replace(entry, entry_id="MANY", min_qty=Decimal(bound), amount=Decimal(5))
    held = replace(entry, max_qty=Decimal(bound)) if bound > 1 else replace(entry, channel="none")
    plain = replace(facts, tiers=(), entries=(held, many))
    assert breaks(plain) == found


def limited(facts: PricingFacts, above: int) -> PricingFacts:
    """Facts whose only limit is on totals; a switch costs 389 and nothing else is added."""
    assert facts.policy is not None
    policy = replace(
        facts.policy,
        auto_issue={"EUR": above},
        total_limits={"EUR": (RoleAbove("APR-TOTAL-1", above, "sales_manager"),)},
    )
    return replace(facts, policy=policy, tiers=(), promotions=(), fees=(), freight=free(facts))


def free(facts: PricingFacts) -> Any:
    return tuple(replace(one, base=Decimal(0), per_kg=Decimal(0)) for one in facts.freight)


def fewer(facts: PricingFacts, quantity: int, tries: int) -> list[int]:
    """To which quantities a search of so many tries leads."""
    ways, _ = ways_out(facts, request(quantity), effort=Effort(tries))
    return [way.after for way in ways if way.change == "quantity"]


def test_quantities_are_tried_from_the_nearest_the_smaller_first(facts: PricingFacts) -> None:
    """9, 11, 8, 12, 7: the fifth try is three pieces fewer."""
    total = round(7 * 38900 * Decimal("1.19"))
    assert fewer(limited(facts, total), 10, 4) == []
    assert fewer(limited(facts, total), 10, 5) == [7]
    assert fewer(limited(facts, total - 1), 10, 6) == []
    assert fewer(limited(facts, total - 1), 10, 7) == [6]


def test_one_piece_is_the_fewest(facts: PricingFacts) -> None:
    """From two: 1, 3, 4, ... and never none."""
    one = round(38900 * Decimal("1.19"))
    assert fewer(limited(facts, one), 2, 1) == [1]
    assert fewer(limited(facts, one - 1), 2, 50) == []


def test_a_lower_discount_is_the_nearest_that_asks_nobody(facts: PricingFacts) -> None:
    assert facts.policy is not None
    limits = (RoleAbove("APR-A", 333, "sales_manager"),)
    policy = replace(facts.policy, discount_limits=limits, average_discount=(), line_discount=())
    held = replace(facts, policy=policy)
    for now, after in ((334, 333), (1000, 333)):
        ways, left = ways_out(held, request(discount_bp=now), effort=Effort(1))
        assert [(way.before, way.after) for way in ways if way.change == "discount_bp"] == [
            (now, after)
        ]
        assert left == []
    assert ways_out(held, request(discount_bp=333)) == ([], [])
