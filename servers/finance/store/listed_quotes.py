"""List stored quotes and their approvals from their rows alone; no quote is opened."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import Select, func, not_, or_, select
from sqlmodel import Session, col

from servers.finance.facts.blocks import ApprovalBlock, Status
from servers.finance.facts.copies import block
from servers.finance.schemas_quotes import QuoteNumber, QuotePage, QuoteRow, Within
from servers.finance.store import clock, expiry
from servers.finance.store.rows import grouped
from servers.finance.tables.quotes import Approval, Quote
from servers.toolkit import scope
from servers.toolkit.fields import AccountId, Cursor, Limit, OpportunityId
from servers.toolkit.paging import decode_cursor, next_cursor


def visible(statement: Select[Any]) -> Select[Any]:
    """Narrow a query of quotes to the rows that the caller's grant reaches."""
    statement = scope.narrow(statement, col(Quote.account_id), "account_id")
    statement = scope.narrow(statement, col(Quote.opportunity_id), "opportunity_id")
    return scope.narrow(statement, col(Quote.quote_id), "quote_id")


def approval_block(row: Approval, now: datetime) -> ApprovalBlock:
    """Return an approval; one that nobody decided in time reads as expired."""
    late = row.status in ("pending", "approved") and row.expires_at <= clock.stamp(now)
    status = "expired" if late and row.used_at is None else row.status
    return block(ApprovalBlock, row, status=status)


def page(
    session: Session,
    *,
    account_id: AccountId | None = None,
    opportunity_id: OpportunityId | None = None,
    status: Status | None = None,
    expiring_within_days: Within = None,
    expired_since: AwareDatetime | None = None,
    number: QuoteNumber | None = None,
    limit: Limit = 20,
    cursor: Cursor = "",
    now: datetime | None = None,
) -> QuotePage:
    """Return a page of quotes, newest first; an expired one counts as that from its day on."""
    now = now or clock.now()
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
    if expired_since is not None:
        statement = statement.where(expiry.ended(days, expiry.today(session, expired_since)))
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    offset = decode_cursor(cursor)
    newest = (col(Quote.created_at).desc(), col(Quote.revision).desc(), col(Quote.quote_id))
    found = list(session.scalars(statement.order_by(*newest).offset(offset).limit(limit)))
    mine = col(Approval.quote_id).in_([row.quote_id for row in found])
    asked = grouped((one.quote_id, one) for one in session.scalars(select(Approval).where(mine)))
    items = [_row(row, asked.get(row.quote_id, []), days, now) for row in found]
    return QuotePage(items=items, total=total, next_cursor=next_cursor(offset, len(items), total))


def _row(quote: Quote, approvals: list[Approval], days: expiry.Days, now: datetime) -> QuoteRow:
    open_ = [a for a in approvals if approval_block(a, now).status == "pending"]
    decided = [a.decided_at for a in approvals if a.decided_at is not None]
    return block(
        QuoteRow,
        quote,
        opportunity_id="" if quote.opportunity_id == quote.chain else quote.opportunity_id,
        status="expired" if expiry.is_over(quote, days, now) else quote.status,
        approvals_pending=sorted({a.role for a in open_}),
        approval_requested_at=min((a.requested_at for a in approvals), default=None),
        approval_decided_at=max(decided, default=None) if not open_ else None,
    )
