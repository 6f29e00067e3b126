"""Which of the seller's limits a price breaks: discounts of every kind, promotions, currency.

All of them at once, each a finding of its own rule. The limits of a person stand before those of a
role, and those before everybody's; of the ones that hold, the highest that is passed decides.
"""

from collections.abc import Iterable, Sequence

from servers.finance.adjustments import ByHand
from servers.finance.facts.blocks import TraceStep
from servers.finance.facts.policy import Policy, Requester, RoleAbove
from servers.finance.findings import finding, percent_of
from servers.finance.schemas import PriceRequest
from servers.toolkit.findings import Finding, Severity


def highest(limits: Sequence[RoleAbove], value: int) -> RoleAbove | None:
    over = [limit for limit in limits if value > limit.above]
    return max(over, key=lambda limit: limit.above, default=None)


def holding(limits: Iterable[RoleAbove], who: Requester) -> list[RoleAbove]:
    """Return the limits that hold for somebody: their own, else their roles', else everybody's."""
    every = list(limits)
    own = [one for one in every if one.person and one.person == who.person_id]
    of_role = [one for one in every if not one.person and one.seller_role in who.roles]
    return own or of_role or [one for one in every if not one.person and not one.seller_role]


def broken(
    policy: Policy,
    request: PriceRequest,
    hand: ByHand,
    trace: Iterable[TraceStep],
    customer_currency: str,
    who: Requester,
) -> list[Finding]:
    by_hand = bool(request.adjustments)
    found = [
        _band(policy, hand, who, by_hand=by_hand),
        _above(
            "AVERAGE_DISCOUNT",
            "the average discount over the quote",
            hand.document_bp(),
            holding(policy.average_discount, who),
        ),
        _above(
            "LINE_DISCOUNT",
            "the largest discount on a line",
            hand.line_bp(),
            holding(policy.line_discount, who),
        ),
        _set_aside(request, trace),
        _currency(request, customer_currency),
    ]
    return [one for one in found if one is not None]


def _band(policy: Policy, hand: ByHand, who: Requester, *, by_hand: bool) -> Finding | None:
    """Return what a discount by hand needs: a person above the limit, else nobody, which is said.

    The largest discount counts, of any line or of the document.
    """
    most = hand.highest_bp()
    limit = highest(holding(policy.discount_limits, who), most)
    if not by_hand and limit is None:
        return None
    asked = f"the requested discount of {percent_of(most)}"
    if by_hand:
        whole = percent_of(hand.document_bp())
        asked = f"the discount by hand of up to {percent_of(most)} on a line, {whole} in all,"
    if limit is None:
        words = f"{asked} needs no approval"
        return finding("MANUAL_DISCOUNT", Severity.INFO, words, rule_id="MANUAL-ADJUSTMENT")
    return _broken("MANUAL_DISCOUNT" if by_hand else "DISCOUNT_LIMIT", asked, limit)


def _above(code: str, what: str, value: int, limits: Sequence[RoleAbove]) -> Finding | None:
    limit = highest(limits, value)
    return None if limit is None else _broken(code, f"{what}, {percent_of(value)},", limit)


def _broken(code: str, what: str, limit: RoleAbove) -> Finding:
    return finding(
        code,
        Severity.NEEDS_HUMAN,
        f"{what} is above {percent_of(limit.above)}",
        rule_id=limit.rule_id,
        fix=f"ask for approval by a {limit.role}, or lower the discount",
    )


def _set_aside(request: PriceRequest, trace: Iterable[TraceStep]) -> Finding | None:
    by_hand = {one.line_id for one in request.adjustments if one.kind == "override"}
    lost = [
        f"{step.line_id}: {one}"
        for step in trace
        if step.step == "promotion" and step.line_id in by_hand
        for one in step.lost
    ]
    if not lost:
        return None
    return finding(
        "PROMO_OVERRIDE",
        Severity.NEEDS_HUMAN,
        "a price set by hand takes the place of a promotion",
        rule_id="APR-PROMO-OVERRIDE",
        evidence=lost,
        fix="leave the promotion to itself, or ask a person to approve",
    )


def _currency(request: PriceRequest, on_file: str) -> Finding | None:
    if request.currency is None or request.currency == on_file:
        return None
    return finding(
        "CURRENCY_NOT_ON_FILE",
        Severity.NEEDS_HUMAN,
        f"the quote is in {request.currency}, the customer's currency on file is {on_file}",
        rule_id="APR-CURRENCY",
        fix=f"quote in {on_file}, or ask a person to approve",
    )


def validity(policy: Policy, days: int | None, who: Requester) -> list[Finding]:
    if days is None or days <= policy.validity_days:
        return []
    limit = highest(holding(policy.validity_limits, who), days)
    return [
        finding(
            "VALIDITY_LONG",
            Severity.NEEDS_HUMAN,
            f"a validity of {days} days is longer than the seller's {policy.validity_days}",
            rule_id=limit.rule_id if limit else "APR-VALIDITY",
            fix=f"offer {policy.validity_days} days, or ask a person to approve",
        )
    ]
