"""Approvals: which limits and rules a quote breaks, who may let them pass, whether this person may.

The limits of a person stand before those of a role, and those before everybody's; of the ones that
hold, the highest that is passed decides.
"""

from collections.abc import Iterable, Sequence

from servers.finance.adjustments import ByHand
from servers.finance.facts.blocks import ApprovalNeed, MarginBlock, TraceStep
from servers.finance.facts.policy import NOBODY, Approver, Policy, Requester, RoleAbove
from servers.finance.findings import finding, percent_of
from servers.finance.schemas import PriceRequest
from servers.toolkit.errors import ForbiddenError
from servers.toolkit.findings import Finding, Severity, at_least

CLAIMS = {
    "ship_to": "the delivery address",
    "exemption": "a tax exemption",
    "discount": "a discount",
    "approval": "an approval",
    "payment_terms": "payment terms",
    "bank": "bank details",
}
PRICE, WHOLE_BP = "PRICE_APPROVAL", 10_000
UNAPPROVABLE = (Severity.ERROR, Severity.BLOCKED)


def price_finding(policy: Policy, margin: MarginBlock | None) -> Finding | None:
    """Ask for a decision on a price that earns too little, or whose cost is not known.

    A house that knows no costs may let those prices pass (`cost_needed`). The words are the same
    for every reason: which one it is shows what goods cost.
    """
    earned = None if margin is None else margin.hardware_margin_bp
    if margin is None and not policy.cost_needed:
        return None
    if margin is not None and (earned is None or earned >= policy.margin_floor_bp):
        return None
    return finding(
        PRICE,
        Severity.NEEDS_HUMAN,
        f"this price needs approval by a {policy.margin_role}",
        rule_id="APR-PRICE",
        fix=f"ask for approval by a {policy.margin_role}",
    )


def band_end(policy: Policy, discount_bp: int, who: Requester) -> int:
    """Return the largest discount that needs no other decision than this one does.

    A price is judged there, so that no step inside a band shows where the floor is.
    """
    limits = sorted(limit.above for limit in holding(policy.discount_limits, who))
    last = WHOLE_BP if limits else discount_bp
    return next((above for above in limits if above >= discount_bp), last)


def claim_findings(claims: Iterable[str]) -> list[Finding]:
    """Turn what a text asserted into a request to a person; it changes no number."""
    return [
        finding(
            f"CLAIM_{claim.upper()}",
            Severity.NEEDS_HUMAN,
            f"a message says something about {CLAIMS[claim]} that our records do not show",
            rule_id=f"claim:{claim}",
            fix="check it with the customer over a channel you trust",
        )
        for claim in sorted(set(claims))
    ]


def warning_findings(codes: Iterable[str]) -> list[Finding]:
    return [
        finding(
            code,
            Severity.NEEDS_HUMAN if code.startswith("EXPORT_") else Severity.WARNING,
            f"a check of the lines or the deal reported {code}",
            rule_id=f"catalog:{code}",
            fix="read the check's findings before you approve",
        )
        for code in sorted(set(codes))
    ]


def role_for(policy: Policy, found: Finding) -> str:
    limits = (*policy.discount_limits, *policy.average_discount, *policy.line_discount)
    for limit in (*limits, *policy.validity_limits):
        if found.rule_id == limit.rule_id:
            return limit.role
    if found.code == PRICE:
        return policy.margin_role
    for prefix in sorted(policy.finding_roles, key=len, reverse=True):
        if found.code.startswith(prefix):
            return policy.finding_roles[prefix]
    return policy.default_role


