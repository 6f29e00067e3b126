"""The shapes of the CRM's seed files; a row that does not fit is an error that names it."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from servers.crm.schemas import ActivityKind, AddressKind, Direction, Kind, Outcome, Stage, Status
from servers.toolkit.fields import (
    AccountId,
    ActivityId,
    AddressId,
    ContactId,
    Country,
    CurrencyCode,
    DocumentId,
    OpportunityId,
    QuoteId,
)

Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=200)]
File = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,120}$", max_length=121)]


class Row(BaseModel):
    """A row of a seed file; a key it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid")


class TaxIdRow(Row):
    """A tax number."""

    scheme: Annotated[str, Field(min_length=1, max_length=20)]
    country: Country
    value: Annotated[str, Field(min_length=1, max_length=40)]
    verified_at: date | None = None


class AddressSeed(Row):
    """A postal address."""

    address_id: AddressId
    kind: AddressKind
    label: Annotated[str, Field(max_length=120)] = ""
    lines: Annotated[list[Name], Field(min_length=1, max_length=6)]
    city: Annotated[str, Field(min_length=1, max_length=120)]
    region: Annotated[str, Field(max_length=80)] = ""
    postal_code: Annotated[str, Field(max_length=20)] = ""
    country: Country
    is_default: bool = False


class ContactSeed(Row):
    """A person."""

    contact_id: ContactId
    name: Name
    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    role: Annotated[str, Field(max_length=120)] = ""
    is_signatory: bool = False


class AccountSeed(Row):
    """A row of accounts.json."""

    account_id: AccountId
    name: Name
    legal_name: Name
    kind: Kind
    country: Country
    currency: CurrencyCode
    language: Annotated[str, Field(min_length=2, max_length=8)]
    status: Status
    industry: Annotated[str, Field(max_length=80)] = ""
    payment_terms_code: Annotated[str, Field(max_length=20)] = ""
    channel: Annotated[str, Field(max_length=20)] = "direct"
    aliases: list[Name] = []
    tax_ids: list[TaxIdRow] = []
    addresses: list[AddressSeed] = []
    contacts: list[ContactSeed] = []


class ActivitySeed(Row):
    """An activity, told by a file beside opportunity.json."""

    activity_id: ActivityId
    kind: ActivityKind
    file: File
    direction: Direction
    at: datetime | None = None
    author: Text = ""
    subject: Annotated[str, Field(max_length=400)] = ""


class DocumentSeed(Row):
    """A document beside opportunity.json."""

    document_id: DocumentId
    file: File
    filename: Name
    mime: Annotated[str, Field(min_length=3, max_length=120)]
    title: Text = ""
    attached_to: ActivityId | None = None


class OpportunitySeed(Row):
    """An opportunity.json."""

    opportunity_id: OpportunityId
    account_id: AccountId
    name: Name
    stage: Stage
    owner: Annotated[str, Field(max_length=120)] = ""
    created: date | datetime
    close_date: date | None = None
    contact_ids: list[ContactId] = []
    activities: list[ActivitySeed] = []
    documents: list[DocumentSeed] = []


class QuoteStepSeed(Row):
    """A step in a quote's life."""

    outcome: Outcome
    at: datetime


class QuoteSeed(Row):
    """A row of quote_history.json."""

    account_id: AccountId
    opportunity_id: OpportunityId | None = None
    quote_id: QuoteId
    number: Annotated[str, Field(max_length=40)] = ""
    revision: Annotated[int, Field(ge=1, le=999)] = 1
    outcome: Outcome
    total_minor: Annotated[int, Field(ge=0, le=10**15)]
    currency: CurrencyCode
    at: datetime
    steps: list[QuoteStepSeed] = []


class CompanySeed(Row):
    """company.json: what makes a sender one of us."""

    name: Name
    domains: Annotated[list[Annotated[str, Field(max_length=253)]], Field(max_length=20)]
