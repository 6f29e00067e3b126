"""Customers, and what is known of them: what they have bought and have running, too."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field as Bounds
from sqlalchemy import BigInteger, String
from sqlmodel import Field

from servers.finance.facts.prices import Renewal
from servers.finance.tables.base import (
    CUSTOMER,
    ID,
    ITEM,
    AnyCountry,
    AnyCurrency,
    CustomerKind,
    FinanceTable,
    Language,
)
from servers.toolkit.columns import Json, Micro, Percent, Quantity, UnitAmount, Words
from servers.toolkit.fields import AccountId, AddressId, Country, CurrencyCode, Sku, SubscriptionId
from servers.toolkit.short_tables import constraints


class CustomerRow(FinanceTable, table=True):
    """A customer as finance knows it; amounts are minor units of `credit_currency`."""

    account_id: AccountId = Field(primary_key=True)
    parent_account_id: str | None = Field(default=None, foreign_key=CUSTOMER, max_length=ID)
    legal_name: str = Field(min_length=1, max_length=200)
    country: Country
    kind: CustomerKind = Field(sa_type=String(20))
    channel: str = Field(default="direct", max_length=20)
    currency: CurrencyCode
    payment_terms_code: str = Field(max_length=20)
    credit_limit_minor: int | None = Field(default=None, ge=0, sa_type=BigInteger)
    credit_currency: AnyCurrency = Field(default="", sa_type=String(3))
    credit_rating: str = Field(default="", max_length=4)
    credit_hold: bool = False
    open_minor: int = Field(default=0, sa_type=BigInteger)
    segment: str = Field(default="", max_length=40)
    language: Language = ""
    industry: Annotated[str, Bounds(pattern="^[a-z_]{0,40}$", max_length=40)] = ""


class CustomerTaxId(FinanceTable, table=True):
    """A tax number of a customer; `verified_at` is null until somebody verified it."""

    __table_args__ = constraints(("account_id", "scheme", "value"))

    id: int | None = Field(default=None, primary_key=True)
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    scheme: str = Field(max_length=20)
    country: Country
    value: str = Field(max_length=40)
    verified_at: str | None = Field(default=None, max_length=32)


class CustomerAddress(FinanceTable, table=True):
    """A postal address of a customer; the ship-to decides tax and freight."""

    address_id: AddressId = Field(primary_key=True)
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    kind: Literal["billing", "shipping", "registered"] = Field(sa_type=String(12))
    lines: Words = Field(min_length=1, sa_type=Json(Words))
    city: str = Field(max_length=120)
    region: str = Field(default="", max_length=80)
    postal_code: str = Field(default="", max_length=20)
    country: Country


class RelatedParty(FinanceTable, table=True):
    """Somebody who goes with a customer and is screened too: an owner, a consignee, a contact."""

    party_id: Annotated[str, Bounds(pattern=r"^pty_[A-Za-z0-9_-]{1,40}$", max_length=ID)] = Field(
        primary_key=True
    )
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    role: Literal["contact", "consignee", "owner", "trading name"] = Field(sa_type=String(20))
    name: str = Field(min_length=1, max_length=200)
    country: AnyCountry = Field(default="", sa_type=String(2))


class ExemptionRow(FinanceTable, table=True):
    """A tax exemption certificate, from the day it was issued to the day it expires."""

    certificate_id: str = Field(primary_key=True, max_length=ID)
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    jurisdictions: Words = Field(sa_type=Json(Words))
    reason: str = Field(max_length=200)
    number: str = Field(max_length=60)
    issued: date
    expires: date | None = None
    status: Literal["verified", "unverified", "expired"] = Field(sa_type=String(12))
    reason_code: Annotated[str, Bounds(pattern=r"^(VATEX-[A-Z0-9-]{2,24})?$", max_length=30)] = ""


class ReceivableRow(FinanceTable, table=True):
    """An invoice: what is still open, and which accepted quote it bills, if any."""

    __table_args__ = constraints(
        receivable_due_after_issue="due >= issued",
        receivable_amounts_sane="open_minor >= 0 AND open_minor <= total_minor",
    )

    invoice_no: Annotated[
        str, Bounds(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]{0,39}$", max_length=40)
    ] = Field(primary_key=True)
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    quote_id: str | None = Field(default=None, index=True, max_length=ID)
    issued: date
    due: date
    total_minor: int = Field(ge=0, sa_type=BigInteger)
    open_minor: int = Field(ge=0, sa_type=BigInteger)
    currency: CurrencyCode


class ScreeningReview(FinanceTable, table=True):
    """What a named person decided about one hit, bound to the two names; a new one is a new row."""

    __table_args__ = constraints(
        screening_decision_known="decision IN ('different_party', 'same_party')",
        screening_review_has_a_span="expires_on >= decided_on",
    )

    review_id: str = Field(primary_key=True, max_length=ID)
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    entry_id: str = Field(max_length=60)
    party_name: str = Field(max_length=200)
    listed_name: str = Field(max_length=200)
    decision: Literal["different_party", "same_party"] = Field(sa_type=String(20))
    note: str = Field(default="", max_length=300)
    decided_by: str = Field(max_length=ID)
    decided_on: date
    expires_on: date


class AccountPurchase(FinanceTable, table=True):
    """What an account has bought, while it counts; a null quote was carried over from before."""

    __table_args__ = constraints(("quote_id", "line_id"))

    id: int | None = Field(default=None, primary_key=True)
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    sku: Sku = Field(foreign_key=ITEM)
    quantity: Micro = Field(sa_type=Quantity)
    day: date
    until: date | None = None
    quote_id: str | None = Field(default=None, max_length=ID)
    line_id: str = Field(default="", max_length=5)
    source: str = Field(default="", max_length=120)


class SubscriptionRow(FinanceTable, table=True):
    """A subscription of an account: until when, at which price, and what its renewal costs.

    `unit_price` is for the price list's standard term; `uplift` and `cap` are percentages.
    """

    __table_args__ = constraints(
        subscription_numbers="quantity >= 1 AND unit_price >= 0",
        subscription_has_days="first <= last",
        subscription_renewal_known="renewal IN ('same', 'list', 'uplift')",
    )

    subscription_id: SubscriptionId = Field(primary_key=True)
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    sku: Sku = Field(foreign_key=ITEM, index=True)
    quantity: int = Field(ge=1)
    first: date
    last: date
    term_months: int = Field(ge=1, le=120)
    unit_price: Micro = Field(sa_type=UnitAmount)
    currency: CurrencyCode
    lock_until: date | None = None
    renewal: Renewal = Field(sa_type=String(8))
    uplift: Percent | None = Field(default=None, sa_type=UnitAmount)
    cap: Percent | None = Field(default=None, sa_type=UnitAmount)
    clause: str = Field(default="", max_length=80)
    document: str = Field(default="", max_length=120)
