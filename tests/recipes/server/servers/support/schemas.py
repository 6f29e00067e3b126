"""What the tools return."""

from datetime import date

from pydantic import BaseModel


class Ticket(BaseModel):
    """A ticket about one product."""

    ticket_id: str
    account_id: str
    sku: str
    opened: date
    open: bool


class TicketPage(BaseModel):
    """Tickets, the newest first."""

    items: list[Ticket]
    total: int
    next_cursor: str | None
