"""Read stored quotes, narrowed by the caller's grant."""

import json
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Select, func, not_, or_, select
from sqlmodel import Session, col

from servers.finance.assembly import QuoteInputs
from servers.finance.documents import QuoteDocument, QuoteSnapshot
from servers.finance.facts.blocks import ApprovalBlock, MarginBlock, NextStep, Status
from servers.finance.facts.copies import block, fact
from servers.finance.schemas_quotes import QuotePage, QuoteRow
from servers.finance.store import expiry
from servers.finance.store.clock import stamp
from servers.finance.store.policy import everyone, setting
from servers.finance.tables.house import Person
from servers.finance.tables.quotes import Approval, Quote
from servers.finance.waiting import Waiter, next_step
from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError
from servers.toolkit.paging import decode_cursor, next_cursor

OPEN = ("draft", "waiting", "approved", "issued")
WORKING = ("draft", "waiting", "approved")
STANDING = (
    *("number", "valid_until", "price_lock_until", "digest", "created_by", "created_at"),
    *("requested_by", "withdrawn_reason", "accepted_at", "accepted_by", "acceptance_reference"),
    "superseded_by",
)
"""What the row says of a quote beside its snapshot."""


def visible(statement: Select[Any]) -> Select[Any]:
    statement = scope.narrow(statement, col(Quote.account_id), "account_id")
    statement = scope.narrow(statement, col(Quote.opportunity_id), "opportunity_id")
    return scope.narrow(statement, col(Quote.quote_id), "quote_id")


def find_quote(session: Session, quote_id: str) -> Quote:
    """Return a quote.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    statement = visible(select(Quote).where(col(Quote.quote_id) == quote_id))
    found: Quote | None = session.scalars(statement).first()
    if found is None:
        raise NotFoundError(f"no quote {quote_id!r}", fix="list_quotes lists the ids")
    return found


def status_of(quote: Quote) -> Status:
    """Return a quote's status as stored; the table's CHECK keeps the words."""
    return cast(Status, quote.status)


def status_now(session: Session, quote: Quote, now: datetime) -> Status:
    """Return a quote's status now: an issued one whose validity is over reads as expired."""
    over = quote.status == "issued" and expiry.is_over(quote, expiry.today(session, now), now)
    return "expired" if over else status_of(quote)


def authors_of(quote: Quote) -> frozenset[str]:
    """Return who took something off by hand; they may not approve it."""
    inputs = QuoteInputs.model_validate_json(quote.inputs)
    return frozenset(one.author for one in inputs.request.adjustments if one.author)


def issuing_roles(session: Session, quote: Quote, snapshot: QuoteSnapshot) -> frozenset[str]:
    """Return the roles of who may issue a draft that no run made; empty when a run made it."""
    if QuoteInputs.model_validate_json(quote.inputs).run:
        return frozenset()
    usual = str(setting(session, "policies")["default_role"])
    return frozenset((usual, *(one.role for one in snapshot.approvals_needed)))


def find_approvals(session: Session, quote_id: str) -> list[Approval]:
    statement = (
        select(Approval)
        .where(col(Approval.quote_id) == quote_id)
        .order_by(col(Approval.requested_at), col(Approval.rule_id), col(Approval.approval_id))
    )
    return list(session.scalars(statement))


def approval_block(row: Approval, now: datetime) -> ApprovalBlock:
    """Return an approval; one that nobody decided in time reads as expired."""
    late = row.status in ("pending", "approved") and row.expires_at <= stamp(now)
    status = "expired" if late and row.used_at is None else row.status
    return block(ApprovalBlock, row, status=status)


