"""The CRM's tables. They have a registry of their own, so that no other server's tables mix in.

Times are ISO 8601 text in UTC (`2026-11-16T09:12:00Z`), which sorts and compares the same on
SQLite and PostgreSQL; money is integer minor units. Every row that tells something about a
customer carries `account_id`, and `opportunity_id` where it belongs to one, because grants are
bound to those two and every query is narrowed by them.
"""

from sqlalchemy import JSON, BigInteger, Index, Text, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from servers.toolkit import fields
from servers.toolkit.columns import Micro, Quantity
from servers.toolkit.text_index import TextIndex, pattern_index

ID = 48
ACCOUNT = "account.account_id"
OPPORTUNITY = "opportunity.opportunity_id"
NAMES = TextIndex("account_alias", "id", "normalized")
PEOPLE = TextIndex("contact", "contact_id", "normalized")


class CrmTable(SQLModel, registry=registry()):
    """Base of the CRM's tables."""

    model_config = {"defer_build": True}  # nothing validates rows: the start need not wait


class Account(CrmTable, table=True):
    """A company (or person, or office) that buys, or may."""

    account_id: str = Field(primary_key=True, max_length=ID)
    name: str = Field(max_length=200)
    legal_name: str = Field(max_length=200)
    kind: str = Field(max_length=12)
    country: str = Field(max_length=2)
    currency: str = Field(max_length=3)
    language: str = Field(max_length=8)
    status: str = Field(max_length=12)
    industry: str = Field(default="", max_length=80)
    payment_terms_code: str = Field(default="", max_length=20)
    channel: str = Field(default="direct", max_length=20)
    merged_into: str | None = Field(default=None, index=True, max_length=ID)


