"""What is known of taxes: rates, rules, jurisdictions, and who answers which rates hold."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

from servers.finance.facts.windows import Window

Rounding = Literal["document", "line"]
Kind = Literal["percent", "fixed", "division"]
Shipping = Literal["goods", "class", "weighted"]
Prices = Literal["gross", "net"]
Coverage = Literal["covered", "by_region", "outside"]
Scheme = Literal["vat", "gst", "sales_tax", "oss"]


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
    kind: Kind = "percent"
    enlarges_base: bool = False
    postal_codes: str = ""


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
class Tax:
    """One tax of a stack; `amount` is a percentage, or money per unit when it is fixed."""

    amount: Decimal
    kind: Kind = "percent"
    included: bool = False
    enlarges_base: bool = False
    on_enlarged: bool = True
    name: str = ""


@dataclass(frozen=True)
class Jurisdiction:
    """A place with a tax law of its own: how it rounds, taxes freight and shows prices."""

    jurisdiction: str
    name: str
    tax_name: str
    rounding: Rounding
    shipping: Shipping
    shipping_class: str
    consumer_prices: Prices
    coverage: Coverage
    note: str
    source: str


@dataclass(frozen=True)
class Registration:
    """Where the seller is registered for a tax; `oss` is the EU's One Stop Shop."""

    jurisdiction: str
    scheme: Scheme
    establishment: bool
    window: Window


@dataclass(frozen=True)
class RateAnswer:
    """The rates of a place on a day; with no rates, what is missing or in conflict."""

    rates: tuple[TaxRate, ...]
    jurisdiction: str
    coverage: str
    missing: str = ""
    conflict: tuple[str, ...] = ()

    @property
    def taxes(self) -> tuple[Tax, ...]:
        return tuple(
            Tax(r.percent, kind=r.kind, enlarges_base=r.enlarges_base, name=r.name)
            for r in self.rates
        )


class TaxRateProvider(Protocol):
    """Answers which rates hold at a place on a day."""

    @property
    def name(self) -> str:
        """What the trace calls it."""
        ...

    def find(self, country: str, region: str, tax_class: str, day: date) -> RateAnswer:
        """Return the rates of a product class at a place, or what is missing."""
        ...
