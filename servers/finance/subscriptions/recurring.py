"""What subscriptions come to: per month, per year, over their terms, beside what is paid once.

These figures are derived from the lines and labelled; they are never added to each other, and no
total contains them twice.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from servers.finance.facts.blocks import RecurringBlock, TotalsBlock
from servers.finance.line_in_work import Work
from servers.finance.subscriptions.proration import MONTHS_A_YEAR, times
from servers.finance.subscriptions.terms import months_of
from servers.toolkit.money import round_money, to_minor

ZERO = Decimal(0)


def recurring(works: Sequence[Work], totals: TotalsBlock, currency: str) -> RecurringBlock | None:
    """Return the recurring figures of the lines in the total; None where nothing recurs.

    A ramp counts once, with its average over all its segments.
    """
    if totals.net_minor is None:
        return None
    ramps: dict[str, tuple[Decimal, Fraction]] = {}
    for work in works:
        months = months_of(work.price)
        if not work.in_total or work.free or months is None or work.running is None:
            continue
        root = work.term.root or work.line.line_id
        net, so_far = ramps.get(root, (ZERO, Fraction(0)))
        ramps[root] = (net + work.running, so_far + months)
    if not ramps:
        return None
    contract = sum((net for net, _ in ramps.values()), ZERO)
    monthly = sum((times(net, 1 / months) for net, months in ramps.values()), ZERO)
    contract_minor = to_minor(contract, currency)
    return RecurringBlock(
        monthly_minor=to_minor(round_money(monthly, currency), currency),
        annual_minor=to_minor(round_money(monthly * MONTHS_A_YEAR, currency), currency),
        contract_minor=contract_minor,
        one_time_minor=totals.net_minor - contract_minor,
    )
