"""Where taxes hold and how: zones, jurisdictions, rates, rules, the seller's registrations."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field as Bounds
from sqlalchemy import String
from sqlmodel import Field

from servers.finance.facts.taxes import Coverage, Kind, Prices, Rounding, Scheme, Shipping
from servers.finance.tables.base import ID, FinanceTable, Place
from servers.toolkit.columns import Json, Percent, UnitAmount, Words
from servers.toolkit.fields import Country
from servers.toolkit.short_tables import constraints, one_of

Category = Literal["S", "Z", "E", "AE", "K", "G", "O"]


class ZoneCountry(FinanceTable, table=True):
    """A country in a zone of tax (`EU`) or freight (`FREIGHT-EU`), or only regions of it."""

    zone: str = Field(primary_key=True, max_length=20)
    country: Country = Field(primary_key=True)
    regions: Words = Field(default=(), sa_type=Json(Words))


class TaxJurisdictionRow(FinanceTable, table=True):
    """A country (DE) or region (US-OR) with a tax law of its own.

    `coverage` is `covered`, `by_region` (only its regions have rates) or `outside` (a region
    outside its country's tax territory, for which nothing is known here).
    """

    __table_args__ = constraints(
        tax_rounding_known="rounding IN ('document', 'line')",
        tax_shipping_known="shipping IN ('goods', 'class', 'weighted')",
        tax_coverage_known="coverage IN ('covered', 'by_region', 'outside')",
    )

    jurisdiction: Place = Field(primary_key=True)
    name: str = Field(min_length=1, max_length=80)
    tax_name: str = Field(default="", max_length=20)
    rounding: Rounding = Field(sa_type=String(8))
    shipping: Shipping = Field(sa_type=String(8))
    shipping_class: str = Field(default="", max_length=20)
    consumer_prices: Prices = Field(sa_type=String(5))
    coverage: Coverage = Field(sa_type=String(9))
    note: str = Field(default="", max_length=200)
    source: str = Field(min_length=1, max_length=200)
    as_of: date


class TaxRateRow(FinanceTable, table=True):
    """A tax rate with the days it holds, its source and when that was read."""

    __table_args__ = constraints(
        one_of(
            "tax_rate_one_of_a_rank",
            *("country", "region", "postal_codes", "category", "tax_class", "sequence"),
            "valid_from",
        ),
    )

    rate_id: str = Field(primary_key=True, min_length=1, max_length=60)
    country: Country
    category: Category = Field(sa_type=String(3))
    percent: Percent = Field(sa_type=UnitAmount)
    valid_from: date
    valid_to: date | None = None
    source: str = Field(min_length=1, max_length=200)
    as_of: date
    region: str = Field(default="", max_length=6)
    tax_class: Annotated[str, Bounds(pattern="^[a-z_]{1,20}$", max_length=20)] = "standard"
    name: str = Field(default="", max_length=20)
    sequence: int = Field(default=1, ge=1, le=9)
    kind: Kind = Field(default="percent", sa_type=String(8))
    enlarges_base: bool = False
    postal_codes: Annotated[str, Bounds(pattern="^([A-Z0-9]+-[A-Z0-9]+)?$", max_length=40)] = ""


class TaxRuleRow(FinanceTable, table=True):
    """Which category a supply falls in; empty keys match anything."""

    rule_id: str = Field(primary_key=True, max_length=60)
    zone: Literal["", "HOME", "EU", "OSS", "OUTSIDE"] = Field(default="", sa_type=String(12))
    customer_kinds: Words = Field(default=(), sa_type=Json(Words))
    item: Literal["", "goods", "service"] = Field(default="", sa_type=String(12))
    vat: Literal["", "verified", "unverified"] = Field(default="", sa_type=String(12))
    category: Category = Field(sa_type=String(3))
    note: str = Field(default="", max_length=200)
    finding: str = Field(default="", max_length=40)


class TaxRegistrationRow(FinanceTable, table=True):
    """A tax registration of a legal entity; `oss` is the EU's One Stop Shop."""

    __table_args__ = constraints(
        tax_registration_scheme_known="scheme IN ('vat', 'gst', 'sales_tax', 'oss')"
    )

    registration_id: str = Field(primary_key=True, min_length=1, max_length=60)
    entity_id: str = Field(index=True, min_length=1, max_length=ID)
    jurisdiction: Place
    scheme: Scheme = Field(sa_type=String(12))
    number: str = Field(min_length=1, max_length=40)
    establishment: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
