"""Ask for the approvals of a quote, and decide about them."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from servers.finance.approvals import check_approver
from servers.finance.schemas_quotes import ApprovalRequest, Decision
from servers.finance.store import listed_quotes, stored_quotes
from servers.finance.store.clock import stamp
from servers.finance.store.drafts import close_approvals, digest_of, hold
from servers.finance.store.policy import approver_of, our_day, setting
from servers.finance.tables.quotes import Approval, Quote
from servers.toolkit import scope
from servers.toolkit.errors import ConflictError, NotFoundError, RuleViolationError


def decide(session: Session, approval_id: str, decision: str, note: str, now: datetime) -> Decision:
    """Record what a person decides about one approval."""
    approver = approver_of(session, scope.person(), our_day(session, now))
    approval, quote = _find_approval(session, approval_id)
    hold(session, quote)
    session.refresh(approval)
    if approval.status != "pending":
        raise ConflictError(
            f"{approval_id} is {approval.status} already", fix="get_quote shows the approvals"
        )
    if approval.expires_at <= stamp(now):
        raise RuleViolationError(
            f"{approval_id} expired at {approval.expires_at}",
            fix="request_approval asks again",
            code="EXPIRED",
        )
    _refuse_out_of_turn(session, approval)
    if approval.digest != quote.digest or digest_of(quote) != quote.digest:
        raise RuleViolationError(
            "the approval was asked for another state of the quote",
            fix="make a new revision and ask again",
            code="CHANGED",
        )
    authority = check_approver(
        approver,
        role=approval.role,
        requested_by=(quote.requested_by, approval.requested_by),
        adjusted_by=stored_quotes.authors_of(quote),
        discount_bp=stored_quotes.snapshot_of(quote).most_discount_bp,
        total_minor=quote.total_minor,
        currency=quote.currency,
    )
    if authority is not approver:
        note = f"In place of {authority.person_id}. {note}".strip()
    status = "approved" if decision == "approve" else "rejected"
    _write_decision(session, approval_id, status, approver.person_id, note, now)
    pending = _close_decision(session, quote, status)
    return Decision(
        approval_id=approval_id,
        quote_id=quote.quote_id,
        decision="approve" if status == "approved" else "reject",
        decided_by=approver.person_id,
        quote_status=stored_quotes.status_of(quote),
        still_pending=pending,
        next_step=stored_quotes.next_step_of(session, quote, now),
    )


def _find_approval(session: Session, approval_id: str) -> tuple[Approval, Quote]:
    both = select(Approval, Quote).join(Quote, col(Quote.quote_id) == col(Approval.quote_id))
    mine: Any = both.where(col(Approval.approval_id) == approval_id)
    found = session.execute(listed_quotes.visible(mine)).first()
    if found is None:  # another's quote reads like no approval at all
        raise NotFoundError(f"no approval {approval_id!r}", fix="get_quote lists the approvals")
    approval, quote = found
    return approval, quote


def _refuse_out_of_turn(session: Session, approval: Approval) -> None:
    """Let whoever is to decide first decide first."""
    before = [
        row
        for row in stored_quotes.find_approvals(session, approval.quote_id)
        if row.status == "pending" and row.sequence < approval.sequence
    ]
    if before:
        raise RuleViolationError(
            f"{before[0].rule_id} is decided first, by a {before[0].role}",
            fix="get_quote shows who decides next",
            code="OUT_OF_TURN",
        )


def _write_decision(
    session: Session, approval_id: str, status: str, person: str, note: str, now: datetime
) -> None:
    """Write a decision once, whoever else decides at the same time."""
    written = session.connection().execute(
        update(Approval)
        .where(col(Approval.approval_id) == approval_id, col(Approval.status) == "pending")
        .values(status=status, decided_by=person, decided_at=stamp(now), note=note)
    )
    if written.rowcount != 1:
        raise ConflictError(
            f"{approval_id} was decided meanwhile", fix="get_quote shows the approvals"
        )
    session.expire_all()


def _close_decision(session: Session, quote: Quote, status: str) -> list[str]:
    """Move the quote on when nothing is left to decide; return the roles still asked."""
    if status == "rejected":
        quote.status = "rejected"
        close_approvals(session, quote.quote_id)
        session.flush()
        return []
    rows = stored_quotes.find_approvals(session, quote.quote_id)
    pending = sorted(row.role for row in rows if row.status == "pending")
    if not pending:
        quote.status = "approved"
    session.flush()
    return pending


def request_approval(session: Session, quote_id: str, now: datetime) -> ApprovalRequest:
    """Ask for one approval per failing rule; asking again renews what lapsed."""
    quote = hold(session, stored_quotes.find_quote(session, quote_id))
    if quote.status not in stored_quotes.WORKING:
        raise RuleViolationError(
            f"{quote_id} is {quote.status}", fix="make a new revision with create_quote"
        )
    live = _lapse(session, quote_id, now)
    lasts = timedelta(days=int(setting(session, "policies")["approval_days"]))
    asked = [
        Approval(
            approval_id="apr_" + secrets.token_hex(6),
            quote_id=quote_id,
            **need.model_dump(),
            digest=quote.digest,
            status="pending",
            requested_by=scope.requester(),
            requested_at=stamp(now),
            expires_at=stamp(now + lasts),
        )
        for need in stored_quotes.needs_told(session, quote, stored_quotes.snapshot_of(quote))
        if (need.rule_id, need.role) not in live
    ]
    session.add_all(asked)
    if asked:
        quote.status = "waiting"
    session.flush()
    rows = stored_quotes.find_approvals(session, quote_id)
    return ApprovalRequest(
        quote_id=quote_id,
        status=stored_quotes.status_of(quote),
        approvals=[listed_quotes.approval_block(row, now) for row in rows],
        next_step=stored_quotes.next_step_of(session, quote, now),
    )


def _lapse(session: Session, quote_id: str, now: datetime) -> set[tuple[str, str]]:
    """Mark approvals that expired, and return the rules that still have a live one."""
    live = set()
    for approval in stored_quotes.find_approvals(session, quote_id):
        if approval.status not in ("pending", "approved"):
            continue
        if approval.expires_at <= stamp(now):
            approval.status = "expired"
        else:
            live.add((approval.rule_id, approval.role))
    session.flush()
    return live