class AccountAlias(CrmTable, table=True):
    """A name an account goes by, folded, and its core: without fillers and legal form."""

    __tablename__ = "account_alias"
    __table_args__ = (
        UniqueConstraint("account_id", "name"),
        pattern_index("account_alias", "core"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    name: str = Field(max_length=200)
    normalized: str = Field(index=True, max_length=200)
    core: str = Field(default="", max_length=200)


class AccountTaxId(CrmTable, table=True):
    """A tax number and the day it was verified, if it was."""

    __tablename__ = "account_tax_id"
    __table_args__ = (UniqueConstraint("account_id", "scheme", "value"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    scheme: str = Field(max_length=20)
    country: str = Field(max_length=2)
    value: str = Field(index=True, max_length=40)
    verified_at: str | None = Field(default=None, max_length=32)


class Address(CrmTable, table=True):
    """A postal address of an account; the ship-to is what tax and export control go by."""

    address_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    kind: str = Field(max_length=12)
    label: str = Field(default="", max_length=120)
    lines: list[str] = Field(default_factory=list, sa_type=JSON)
    city: str = Field(max_length=120)
    region: str = Field(default="", max_length=80)
    postal_code: str = Field(default="", max_length=20)
    country: str = Field(max_length=2)
    is_default: bool = False


class Contact(CrmTable, table=True):
    """A person at an account; the folded name and the mail domain are what they are found by."""

    __table_args__ = (pattern_index("contact", "normalized"),)

    contact_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    name: str = Field(max_length=200)
    email: str = Field(default="", index=True, max_length=254)
    phone: str = Field(default="", max_length=40)
    role: str = Field(default="", max_length=120)
    is_signatory: bool = False
    is_decision_maker: bool = False
    normalized: str = Field(default="", max_length=200)
    domain: str = Field(default="", index=True, max_length=254)


class Opportunity(CrmTable, table=True):
    """A deal that may come; its story is told by its activities and documents.

    `latest` is when the last one was, or when it was created; triggers keep it.
    """

    opportunity_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    name: str = Field(max_length=200)
    stage: str = Field(max_length=24)
    owner: str = Field(default="", max_length=120)
    created: str = Field(max_length=32)
    close_date: str | None = Field(default=None, max_length=32)
    amount_minor: int | None = Field(default=None, ge=0, sa_type=BigInteger)
    currency: str = Field(default="", max_length=3)
    version: int = 1
    latest: str = Field(default="", index=True, max_length=32)


class OpportunityContact(CrmTable, table=True):
    """A contact who takes part in an opportunity; the first one is addressed."""

    __tablename__ = "opportunity_contact"

    opportunity_id: str = Field(primary_key=True, foreign_key=OPPORTUNITY, max_length=ID)
    contact_id: str = Field(primary_key=True, foreign_key="contact.contact_id", max_length=ID)
    place: int = 0


class Task(CrmTable, table=True):
    """Something one of us has to do about an account, or about one of its opportunities."""

    task_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    opportunity_id: str | None = Field(
        default=None, foreign_key=OPPORTUNITY, index=True, max_length=ID
    )
    owner: str = Field(default="", index=True, max_length=120)
    what: str = Field(max_length=500)
    due: str | None = Field(default=None, index=True, max_length=32)
    done_at: str | None = Field(default=None, max_length=32)
    version: int = 1


class Activity(CrmTable, table=True):
    """Something that happened: an e-mail, a call, a meeting, a note. Rows are never changed."""

    __table_args__ = (Index("activity_by_time", "opportunity_id", "at"),)

    activity_id: str = Field(primary_key=True, max_length=ID)
    opportunity_id: str = Field(foreign_key=OPPORTUNITY, index=True, max_length=ID)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    kind: str = Field(max_length=10)
    direction: str = Field(max_length=10)
    at: str = Field(index=True, max_length=32)
    author: str = Field(default="", max_length=200)
    subject: str = Field(default="", max_length=400)
    from_name: str = Field(default="", max_length=200)
    from_address: str = Field(default="", max_length=254)
    reply_to: str = Field(default="", max_length=254)
    to: list[str] = Field(default_factory=list, sa_type=JSON)
    cc: list[str] = Field(default_factory=list, sa_type=JSON)
    message_id: str | None = Field(default=None, unique=True, max_length=250)
    in_reply_to: str = Field(default="", max_length=250)
    text: str = Field(default="", sa_type=Text)
    quoted_text: str = Field(default="", sa_type=Text)
    flags: list[str] = Field(default_factory=list, sa_type=JSON)
    sha256: str = Field(default="", max_length=64)
    recorded_by: str = Field(default="", max_length=120)


class Document(CrmTable, table=True):
    """A file and the text read from it; the file itself is not kept, its digest is."""

    document_id: str = Field(primary_key=True, max_length=ID)
    opportunity_id: str = Field(foreign_key=OPPORTUNITY, index=True, max_length=ID)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    activity_id: str | None = Field(
        default=None, foreign_key="activity.activity_id", index=True, max_length=ID
    )
    filename: str = Field(max_length=200)
    mime: str = Field(max_length=120)
    title: str = Field(default="", max_length=200)
    size: int = 0
    sha256: str = Field(default="", max_length=64)
    text: str = Field(default="", sa_type=Text)
    method: str = Field(default="none", max_length=12)
    pages: int = 0
    problems: list[str] = Field(default_factory=list, sa_type=JSON)


class Need(CrmTable, table=True):
    """Something the customer wants, in the customer's words, with the span they stand in."""

    __table_args__ = (UniqueConstraint("opportunity_id", "span_key"),)

    need_id: str = Field(primary_key=True, max_length=ID)
    opportunity_id: str = Field(foreign_key=OPPORTUNITY, index=True, max_length=ID)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    source_id: str = Field(max_length=ID)
    start: int
    end: int
    span_key: str = Field(max_length=120)
    statement: str = Field(max_length=1000)
    quantity: fields.Quantity | None = Field(default=None, sa_type=Quantity)
    unit: str | None = Field(default=None, max_length=10)
    optional: bool = False
    status: str = Field(default="proposed", max_length=10)
    version: int = 1
    recorded_at: str = Field(max_length=32)
    recorded_by: str = Field(max_length=120)


class QuoteRecord(CrmTable, table=True):
    """What was offered: one row per quote revision, with where it stands now."""

    __tablename__ = "quote_record"
    __table_args__ = (UniqueConstraint("account_id", "quote_id", "revision"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key=ACCOUNT, index=True, max_length=ID)
    opportunity_id: str | None = Field(
        default=None, foreign_key=OPPORTUNITY, index=True, max_length=ID
    )
    quote_id: str = Field(index=True, max_length=ID)
    number: str = Field(default="", max_length=40)
    revision: int = 1
    outcome: str = Field(max_length=12)
    total_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    at: str = Field(max_length=32)


class QuoteLine(CrmTable, table=True):
    """One position of a quote that was made before dealdesk, as its file says it."""

    __tablename__ = "quote_line"
    __table_args__ = (UniqueConstraint("quote_record_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    quote_record_id: int = Field(foreign_key="quote_record.id", index=True)
    position: int = Field(ge=1, le=9999)
    sku: str = Field(default="", max_length=40)
    description: str = Field(default="", max_length=400)
    quantity: Micro = Field(sa_type=Quantity)
    unit: str = Field(default="each", max_length=10)
    net_minor: int = Field(sa_type=BigInteger)


class QuoteStep(CrmTable, table=True):
    """One step in a quote's life, kept for good."""

    __tablename__ = "quote_step"

    id: int | None = Field(default=None, primary_key=True)
    quote_record_id: int = Field(foreign_key="quote_record.id", index=True)
    outcome: str = Field(max_length=12)
    at: str = Field(max_length=32)
    actor: str = Field(max_length=120)


class SellerDomain(CrmTable, table=True):
    """A mail domain of our own company; only mail from it can be internal."""

    __tablename__ = "seller_domain"

    domain: str = Field(primary_key=True, max_length=253)
