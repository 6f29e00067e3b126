"""Finance's tables about prices: books, contracts, options, units, bundles, volume tiers.

Unit prices, percentages and quantities are integers in micro units (a millionth); bands of price
entries are whole base units. A lower end is in a band, an upper end is not, null is open.
"""

from datetime import date
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from servers.finance.models import CUSTOMER, ID, FinanceTable

ITEM = "item.sku"


class PriceBook(FinanceTable, table=True):
    """A list of prices in one currency, for whom, and what it is derived from; empty means any."""

    __tablename__ = "price_book"

    book: str = Field(primary_key=True, max_length=30)
    name: str = Field(max_length=120)
    currency: str = Field(index=True, max_length=3)
    channel: str = Field(default="", max_length=20)
    country: str = Field(default="", max_length=2)
    valid_from: date
    valid_to: date | None = None
    region: str = Field(default="", max_length=20)
    account_id: str = Field(default="", max_length=ID)
    rules: dict[str, list[str]] = Field(default_factory=dict, sa_type=JSON)
    derived_from: str = Field(default="", max_length=30)
    formula: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    tax_inclusive: bool = False


class PriceEntry(FinanceTable, table=True):
    """The price of a SKU in a book, per unit and (for terms) per default term."""

    __tablename__ = "price_entry"
    __table_args__ = (
        UniqueConstraint("book", "sku", "unit", "min_qty", "valid_from"),
        CheckConstraint("amount_micro >= 0", name="price_entry_not_negative"),
    )

    id: int | None = Field(default=None, primary_key=True)
    book: str = Field(foreign_key="price_book.book", max_length=30)
    sku: str = Field(foreign_key=ITEM, index=True, max_length=32)
    unit: str = Field(max_length=12)
    default_term_months: int | None = None
    proration: str = Field(default="monthly", max_length=16)
    amount_micro: int = Field(sa_type=BigInteger)
    min_qty: int = 0
    max_qty: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class DiscountSchedule(FinanceTable, table=True):
    """A volume discount: what it measures, over what, and what its bands give."""

    __tablename__ = "discount_schedule"

    schedule_id: str = Field(primary_key=True, max_length=60)
    scope: str = Field(max_length=8)
    selector: str = Field(default="", max_length=40)
    type: str = Field(default="range", max_length=8)
    unit: str = Field(default="percent", max_length=12)
    basis: str = Field(default="quantity", max_length=12)
    aggregation: str = Field(default="line", max_length=16)
    currency: str = Field(default="", max_length=3)
    valid_from: date
    valid_to: date | None = None


class DiscountBand(FinanceTable, table=True):
    """One band of a schedule; `value_micro` is a percentage or an amount, as its schedule says."""

    __tablename__ = "discount_band"
    __table_args__ = (UniqueConstraint("schedule_id", "lower_micro"),)

    band_id: str = Field(primary_key=True, max_length=60)
    schedule_id: str = Field(foreign_key="discount_schedule.schedule_id", max_length=60)
    lower_micro: int = Field(sa_type=BigInteger)
    upper_micro: int | None = Field(default=None, sa_type=BigInteger)
    value_micro: int = Field(sa_type=BigInteger)


class ContractPrice(FinanceTable, table=True):
    """A price agreed with an account and inherited by its children."""

    __tablename__ = "contract_price"

    contract_id: str = Field(primary_key=True, max_length=60)
    account_id: str = Field(index=True, max_length=ID)
    scope: str = Field(max_length=8)
    selector: str = Field(max_length=40)
    kind: str = Field(max_length=8)
    amount_micro: int = Field(sa_type=BigInteger)
    currency: str = Field(default="", max_length=3)
    valid_from: date
    valid_to: date | None = None
    exclusive: bool = True
    document: str = Field(default="", max_length=120)
    min_commit_micro: int | None = Field(default=None, sa_type=BigInteger)
    max_quantity_micro: int | None = Field(default=None, sa_type=BigInteger)


class ContractUseRow(FinanceTable, table=True):
    """What an accepted quote took of a contract; a null quote was carried over from before."""

    __tablename__ = "contract_use"
    __table_args__ = (UniqueConstraint("contract_id", "quote_id", "line_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract_id: str = Field(foreign_key="contract_price.contract_id", index=True, max_length=60)
    quote_id: str | None = Field(default=None, max_length=ID)
    line_id: str = Field(default="", max_length=5)
    quantity_micro: int = Field(sa_type=BigInteger)
    day: date


class AccountPurchase(FinanceTable, table=True):
    """What an account has bought, while it counts; a null quote was carried over from before."""

    __tablename__ = "account_purchase"
    __table_args__ = (UniqueConstraint("quote_id", "line_id"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    sku: str = Field(foreign_key=ITEM, max_length=32)
    quantity_micro: int = Field(sa_type=BigInteger)
    day: date
    until: date | None = None
    quote_id: str | None = Field(default=None, max_length=ID)
    line_id: str = Field(default="", max_length=5)
    source: str = Field(default="", max_length=120)


class ItemOption(FinanceTable, table=True):
    """What an option of a SKU or a family adds per base unit, in one currency."""

    __tablename__ = "item_option"
    __table_args__ = (
        UniqueConstraint("scope", "selector", "code", "currency"),
        CheckConstraint("amount_micro >= 0", name="item_option_not_negative"),
    )

    id: int | None = Field(default=None, primary_key=True)
    scope: str = Field(max_length=8)
    selector: str = Field(index=True, max_length=40)
    code: str = Field(max_length=32)
    label: str = Field(max_length=120)
    currency: str = Field(max_length=3)
    amount_micro: int = Field(sa_type=BigInteger)
    cost_micro: int | None = Field(default=None, sa_type=BigInteger)


class ItemUnitRow(FinanceTable, table=True):
    """How many base units one unit of a SKU is; 1/1 names the base unit."""

    __tablename__ = "item_unit"

    sku: str = Field(primary_key=True, foreign_key=ITEM, max_length=32)
    unit: str = Field(primary_key=True, max_length=12)
    numerator: int
    denominator: int = 1


class BundleComponent(FinanceTable, table=True):
    """A part of a bundle: how many, whether one may leave it out, and what it costs there."""

    __tablename__ = "bundle_component"

    bundle_sku: str = Field(primary_key=True, foreign_key=ITEM, max_length=32)
    sku: str = Field(primary_key=True, foreign_key=ITEM, max_length=32)
    quantity: int
    price_mode: str = Field(max_length=8)
    optional: bool = False
    percent_off_micro: int = Field(default=0, sa_type=BigInteger)
