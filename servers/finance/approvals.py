"""Approvals: which rules fail, who may let them pass, and whether this person may."""

from collections.abc import Iterable

from servers.finance.facts.blocks import ApprovalNeed, MarginBlock
from servers.finance.facts.policy import NOBODY, Approver, Policy, Requester, RoleAbove
from servers.finance.findings import finding
from servers.finance.limits import highest, holding
from servers.finance.line_in_work import Work
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
OURS = {"UNCHECKED_LINES": "the catalog has not checked what a person changed by hand"}
"""Warnings that finance itself adds to those of the catalog."""
UNAPPROVABLE = (Severity.ERROR, Severity.BLOCKED)


def margin_finding(
    policy: Policy, margin: MarginBlock | None, works: Iterable[Work]
) -> Finding | None:
    """Say so when the goods of a quote earn too little, without saying how much."""
    if margin is None:
        if any(w.in_total and (w.running is None or w.item is None) for w in works):
            return None  # there is no price yet, which is said elsewhere
        return finding(
            "COST_UNKNOWN",
            Severity.NEEDS_HUMAN,
            "a cost is missing, so the margin cannot be checked",
            rule_id="COST",
            fix=f"ask for approval by a {policy.margin_role}",
        )
    if margin.hardware_margin_bp is None or margin.hardware_margin_bp >= policy.margin_floor_bp:
        return None
    return finding(
        "MARGIN_FLOOR",
        Severity.NEEDS_HUMAN,
        "the margin on the goods is below the floor",
        rule_id="APR-MARGIN",
        fix=f"ask for approval by a {policy.margin_role}, or lower the discount",
    )


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
            OURS.get(code, f"the catalog reported {code}"),
            rule_id=f"catalog:{code}",
            fix="read the check's findings before you approve",
        )
        for code in sorted(set(codes))
    ]


def role_for(policy: Policy, found: Finding) -> str:
    for limit in _limits(policy):
        if found.rule_id == limit.rule_id:
            return limit.role
    if found.code in ("MARGIN_FLOOR", "COST_UNKNOWN"):
        return policy.margin_role
    for prefix in sorted(policy.finding_roles, key=len, reverse=True):
        if found.code.startswith(prefix):
            return policy.finding_roles[prefix]
    return policy.default_role


def _limits(policy: Policy) -> Iterable[RoleAbove]:
    yield from policy.discount_limits
    yield from policy.average_discount
    yield from policy.line_discount
    yield from policy.validity_limits


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
        rule = (
            found.rule_id if found.rule_id.startswith(("APR-", "claim:", "clause:")) else found.code
        )
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
        return ApprovalNeed(
            rule_id="APR-TOTAL",
            role=policy.margin_role,
            reason=f"there is no limit for totals in {currency}",
        )
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
) -> None:
    """Refuse a person who may not decide this approval.

    Raises:
        ForbiddenError: it is their own request, not their role, or above their limit.
    """
    if approver.person_id in requested_by:
        raise ForbiddenError(
            f"{approver.person_id} asked for this quote and cannot approve it",
            fix="ask another person",
        )
    if approver.person_id in adjusted_by:
        raise ForbiddenError(
            f"{approver.person_id} changed a price of this quote by hand and cannot approve it",
            fix="ask another person",
        )
    if role not in approver.roles:
        raise ForbiddenError(f"{approver.person_id} is not a {role}", fix=f"ask a {role} to decide")
    if approver.max_discount_bp is not None and discount_bp > approver.max_discount_bp:
        raise ForbiddenError(
            f"the discount is above what {approver.person_id} may approve",
            fix="ask a finance_director to decide",
        )
    if approver.max_total is not None:
        limit = approver.max_total.get(currency)
        if limit is None or total_minor > limit:
            raise ForbiddenError(
                f"the total is above what {approver.person_id} may approve",
                fix="ask a finance_director to decide",
            )
