"""What is sold and what it costs: items, units, bundles, books, contracts, options, volume tiers.

Bands of price entries are whole base units. A lower end is in a band, an upper end is not, null
is open.
"""

from datetime import date
from typing import Literal

from sqlalchemy import String
from sqlmodel import Field

from servers.finance.facts.prices import Formula, Proration
from servers.finance.tables.base import ID, ITEM, AnyAccount, AnyCurrency, FinanceTable, Scope
from servers.toolkit.columns import Json, Micro, Percent, Quantity, UnitAmount, WordLists, WordSet
from servers.toolkit.fields import CurrencyCode, OptionCode, Sku
from servers.toolkit.short_tables import constraints
from servers.toolkit.units import Unit


class ItemRow(FinanceTable, table=True):
    """What finance sells, and what it costs."""

    sku: Sku = Field(primary_key=True)
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=500)
    family: str = Field(index=True, max_length=40)
    kind: Literal["goods", "service", "subscription"] = Field(sa_type=String(12))
    weight_g: int | None = Field(default=None, ge=0)
    cost: Micro | None = Field(default=None, sa_type=UnitAmount)
    cost_currency: CurrencyCode = "EUR"
    tax_class: str = Field(max_length=20)
    flags: WordSet = Field(default=frozenset(), sa_type=Json(WordSet))


class ItemUnitRow(FinanceTable, table=True):
    """How many base units one unit of a SKU is; 1/1 names the base unit."""

    sku: Sku = Field(primary_key=True, foreign_key=ITEM)
    unit: Unit = Field(primary_key=True, sa_type=String(12))
    numerator: int = Field(ge=1, le=1_000_000)
    denominator: int = Field(default=1, ge=1, le=1_000_000)


class ItemOption(FinanceTable, table=True):
    """What an option of a SKU or a family adds per base unit, in one currency."""

    __table_args__ = constraints(
        ("scope", "selector", "code", "currency"), item_option_not_negative="amount >= 0"
    )

    id: int | None = Field(default=None, primary_key=True)
    scope: Scope = Field(sa_type=String(8))
    selector: str = Field(index=True, max_length=40)
    code: OptionCode
    label: str = Field(min_length=1, max_length=120)
    currency: CurrencyCode
    amount: Micro = Field(sa_type=UnitAmount)
    cost: Micro | None = Field(default=None, sa_type=UnitAmount)


class BundleComponent(FinanceTable, table=True):
    """A part of a bundle: how many, whether one may leave it out, and what it costs there."""

    bundle_sku: Sku = Field(primary_key=True, foreign_key=ITEM)
    sku: Sku = Field(primary_key=True, foreign_key=ITEM)
    quantity: int = Field(ge=1, le=100_000)
    price_mode: Literal["included", "priced"] = Field(sa_type=String(8))
    optional: bool = False
    percent_off: Percent = Field(default=0, sa_type=UnitAmount)


class PriceBook(FinanceTable, table=True):
    """A list of prices in one currency, for whom, and what it is derived from; empty means any."""

    book: str = Field(primary_key=True, min_length=1, max_length=30)
    name: str = Field(max_length=120)
    currency: CurrencyCode = Field(index=True)
    channel: str = Field(default="", max_length=20)
    country: str = Field(default="", max_length=2)
    valid_from: date
    valid_to: date | None = None
    region: str = Field(default="", max_length=20)
    account_id: AnyAccount = Field(default="", sa_type=String(ID))
    rules: WordLists = Field(default_factory=dict, sa_type=Json(WordLists))
    derived_from: str = Field(default="", max_length=30)
    formula: Formula | None = Field(default=None, sa_type=Json(Formula))
    tax_inclusive: bool = False


class PriceEntry(FinanceTable, table=True):
    """The price of a SKU in a book, per unit (the base unit when empty) and per default term.

    The amount of a price on request says nothing.
    """

    __table_args__ = constraints(
        ("book", "sku", "unit", "min_qty", "valid_from"), price_entry_not_negative="amount >= 0"
    )

    id: int | None = Field(default=None, primary_key=True)
    book: str = Field(foreign_key="price_book.book", max_length=30)
    sku: Sku = Field(foreign_key=ITEM, index=True)
    unit: Literal[""] | Unit = Field(default="", sa_type=String(12))
    default_term_months: int | None = Field(default=None, ge=1, le=120)
    proration: Proration = Field(default="monthly", sa_type=String(16))
    amount: Micro = Field(sa_type=UnitAmount)
    on_request: bool = False
    min_qty: int = Field(default=0, ge=0)
    max_qty: int | None = Field(default=None, ge=1)
    valid_from: date | None = None
    valid_to: date | None = None


class DiscountSchedule(FinanceTable, table=True):
    """A volume discount: what it measures, over what, and what its bands give."""

    schedule_id: str = Field(primary_key=True, min_length=1, max_length=60)
    scope: Literal["sku", "family", "all"] = Field(default="family", sa_type=String(8))
    selector: str = Field(default="", max_length=40)
    type: Literal["range", "slab"] = Field(default="range", sa_type=String(8))
    unit: Literal["percent", "amount", "unit_price", "flat"] = Field(
        default="percent", sa_type=String(12)
    )
    basis: Literal["quantity", "amount", "term"] = Field(default="quantity", sa_type=String(12))
    aggregation: Literal["line", "product", "group", "quote", "account_history"] = Field(
        default="line", sa_type=String(16)
    )
    currency: AnyCurrency = Field(default="", sa_type=String(3))
    valid_from: date
    valid_to: date | None = None


class DiscountBand(FinanceTable, table=True):
    """One band of a schedule; `value` is a percentage or an amount, as its schedule says."""

    __table_args__ = constraints(("schedule_id", "lower"))

    band_id: str = Field(primary_key=True, min_length=1, max_length=60)
    schedule_id: str = Field(foreign_key="discount_schedule.schedule_id", max_length=60)
    lower: Micro = Field(sa_type=Quantity)
    upper: Micro | None = Field(default=None, sa_type=Quantity)
    value: Micro = Field(sa_type=UnitAmount)


class ContractPrice(FinanceTable, table=True):
    """A price agreed with an account and inherited by its children; quantities are base units."""

    contract_id: str = Field(primary_key=True, max_length=60)
    account_id: str = Field(index=True, max_length=ID)
    scope: Scope = Field(sa_type=String(8))
    selector: str = Field(max_length=40)
    kind: Literal["fixed", "percent"] = Field(sa_type=String(8))
    amount: Micro = Field(sa_type=UnitAmount)
    currency: AnyCurrency = Field(default="", sa_type=String(3))
    valid_from: date
    valid_to: date | None = None
    exclusive: bool = True
    document: str = Field(default="", max_length=120)
    min_commit: Micro | None = Field(default=None, sa_type=Quantity)
    max_quantity: Micro | None = Field(default=None, sa_type=Quantity)


class ContractUseRow(FinanceTable, table=True):
    """What an accepted quote took of a contract; a null quote was carried over from before."""

    __table_args__ = constraints(("contract_id", "quote_id", "line_id"))

    id: int | None = Field(default=None, primary_key=True)
    contract_id: str = Field(foreign_key="contract_price.contract_id", index=True, max_length=60)
    quote_id: str | None = Field(default=None, max_length=ID)
    line_id: str = Field(default="", max_length=5)
    quantity: Micro = Field(sa_type=Quantity)
    day: date
