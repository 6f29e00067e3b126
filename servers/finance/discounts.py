"""What comes off a line: volume tier, promotions, the discount asked for (steps 5 to 7).

Every part is rounded by itself and taken from what is left, so a line never falls below zero and
a higher discount never makes a total higher. What a promotion asks for in merchandise is measured
after contracts and tiers and before promotions and discounts, so that a discount can never cost
the customer another advantage.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from servers.finance.blocks import Allowance, TraceStep
from servers.finance.facts import Promotion, Tier
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


def choose_promotions(
    codes: Sequence[str],
    promotions: Iterable[Promotion],
    day: date,
    currency: str,
    merchandise: Decimal,
) -> tuple[list[Promotion], list[Finding], list[TraceStep]]:
    """Return the promotions that the codes really give, in order, and what was refused aloud."""
    known = {promotion.code: promotion for promotion in promotions}
    findings, lost = [], []
    chosen: dict[str, Promotion] = {}
    for code in sorted(set(codes)):
        promotion = known.get(code)
        refusal = _refusal(code, promotion, day, currency, merchandise)
        if refusal is not None:
            findings.append(refusal)
            lost.append(f"{code}: {refusal.message}")
            continue
        assert promotion is not None  # noqa: S101 - an unknown code is refused
        rival = chosen.get(promotion.stack_group)
        if rival is None or _worth(rival) < _worth(promotion):
            chosen[promotion.stack_group] = promotion
            rival, promotion = promotion, rival
        if promotion is not None:
            lost.append(f"{promotion.code}: does not stack with {rival.code}")
            findings.append(
                finding(
                    "PROMO_NOT_STACKABLE",
                    Severity.INFO,
                    f"promotion {promotion.code} does not stack with {rival.code}",
                    subject=promotion.code,
                    rule_id=promotion.promotion_id,
                )
            )
    order = sorted(chosen.values(), key=lambda p: (-p.priority, p.code))
    trace = []
    if codes:
        note = f"merchandise {plain(merchandise)} {currency}; " + (
            "applied: " + ", ".join(p.code for p in order) if order else "none applies"
        )
        trace.append(step("", "promotion", "PROMO-CODES", note=note, lost=lost))
    return order, findings, trace


def _worth(promotion: Promotion) -> tuple[Decimal, int]:
    """Rank promotions of one stacking group: what is better for the customer wins."""
    return promotion.percent, promotion.priority


def _refusal(
    code: str, promotion: Promotion | None, day: date, currency: str, merchandise: Decimal
) -> Finding | None:
    """Say why a code gives nothing, or return None when it does."""

    def no(reason_code: str, message: str, fix: str) -> Finding:
        rule = promotion.promotion_id if promotion else "PROMO-CODES"
        return finding(reason_code, Severity.WARNING, message, subject=code, rule_id=rule, fix=fix)

    if promotion is None:
        return no("PROMO_UNKNOWN", f"there is no promotion {code}", "check the code")
    if promotion.window.ended(day):
        return no(
            "PROMO_EXPIRED",
            f"promotion {code} ended on {promotion.window.last} and was not applied",
            "tell the customer that it ended",
        )
    if not promotion.window.covers(day):
        return no("PROMO_NOT_YET", f"promotion {code} has not begun", "quote later")
    minimum = promotion.minimum.get(currency)
    if minimum is None:
        return no(
            "PROMO_CURRENCY",
            f"promotion {code} does not hold in {currency}",
            "quote in another currency",
        )
    if merchandise < minimum:
        return no(
            "PROMO_MINIMUM",
            f"promotion {code} asks for merchandise of {plain(minimum)} {currency}",
            "tell the customer what is missing",
        )
    return None


def apply_promotions(work: Work, promotions: Iterable[Promotion], currency: str) -> bool:
    """Apply the percentage promotions on a line; say whether one fitted its family."""
    fitted = False
    for promotion in promotions:
        if (
            promotion.kind != "percent"
            or work.item is None
            or promotion.family != work.item.family
            or work.running is None
        ):
            continue
        fitted = True
        if work.exclusive:
            _shut_out(work, "promotion", promotion.promotion_id)
            continue
        label = f"Promotion {promotion.code}"
        take_off(work, "promotion", promotion.promotion_id, label, promotion.percent, currency)
    return fitted


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
