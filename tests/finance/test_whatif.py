"""What would change a price: breaks, another day, place or currency, and ways past an approval."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import acting, asking, call, everyone, line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servers.finance.facts.pricing import PricingFacts
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest, WayOut
from servers.finance.store.collect import collect
from servers.finance.whatif import Effort, quantity_breaks, ways_out, with_quantity
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError

World = Callable[..., tuple[PricingFacts, PriceRequest]]
SWITCH = "SW-P8-120"


@pytest.fixture
def world(database: Database) -> World:
    def collected(*lines: dict[str, Any], **changes: Any) -> tuple[PricingFacts, PriceRequest]:
        request = PriceRequest.model_validate(asking(*lines, **changes))
        with acting(everyone()), database.session() as session:
            return collect(session, request).pricing, request

    return collected


def rules(facts: PricingFacts, request: PriceRequest) -> set[str]:
    return {need.rule_id for need in price(facts, request).approvals}


def applied(request: PriceRequest, way: WayOut) -> PriceRequest:
    if way.change == "quantity":
        assert way.line_id is not None
        return with_quantity(request, way.line_id, way.after)
    return request.model_copy(update={"discount_bp": int(way.after)})


# breaks


def test_the_next_bands_of_a_line_and_what_a_piece_comes_to_in_each(world: World) -> None:
    facts, request = world(line("l1", SWITCH, 9))
    breaks = quantity_breaks(facts, request, "l1")
    assert [(b.quantity, b.allowances, b.net_each) for b in breaks] == [
        (9, [], "389.00"),
        (10, ["Volume discount 5%"], "369.55"),
        (25, ["Volume discount 8%"], "357.88"),
        (50, ["Volume discount 12%"], "342.32"),
    ]
    assert [b.net_minor for b in breaks][1] == 369550


def test_a_line_in_its_last_band_has_no_further_break(world: World) -> None:
    facts, request = world(line("l1", SWITCH, 60))
    assert [b.quantity for b in quantity_breaks(facts, request, "l1")] == [60]


def test_breaks_of_a_line_that_does_not_exist_are_refused(world: World) -> None:
    with pytest.raises(InvalidInputError, match="no line l9"):
        quantity_breaks(*world(), "l9")


# ways out


def test_a_discount_just_over_a_limit_is_led_back_to_it(world: World) -> None:
    facts, request = world(line("l1", SWITCH, 12), discount_bp=740)
    ways, unavoidable = ways_out(facts, request)
    first = ways[0]
    assert (first.change, first.before, first.after) == ("discount_bp", 740, 500)
    assert (first.avoids, first.still_needed) == (["APR-DISCOUNT-5"], [])
    assert unavoidable == []


def test_a_lower_step_of_the_ladder_is_a_way_too(world: World) -> None:
    facts, request = world(line("l1", "SUB-DM-STD", 12), discount_bp=2000, ship_method="DIGITAL")
    ways, _ = ways_out(facts, request)
    assert [(w.after, w.avoids, w.still_needed) for w in ways if w.change == "discount_bp"] == [
        (1500, ["APR-DISCOUNT-15"], ["APR-AVERAGE-12", "APR-DISCOUNT-5"]),
        (1200, ["APR-AVERAGE-12", "APR-DISCOUNT-15"], ["APR-DISCOUNT-5"]),
        (500, ["APR-AVERAGE-12", "APR-DISCOUNT-15"], []),
    ]


def test_fewer_pieces_come_under_the_limit_of_a_total(world: World) -> None:
    facts, request = world(line("l1", "SRV-R1-64", 8))
    assert rules(facts, request) == {"APR-TOTAL-1"}
    ways, unavoidable = ways_out(facts, request, "l1")
    (fewer,) = [way for way in ways if way.change == "quantity"]
    assert fewer.after < 8
    assert rules(facts, applied(request, fewer)) == set()
    assert rules(facts, with_quantity(request, "l1", fewer.after + 1)) == {"APR-TOTAL-1"}
    assert unavoidable == []


def test_what_no_discount_and_no_quantity_avoids_is_said(world: World) -> None:
    facts, request = world(line("l1", SWITCH, 1), promo_codes=["NOPE"])
    assert rules(facts, request) == {"PROMO_UNKNOWN"}
    assert ways_out(facts, request, effort=Effort(40)) == ([], ["PROMO_UNKNOWN"])


def test_more_pieces_reach_what_a_promotion_asks_for(world: World) -> None:
    facts, request = world(line("l1", SWITCH, 1), promo_codes=["SHIPFREE"])
    assert rules(facts, request) == {"PROMO_MINIMUM"}
    (way,) = ways_out(facts, request)[0]
    assert (way.change, way.avoids, way.still_needed) == ("quantity", ["PROMO_MINIMUM"], [])
    assert way.after > 1
    assert rules(facts, with_quantity(request, "l1", way.after - 1)) == {"PROMO_MINIMUM"}


def test_a_quote_that_needs_no_approval_has_nothing_to_avoid(world: World) -> None:
    assert ways_out(*world()) == ([], [])


def test_effort_is_shared_by_the_lines(world: World) -> None:
    _, request = world(*(line(f"l{n}", SWITCH) for n in range(1, 11)))
    assert Effort(100).tries(request) == 10
    assert Effort(1).tries(request) == 1


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 4000), st.integers(1, 40))
def test_no_nearer_discount_avoids_what_a_way_out_avoids(
    world: World, discount_bp: int, quantity: int
) -> None:
    facts, request = world(line("l1", "SRV-D1-16", quantity), discount_bp=discount_bp)
    ways, _ = ways_out(facts, request, effort=Effort(10))
    for way in ways:
        left = rules(facts, applied(request, way))
        assert left == set(way.still_needed)
        assert not left & set(way.avoids)
    discounts = [way for way in ways if way.change == "discount_bp"]
    clean = [way.after for way in discounts if not way.still_needed]
    every = [
        bp
        for bp in range(0, 10_001, 50)
        if not rules(facts, request.model_copy(update={"discount_bp": bp}))
    ]
    if rules(facts, request) and every:
        nearest = min(abs(bp - discount_bp) for bp in every)
        assert abs(clean[0] - discount_bp) <= nearest


# through the server


async def test_a_change_is_priced_beside_what_it_changes(app: Server) -> None:
    order = asking(line("l1", SWITCH, 9))
    found = await call(
        app, everyone(), "what_if", {**order, "change_order_date": "2026-11-24", "breaks_of": "l1"}
    )
    assert found["difference_minor"] == 0
    assert [one["quantity"] for one in found["breaks"]] == [9, 10, 25, 50]
    assert (found["ways_out"], found["unavoidable"]) == ([], [])


async def test_another_currency_has_no_difference_and_another_place_has_one(app: Server) -> None:
    order = asking(line("l1", SWITCH, 9))
    dollars = await call(app, everyone(), "what_if", {**order, "change_currency": "USD"})
    assert (dollars["before_currency"], dollars["currency"]) == ("EUR", "USD")
    assert dollars["difference_minor"] is None
    assert dollars["after_total_minor"] != dollars["before_total_minor"]
    with pytest.raises(ToolError, match="not on file"):
        await call(app, everyone(), "what_if", {**order, "change_ship_to_address_id": "adr_003"})


async def test_ways_out_are_those_after_the_change(app: Server) -> None:
    order = asking(line("l1", SWITCH, 12))
    found = await call(
        app,
        everyone(),
        "what_if",
        {**order, "change_discount_bp": 900, "avoid_approvals": True, "change_line": "l1"},
    )
    ways = [way for way in found["ways_out"] if way["change"] == "discount_bp"]
    assert [(way["before"], way["after"]) for way in ways] == [(900, 500)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "nothing is changed"),
        ({"change_line": "l1"}, "go together"),
        ({"change_quantity": 4}, "go together"),
        ({"change_line": "l9", "change_quantity": 4}, "no line l9"),
        ({"change_line": "l9", "avoid_approvals": True, "discount_bp": 900}, "no line l9"),
    ],
)
async def test_a_question_that_asks_nothing_is_refused(
    app: Server, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ToolError, match=said):
        await call(app, everyone(), "what_if", {**asking(), **arguments})


def test_a_limit_that_changes_moves_the_way_out(world: World) -> None:
    facts, request = world(line("l1", SWITCH, 12), discount_bp=740)
    assert facts.policy is not None
    limits = tuple(
        replace(limit, above=limit.above - 100) for limit in facts.policy.discount_limits
    )
    stricter = replace(facts, policy=replace(facts.policy, discount_limits=limits))
    assert ways_out(stricter, request)[0][0].after == 400


def test_breaks_are_found_over_schedules_that_count_other_lines_and_over_price_entries(
    world: World,
) -> None:
    facts, request = world(line("l1", SWITCH, 3), line("l2", SWITCH, 6))
    product = tuple(replace(one, aggregation="product") for one in facts.tiers)
    shared = replace(facts, tiers=product)
    assert [b.quantity for b in quantity_breaks(shared, request, "l1")] == [3, 4, 19, 44]
    (entry,) = [one for one in facts.entries if one.sku == SWITCH and one.channel == ""]
    many = replace(entry, entry_id="MANY", min_qty=Decimal(7), amount=Decimal("350.00"))
    banded = replace(facts, entries=(replace(entry, max_qty=Decimal(7)), many))
    breaks = quantity_breaks(banded, request, "l1")
    assert [(b.quantity, b.unit_price) for b in breaks][:3] == [
        (3, "389.00"),
        (7, "350.00"),
        (10, "350.00"),
    ]


def test_a_slab_schedule_has_its_breaks_too(world: World) -> None:
    facts, request = world(line("l1", SWITCH, 9))
    slabs = replace(facts, tiers=tuple(replace(one, type="slab") for one in facts.tiers))
    breaks = quantity_breaks(slabs, request, "l1")
    assert [b.quantity for b in breaks] == [9, 10, 25, 50]
    assert breaks[1].net_each == "387.055"  # the tenth has 5% off, the nine before have not
