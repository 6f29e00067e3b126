"""What the CRM of a house has and lacks."""

from sqlmodel import Session

from servers.crm.tables import Account
from servers.toolkit.house import Look, rows_of


def look(session: Session) -> list[Look]:
    return [rows_of(session, "accounts", Account, "dealdesk import crm accounts FILE")]
