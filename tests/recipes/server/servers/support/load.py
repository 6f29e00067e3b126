"""How files fill support's table; `seed_data/support` is such a folder."""

from servers.support.tables import TicketRow
from servers.toolkit.tables import Table, tables

TABLES = tables(Table("tickets", TicketRow, "a ticket about one product", key=("ticket_id",)))
