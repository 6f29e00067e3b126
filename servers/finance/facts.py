"""What the rules know about the world: rows of the database as plain, frozen values.

The repository collects them with a fixed number of queries; the rules only read them. Prices are
`Decimal`; a window is a pair of days, both included, and an open end is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from servers.finance.subscriptions.proration import Proration

if TYPE_CHECKING:
    from servers.finance.charges import Fee
    from servers.finance.presentation import Rate
    from servers.finance.prices.bundles import Component
    from servers.finance.prices.options import Option
    from servers.finance.prices.tiers import History, Schedule
    from servers.finance.prices.units import ItemUnit
    from servers.finance.promotions.facts import Promotion
    from servers.finance.subscriptions.terms import Subscription
    from servers.finance.tax.rates import Jurisdiction, Registration, TaxRateProvider
    from servers.finance.tax.stack import Kind


@dataclass(frozen=True)
class Window:
    """The days on which a row holds, both ends included."""

    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        """Say whether a day lies in the window."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def ended(self, day: date) -> bool:
        """Say whether the window was over before a day."""
        return self.last is not None and self.last < day


@dataclass(frozen=True)
class TaxId:
    """A tax number of the customer and the day somebody verified it."""

    scheme: str
    country: str
    value: str
    verified_at: str | None


@dataclass(frozen=True)
class Exemption:
    """A tax exemption certificate; it counts only while verified and unexpired."""

    certificate_id: str
    jurisdictions: tuple[str, ...]
    reason: str
    number: str
    window: Window
    status: str
    reason_code: str = ""


@dataclass(frozen=True)
class Address:
    """A postal address on file."""

    address_id: str
    kind: str
    lines: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True)
class Customer:
    """Who buys. `family_tree` is the account and its parents, nearest first."""

    account_id: str
    legal_name: str
    country: str
    kind: str
    channel: str
    currency: str
    payment_terms_code: str
    family_tree: tuple[str, ...]
    tax_ids: tuple[TaxId, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    addresses: tuple[Address, ...] = ()
    segment: str = ""
    language: str = ""
    industry: str = ""

    def address(self, address_id: str) -> Address | None:
        """Return one of the customer's own addresses, or None."""
        return next((a for a in self.addresses if a.address_id == address_id), None)


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
class Entry:
    """A price of one SKU in one book; a key that is empty means any.

    `unit` empty is the item's base unit. `min_qty` is included, `max_qty` is not; both in base
    units. `note` says how a derived price came about, `refused` why it could not.
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
class FreightRate:
    """What carriage by a method into a zone costs: base + per started kilogram."""

    rate_id: str
    method: str
    label: str
    zone: str
    currency: str
    base: Decimal
    per_kg: Decimal
    physical: bool


@dataclass(frozen=True)
class TaxRate:
    """A tax with the days it holds and where it is written; rates of one place form a stack."""

    rate_id: str
    country: str
    category: str
    percent: Decimal
    window: Window
    source: str
    region: str = ""
    tax_class: str = "standard"
    name: str = ""
    sequence: int = 1
    kind: "Kind" = "percent"
    enlarges_base: bool = False


@dataclass(frozen=True)
class TaxRule:
    """Which category a supply falls in; empty keys match anything."""

    rule_id: str
    zone: str
    customer_kinds: tuple[str, ...]
    item: str
    vat: str
    category: str
    note: str
    finding: str


@dataclass(frozen=True)
class RoleAbove:
    """The role that decides above a threshold; for a person, for sellers of a role, or for all."""

    rule_id: str
    above: int
    role: str
    person: str = ""
    seller_role: str = ""


@dataclass(frozen=True)
class Requester:
    """Who asks for a price, as far as limits go."""

    person_id: str = ""
    roles: frozenset[str] = frozenset()


NOBODY = Requester()
"""Somebody whom finance does not know; everybody's limits hold for them."""


@dataclass(frozen=True)
class Policy:
    """The house's own limits."""

    discount_limits: tuple[RoleAbove, ...]
    total_limits: Mapping[str, tuple[RoleAbove, ...]]
    auto_issue: Mapping[str, int]
    margin_floor_bp: int
    margin_role: str
    validity_days: int
    approval_days: int
    standard_terms: str
    finding_roles: Mapping[str, str]
    default_role: str
    mandatory_topics: Mapping[str, str]
    incoterms: Mapping[str, str]
    cash_rounding: Mapping[str, Decimal] = field(default_factory=dict)
    rate_days: int | None = None
    price_lock_days: int | None = None
    average_discount: tuple[RoleAbove, ...] = ()
    line_discount: tuple[RoleAbove, ...] = ()
    validity_limits: tuple[RoleAbove, ...] = ()
    sequence: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PricingFacts:
    """Everything that `pricing.price` may look at."""

    customer: Customer
    home_country: str
    zones: Mapping[str, frozenset[str]]
    currencies: frozenset[str]
    items: Mapping[str, Item]
    entries: tuple[Entry, ...]
    contracts: tuple[Contract, ...]
    tiers: "tuple[Schedule, ...]"
    promotions: "tuple[Promotion, ...]"
    freight: tuple[FreightRate, ...]
    tax_rates: tuple[TaxRate, ...]
    tax_rules: tuple[TaxRule, ...]
    jurisdictions: Mapping[str, "Jurisdiction"] = field(default_factory=dict)
    registrations: "tuple[Registration, ...]" = ()
    tax_provider: "TaxRateProvider | None" = None
    exchange: Mapping[str, Decimal] = field(default_factory=dict)
    policy: Policy | None = None
    subscriptions: "tuple[Subscription, ...]" = ()
    fees: "tuple[Fee, ...]" = ()
    rates: "tuple[Rate, ...]" = ()
    units: tuple["ItemUnit", ...] = ()
    options: tuple["Option", ...] = ()
    components: tuple["Component", ...] = ()
    history: tuple["History", ...] = ()
    requester: Requester = NOBODY
