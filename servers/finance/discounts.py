"""What comes off a line as a percentage; the discount asked for (step 7).

Every part is rounded by itself and taken from what is left, so a line never falls below zero and
a higher discount never makes a total higher.
"""

from decimal import Decimal

from servers.finance.facts.blocks import Allowance
from servers.finance.say import percent, plain, step
from servers.finance.work import Work
from servers.toolkit.money import round_money, to_minor


def take_off(
    work: Work, name: str, rule_id: str, label: str, rate: Decimal, currency: str, note: str = ""
) -> None:
    """Take a percentage off what is left of a line, rounded once."""
    before = work.running
    assert before is not None  # noqa: S101 - called only on priced lines
    off = min(before, round_money(before * rate / 100, currency))
    work.running = before - off
    work.allowances.append(
        Allowance(label=label, percent=percent(rate), amount_minor=to_minor(off, currency))
    )
    work.trace.append(
        step(
            work.line.line_id,
            name,
            rule_id,
            source=rule_id,
            before=before,
            after=work.running,
            note=note or f"{percent(rate)}% of {plain(before)}",
        )
    )


def apply_discount(work: Work, discount_bp: int, currency: str) -> None:
    """Apply the discount the seller asked for, on what is left of the line."""
    if discount_bp and work.running is not None:
        rate = Decimal(discount_bp) / 100
        take_off(work, "discount", "REQUESTED-DISCOUNT", "Discount", rate, currency)
