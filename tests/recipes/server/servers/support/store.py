"""Queries of tickets, each narrowed by the caller's grant."""

from sqlmodel import Session, col, select

from servers.support.schemas import Ticket, TicketPage
from servers.support.tables import TicketRow
from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError
from servers.toolkit.paging import decode_cursor, next_cursor


def tickets(session: Session, account_id: str, limit: int, cursor: str) -> TicketPage:
    """Return a page of an account's tickets."""
    asked = select(TicketRow).where(TicketRow.account_id == account_id)
    asked = scope.narrow(asked, col(TicketRow.account_id), "account_id")
    rows = session.exec(asked.order_by(col(TicketRow.opened).desc())).all()
    offset = decode_cursor(cursor)
    page = rows[offset : offset + limit]
    return TicketPage(
        items=[Ticket(**row.model_dump()) for row in page],
        total=len(rows),
        next_cursor=next_cursor(offset, len(page), len(rows)),
    )


def ticket(session: Session, account_id: str, ticket_id: str) -> Ticket:
    """Return one ticket of an account.

    Raises:
        NotFoundError: the account has no such ticket.
    """
    row = session.get(TicketRow, ticket_id)
    if row is None or row.account_id != account_id:
        raise NotFoundError(f"no ticket {ticket_id!r}", fix="list_tickets names them")
    return Ticket(**row.model_dump())
