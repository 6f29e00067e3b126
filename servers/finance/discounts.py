"""What comes off a line as a percentage; the discount asked for (step 7).

Every part is rounded by itself and taken from what is left, so a line never falls below zero and
a higher discount never makes a total higher.
"""

from decimal import Decimal

from servers.finance.say import percent, plain
from servers.finance.work import Work
from servers.toolkit.money import round_money


def take_off(
    work: Work, name: str, rule_id: str, label: str, rate: Decimal, currency: str, note: str = ""
) -> None:
    """Take a percentage off what is left of a line, rounded once."""
    before = work.running
    assert before is not None  # noqa: S101 - called only on priced lines
    off = min(before, round_money(before * rate / 100, currency))
    note = note or f"{percent(rate)}% of {plain(before)}"
    work.take_off(off, name, rule_id, currency, label=label, rate=percent(rate), note=note)


def apply_discount(work: Work, discount_bp: int, currency: str) -> None:
    """Apply the discount the seller asked for, on what is left of the line."""
    if discount_bp and work.running is not None:
        rate = Decimal(discount_bp) / 100
        take_off(work, "discount", "REQUESTED-DISCOUNT", "Discount", rate, currency)
