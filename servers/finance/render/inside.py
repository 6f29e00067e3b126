"""What only people of the seller read: findings, risks, approvals, margin, and the trace."""

from dataclasses import dataclass

from servers.finance.documents import QuoteDocument
from servers.finance.facts.blocks import ApprovalBlock
from servers.finance.render import words


@dataclass(frozen=True)
class Item:
    """One point of a list: how it stands, what it says, and its code."""

    mark: str
    text: str
    code: str = ""


@dataclass(frozen=True)
class Step:
    """One step of the trace."""

    line: str
    step: str
    before: str
    after: str
    note: str
    source: str
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Inside:
    """The part of the internal view that no customer sees."""

    origin: tuple[str, ...]
    waits_for: str
    commands: tuple[str, ...]
    findings: tuple[Item, ...]
    approvals: tuple[Item, ...]
    risks: tuple[Item, ...]
    claims: tuple[str, ...]
    trace: tuple[Step, ...]
    digest: str


def inside(q: QuoteDocument) -> Inside:
    step = q.next_step
    return Inside(
        origin=_origin(q),
        waits_for=step.say if step and step.waits_for != "nothing" else "",
        commands=tuple(step.commands) if step else (),
        findings=tuple(Item(words.severity(f.severity), f.message, f.code) for f in q.findings),
        approvals=_approvals(q),
        risks=tuple(
            Item(f"{row.area}, {words.severity(row.severity)}", row.fact, row.rule_id)
            for row in q.risks
        ),
        claims=tuple(words.severity(claim) for claim in q.claims),
        trace=tuple(
            Step(
                line=t.line_id,
                step=t.step,
                before=t.before or "",
                after=t.after or "",
                note=t.note,
                source=" · ".join(part for part in (t.rule_id, t.source) if part),
                lost=tuple(t.lost),
            )
            for t in q.trace
        ),
        digest=q.digest,
    )


def _origin(q: QuoteDocument) -> tuple[str, ...]:
    said = [
        f"{q.opportunity_id} of {q.account_id}",
        f"drafted {q.created_at} for {q.requested_by}, agents played by "
        f"{q.generated_by or 'unknown'}",
    ]
    if q.accepted_at:
        by = f"accepted {q.accepted_at}, recorded by {q.accepted_by}"
        said.append(f"{by}, {q.acceptance_reference}" if q.acceptance_reference else by)
    if q.superseded_by:
        said.append(f"superseded by {q.superseded_by}")
    if q.promo_codes:
        said.append(f"promotion codes {', '.join(q.promo_codes)}")
    if q.discount_bp:
        said.append(f"discount asked for: {words.basis_points(q.discount_bp)}")
    if q.effective_discount_bp:
        said.append(f"discounts by hand come to {words.basis_points(q.effective_discount_bp)}")
    if q.warnings:
        said.append(f"the catalog warned of {', '.join(q.warnings)}")
    if q.margin:
        cost = words.money(q.margin.cost_minor, q.currency)
        floor = words.basis_points(q.margin.floor_bp)
        said.append(f"margin {words.basis_points(q.margin.margin_bp)}, cost {cost}, floor {floor}")
    if q.withdrawn_reason:
        said.append(f"withdrawn: {q.withdrawn_reason}")
    return tuple(said)


def _approvals(q: QuoteDocument) -> tuple[Item, ...]:
    if q.approvals:
        return tuple(Item(f"{a.role}, {a.status}", _decided(a), a.rule_id) for a in q.approvals)
    return tuple(
        Item(f"{need.role}, not asked yet", need.reason, need.rule_id)
        for need in q.approvals_needed
    )


def _decided(approval: ApprovalBlock) -> str:
    by = f" (by {approval.decided_by}" if approval.decided_by else ""
    note = f": {approval.note}" if approval.note and by else ""
    return approval.reason + (f"{by}{note})" if by else "")
