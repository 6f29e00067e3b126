"""Two tools that look at tickets."""

from typing import Annotated

from pydantic import Field

from servers.support import store
from servers.support.schemas import Ticket, TicketPage
from servers.toolkit.components import tool
from servers.toolkit.database import Database
from servers.toolkit.declare import reads
from servers.toolkit.fields import AccountId, Cursor, Limit

ACCOUNT = ("account_id",)
TicketId = Annotated[str, Field(max_length=48, description="ticket id, from list_tickets")]


@tool(reads("List tickets", rows="bound", binds=ACCOUNT))
def list_tickets(
    database: Database, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> TicketPage:
    """List the tickets of an account, the newest first."""
    with database.session() as session:
        return store.tickets(session, account_id, limit, cursor)


@tool(reads("Get a ticket", rows="bound", binds=ACCOUNT))
def get_ticket(database: Database, account_id: AccountId, ticket_id: TicketId) -> Ticket:
    """Return one ticket of an account; ticket_id comes from list_tickets."""
    with database.session() as session:
        return store.ticket(session, account_id, ticket_id)
