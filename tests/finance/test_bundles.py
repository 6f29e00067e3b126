"""Bundles: a price of their own or the sum of their parts, and lines that are parts of one."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from hypothesis import given
from hypothesis import strategies as st

from servers.finance.documents import Pricing
from servers.finance.facts.prices import Component, Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.prices.bundles import Parts, bundle_problems, completed
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database

SKUS = ("BDL-EDGE", "BDL-CAM", "SUB-DM-STD", "SUB-AN-ADV", "SEN-T4")


@pytest.fixture
def facts(database: Database) -> PricingFacts:
    lines = [line(f"l{n}", sku) for n, sku in enumerate(SKUS, 1)]
    with acting(everyone()), database.session() as session:
        return collect(session, PriceRequest.model_validate(asking(*lines))).pricing


def priced(facts: PricingFacts, *lines: dict[str, Any], **changes: Any) -> Pricing:
    return price(facts, PriceRequest.model_validate(asking(*lines, **changes)))


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


def test_a_bundle_with_a_price_of_its_own(facts: PricingFacts) -> None:
    pricing = priced(facts, line("l1", "BDL-EDGE", 2))
    (only,) = pricing.lines
    assert (only.unit_price, only.net_minor, only.price_book) == ("3790.00", 758000, "PB-EUR")
    assert [(c.sku, c.quantity) for c in only.components] == [("SRV-R1-64", 1), ("SW-P8-120", 1)]
    assert pricing.freight.weight_g == 2 * (9800 + 900)
    assert pricing.margin is not None
    assert pricing.margin.cost_minor == 2 * (213900 + 24118)


def test_a_bundle_that_is_the_sum_of_its_parts(facts: PricingFacts) -> None:
    pricing = priced(facts, line("l1", "BDL-CAM", 1))
    (only,) = pricing.lines
    assert only.unit_price == "1407.40"  # 4 x 254.60 + 389.00
    assert only.price_book is None
    (step,) = [one for one in pricing.trace if one.step == "list"]
    assert "4 x CAM-D4 at 268.00 less 5%" in step.note
    assert only.net_minor == 140740
    assert codes(pricing) == []


def test_optional_parts_are_lines_of_their_own(facts: PricingFacts) -> None:
    pricing = priced(
        facts,
        line("l1", "BDL-EDGE", 1),
        line("l2", "SUB-DM-STD", 2, unit="license", part_of="l1", term_months=12),
        line("l3", "BDL-CAM", 1),
        line("l4", "SUB-AN-ADV", 4, unit="license", part_of="l3", term_months=12),
    )
    assert [one.unit_price for one in pricing.lines] == ["3790.00", "0.00", "1407.40", "108.00"]
    assert [one.part_of for one in pricing.lines] == [None, "l1", None, "l3"]
    assert codes(pricing) == []
    (free,) = [one for one in pricing.trace if one.step == "bundle" and one.line_id == "l2"]
    assert "free of charge" in free.note


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([line("l1", "BDL-EDGE"), line("l2", "SEN-T4", part_of="l1")], "no optional part"),
        ([line("l1", "SEN-T4"), line("l2", "SUB-DM-STD", part_of="l1")], "no optional part"),
        ([line("l1", "BDL-EDGE"), line("l2", "SUB-DM-STD", part_of="l9")], "no line l9"),
        ([line("l1", "BDL-EDGE"), line("l2", "SUB-DM-STD", 3, part_of="l1")], "at most 2"),
        (
            [
                line("l1", "BDL-EDGE"),
                line("l2", "SUB-DM-STD", 2, part_of="l1"),
                line("l3", "SUB-DM-STD", 1, part_of="l1"),
            ],
            "at most 2",
        ),
        (
            [line("l1", "BDL-EDGE", optional=True), line("l2", "SUB-DM-STD", part_of="l1")],
            "not in the total",
        ),
    ],
)
def test_a_part_that_is_none_leaves_no_price(
    facts: PricingFacts, lines: list[dict[str, Any]], said: str
) -> None:
    pricing = priced(facts, *lines)
    wrong = [found for found in pricing.findings if found.code == "BUNDLE_PART"]
    assert said in wrong[0].message
    assert pricing.totals.total_minor is None


def test_a_part_without_a_price_leaves_the_bundle_without_one(facts: PricingFacts) -> None:
    without = tuple(e for e in facts.entries if e.sku != "CAM-D4")
    pricing = priced(replace(facts, entries=without), line("l1", "BDL-CAM"))
    assert "NO_PRICE" in codes(pricing)
    assert "CAM-D4" in pricing.findings[0].message


def item(sku: str, **more: Any) -> Item:
    plain = Item(sku, sku, "", "f", "goods", 100, Decimal(10), "EUR", "standard")
    return replace(plain, **more)


def test_a_bundles_own_cost_and_weight_stand_and_flags_come_from_within() -> None:
    parts = Parts([Component("B", "A", 3, "included"), Component("B", "C", 2, "included")])
    bare = item("B", cost=None, weight_g=None)
    flagged = item("A", flags=frozenset({"hazmat"}))
    done = completed({"A": flagged, "B": bare, "C": item("C")}, parts)["B"]
    assert (done.cost, done.weight_g, done.flags) == (50, 500, {"hazmat"})
    own = completed({"A": flagged, "B": item("B", cost=Decimal(1)), "C": item("C")}, parts)["B"]
    assert (own.cost, own.weight_g) == (1, 100)
    unknown = completed({"A": item("A", cost=None), "B": bare, "C": item("C")}, parts)["B"]
    assert (unknown.cost, unknown.weight_g) == (None, 500)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_bundles_in_bundles_multiply(counts: list[int]) -> None:
    chain = [Component(f"B{n}", f"B{n + 1}", many, "included") for n, many in enumerate(counts)]
    expected = 1
    for many in counts:
        expected *= many
    assert Parts(chain).leaves("B0") == {f"B{len(counts)}": expected}


def problems(*components: Component, priced: tuple[str, ...] = ("B",)) -> list[str]:
    names = {name for one in components for name in (one.bundle_sku, one.sku)}
    items = dict.fromkeys(names, ("goods", "standard"))
    return bundle_problems(components, items, priced)


def test_what_cannot_be_a_bundle_is_named() -> None:
    a = Component("B", "A", 1, "included")
    assert problems(a) == []
    assert "neither" in problems(a, priced=())[0]
    assert "both" in problems(replace(a, price_mode="priced"))[0]
    assert problems(replace(a, price_mode="priced"), priced=()) == []
    circle = (Component("B", "C", 1, "included"), Component("C", "B", 1, "included"))
    assert any("circle" in one for one in problems(*circle, priced=("B", "C")))
    deep = [Component(f"D{n}", f"D{n + 1}", 1, "included") for n in range(7)]
    found = problems(*deep, priced=tuple(f"D{n}" for n in range(7)))
    assert any("more than 5" in one for one in found)
    service = bundle_problems([a], {"B": ("goods", "standard"), "A": ("service", "x")}, ["B"])
    assert "another kind" in service[0]
