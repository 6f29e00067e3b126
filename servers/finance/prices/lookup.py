"""The facts about prices, sorted once so that a line finds its own without looking through all."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from servers.finance.facts.prices import Contract, Entry, Option
from servers.finance.facts.pricing import PricingFacts
from servers.finance.prices.books import Ask, Choice, Keys, choose, keys_of
from servers.finance.prices.bundles import Look, Parts, summed_price
from servers.finance.prices.units import Units, in_base


@dataclass
class Lookup:
    """What one pricing looks up; `taken` counts what its lines have taken of contracts."""

    facts: PricingFacts
    currency: str
    day: date
    keys: Keys
    units: Units
    parts: Parts
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    contracts: dict[tuple[str, str], list[Contract]] = field(default_factory=dict)
    options: dict[tuple[str, str], list[Option]] = field(default_factory=dict)
    taken: dict[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: PricingFacts, ship_to: str, currency: str, day: date) -> "Lookup":
        keys = keys_of(facts.customer, ship_to, facts.zones)
        lookup = cls(facts, currency, day, keys, Units(facts.units), Parts(facts.components))
        for entry in facts.entries:
            lookup.entries.setdefault(entry.sku, []).append(entry)
        for contract in facts.contracts:
            named = (contract.scope, contract.selector)
            lookup.contracts.setdefault(named, []).append(contract)
        for option in facts.options:
            lookup.options.setdefault((option.scope, option.selector), []).append(option)
        return lookup

    def contracts_for(self, sku: str, family: str) -> list[Contract]:
        return self.contracts.get(("sku", sku), []) + self.contracts.get(("family", family), [])

    def options_for(self, sku: str, family: str) -> list[Option]:
        return self.options.get(("sku", sku), []) + self.options.get(("family", family), [])

    def list_price(self, sku: str, unit: str, quantity: Decimal, subject: str) -> Choice:
        ratio = self.units.ratio(sku, unit)
        pieces = quantity if ratio is None else in_base(quantity, ratio)
        if self.parts.summed(sku):
            return summed_price(sku, pieces, subject, self.parts, self._part(subject))
        ask = Ask(sku, unit, pieces, self.currency, self.day, self.keys, subject)
        return choose(ask, self.entries.get(sku, ()), self.units)

    def _part(self, subject: str) -> Look:
        return lambda sku, pieces: self.list_price(sku, self.units.base_unit(sku), pieces, subject)
