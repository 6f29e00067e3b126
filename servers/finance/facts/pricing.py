"""Everything that pricing may look at. The store collects it with a fixed number of queries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.charges import Fee, FreightRate, PostalZone, Rate
from servers.finance.facts.customers import Customer
from servers.finance.facts.legal import (
    CheckedTable,
    Clause,
    CreditFacts,
    Party,
    PaymentTerms,
    Review,
    ScreeningList,
)
from servers.finance.facts.policy import NOBODY, Entity, Policy, Requester
from servers.finance.facts.prices import (
    Component,
    Contract,
    Entry,
    History,
    Item,
    ItemUnit,
    Option,
    Schedule,
    Subscription,
)
from servers.finance.facts.promotions import Promotion
from servers.finance.facts.taxes import (
    Jurisdiction,
    Registration,
    TaxRate,
    TaxRateProvider,
    TaxRule,
)
from servers.toolkit.findings import Finding


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
    tiers: tuple[Schedule, ...]
    promotions: tuple[Promotion, ...]
    freight: tuple[FreightRate, ...]
    tax_rates: tuple[TaxRate, ...]
    tax_rules: tuple[TaxRule, ...]
    jurisdictions: Mapping[str, Jurisdiction] = field(default_factory=dict)
    registrations: tuple[Registration, ...] = ()
    tax_provider: TaxRateProvider | None = None
    exchange: Mapping[str, Decimal] = field(default_factory=dict)
    policy: Policy | None = None
    subscriptions: tuple[Subscription, ...] = ()
    fees: tuple[Fee, ...] = ()
    rates: tuple[Rate, ...] = ()
    units: tuple[ItemUnit, ...] = ()
    options: tuple[Option, ...] = ()
    components: tuple[Component, ...] = ()
    history: tuple[History, ...] = ()
    postal_zones: tuple[PostalZone, ...] = ()
    requester: Requester = NOBODY


@dataclass(frozen=True)
class QuoteFacts:
    """Everything that pricing, terms, credit and screening of one quote look at."""

    pricing: PricingFacts
    clauses: tuple[Clause, ...]
    payment_terms: Mapping[str, PaymentTerms]
    credit: CreditFacts
    screening: ScreeningList
    seller: Entity | Finding
    parties: tuple[Party, ...] = ()
    reviews: tuple[Review, ...] = ()
    embargoed: frozenset[str] = frozenset()
    checked: tuple[CheckedTable, ...] = ()
