"""Read stored quotes, narrowed by the caller's grant."""

import json
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from servers.finance.assembly import QuoteSnapshot
from servers.finance.blocks import ApprovalBlock, MarginBlock, NextStep, Status
from servers.finance.documents import QuoteDocument
from servers.finance.models import Person
from servers.finance.models_quotes import Approval, Quote
from servers.finance.repository.clock import stamp
from servers.finance.repository.people import everyone
from servers.finance.schemas_quotes import QuotePage, QuoteRow
from servers.finance.waiting import Waiter, next_step
from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError
from servers.toolkit.paging import decode_cursor, next_cursor

OPEN = ("draft", "waiting", "approved", "issued")
WORKING = ("draft", "waiting", "approved")


def visible(statement: Select[Any]) -> Select[Any]:
    """Narrow a query of quotes to the rows that the caller's grant reaches."""
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
    """Return a quote's status; the table's CHECK keeps the words."""
    return cast(Status, quote.status)


def find_approvals(session: Session, quote_id: str) -> list[Approval]:
    """Return the approvals of a quote, in the order they were asked for."""
    statement = (
        select(Approval)
        .where(col(Approval.quote_id) == quote_id)
        .order_by(col(Approval.requested_at), col(Approval.rule_id), col(Approval.approval_id))
    )
    return list(session.scalars(statement))


def approval_block(row: Approval, now: datetime) -> ApprovalBlock:
    """Return an approval; one that nobody decided in time reads as expired."""
    late = row.status in ("pending", "approved") and row.expires_at <= stamp(now)
    return ApprovalBlock.model_validate(
        {
            **{name: getattr(row, name) for name in ApprovalBlock.model_fields},
            "status": "expired" if late and row.used_at is None else row.status,
        }
    )


def document(session: Session, quote_id: str, now: datetime) -> QuoteDocument:
    """Return the whole stored quote; the margin only to a named person.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    quote = find_quote(session, quote_id)
    approvals = [approval_block(row, now) for row in find_approvals(session, quote_id)]
    snapshot = QuoteSnapshot.model_validate_json(quote.snapshot)
    said = {
        name: getattr(snapshot, name)
        for name in QuoteSnapshot.model_fields
        if name in QuoteDocument.model_fields
    }
    issued_on = None
    if quote.valid_until is not None:  # the seller's day, which may not be the UTC one
        issued_on = quote.valid_until - timedelta(days=snapshot.validity_days)
    margin = None
    if quote.margin is not None and _is_ours(session):
        margin = MarginBlock.model_validate_json(quote.margin)
    return QuoteDocument(
        **said,
        number=quote.number,
        status=status_of(quote),
        issued_on=issued_on,
        valid_until=quote.valid_until,
        digest=quote.digest,
        approvals=approvals,
        created_by=quote.created_by,
        created_at=quote.created_at,
        requested_by=quote.requested_by,
        withdrawn_reason=quote.withdrawn_reason,
        margin=margin,
        next_step=_next_step(session, quote, snapshot, approvals),
    )


def next_step_of(session: Session, quote: Quote, now: datetime) -> NextStep:
    """Return what a quote waits for now, and whom."""
    snapshot = QuoteSnapshot.model_validate_json(quote.snapshot)
    approvals = [approval_block(row, now) for row in find_approvals(session, quote.quote_id)]
    return _next_step(session, quote, snapshot, approvals)


def _next_step(
    session: Session, quote: Quote, snapshot: QuoteSnapshot, approvals: list[ApprovalBlock]
) -> NextStep:
    facts = Waiter(
        quote_id=quote.quote_id,
        number=quote.number,
        status=status_of(quote),
        currency=quote.currency,
        total_minor=quote.total_minor,
        discount_bp=snapshot.discount_bp,
        requested_by=quote.requested_by,
        needs=snapshot.approvals_needed,
        approvals=approvals,
        valid_until=str(quote.valid_until or ""),
    )
    return next_step(facts, everyone(session))


def _is_ours(session: Session) -> bool:
    """Say whether a named person of the house asks: no agent, no local profile."""
    person = scope.grant().person
    return bool(person) and session.get(Person, person) is not None


def page(
    session: Session,
    *,
    account_id: str | None,
    opportunity_id: str | None,
    status: str | None,
    limit: int,
    cursor: str | None,
) -> QuotePage:
    """Return a page of quotes, newest first."""
    statement = visible(select(Quote))
    for column, value in (
        (Quote.account_id, account_id),
        (Quote.opportunity_id, opportunity_id),
        (Quote.status, status),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    offset = decode_cursor(cursor)
    newest = (col(Quote.created_at).desc(), col(Quote.revision).desc(), col(Quote.quote_id))
    found = list(session.scalars(statement.order_by(*newest).offset(offset).limit(limit)))
    items = [
        QuoteRow.model_validate({name: getattr(row, name) for name in QuoteRow.model_fields})
        for row in found
    ]
    return QuotePage(items=items, total=total, next_cursor=next_cursor(offset, len(items), total))


def snapshot_of(quote: Quote) -> dict[str, Any]:
    """Return a stored snapshot as plain data, for comparison."""
    return dict(json.loads(quote.snapshot))
