"""A balance: what a customer owes in each currency, how late it is, and what is left of a limit."""

from collections.abc import Sequence
from datetime import date

from servers.finance.facts.legal import CreditLine, OpenBill
from servers.finance.law.credit import BUCKETS, bucket_of, numbers
from servers.finance.schemas import OldestBill, Owed


def owed(line: CreditLine, bills: Sequence[OpenBill], day: date) -> list[Owed]:
    """Return what is owed by currency, the opening balance in the limit's; bills by due day."""
    currencies = {bill.currency for bill in bills} | ({line.currency} if line.open_minor else set())
    return [
        _in(currency, line, [bill for bill in bills if bill.currency == currency], day)
        for currency in sorted(currencies)
    ]


def _in(currency: str, line: CreditLine, bills: Sequence[OpenBill], day: date) -> Owed:
    buckets = {name: 0 for _, name in BUCKETS}
    for bill in bills:
        if late := bill.overdue_days(day):
            buckets[bucket_of(late)] += bill.open_minor
    first = next(iter(bills), None)
    before = line.open_minor if currency == line.currency else 0
    return Owed(
        currency=currency,
        owed_minor=before + sum(bill.open_minor for bill in bills),
        overdue_minor=sum(buckets.values()),
        overdue=buckets,
        oldest=first and OldestBill(**vars(first), overdue_days=first.overdue_days(day)),
    )


def left(line: CreditLine | None, day: date) -> int | None:
    """Return what a limit still allows, below zero where it is exceeded; None without a limit."""
    if line is None or line.limit_minor is None:
        return None
    return line.limit_minor - numbers(line, 0, line.currency, day).exposure_minor
