"""Volume tiers: range and slab, what is counted, and the hint that more would cost less."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servers.finance.documents import Pricing
from servers.finance.facts.prices import Band, History, Schedule
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.windows import Window
from servers.finance.load.base import exclusive
from servers.finance.prices.tiers import Lot, measure, next_band, pick, reduce_lot, schedule_problem
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database

OPEN = Window(date(2026, 1, 1))
SKUS = ("SW-P8-120", "SW-P16-240", "SUB-DM-STD", "SEN-T4")
calm = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def bands(*steps: tuple[int, Any]) -> tuple[Band, ...]:
    """Return bands from (lower, value), each up to the next."""
    lowers = [Decimal(lower) for lower, _ in steps]
    uppers = [*lowers[1:], None]
    return tuple(
        Band(f"B{lower}", lower, upper, Decimal(str(value)))
        for lower, upper, (_, value) in zip(lowers, uppers, steps, strict=True)
    )


def plan(*steps: tuple[int, Any], **more: Any) -> Schedule:
    scope = {"scope": "family", "selector": "switches"}
    return Schedule("PLAN", **{**scope, **more}, window=OPEN, bands=bands(*steps))


def lot(quantity: Any, unit_price: Any = 100, **more: Any) -> Lot:
    amount, unit = Decimal(str(quantity)), Decimal(str(unit_price))
    plain = Lot("l1", "A", "switches", amount, (1, 1), unit, unit * amount)
    return replace(plain, **more)


def off(schedule: Schedule, one: Lot) -> Decimal:
    return reduce_lot(schedule, one, measure(schedule, [one])).amount


def test_range_gives_all_the_band_and_slab_each_band_its_own() -> None:
    steps = ((1, 0), (11, 5), (21, 10))
    assert off(plan(*steps), lot(11)) == 55
    assert off(plan(*steps, type="slab"), lot(11)) == 5
    assert off(plan(*steps, type="slab"), lot(25)) == 10 * 5 + 5 * 10


@pytest.mark.parametrize(
    ("unit", "value", "range_off", "slab_off"),
    [
        ("percent", 10, 120, 30),
        ("amount", 7, 84, 21),
        ("unit_price", 80, 240, 60),
        ("unit_price", 130, 0, 0),
        ("flat", 50, 50, 50),
        ("flat", 99999, 1200, 1200),
    ],
)
def test_what_a_band_gives(unit: str, value: int, range_off: int, slab_off: int) -> None:
    one = lot(12)
    assert off(plan((10, value), unit=unit), one) == range_off
    assert off(plan((10, value), unit=unit, type="slab"), one) == slab_off


def test_amounts_and_terms_are_measures_too() -> None:
    by_amount = plan((1000, 5), basis="amount", currency="EUR")
    assert [off(by_amount, lot(quantity)) for quantity in (9, 10)] == [0, 50]
    by_slab = plan((1000, 5), basis="amount", currency="EUR", type="slab")
    assert off(by_slab, lot(12)) == 10
    by_term = plan((24, 8), basis="term")
    assert [off(by_term, lot(1, term_months=m)) for m in (None, 23, 24)] == [0, 0, 8]


def test_quantities_are_base_units() -> None:
    dozen = lot("0.4", 240, ratio=(12, 1))
    assert off(plan((4, 10)), dozen) == Decimal("9.6")
    assert off(plan((5, 10)), dozen) == 0
    assert off(plan((4, 1), unit="amount"), dozen) == Decimal("4.8")
    assert off(plan((4, 10), type="slab"), dozen) == Decimal("1.8") * 20 / 10


steps_of = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True).flatmap(
    lambda lowers: st.lists(st.integers(0, 60), min_size=len(lowers), max_size=len(lowers)).map(
        lambda values: list(zip(sorted(lowers), sorted(values), strict=True))
    )
)


@given(steps_of, st.integers(1, 90))
def test_a_slab_is_the_sum_of_what_each_piece_gets(
    steps: list[tuple[int, int]], quantity: int
) -> None:
    ladder = plan(*steps)
    by_piece = sum(
        next((band.value for band in ladder.bands if band.holds(Decimal(piece))), Decimal(0))
        for piece in range(1, quantity + 1)
    )
    assert off(replace(ladder, type="slab"), lot(quantity)) == by_piece
    assert off(replace(ladder, type="slab"), lot(quantity)) <= off(ladder, lot(quantity))


@given(steps_of, st.integers(0, 90))
def test_exactly_one_band_holds_from_the_first_lower_end_on(
    steps: list[tuple[int, int]], quantity: int
) -> None:
    ladder = plan(*steps)
    holding = [band for band in ladder.bands if band.holds(Decimal(quantity))]
    assert len(holding) == (1 if quantity >= steps[0][0] else 0)
    following = next_band(ladder, Decimal(quantity))
    later = [lower for lower, _ in steps if lower > quantity]
    assert (following.lower if following else None) == (min(later) if later else None)


def test_the_most_exact_then_the_newest_schedule_holds() -> None:
    family = plan((10, 5))
    own = replace(family, schedule_id="OWN", scope="sku", selector="A")
    newer = replace(own, schedule_id="NEW", window=Window(date(2026, 6, 1)))
    everything = replace(family, schedule_id="ALL", scope="all", selector="")
    day = date(2026, 11, 23)
    rows = [everything, family, own, newer]
    for order in (rows, rows[::-1]):
        assert pick(order, "A", "switches", "EUR", day) == [newer]
    assert pick(rows[:2], "B", "switches", "EUR", day) == [family]
    assert pick([replace(family, currency="USD")], "B", "switches", "EUR", day) == []
    twin = replace(own, schedule_id="TWIN")
    assert pick([twin, own], "A", "switches", "EUR", day) == [own, twin]


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (replace(plan((1, 5)), bands=()), "no bands"),
        (replace(plan((1, 5)), bands=bands((1, 5), (9, 6))[:1]), "must be open"),
        (replace(plan((1, 5)), bands=(bands((1, 5), (9, 6))[0], bands((10, 6))[0])), "gap"),
        (replace(plan((1, 5)), bands=(bands((1, 5), (9, 6))[0], bands((8, 6))[0])), "overlap"),
        (
            replace(plan((1, 5)), bands=(replace(bands((5, 5))[0], upper=Decimal(5)),)),
            "ends before",
        ),
        (plan((1, 5), type="slab", aggregation="group"), "cannot be aggregated"),
        (plan((1, 5), unit="flat", currency="EUR", aggregation="quote"), "cannot be aggregated"),
        (plan((1, 5), basis="term", aggregation="product"), "cannot be aggregated"),
        (plan((1, 5), type="slab", basis="term"), "by term"),
        (plan((1, 5), unit="amount"), "need a currency"),
        (plan((1, 5), currency="EUR"), "need a currency"),
        (plan((1, 5), basis="amount", unit="amount", currency="EUR"), "cannot be measured"),
        (plan((1, 5), basis="amount", currency="EUR", aggregation="account_history"), "quantity"),
        (plan((1, 101)), "more than 100"),
        (plan((1, 5), scope="all"), "by name"),
        (plan((1, 5), selector=""), "by name"),
    ],
)
def test_a_schedule_that_does_not_hold_together_is_named(schedule: Schedule, said: str) -> None:
    assert said in schedule_problem(schedule)
    assert schedule_problem(plan((1, 5), (9, 6))) == ""


def test_an_importer_takes_inclusive_upper_ends() -> None:
    read = exclusive("upper")
    assert read({"lower": 1, "upper_inclusive": 10}) == {"lower": 1, "upper": 11}
    assert read({"lower": 1, "upper": 10}) == {"lower": 1, "upper": 10}
    for wrong in ({"upper": 9, "upper_inclusive": 8}, {"upper_inclusive": "8.5"}):
        with pytest.raises(ValueError, match=r"not both|whole number"):
            read(wrong)


# through the whole waterfall


@pytest.fixture(scope="module")
def facts(filled: Any) -> Any:
    database = Database.open(filled, "finance")
    lines = [line(f"l{n}", sku) for n, sku in enumerate(SKUS, 1)]
    with acting(everyone()), database.session() as session:
        found = collect(session, PriceRequest.model_validate(asking(*lines))).pricing
    database.close()
    return found


def priced(facts: PricingFacts, schedule: Schedule, *lines: dict[str, Any], **more: Any) -> Pricing:
    changed = replace(facts, tiers=(schedule,), history=more.pop("history", ()))
    return price(changed, PriceRequest.model_validate(asking(*lines, **more)))


def percents(pricing: Pricing) -> list[str | None]:
    return [one.allowances[0].percent if one.allowances else None for one in pricing.lines]


SIX = (line("l1", "SW-P8-120", 6), line("l2", "SW-P8-120", 6), line("l3", "SW-P16-240", 6))


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("line", [None, None, None]),
        ("product", ["5", "5", None]),
        ("group", ["9", "9", "9"]),
        ("quote", ["9", "9", "9"]),
        ("account_history", ["9", "9", "9"]),
    ],
)
def test_what_is_counted_together(
    facts: PricingFacts, aggregation: str, expected: list[str | None]
) -> None:
    counted = plan((10, 5), (18, 9), aggregation=aggregation)
    assert percents(priced(facts, counted, *SIX)) == expected
    assert percents(priced(facts, counted, *SIX[::-1])) == expected[::-1]


def test_what_the_account_has_counts_where_a_schedule_says_so(facts: PricingFacts) -> None:
    had = (History("SW-P8-120", "switches", Decimal(6)), History("X", "other", Decimal(99)))
    counted = plan((10, 5), aggregation="account_history")
    pricing = priced(facts, counted, line("l1", "SW-P8-120", 4), history=had)
    assert percents(pricing) == ["5"]
    (step,) = [one for one in pricing.trace if one.step == "tier"]
    assert "quantity 10" in step.note
    assert "account history" in step.note
    alone = replace(counted, aggregation="product")
    assert percents(priced(facts, alone, line("l1", "SW-P8-120", 4), history=had)) == [None]


def test_history_comes_from_purchases_and_running_subscriptions(database: Database) -> None:
    order = {"account_id": "acc_001", "ship_to_address_id": "adr_003"}
    for day, least in (("2026-11-23", 60), ("2025-06-01", 500)):
        request = PriceRequest.model_validate(asking(**order, order_date=day))
        with acting(everyone()), database.session() as session:
            (had,) = [h for h in collect(session, request).pricing.history if h.sku == "SUB-DM-STD"]
        assert least <= had.quantity < least + 400
        assert had.family == "subscriptions"


def test_optional_lines_are_measured_but_do_not_count_for_others(facts: PricingFacts) -> None:
    counted = plan((10, 5), aggregation="product")
    lines = (line("l1", "SW-P8-120", 6), line("l2", "SW-P8-120", 6, optional=True))
    assert percents(priced(facts, counted, *lines)) == [None, "5"]


def test_two_schedules_of_equal_rank_are_a_conflict(facts: PricingFacts) -> None:
    twin = replace(plan((10, 5)), schedule_id="TWIN")
    both = replace(facts, tiers=(plan((10, 5)), twin))
    pricing = price(both, PriceRequest.model_validate(asking(line("l1", "SW-P8-120", 10))))
    assert [f.code for f in pricing.findings] == ["RULE_CONFLICT"]
    assert all(name in pricing.findings[0].message for name in ("PLAN", "TWIN"))
    assert pricing.totals.total_minor is None


def hints(pricing: Pricing) -> list[str]:
    return [f.subject for f in pricing.findings if f.code == "TIER_HINT"]


@calm
@given(st.integers(1, 60), steps_of)
def test_the_hint_is_said_exactly_when_the_next_band_is_cheaper(
    facts: PricingFacts, quantity: int, steps: list[tuple[int, int]]
) -> None:
    ladder = plan(*steps)
    later = [lower for lower, _ in steps if lower > quantity]
    now = priced(facts, ladder, line("l1", "SW-P8-120", quantity))
    cheaper = False
    if later:
        more = priced(facts, ladder, line("l1", "SW-P8-120", min(later)))
        cheaper = (more.lines[0].net_minor or 0) < (now.lines[0].net_minor or 0)
    assert hints(now) == (["l1"] if cheaper else [])


@calm
@given(st.integers(1, 30), st.integers(1, 30), st.integers(2, 60), st.integers(1, 60))
def test_the_hint_of_lines_counted_together_is_right(
    facts: PricingFacts, one: int, other: int, lower: int, rate: int
) -> None:
    together = plan((lower, rate), aggregation="group")

    def lines_total(first: int, second: int) -> int:
        found = priced(
            facts, together, line("l1", "SW-P8-120", first), line("l2", "SW-P16-240", second)
        )
        return found.totals.lines_minor or 0

    now = priced(facts, together, line("l1", "SW-P8-120", one), line("l2", "SW-P16-240", other))
    missing = lower - one - other
    cheaper = missing > 0 and min(
        lines_total(one + missing, other), lines_total(one, other + missing)
    ) < lines_total(one, other)
    assert bool(hints(now)) == cheaper
    assert len(hints(now)) <= 1


@calm
@given(st.integers(1, 60), steps_of)
def test_one_more_never_costs_less_in_slabs(
    facts: PricingFacts, quantity: int, steps: list[tuple[int, int]]
) -> None:
    slabs = plan(*steps, type="slab")
    here = priced(facts, slabs, line("l1", "SW-P8-120", quantity))
    more = priced(facts, slabs, line("l1", "SW-P8-120", quantity + 1))
    assert (here.lines[0].net_minor or 0) <= (more.lines[0].net_minor or 0)
    assert hints(here) == []


def test_a_slab_is_one_allowance_with_its_bands_in_the_trace(facts: PricingFacts) -> None:
    pricing = priced(facts, plan((1, 0), (11, 5), type="slab"), line("l1", "SW-P8-120", 12))
    (only,) = pricing.lines
    assert [(a.label, a.percent, a.amount_minor) for a in only.allowances] == [
        ("Volume discount", None, 3890)
    ]
    (step,) = [one for one in pricing.trace if one.step == "tier"]
    assert (step.rule_id, step.source) == ("PLAN", "PLAN")
    assert "1 to 11, 11 to more" in step.note


def test_a_single_band_is_named_in_the_trace(facts: PricingFacts) -> None:
    pricing = priced(facts, plan((1, 0), (11, 5), type="range"), line("l1", "SW-P8-120", 12))
    (step,) = [one for one in pricing.trace if one.step == "tier"]
    assert (step.rule_id, step.source) == ("B11", "PLAN")


@pytest.mark.parametrize(("lines", "words"), [(1, "1 line"), (2, "2 lines")])
def test_the_trace_says_over_how_many_lines_was_counted(
    database: Database, lines: int, words: str
) -> None:
    asked = [line(f"l{n}", "SW-P8-120", 10) for n in range(1, lines + 1)]
    request = PriceRequest.model_validate(asking(*asked))
    with acting(everyone()), database.session() as session:
        found = collect(session, request).pricing
    over = tuple(replace(one, aggregation="product") for one in found.tiers)
    pricing = price(replace(found, tiers=over), request)
    (note, *_) = [step.note for step in pricing.trace if step.step == "tier"]
    assert note.endswith(f"; counted over the product, {words}")


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [("percent", 10, 40), ("amount", 7, 14), ("unit_price", 150, 100)],
)
@pytest.mark.parametrize("ratio", [(1, 2), (2, 4)])
def test_a_slab_counts_pieces_where_a_unit_is_a_part_of_one(
    ratio: tuple[int, int], unit: str, value: int, expected: int
) -> None:
    """Eight halves at 100 are four pieces at 200: the third and fourth are in the band."""
    nothing = 200 if unit == "unit_price" else 0
    bands = plan((1, nothing), (3, value), type="slab", unit=unit)
    assert off(bands, lot(8, 100, ratio=ratio)) == expected
