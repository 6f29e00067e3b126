"""Terms: months and their days, ramps, co-terms, amendments, renewals, and what they come to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from servers.finance.documents import Pricing
from servers.finance.explain import explain
from servers.finance.facts.prices import Proration
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.promotions import Conditions, Promotion
from servers.finance.facts.windows import Window
from servers.finance.pricing import price
from servers.finance.render.terms import said_of
from servers.finance.schemas import LineIn, PriceRequest
from servers.finance.store.collect import collect
from servers.finance.subscriptions import proration
from servers.finance.subscriptions.terms import in_force, terms_of
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError

Price = Callable[..., Pricing]
DM, AN = "SUB-DM-STD", "SUB-AN-ADV"
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
quickly = settings(max_examples=200)


def facts_of(database: Database, request: PriceRequest) -> PricingFacts:
    with acting(everyone()), database.session() as session:
        return collect(session, request).pricing


@pytest.fixture
def priced(database: Database) -> Price:
    def run(*lines: dict[str, Any], proration: Proration = "monthly", **changes: Any) -> Pricing:
        order = asking(*lines, ship_method="DIGITAL", **changes)
        request = PriceRequest.model_validate(order)
        facts = facts_of(database, request)
        entries = tuple(replace(entry, proration=proration) for entry in facts.entries)
        return price(replace(facts, entries=entries), request)

    return run


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


# months


def test_a_month_from_the_last_of_january_ends_in_february_and_march_returns_to_the_31st() -> None:
    first = date(2026, 1, 31)
    assert proration.advance(first, 1, 31) == date(2026, 2, 28)
    assert proration.advance(date(2026, 2, 28), 1, 31) == date(2026, 3, 31)
    assert proration.advance(date(2028, 1, 31), 1, 31) == date(2028, 2, 29)
    february = proration.of_months(1, first)
    assert (february.first, february.last) == (first, date(2026, 2, 27))
    march = proration.of_months(1, date(2026, 2, 28), february.anchor)
    assert (march.last, march.anchor) == (date(2026, 3, 30), 31)


def test_an_anchor_is_given_up_where_a_term_begins_on_another_day() -> None:
    assert proration.anchor_of(date(2026, 2, 28), 31) == 31
    assert proration.anchor_of(date(2026, 2, 27), 31) == 27
    assert proration.anchor_of(date(2026, 4, 15), None) == 15


@quickly
@given(days, st.integers(1, 120), st.integers(1, 31))
def test_a_term_of_months_is_that_many_months_between_its_days(
    first: date, months: int, kept: int
) -> None:
    span = proration.of_months(months, first, kept)
    assert span.last is not None
    back = proration.until(first, span.last, kept)
    assert (back.months, back.days) == (months, 0)
    for policy in ("monthly", "monthly_daily"):
        assert proration.multiplier(back, 12, policy) == Fraction(months, 12)


@quickly
@given(days, st.lists(st.integers(1, 24), min_size=1, max_size=6))
def test_terms_that_follow_each_other_are_one_long_term(first: date, terms: list[int]) -> None:
    day, anchor, last = first, None, first
    for months in terms:
        span = proration.of_months(months, day, anchor)
        assert span.last is not None
        last, anchor = span.last, span.anchor
        day = last + timedelta(1)
    assert last == proration.of_months(sum(terms), first).last


@quickly
@given(days, st.integers(0, 3000), st.sampled_from(["monthly", "daily", "monthly_daily"]))
def test_a_longer_term_never_costs_less(first: date, length: int, policy: Proration) -> None:
    shorter = proration.until(first, first + timedelta(length))
    longer = proration.until(first, first + timedelta(length + 1))
    assert 0 <= shorter.days < 31
    one, other = (proration.multiplier(span, 12, policy) for span in (shorter, longer))
    assert 0 < one <= other


@pytest.mark.parametrize(
    ("policy", "multiplier"),
    [
        ("monthly", Fraction(4, 12)),
        ("monthly_daily", (3 + 15 / Fraction(365, 12)) / 12),
        ("daily", Fraction(105, 365)),
        ("daily_actual", Fraction(105, 365)),
    ],
)
def test_the_policies_differ_in_the_days_left_over(policy: Proration, multiplier: Fraction) -> None:
    span = proration.until(date(2026, 1, 1), date(2026, 4, 15))
    assert (span.months, span.days, proration.days_in(span)) == (3, 15, 105)
    assert proration.multiplier(span, 12, policy) == multiplier


def test_a_leap_year_has_366_days_only_where_days_are_the_calendars() -> None:
    span = proration.until(date(2028, 1, 1), date(2028, 12, 31))
    assert proration.multiplier(span, 12, "daily") == Fraction(366, 365)
    assert proration.multiplier(span, 12, "daily_actual") == 1
    with pytest.raises(ValueError, match="without a first day"):
        proration.days_in(proration.of_months(12))


@pytest.mark.parametrize(("prorated", "net_minor"), [(False, 1400), (True, 1900)])
def test_an_amount_off_is_prorated_only_when_flagged(
    database: Database, prorated: bool, net_minor: int
) -> None:
    order = asking(line("l1", DM, 1, term_months=6), ship_method="DIGITAL")
    request = PriceRequest.model_validate(order)
    off = Promotion(
        *("P-10", "TEN", "amount", Window(), 1, "ten"),
        amount={"EUR": Decimal(10)},
        conditions=Conditions({"EUR": Decimal(0)}),
        automatic=True,
        prorated=prorated,
    )
    facts = replace(facts_of(database, request), promotions=(off,))
    assert price(facts, request).lines[0].net_minor == net_minor  # of 24.00


# co-terms


def test_a_co_term_of_whole_months_costs_what_the_months_cost(priced: Price) -> None:
    months = priced(line("l1", DM, 10, term_months=5, start="2027-01-01"))
    dates = priced(line("l1", DM, 10, end="2027-05-31", start="2027-01-01"))
    assert months.totals == dates.totals
    (one,) = dates.lines
    assert (one.term_months, str(one.start), str(one.end)) == (5, "2027-01-01", "2027-05-31")
    assert one.unit_price == "20.00"


@pytest.mark.parametrize(
    ("policy", "unit_price", "months", "note"),
    [
        ("monthly", "24.00", 6, "x 6/12 months, the last one begun"),
        ("monthly_daily", "21.972603", None, "x 401/876"),
        ("daily", "21.830137", None, "x 166/365"),
    ],
)
def test_a_co_term_with_days_left_over_is_priced_by_the_policy_of_its_entry(
    priced: Price, policy: Proration, unit_price: str, months: int | None, note: str
) -> None:
    pricing = priced(line("l1", DM, 1, end="2027-05-07"), proration=policy)
    (one,) = pricing.lines
    assert (one.unit_price, one.term_months) == (unit_price, months)
    (said,) = [step for step in explain(pricing, "l1") if step.step == "term"]
    assert said.note == f"{note}; 2026-11-23 to 2027-05-07, {policy}"
    assert (said.before, said.after) == ("48.00", unit_price)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([line("l1", DM, end="2027-05-31", term_months=6)], "both end and term_months"),
        ([line("l1", DM, end="2026-05-31")], "before it begins"),
        ([line("l1", DM, end="2126-05-31")], "stay under 120 months"),
        ([line("l1", DM, segment_of="l9", term_months=6)], "continues no other line"),
        ([line("l1", DM, segment_of="l1", term_months=6)], "continues no other line"),
        ([line("l1", DM, change="renew")], "only one of change and subscription_id"),
        ([line("l1", DM, change="renew", subscription_id="sub_008_dm", start="2027-02-01")],
         "leave out start"),
        ([line("l1", DM, change="amend", subscription_id="sub_008_dm", term_months=3)],
         "ends with its subscription"),
        ([line("l1", DM, term_months=6), line("l2", AN, segment_of="l1", term_months=6)],
         "another sku than l1"),
        ([line("l1", DM, term_months=6),
          line("l2", DM, segment_of="l1", term_months=6, optional=True)], "another optional"),
        ([line("l1", DM, term_months=6), line("l2", DM, segment_of="l1")], "without a term"),
        ([line("l1", DM, term_months=6),
          line("l2", DM, segment_of="l1", term_months=6, start="2027-09-09")], "leave out start"),
        ([line("l1", DM, term_months=6), line("l2", DM, segment_of="l1", term_months=6),
          line("l3", DM, segment_of="l1", term_months=6)], "second to continue l1"),
        ([line("l1", DM, segment_of="l2", term_months=6),
          line("l2", DM, segment_of="l1", term_months=6)], "without a beginning"),
        ([line("l1", DM, change="amend", subscription_id="sub_008_dm"),
          line("l2", DM, segment_of="l1", term_months=6)], "let a ramp begin with renew"),
    ],
)  # fmt: skip
def test_lines_that_contradict_themselves_are_refused(
    priced: Price, rows: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        priced(*rows)
    assert said in f"{refused.value.message} {refused.value.fix}"


# ramps


def test_each_segment_of_a_ramp_begins_when_the_one_before_has_ended(priced: Price) -> None:
    pricing = priced(
        line("l3", DM, 30, segment_of="l2", term_months=12),
        line("l1", DM, 10, term_months=6, start="2026-08-31", optional=False),
        line("l2", DM, 20, segment_of="l1", term_months=6),
    )
    last, first, second = pricing.lines
    assert (str(first.start), str(first.end)) == ("2026-08-31", "2027-02-27")
    assert (str(second.start), str(second.end)) == ("2027-02-28", "2027-08-30")
    assert (str(last.start), str(last.end)) == ("2027-08-31", "2028-08-30")
    assert [one.segment_of for one in (first, second, last)] == [None, "l1", "l2"]
    assert [one.net_minor for one in (first, second, last)] == [24000, 48000, 144000]


def test_a_ramp_without_a_day_runs_in_months_and_one_with_an_end_from_the_order(
    priced: Price,
) -> None:
    undated = priced(line("l1", DM, term_months=6), line("l2", DM, segment_of="l1", term_months=6))
    assert [(one.start, one.end) for one in undated.lines] == [(None, None)] * 2
    dated = priced(line("l1", DM, term_months=6), line("l2", DM, segment_of="l1", end="2027-12-31"))
    assert [(str(one.start), str(one.end)) for one in dated.lines] == [
        ("2026-11-23", "2027-05-22"),
        ("2027-05-23", "2027-12-31"),
    ]


@settings(max_examples=40)
@given(st.integers(1, 500), st.lists(st.integers(1, 20), min_size=1, max_size=5), days)
def test_a_ramp_of_equal_quantities_costs_what_one_term_costs(
    quantity: int, terms: list[int], first: date
) -> None:
    rows = [
        line(f"l{n}", DM, quantity, term_months=months, segment_of=f"l{n - 1}" if n > 1 else None)
        for n, months in enumerate(terms, 1)
    ]
    rows[0]["start"] = first
    lines = [LineIn.model_validate(row) for row in rows]
    spans = [term.span for term in terms_of(lines, (), first).values()]
    whole = proration.of_months(sum(terms), first)
    assert spans[-1] is not None
    assert spans[-1].last == whole.last
    parts = [proration.multiplier(span, 12, "monthly") for span in spans if span is not None]
    assert sum(parts) == proration.multiplier(whole, 12, "monthly")


def test_a_ramp_and_one_term_come_to_the_same_money(priced: Price) -> None:
    ramp = priced(
        line("l1", DM, 7, term_months=12, start="2027-01-01"),
        line("l2", DM, 7, term_months=12, segment_of="l1"),
    )
    one = priced(line("l1", DM, 7, term_months=24, start="2027-01-01"))
    assert ramp.totals == one.totals
    assert ramp.recurring == one.recurring


# amendments and renewals of sub_008_dm (60 at 42.00 to 31 January 2027, locked until then,
# 5% more at renewal, capped at 3) and sub_008_an (10 at 100.00 from 31 January, list, capped at 4)


def test_an_amendment_ends_with_its_subscription_at_the_locked_price(priced: Price) -> None:
    amend = {"change": "amend", "subscription_id": "sub_008_dm"}
    pricing = priced(line("l1", DM, 5, start="2026-12-01", **amend))
    (one,) = pricing.lines
    assert (str(one.start), str(one.end), one.term_months) == ("2026-12-01", "2027-01-31", 2)
    assert (one.unit_price, one.list_unit_price) == ("7.00", "48.00")
    assert (one.change, one.subscription_id, one.contract_id) == (
        *("amend", "sub_008_dm"),
        "sub_008_dm",
    )
    assert codes(pricing) == ["AMENDED_AT_LOCK"]
    assert pricing.approvals == []


def test_an_amendment_without_a_lock_has_the_price_list(priced: Price) -> None:
    pricing = priced(line("l1", AN, 5, change="amend", subscription_id="sub_008_an"))
    (one,) = pricing.lines
    assert (str(one.start), str(one.end)) == ("2026-11-23", "2027-01-30")
    assert (one.unit_price, one.contract_id) == ("30.00", None)  # a begun third month
    assert codes(pricing) == ["AMENDED_AT_LIST"]


def test_an_amendment_after_the_lock_says_so_and_asks_a_person(
    database: Database,
) -> None:
    order = asking(
        line("l1", DM, 5, change="amend", subscription_id="sub_008_dm"), ship_method="DIGITAL"
    )
    request = PriceRequest.model_validate(order)
    facts = facts_of(database, request)
    early = tuple(replace(one, lock_until=date(2026, 11, 22)) for one in facts.subscriptions)
    pricing = price(replace(facts, subscriptions=early), request)
    assert codes(pricing) == ["PRICE_LOCK_ENDED"]
    assert [need.rule_id for need in pricing.approvals] == ["PRICE_LOCK_ENDED"]
    last_day = tuple(replace(one, lock_until=date(2026, 11, 23)) for one in facts.subscriptions)
    assert codes(price(replace(facts, subscriptions=last_day), request)) == ["AMENDED_AT_LOCK"]


def test_what_has_ended_cannot_be_amended_and_has_no_price(priced: Price) -> None:
    pricing = priced(line("l1", DM, 5, change="amend", subscription_id="sub_008_old"))
    assert codes(pricing) == ["SUBSCRIPTION_ENDED"]
    assert pricing.totals.total_minor is None
    assert pricing.recurring is None


def test_a_renewal_begins_the_day_after_with_its_uplift_capped_by_the_clause(
    priced: Price,
) -> None:
    pricing = priced(line("l1", DM, 60, change="renew", subscription_id="sub_008_dm"))
    (one,) = pricing.lines
    assert (str(one.start), str(one.end), one.term_months) == ("2027-02-01", "2028-01-31", 12)
    assert one.unit_price == "43.26"
    (said,) = pricing.findings
    assert said.code == "RENEWED_WITH_UPLIFT"
    assert "3%, because Order BH-2026-014, section 5 caps the 5%" in said.message


def test_a_renewal_at_list_is_held_to_its_cap_and_keeps_its_day(priced: Price) -> None:
    pricing = priced(line("l1", AN, 10, change="renew", subscription_id="sub_008_an"))
    (one,) = pricing.lines
    assert (str(one.start), str(one.end)) == ("2027-01-31", "2028-01-30")
    assert (one.unit_price, one.list_unit_price) == ("104.00", "120.00")
    assert codes(pricing) == ["RENEWED_AT_LIST"]
    assert [s.after for s in explain(pricing, "l1") if s.rule_id == "RENEWAL-CAP"] == ["104.00"]


def test_a_late_renewal_asks_a_person(priced: Price) -> None:
    pricing = priced(
        line("l1", DM, 5, change="renew", subscription_id="sub_008_old", term_months=24)
    )
    assert codes(pricing) == ["RENEWAL_LATE", "RENEWED_AT_SAME"]
    assert pricing.lines[0].unit_price == "80.00"
    assert [need.rule_id for need in pricing.approvals] == ["RENEWAL_LATE"]


def test_a_renewal_may_begin_a_ramp(priced: Price) -> None:
    pricing = priced(
        line("l1", DM, 60, change="renew", subscription_id="sub_008_dm"),
        line("l2", DM, 90, segment_of="l1", term_months=12),
    )
    assert [one.unit_price for one in pricing.lines] == ["43.26", "43.26"]
    assert str(pricing.lines[1].start) == "2028-02-01"


@pytest.mark.parametrize("name", ["sub_002_an", "sub_none"])
def test_another_accounts_subscription_reads_as_if_there_were_none(
    priced: Price, name: str
) -> None:
    pricing = priced(line("l1", AN, 5, change="amend", subscription_id=name))
    assert codes(pricing) == ["SUBSCRIPTION_UNKNOWN"]
    assert pricing.findings[0].message == f"The account has no subscription {name}."
    assert pricing.totals.total_minor is None


def test_a_change_names_the_product_of_its_subscription(priced: Price) -> None:
    pricing = priced(line("l1", AN, 5, change="amend", subscription_id="sub_008_dm"))
    assert codes(pricing) == ["SUBSCRIPTION_UNKNOWN"]
    assert pricing.findings[0].fix.startswith("quote SUB-DM-STD")
    assert pricing.totals.total_minor is None


def test_what_is_in_force_counts_for_history(database: Database) -> None:
    request = PriceRequest.model_validate(asking(line("l1", DM, 1)))
    running = facts_of(database, request).subscriptions
    assert in_force(running, DM, date(2026, 11, 23)) == 60
    assert in_force(running, DM, date(2026, 6, 30)) == 65
    assert in_force(running, AN, date(2027, 1, 31)) == 0


# what it comes to


def test_recurring_figures_stand_beside_the_totals(priced: Price) -> None:
    pricing = priced(
        line("l1", DM, 10, term_months=12),
        line("l2", DM, 20, segment_of="l1", term_months=12),
        line("l3", AN, 5, term_months=6),
        line("l4", "SVC-INST-D", 1, unit="day"),
        line("l5", AN, 99, optional=True),
    )
    assert pricing.recurring is not None
    # the ramp: (480 + 960) / 24 = 60 a month; the other: 300 / 6 = 50 a month
    assert pricing.recurring.model_dump() == {
        "monthly_minor": 11000,
        "annual_minor": 132000,
        "contract_minor": 174000,
        "one_time_minor": 98000,
    }
    assert pricing.totals.net_minor == 174000 + 98000


def test_goods_alone_recur_in_nothing(priced: Price) -> None:
    assert priced(line("l1", "SVC-INST-D", 1, unit="day")).recurring is None


@settings(max_examples=100)
@given(days, st.integers(1, 900), st.integers(1, 900))
def test_two_co_terms_that_meet_cost_their_days(first: date, one: int, other: int) -> None:
    middle = first + timedelta(one - 1)
    last = middle + timedelta(other)
    assume(last > middle)
    parts = [
        proration.multiplier(proration.until(first, middle), 12, "daily"),
        proration.multiplier(proration.until(middle + timedelta(1), last), 12, "daily"),
    ]
    assert sum(parts) == proration.multiplier(proration.until(first, last), 12, "daily")


def test_a_document_says_which_period_of_a_ramp_a_line_is(priced: Price) -> None:
    lines = priced(
        line("l1", DM, 10, term_months=6),
        line("l2", DM, 20, segment_of="l1", term_months=6),
        line("l3", DM, 30, segment_of="l2", term_months=6),
        line("l4", AN, 5, term_months=6),
    ).lines
    said = [[note for note in said_of(one, lines) if "period" in note] for one in lines]
    assert said == [["period 1 of 3"], ["period 2 of 3"], ["period 3 of 3"], []]
