"""What comes off a line as a percentage: volume tier, the discount asked for (steps 5 and 7).

Every part is rounded by itself and taken from what is left, so a line never falls below zero and
a higher discount never makes a total higher.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from servers.finance.blocks import Allowance
from servers.finance.facts import Tier
from servers.finance.say import finding, percent, plain, step
from servers.finance.work import Work
from servers.toolkit.findings import Finding, Severity
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


def apply_tier(work: Work, tiers: Iterable[Tier], day: date, currency: str) -> None:
    """Apply the band that the whole quantity of the line falls in."""
    if work.running is None or work.item is None:
        return
    mine = sorted(
        (t for t in tiers if t.family == work.item.family and t.window.covers(day)),
        key=lambda t: t.lower,
    )
    if work.exclusive:
        if mine:
            _shut_out(work, "tier", "VOLUME-TIER")
        return
    quantity = work.line.quantity
    fits = [t for t in mine if t.lower <= quantity and (t.upper is None or quantity < t.upper)]
    if len(fits) > 1:
        work.running = None
        work.findings.append(_conflict(work, "VOLUME-TIER", [t.tier_id for t in fits]))
        return
    if fits:
        note = f"quantity {quantity} in {fits[0].lower} to {fits[0].upper or 'more'}"
        rate = fits[0].percent
        take_off(work, "tier", fits[0].tier_id, "Volume discount", rate, currency, note)
    _hint(work, mine, currency)


def _hint(work: Work, tiers: Sequence[Tier], currency: str) -> None:
    """Say so when more pieces would cost less than the ones asked for."""
    unit, now = work.price.amount, work.running
    following = next((t for t in tiers if t.lower > work.line.quantity), None)
    if following is None or unit is None or now is None:
        return
    then = round_money(unit * following.lower, currency)
    then -= round_money(then * following.percent / 100, currency)
    if then < now:
        work.findings.append(
            finding(
                "TIER_HINT",
                Severity.INFO,
                f"{following.lower} of {work.line.sku} would cost less than "
                f"{work.line.quantity}: {plain(then)} instead of {plain(now)} {currency}",
                subject=work.line.line_id,
                rule_id=following.tier_id,
                fix=f"offer {following.lower}",
            )
        )


def apply_discount(work: Work, discount_bp: int, currency: str) -> None:
    """Apply the discount the seller asked for, on what is left of the line."""
    if discount_bp and work.running is not None:
        rate = Decimal(discount_bp) / 100
        take_off(work, "discount", "REQUESTED-DISCOUNT", "Discount", rate, currency)


def _shut_out(work: Work, name: str, rule_id: str) -> None:
    contract = work.price.contract
    assert contract is not None  # noqa: S101 - only a contract shuts out
    work.trace.append(
        step(
            work.line.line_id,
            name,
            rule_id,
            source=contract.contract_id,
            before=work.running,
            after=work.running,
            note="not applied",
            lost=[f"{rule_id}: contract {contract.contract_id} is exclusive"],
        )
    )


def _conflict(work: Work, rule_id: str, names: Sequence[str]) -> Finding:
    return finding(
        "RULE_CONFLICT",
        Severity.ERROR,
        f"{' and '.join(names)} both apply to {work.line.sku}",
        subject=work.line.line_id,
        rule_id=rule_id,
        fix="end one of them",
    )
