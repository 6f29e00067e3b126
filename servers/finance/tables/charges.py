"""What is paid beside the lines: freight, fees; and exchange rates, for margins and for reading."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field as Bounds
from sqlalchemy import String
from sqlmodel import Field

from servers.finance.facts.charges import Kind
from servers.finance.tables.base import FinanceTable
from servers.toolkit.columns import Amounts, Json, Micro, UnitAmount, Words
from servers.toolkit.fields import Country, CurrencyCode
from servers.toolkit.short_tables import constraints

PostalStart = Annotated[str, Bounds(pattern="^[A-Z0-9]+$", min_length=1, max_length=10)]
FeeConditions = dict[Literal["flags", "item_kinds", "countries", "ship_methods"], Words]


class FreightRateRow(FinanceTable, table=True):
    """What freight by a method into a zone costs, in one currency."""

    __table_args__ = constraints(
        freight_rate_one_of_a_weight=("method", "zone", "currency", "up_to_g")
    )

    rate_id: str = Field(primary_key=True, max_length=60)
    method: str = Field(max_length=20)
    label: str = Field(max_length=60)
    zone: str = Field(max_length=12)
    currency: CurrencyCode
    base: Micro = Field(sa_type=UnitAmount)
    per_kg: Micro = Field(sa_type=UnitAmount)
    physical: bool = True
    free_from: Micro | None = Field(default=None, sa_type=UnitAmount)
    up_to_g: Micro = Field(default=Decimal(0), sa_type=UnitAmount)


class PostalZoneRow(FinanceTable, table=True):
    """A part of a country as a freight zone, by the first characters of its postal codes."""

    country: Country = Field(primary_key=True)
    zone: str = Field(primary_key=True, max_length=12)
    first: PostalStart = Field(primary_key=True, max_length=10)
    last: PostalStart = Field(max_length=10)


class FeeRow(FinanceTable, table=True):
    """A fee on whole quotes; `conditions` say when it is due, `amount` is per currency."""

    __table_args__ = constraints(fee_kind_known="kind IN ('small_order', 'hazmat', 'fixed')")

    fee_id: Annotated[str, Bounds(pattern=r"^FEE-[A-Z0-9-]{1,40}$", max_length=60)] = Field(
        primary_key=True
    )
    label: str = Field(min_length=1, max_length=80)
    kind: Kind = Field(sa_type=String(16))
    amount: Amounts = Field(min_length=1, sa_type=Json(Amounts))
    tax_class: Literal["standard", "digital", "service", "carriage"] = Field(sa_type=String(20))
    below: Amounts = Field(default_factory=dict, sa_type=Json(Amounts))
    conditions: FeeConditions = Field(default_factory=dict, sa_type=Json(FeeConditions))
    valid_from: date
    valid_to: date | None = None


class ExchangeRate(FinanceTable, table=True):
    """What one EUR is in another currency: for margins and for reading, never for prices."""

    currency: CurrencyCode = Field(primary_key=True)
    rate: Micro = Field(gt=0, sa_type=UnitAmount)
    as_of: date
    source: str = Field(max_length=200)
