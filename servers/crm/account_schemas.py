"""What the CRM's tools say of an account at work: what is open, who decides, what was added."""

from datetime import datetime

from pydantic import BaseModel, Field

from servers.crm.schemas import (
    AccountRow,
    AddressRow,
    ContactRow,
    Interaction,
    OpenDeal,
    QuoteSummary,
)
from servers.toolkit.findings import Finding
from servers.toolkit.paging import Page


class TaxId(BaseModel):
    """A tax number; `verified_at` is null as long as nobody verified it."""

    scheme: str
    country: str
    value: str
    verified_at: str | None


class ContactPage(Page[ContactRow]):
    """A page of contacts."""


class AddressPage(Page[AddressRow]):
    """A page of addresses."""


class TaskRow(BaseModel):
    """Something one of us has to do."""

    task_id: str
    account_id: str
    opportunity_id: str | None
    owner: str
    what: str
    due: str | None
    done_at: datetime | None
    version: int
    replayed: bool = False


class TaskPage(Page[TaskRow]):
    """A page of tasks, the first due first."""


class AccountDetail(AccountRow):
    """What is on file about an account, and what is going on with it."""

    legal_name: str
    language: str
    industry: str
    channel: str
    payment_terms_code: str
    aliases: list[str]
    tax_ids: list[TaxId]
    external_ids: dict[str, str] = Field(description="its id in each program it came from")
    open_opportunities: int
    opportunities: list[OpenDeal] = Field(description="open ones, the latest ten")
    tasks: list[TaskRow] = Field(description="open ones, the first ten due")
    deciders: list[ContactRow] = Field(description="who decides or may sign, at most ten")
    last_interaction: Interaction | None
    last_quotes: list[QuoteSummary] = Field(description="the latest three")
    findings: list[Finding]


class AddedAccount(AccountRow):
    """An account as create_account stored it."""

    replayed: bool = False


class AddedContact(ContactRow):
    """A contact as add_contact stored it."""

    replayed: bool = False


class AddedAddress(AddressRow):
    """An address as add_address stored it."""

    replayed: bool = False


class Merged(BaseModel):
    """Two accounts that are one now."""

    account_id: str
    merged_id: str = Field(description="the duplicate; its id means account_id from now on")
    moved: dict[str, int] = Field(description="how many rows of each kind went over")
    left_in_finance: list[str] = Field(
        description="ids that finance may still keep under merged_id, for a person to move"
    )
    findings: list[Finding]
    replayed: bool = False
