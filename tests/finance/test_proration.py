"""How long a term is and what it costs, on the days where another month or day begins."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from servers.finance.facts.prices import Proration
from servers.finance.subscriptions.proration import (
    Span,
    anchor_of,
    days_in,
    multiplier,
    of_months,
    priced_months,
    shown,
    times,
    until,
)
from servers.toolkit.money import six_decimals

FIRST = date(2026, 11, 15)


@pytest.mark.parametrize(
    ("last", "months", "days"),
    [
        (date(2026, 11, 15), 0, 1),
        (date(2026, 12, 13), 0, 29),
        (date(2026, 12, 14), 1, 0),
        (date(2026, 12, 15), 1, 1),
        (date(2027, 1, 14), 2, 0),
        (date(2027, 11, 13), 11, 30),
        (date(2027, 11, 14), 12, 0),
        (date(2027, 11, 15), 12, 1),
    ],
)
def test_a_month_is_whole_the_day_before_its_own(last: date, months: int, days: int) -> None:
    span = until(FIRST, last)
    assert (span.months, span.days, span.in_months) == (months, days, False)
    assert days_in(span) == (last - FIRST).days + 1


@pytest.mark.parametrize(
    ("policy", "whole", "one_more"),
    [
        ("monthly", Fraction(2), Fraction(3)),
        ("monthly_daily", Fraction(2), 2 + Fraction(12, 365)),
        ("daily", 61 * Fraction(12, 365), 62 * Fraction(12, 365)),
        ("daily_actual", 61 * Fraction(12, 365), 62 * Fraction(12, 365)),
    ],
)
def test_what_two_months_and_a_day_cost(
    policy: Proration, whole: Fraction, one_more: Fraction
) -> None:
    assert priced_months(until(FIRST, date(2027, 1, 14)), policy) == whole
    assert priced_months(until(FIRST, date(2027, 1, 15)), policy) == one_more
    assert priced_months(of_months(2, FIRST), policy) == 2, "asked for in months, priced in months"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2027, 1, 1), date(2027, 12, 31), Fraction(1)),
        (date(2027, 1, 1), date(2027, 12, 30), Fraction(364, 365)),
        (date(2028, 1, 1), date(2028, 12, 31), Fraction(1)),
        (date(2028, 1, 1), date(2028, 12, 30), Fraction(365, 366)),
        (date(2027, 1, 1), date(2028, 1, 1), Fraction(366, 365)),
    ],
)
def test_actual_days_are_of_the_calendars_own_year(
    first: date, last: date, expected: Fraction
) -> None:
    assert multiplier(until(first, last), 12, "daily_actual") == expected
    assert multiplier(of_months(6, first), 12, "daily_actual") == Fraction(1, 2)
    assert multiplier(Span(18), 12, "monthly") == Fraction(3, 2)


@pytest.mark.parametrize(
    ("span", "policy", "words"),
    [
        (of_months(24), "monthly", "x 24/12 months"),
        (of_months(6), "daily", "x 6/12 months"),
        (until(FIRST, date(2027, 1, 14)), "monthly", "x 2/12 months"),
        (until(FIRST, date(2027, 1, 15)), "monthly", "x 3/12 months, the last one begun"),
        (until(FIRST, date(2027, 1, 15)), "daily_actual", "x 62/365"),
    ],
)
def test_a_multiplier_is_shown_in_months_where_it_is_of_months(
    span: Span, policy: Proration, words: str
) -> None:
    assert shown(multiplier(span, 12, policy), span, 12) == words


@pytest.mark.parametrize(
    ("first", "kept", "anchor"),
    [
        (date(2027, 2, 28), 31, 31),
        (date(2027, 2, 28), 29, 29),
        (date(2027, 2, 28), 28, 28),
        (date(2027, 2, 27), 28, 27),
        (date(2028, 2, 29), 30, 30),
        (date(2028, 2, 28), 30, 28),
        (date(2027, 4, 30), 31, 31),
        (date(2027, 4, 29), 31, 29),
    ],
)
def test_an_anchor_is_kept_on_the_last_day_of_a_shorter_month(
    first: date, kept: int, anchor: int
) -> None:
    assert anchor_of(first, kept) == anchor
    assert of_months(1, first, kept).anchor == anchor


def test_a_term_without_a_first_day_has_months_and_no_days() -> None:
    span = of_months(12)
    assert (span.months, span.days, span.first, span.last) == (12, 0, None, None)
    with pytest.raises(ValueError, match="without a first day"):
        days_in(span)


@pytest.mark.parametrize(
    ("amount", "stated"),
    [
        *(("1.0000005", "1.000001"), ("1.0000004", "1.00"), ("1.1", "1.10"), ("1.105", "1.105")),
        *(("-1.0000005", "-1.000001"), ("100", "100.00"), ("0", "0.00"), ("0.123456", "0.123456")),
    ],
)
def test_a_unit_price_has_at_most_six_decimals_and_at_least_two(amount: str, stated: str) -> None:
    assert str(six_decimals(Decimal(amount))) == stated


def test_a_factor_is_multiplied_before_it_is_divided() -> None:
    assert times(Decimal(3), Fraction(1, 3)) == 1
    assert times(Decimal(10), Fraction(2, 5)) == 4
