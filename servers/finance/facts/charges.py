"""What is paid beside the lines, and rates to read a total in another currency."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from servers.finance.facts.windows import Window

Kind = Literal["small_order", "hazmat", "fixed"]
FREIGHT_ZONE = "FREIGHT-"
"""How the zones of freight begin in the table of zones."""
WORLD = "WORLD"
"""The freight zone of every country for which no other zone has a rate."""


@dataclass(frozen=True)
class PostalZone:
    """A part of a country, by how its postal codes begin, as a freight zone."""

    zone: str
    country: str
    first: str
    last: str

    def holds(self, country: str, postal_code: str) -> bool | None:
        """Say whether an address lies in it; None where its code is too short to tell.

        Of a code, as many characters count as the range names.
        """
        if country != self.country:
            return False
        written = "".join(filter(str.isalnum, postal_code)).upper()[: len(self.first)]
        return self.first <= written <= self.last if len(written) == len(self.first) else None


@dataclass(frozen=True)
class FreightRate:
    """What freight by a method into a zone costs: base + per started kilogram.

    It holds up to a weight, that included (any, when 0), and costs nothing from `free_from` on:
    goods after every reduction, before tax.
    """

    rate_id: str
    method: str
    label: str
    zone: str
    currency: str
    base: Decimal
    per_kg: Decimal
    physical: bool
    free_from: Decimal | None = None
    up_to_g: Decimal = Decimal(0)


@dataclass(frozen=True)
class Fee:
    """A fee and when it is due; empty conditions always hold.

    `below` is the merchandise, per currency, from which a small-order fee is no longer due.
    """

    fee_id: str
    label: str
    kind: Kind
    amount: Mapping[str, Decimal]
    tax_class: str
    window: Window
    below: Mapping[str, Decimal] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    item_kinds: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    ship_methods: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rate:
    """What one unit of the seller's base currency is in another, on a day, says a source."""

    currency: str
    rate: Decimal
    as_of: date
    source: str
