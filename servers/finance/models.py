"""Finance's master data. The tables have a registry of their own.

Unit prices, costs, percentages and rates are integers in micro units (a millionth), amounts are
integer minor units: no float ever touches them. Days are dates, both ends of a window included.
"""

from datetime import date
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

ID = 48
CUSTOMER = "customer.account_id"


class FinanceTable(SQLModel, registry=registry()):
    """Base of finance's tables."""


class Seller(FinanceTable, table=True):
    """The legal entity that makes offers; `details` holds what a quote prints of it."""

    entity_id: str = Field(primary_key=True, max_length=ID)
    legal_name: str = Field(max_length=200)
    country: str = Field(max_length=2)
    number_format: str = Field(max_length=60)
    time_zone: str = Field(max_length=60)
    countries: list[str] = Field(default_factory=list, sa_type=JSON)
    is_default: bool = True
    details: dict[str, Any] = Field(sa_type=JSON)


class Person(FinanceTable, table=True):
    """Somebody of the house who may approve; a limit that is null is no limit."""

    person_id: str = Field(primary_key=True, max_length=ID)
    name: str = Field(max_length=120)
    title: str = Field(default="", max_length=120)
    roles: list[str] = Field(sa_type=JSON)
    max_discount_bp: int | None = None
    max_total: dict[str, str] | None = Field(default=None, sa_type=JSON)


class CustomerRow(FinanceTable, table=True):
    """A customer as finance knows it."""

    __tablename__ = "customer"

    account_id: str = Field(primary_key=True, max_length=ID)
    parent_account_id: str | None = Field(default=None, foreign_key=CUSTOMER, max_length=ID)
    legal_name: str = Field(max_length=200)
    country: str = Field(max_length=2)
    kind: str = Field(max_length=20)
    channel: str = Field(max_length=20)
    currency: str = Field(max_length=3)
    payment_terms_code: str = Field(max_length=20)
    credit_limit_minor: int | None = Field(default=None, sa_type=BigInteger)
    credit_currency: str = Field(default="", max_length=3)
    credit_rating: str = Field(default="", max_length=4)
    credit_hold: bool = False
    open_minor: int = Field(default=0, sa_type=BigInteger)
    segment: str = Field(default="", max_length=40)
    language: str = Field(default="", max_length=8)
    industry: str = Field(default="", max_length=40)


class CustomerTaxId(FinanceTable, table=True):
    """A tax number of a customer; `verified_at` is null until somebody verified it."""

    __tablename__ = "customer_tax_id"
    __table_args__ = (UniqueConstraint("account_id", "scheme", "value"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    scheme: str = Field(max_length=20)
    country: str = Field(max_length=2)
    value: str = Field(max_length=40)
    verified_at: str | None = Field(default=None, max_length=32)


class CustomerAddress(FinanceTable, table=True):
    """A postal address of a customer; the ship-to decides tax and freight."""

    __tablename__ = "customer_address"

    address_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    kind: str = Field(max_length=12)
    lines: list[str] = Field(sa_type=JSON)
    city: str = Field(max_length=120)
    region: str = Field(default="", max_length=80)
    postal_code: str = Field(default="", max_length=20)
    country: str = Field(max_length=2)


class ExemptionRow(FinanceTable, table=True):
    """A tax exemption certificate."""

    __tablename__ = "exemption"

    certificate_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    jurisdictions: list[str] = Field(sa_type=JSON)
    reason: str = Field(max_length=200)
    number: str = Field(max_length=60)
    issued: date
    expires: date | None = None
    status: str = Field(max_length=12)
    reason_code: str = Field(default="", max_length=30)


class ItemRow(FinanceTable, table=True):
    """What finance sells, and what it costs."""

    __tablename__ = "item"

    sku: str = Field(primary_key=True, max_length=32)
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=500)
    family: str = Field(index=True, max_length=40)
    kind: str = Field(max_length=12)
    weight_g: int | None = None
    cost_micro: int | None = Field(default=None, sa_type=BigInteger)
    cost_currency: str = Field(default="EUR", max_length=3)
    tax_class: str = Field(max_length=20)
    flags: list[str] = Field(default_factory=list, sa_type=JSON)


class FreightRateRow(FinanceTable, table=True):
    """What carriage by a method into a zone costs, in one currency."""

    __tablename__ = "freight_rate"
    __table_args__ = (UniqueConstraint("method", "zone", "currency"),)

    rate_id: str = Field(primary_key=True, max_length=60)
    method: str = Field(max_length=20)
    label: str = Field(max_length=60)
    zone: str = Field(max_length=12)
    currency: str = Field(max_length=3)
    base_micro: int = Field(sa_type=BigInteger)
    per_kg_micro: int = Field(sa_type=BigInteger)
    physical: bool = True


class ZoneCountry(FinanceTable, table=True):
    """A country in a zone of tax (`EU`) or freight (`FREIGHT-EU`)."""

    __tablename__ = "zone_country"

    zone: str = Field(primary_key=True, max_length=20)
    country: str = Field(primary_key=True, max_length=2)


class TaxRateRow(FinanceTable, table=True):
    """A tax rate with the days it holds, its source and when that was read."""

    __tablename__ = "tax_rate"
    __table_args__ = (
        Index(
            "tax_rate_one_of_a_rank",
            *("country", "region", "category", "tax_class", "sequence", "valid_from"),
            unique=True,
        ),
    )

    rate_id: str = Field(primary_key=True, max_length=60)
    country: str = Field(max_length=2)
    category: str = Field(max_length=3)
    percent_micro: int = Field(sa_type=BigInteger)
    valid_from: date
    valid_to: date | None = None
    source: str = Field(max_length=200)
    as_of: date
    region: str = Field(default="", max_length=6)
    tax_class: str = Field(default="standard", max_length=20)
    name: str = Field(default="", max_length=20)
    sequence: int = 1
    kind: str = Field(default="percent", max_length=8)
    enlarges_base: bool = False


class TaxRuleRow(FinanceTable, table=True):
    """Which category a supply falls in; empty keys match anything."""

    __tablename__ = "tax_rule"

    rule_id: str = Field(primary_key=True, max_length=60)
    zone: str = Field(default="", max_length=12)
    customer_kinds: list[str] = Field(sa_type=JSON)
    item: str = Field(default="", max_length=12)
    vat: str = Field(default="", max_length=12)
    category: str = Field(max_length=3)
    note: str = Field(default="", max_length=200)
    finding: str = Field(default="", max_length=40)


class ExchangeRate(FinanceTable, table=True):
    """What one EUR is in another currency: for margins and for reading, never for prices."""

    __tablename__ = "exchange_rate"

    currency: str = Field(primary_key=True, max_length=3)
    rate_micro: int = Field(sa_type=BigInteger)
    as_of: date
    source: str = Field(max_length=200)


class Setting(FinanceTable, table=True):
    """A named piece of policy: the house's limits (`policies`), the home country (`taxes`)."""

    __tablename__ = "policy"

    name: str = Field(primary_key=True, max_length=40)
    value: dict[str, Any] = Field(sa_type=JSON)
