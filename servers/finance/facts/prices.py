"""What is sold, and what prices are made of: books, contracts, bundles, tiers, subscriptions.

Prices and quantities are `Decimal`; quantities are in base units. A band's lower end is in it, its
upper end is not; None is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from servers.finance.facts.windows import Window

Proration = Literal["monthly", "daily", "daily_actual", "monthly_daily"]
Renewal = Literal["same", "list", "uplift"]


@dataclass(frozen=True)
class Entry:
    """A price of one SKU in one book; a key that is empty means any.

    `unit` empty is the item's base unit. `min_qty` is included, `max_qty` is not; both in base
    units. `note` says how a derived price came about, `refused` why it could not. The amount of a
    price on request says nothing: a person gives it.
    """

    entry_id: str
    book: str
    currency: str
    channel: str
    country: str
    window: Window
    sku: str
    unit: str
    default_term_months: int | None
    amount: Decimal
    proration: Proration = "monthly"
    tax_inclusive: bool = False
    region: str = ""
    account_id: str = ""
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    min_qty: Decimal = Decimal(0)
    max_qty: Decimal | None = None
    note: str = ""
    refused: str = ""
    on_request: bool = False


@dataclass(frozen=True)
class Contract:
    """A price agreed with an account; `selector` is a SKU or a family.

    Quantities are in base units: `min_commit` is what the customer promised to buy, `max_quantity`
    what the price holds for at most, `used` what accepted quotes have taken of it.
    """

    contract_id: str
    account_id: str
    scope: str
    selector: str
    kind: str
    amount: Decimal
    currency: str
    window: Window
    exclusive: bool
    document: str
    min_commit: Decimal | None = None
    max_quantity: Decimal | None = None
    used: Decimal = Decimal(0)


@dataclass(frozen=True)
class Component:
    """How many of a SKU one bundle holds, and what they cost in it."""

    bundle_sku: str
    sku: str
    quantity: int
    price_mode: str
    optional: bool = False
    percent_off: Decimal = Decimal(0)


@dataclass(frozen=True)
class Option:
    """An option of a SKU or a family, in one currency; amount and cost are per base unit."""

    scope: str
    selector: str
    code: str
    label: str
    currency: str
    amount: Decimal
    cost: Decimal | None = None


@dataclass(frozen=True)
class Band:
    """From `lower` on and below `upper`; None is open. `value` is what the schedule's unit says."""

    band_id: str
    lower: Decimal
    upper: Decimal | None
    value: Decimal

    def holds(self, measure: Decimal) -> bool:
        return self.lower <= measure and (self.upper is None or measure < self.upper)


@dataclass(frozen=True)
class Schedule:
    """A volume discount; `selector` is a SKU, a family, or empty for everything."""

    schedule_id: str
    scope: str
    selector: str
    window: Window
    bands: tuple[Band, ...]
    type: str = "range"
    unit: str = "percent"
    basis: str = "quantity"
    aggregation: str = "line"
    currency: str = ""


@dataclass(frozen=True)
class History:
    """How many base units of a SKU an account has: accepted quotes and running subscriptions."""

    sku: str
    family: str
    quantity: Decimal


@dataclass(frozen=True)
class Formula:
    """How a price follows from a base; `over` is "book" or "cost", amounts are per base unit."""

    over: str = "book"
    rate: Decimal | None = None
    percent: Decimal = Decimal(0)
    round_to: Decimal | None = None
    surcharge: Decimal = Decimal(0)
    min_margin: Decimal | None = None
    max_margin: Decimal | None = None
    min_qty: Decimal = Decimal(0)


@dataclass(frozen=True)
class Book:
    """A price book: what it is for, and what it is derived from, if anything."""

    book: str
    currency: str
    channel: str = ""
    country: str = ""
    region: str = ""
    account_id: str = ""
    window: Window = field(default_factory=Window)
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived_from: str = ""
    formula: Formula | None = None
    tax_inclusive: bool = False


@dataclass(frozen=True)
class Subscription:
    """A subscription that an account has; `unit_price` is for the price list's standard term.

    `lock_until` is the last day on which that price holds for more of it; `cap` is the highest
    increase at renewal in percent, and `clause` where that is written.
    """

    subscription_id: str
    account_id: str
    sku: str
    quantity: int
    first: date
    last: date
    term_months: int
    unit_price: Decimal
    currency: str
    lock_until: date | None
    renewal: Renewal
    uplift: Decimal | None
    cap: Decimal | None
    clause: str
    document: str


@dataclass(frozen=True)
class Item:
    """What is sold, as finance knows it."""

    sku: str
    name: str
    description: str
    family: str
    kind: str
    weight_g: int | None
    cost: Decimal | None
    cost_currency: str
    tax_class: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ItemUnit:
    """One `unit` of a SKU is numerator / denominator base units; 1/1 names the base unit."""

    sku: str
    unit: str
    numerator: int
    denominator: int = 1
