"""Where taxes hold and how: jurisdictions, and where the seller is registered."""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from servers.finance.models import ID, FinanceTable


class TaxJurisdictionRow(FinanceTable, table=True):
    """A country (DE) or region (US-OR) with a tax law of its own.

    `coverage` is `covered`, `by_region` (only its regions have rates) or `outside` (a region
    outside its country's tax territory, for which nothing is known here).
    """

    __tablename__ = "tax_jurisdiction"
    __table_args__ = (
        CheckConstraint("rounding IN ('document', 'line')", name="tax_rounding_known"),
        CheckConstraint("shipping IN ('goods', 'class', 'weighted')", name="tax_shipping_known"),
        CheckConstraint(
            "coverage IN ('covered', 'by_region', 'outside')", name="tax_coverage_known"
        ),
    )

    jurisdiction: str = Field(primary_key=True, max_length=8)
    name: str = Field(max_length=80)
    tax_name: str = Field(max_length=20)
    rounding: str = Field(max_length=8)
    shipping: str = Field(max_length=8)
    shipping_class: str = Field(default="", max_length=20)
    consumer_prices: str = Field(max_length=5)
    coverage: str = Field(max_length=9)
    note: str = Field(default="", max_length=200)
    source: str = Field(max_length=200)
    as_of: date


class TaxRegistrationRow(FinanceTable, table=True):
    """A tax registration of a legal entity; `oss` is the EU's One Stop Shop."""

    __tablename__ = "tax_registration"
    __table_args__ = (
        CheckConstraint(
            "scheme IN ('vat', 'gst', 'sales_tax', 'oss')", name="tax_registration_scheme_known"
        ),
    )

    registration_id: str = Field(primary_key=True, max_length=60)
    entity_id: str = Field(index=True, max_length=ID)
    jurisdiction: str = Field(max_length=8)
    scheme: str = Field(max_length=12)
    number: str = Field(max_length=40)
    establishment: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