def needed(
    policy: Policy,
    findings: Iterable[Finding],
    total_minor: int | None,
    currency: str,
    who: Requester = NOBODY,
) -> list[ApprovalNeed]:
    """Return one approval per failing rule, all at once; it gives every reason of that rule.

    Every finding from a warning up needs one, errors apart: those cannot be approved away.
    """
    reasons: dict[tuple[str, str], list[str]] = {}
    for found in findings:
        if not at_least(found, Severity.WARNING) or found.severity in UNAPPROVABLE:
            continue
        own = found.rule_id.startswith(("APR-", "claim:", "clause:"))
        rule = found.rule_id if own else found.code
        role = role_for(policy, found)
        said = reasons.setdefault((rule, role), [])
        said += [found.message] if found.message not in said else []
    needs = {
        (rule, role): ApprovalNeed(rule_id=rule, role=role, reason="; ".join(said))
        for (rule, role), said in reasons.items()
    }
    if total_minor is not None and (total := total_need(policy, total_minor, currency, who)):
        needs[(total.rule_id, total.role)] = total
    return [
        needs[key].model_copy(update={"sequence": policy.sequence.get(key[1], 1)})
        for key in sorted(needs)
    ]


def total_need(
    policy: Policy, total_minor: int, currency: str, who: Requester = NOBODY
) -> ApprovalNeed | None:
    """Return the approval that a large total needs; a currency without a limit always does."""
    limits = policy.total_limits.get(currency)
    limit = policy.auto_issue.get(currency)
    if limits is None or limit is None:
        reason = f"there is no limit for totals in {currency}"
        return ApprovalNeed(rule_id="APR-TOTAL", role=policy.margin_role, reason=reason)
    if total_minor <= limit:
        return None
    found = highest(holding(limits, who), total_minor)
    role = found.role if found else policy.default_role
    rule = found.rule_id if found else "APR-TOTAL"
    return ApprovalNeed(rule_id=rule, role=role, reason="the total is above what issues by itself")


def check_approver(
    approver: Approver,
    *,
    role: str,
    requested_by: Iterable[str],
    discount_bp: int,
    total_minor: int,
    currency: str,
    adjusted_by: Iterable[str] = (),
) -> Approver:
    """Return by whose role and limits it is decided: theirs, or of whom they stand in for.

    Raises ForbiddenError: their own request, another's role, or something above their limit.
    """
    own = tuple(requested_by), tuple(adjusted_by)
    refusals: list[ForbiddenError] = []
    for one in (approver, *approver.stands_in_for):
        try:
            _refuse_own(approver, *own)
            _refuse_own(one, *own)
            _check_limits(one, role, discount_bp, total_minor, currency)
        except ForbiddenError as refusal:
            refusals.append(refusal)
        else:
            return one
    raise refusals[0]


def _refuse_own(approver: Approver, requested: Iterable[str], adjusted: Iterable[str]) -> None:
    name, another = approver.person_id, "ask another person"
    if name in requested:
        raise ForbiddenError(f"{name} asked for this quote and cannot approve it", fix=another)
    if name in adjusted:
        said = f"{name} changed a price of this quote by hand and cannot approve it"
        raise ForbiddenError(said, fix=another)


def _check_limits(
    approver: Approver, role: str, discount_bp: int, total_minor: int, currency: str
) -> None:
    name, above = approver.person_id, "ask a finance_director to decide"
    if role not in approver.roles:
        raise ForbiddenError(f"{name} is not a {role}", fix=f"ask a {role} to decide")
    if approver.max_discount_bp is not None and discount_bp > approver.max_discount_bp:
        raise ForbiddenError(f"the discount is above what {name} may approve", fix=above)
    if approver.max_total is not None:
        limit = approver.max_total.get(currency)
        if limit is None or total_minor > limit:
            raise ForbiddenError(f"the total is above what {name} may approve", fix=above)


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
    """Return the limits that a price breaks, all at once, each a finding of its own rule."""
    by_hand = bool(request.adjustments)
    average, most = "the average discount over the quote", "the largest discount on a line"
    of_all, of_line = holding(policy.average_discount, who), holding(policy.line_discount, who)
    found = [
        _band(policy, hand, who, by_hand=by_hand),
        _above("AVERAGE_DISCOUNT", average, hand.document_bp(), of_all),
        _above("LINE_DISCOUNT", most, hand.line_bp(), of_line),
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
