"""How long a term is and what part of the standard term it costs (step 4 of the waterfall).

Days at both ends of a term count. Months are counted from an anchor day that is kept: from
31 January a month ends before 28 February, and the next one before 31 March.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from servers.finance.facts.prices import Proration

DAY = timedelta(days=1)
MONTHS_A_YEAR, DAYS_A_YEAR = 12, 365
LAST_OF_A_LONG_MONTH = 31


@dataclass(frozen=True)
class Span:
    """The term of a line: whole months and days left over; days when it is known when it begins."""

    months: int
    days: int = 0
    first: date | None = None
    last: date | None = None
    anchor: int = LAST_OF_A_LONG_MONTH
    in_months: bool = True
    """Whether the term was asked for in months; it is then priced in months, by any policy."""


def advance(first: date, months: int, anchor: int) -> date:
    """Return the day some months later, on the anchor day or the last day of a shorter month."""
    return first + relativedelta(months=months, day=anchor)


def anchor_of(first: date, kept: int | None = None) -> int:
    """Return the day of the month that a term's months are counted from.

    `kept` is the anchor of the term before; it stays while the term begins on its day, or on the
    last day of a month that is too short for it.
    """
    if kept is not None and advance(first, 0, kept) == first:
        return kept
    return first.day


def of_months(months: int, first: date | None = None, kept: int | None = None) -> Span:
    if first is None:
        return Span(months)
    anchor = anchor_of(first, kept)
    return Span(months, 0, first, advance(first, months, anchor) - DAY, anchor)


def until(first: date, last: date, kept: int | None = None) -> Span:
    """Return the term between two days, both included, as whole months and days left over."""
    anchor = anchor_of(first, kept)
    after = last + DAY
    months = (after.year - first.year) * MONTHS_A_YEAR + after.month - first.month
    if advance(first, months, anchor) > after:
        months -= 1
    days = (after - advance(first, months, anchor)).days
    return Span(months, days, first, last, anchor, in_months=False)


def days_in(span: Span) -> int:
    """Return how many days a term has, both ends included; it must be known when it begins."""
    if span.first is None or span.last is None:
        raise ValueError("a term without a first day has no days to count")
    return (span.last - span.first).days + 1


def priced_months(span: Span, policy: Proration) -> Fraction:
    """Return the months that a term costs.

    monthly: whole months, and a month that is begun counts. monthly_daily: whole months, and each
    day left over is 12/365 of one. daily: each day is 12/365 of a month. daily_actual: as daily,
    where a standard term has the days it has in the calendar; see `multiplier`.
    """
    if span.in_months or (span.days == 0 and policy in ("monthly", "monthly_daily")):
        return Fraction(span.months)
    if policy == "monthly":
        return Fraction(span.months + 1)
    a_day = Fraction(MONTHS_A_YEAR, DAYS_A_YEAR)
    if policy == "monthly_daily":
        return span.months + span.days * a_day
    return days_in(span) * a_day


def multiplier(span: Span, default_months: int, policy: Proration) -> Fraction:
    if policy == "daily_actual" and not span.in_months:
        standard = of_months(default_months, span.first, span.anchor)
        return Fraction(days_in(span), days_in(standard))
    return priced_months(span, policy) / default_months


def shown(factor: Fraction, span: Span, default_months: int) -> str:
    """Return a multiplier as the trace writes it: not reduced where it is of whole months."""
    if factor == Fraction(span.months, default_months):
        return f"x {span.months}/{default_months} months"
    if factor * default_months == span.months + 1 and span.days:
        return f"x {span.months + 1}/{default_months} months, the last one begun"
    return f"x {factor.numerator}/{factor.denominator}"


def times(amount: Decimal, factor: Fraction) -> Decimal:
    """Return an amount times a multiplier, unrounded as far as a Decimal goes."""
    return amount * factor.numerator / factor.denominator
