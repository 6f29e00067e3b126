"""The table of tickets."""

from datetime import date

from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class SupportTable(SQLModel, registry=registry()):
    """Base of support's tables."""


class TicketRow(SupportTable, table=True):
    """A ticket; what the customer wrote stays in the CRM."""

    __tablename__ = "ticket"

    ticket_id: str = Field(primary_key=True, max_length=48)
    account_id: str = Field(index=True, max_length=48)
    sku: str = Field(max_length=32)
    opened: date
    open: bool