def document(session: Session, quote_id: str, now: datetime) -> QuoteDocument:
    """Return the whole stored quote; the margin only to a named person.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    quote = find_quote(session, quote_id)
    approvals = [approval_block(row, now) for row in find_approvals(session, quote_id)]
    snapshot = QuoteSnapshot.model_validate_json(quote.snapshot)
    issued_on = None
    if quote.valid_until is not None:  # the seller's day, which may not be the UTC one
        issued_on = quote.valid_until - timedelta(days=snapshot.validity_days or 0)
    margin = None
    if quote.margin is not None and _is_ours(session):
        margin = MarginBlock.model_validate_json(quote.margin)
    return QuoteDocument(
        **dict(snapshot),
        **{name: getattr(quote, name) for name in STANDING},
        status=status_now(session, quote, now),
        issued_on=issued_on,
        approvals=approvals,
        margin=margin,
        next_step=_next_step(session, quote, snapshot, approvals, now),
    )


def next_step_of(session: Session, quote: Quote, now: datetime) -> NextStep:
    snapshot = QuoteSnapshot.model_validate_json(quote.snapshot)
    approvals = [approval_block(row, now) for row in find_approvals(session, quote.quote_id)]
    return _next_step(session, quote, snapshot, approvals, now)


def _next_step(
    session: Session,
    quote: Quote,
    snapshot: QuoteSnapshot,
    approvals: list[ApprovalBlock],
    now: datetime,
) -> NextStep:
    facts = fact(
        Waiter,
        quote,
        status=status_now(session, quote, now),
        discount_bp=snapshot.most_discount_bp,
        needs=snapshot.approvals_needed,
        approvals=approvals,
        valid_until=str(quote.valid_until or ""),
        adjusted_by=authors_of(quote),
        superseded_by=quote.superseded_by or "",
        issuing_roles=issuing_roles(session, quote, snapshot),
    )
    return next_step(facts, everyone(session))


def _is_ours(session: Session) -> bool:
    """Say whether a named person of the seller asks: no agent, no local profile."""
    person = scope.grant().person
    return bool(person) and session.get(Person, person) is not None


def page(
    session: Session,
    now: datetime,
    *,
    account_id: str | None = None,
    opportunity_id: str | None = None,
    status: str | None = None,
    expiring_within_days: int | None = None,
    number: str | None = None,
    limit: int,
    cursor: str = "",
) -> QuotePage:
    """Return a page of quotes, newest first; an expired one counts as that from its day on."""
    days = expiry.today(session, now)
    statement = visible(select(Quote))
    for column, value in (
        (Quote.account_id, account_id),
        (Quote.opportunity_id, opportunity_id),
        (Quote.number, number),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    if status is not None:
        stored = col(Quote.status) == status
        if status == "expired":
            stored = or_(stored, expiry.over(days))
        statement = statement.where(stored)
        if status == "issued":
            statement = statement.where(not_(expiry.over(days)))
    if expiring_within_days is not None:
        statement = statement.where(expiry.expiring(days, expiring_within_days))
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    offset = decode_cursor(cursor)
    newest = (col(Quote.created_at).desc(), col(Quote.revision).desc(), col(Quote.quote_id))
    found = list(session.scalars(statement.order_by(*newest).offset(offset).limit(limit)))
    asked = _approvals_of(session, [row.quote_id for row in found])
    items = [_row(row, asked.get(row.quote_id, []), days, now) for row in found]
    return QuotePage(items=items, total=total, next_cursor=next_cursor(offset, len(items), total))


def _approvals_of(session: Session, quote_ids: list[str]) -> dict[str, list[Approval]]:
    found: dict[str, list[Approval]] = {}
    mine = col(Approval.quote_id).in_(quote_ids)
    for row in session.scalars(select(Approval).where(mine)):
        found.setdefault(row.quote_id, []).append(row)
    return found


def _row(quote: Quote, approvals: list[Approval], days: expiry.Days, now: datetime) -> QuoteRow:
    open_ = [a for a in approvals if approval_block(a, now).status == "pending"]
    decided = [a.decided_at for a in approvals if a.decided_at is not None]
    return block(
        QuoteRow,
        quote,
        status="expired" if expiry.is_over(quote, days, now) else quote.status,
        approvals_pending=sorted({a.role for a in open_}),
        approval_requested_at=min((a.requested_at for a in approvals), default=None),
        approval_decided_at=max(decided, default=None) if not open_ else None,
    )


def snapshot_of(quote: Quote) -> dict[str, Any]:
    return dict(json.loads(quote.snapshot))
