"""The seed rows of tax, checked before anything is written: places, rates, rules, registrations."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from servers.finance.facts.taxes import (
    Coverage,
    Kind,
    Prices,
    Rounding,
    Scheme,
    Shipping,
    TaxRate,
    TaxRule,
)
from servers.finance.facts.windows import Window
from servers.finance.seeds.reading import read_json
from servers.finance.seeds.rows import Row, csv_rows, json_rows
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.house import Setting
from servers.finance.tables.taxes import (
    TaxJurisdictionRow,
    TaxRateRow,
    TaxRegistrationRow,
    TaxRuleRow,
    ZoneCountry,
)
from servers.finance.tax.decisions import rules_that_tie
from servers.finance.tax.rates import equal_rank
from servers.toolkit.errors import InvalidInputError

Category = Literal["S", "Z", "E", "AE", "K", "G", "O"]
PLACE = r"^[A-Z]{2}(-[A-Z0-9]{1,5})?$"


class JurisdictionSeed(Row):
    """One row of tax_jurisdictions.csv."""

    jurisdiction: str = Field(pattern=PLACE)
    name: str = Field(min_length=1, max_length=80)
    tax_name: str = Field(default="", max_length=20)
    rounding: Rounding
    shipping: Shipping
    shipping_class: str = Field(default="", max_length=20)
    consumer_prices: Prices
    coverage: Coverage
    note: str = Field(default="", max_length=200)
    source: str = Field(min_length=1, max_length=200)
    as_of: date

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.shipping == "class") != bool(self.shipping_class):
            raise ValueError("shipping_class is given when, and only when, shipping is class")
        if self.coverage == "by_region" and not self.note:
            raise ValueError("note says what the rates depend on")
        return self


class TaxRateSeed(Row):
    """One row of tax_rates.csv, or of taxes.json, rates."""

    rate_id: str = Field(min_length=1, max_length=60)
    country: str = Field(pattern="^[A-Z]{2}$")
    region: str = Field(default="", max_length=6)
    category: Category
    tax_class: str = Field(default="standard", pattern="^[a-z_]{1,20}$")
    kind: Kind = "percent"
    percent: Decimal = Field(ge=0, le=100, decimal_places=6)
    valid_from: date
    valid_to: date | None = None
    name: str = Field(default="", max_length=20)
    sequence: int = Field(default=1, ge=1, le=9)
    enlarges_base: bool = False
    source: str = Field(min_length=1, max_length=200)
    as_of: date

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("it ends before it begins")
        if self.category != "S" and self.percent:
            raise ValueError(f"category {self.category} has no percentage but 0")
        return self


class TaxRuleSeed(Row):
    """One row of taxes.json, rules."""

    rule_id: str
    zone: Literal["", "HOME", "EU", "OSS", "OUTSIDE"]
    customer_kinds: list[str]
    item: Literal["", "goods", "service"]
    vat: Literal["", "verified", "unverified"]
    category: Category
    note: str
    finding: str


class RegistrationSeed(Row):
    """One row of taxes.json, registrations."""

    registration_id: str = Field(min_length=1, max_length=60)
    entity_id: str = Field(min_length=1, max_length=48)
    jurisdiction: str = Field(pattern=PLACE)
    scheme: Scheme
    number: str = Field(min_length=1, max_length=40)
    establishment: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


RATE_COLUMNS = ("rate_id", "country", "category", "percent", "valid_from", "source", "as_of")
PLACE_COLUMNS = ("jurisdiction", "name", "rounding", "shipping", "coverage", "source", "as_of")


def taxes(folder: Path) -> Iterator[FinanceTable]:
    """Yield the rows of taxes.json, tax_rates.csv and tax_jurisdictions.csv.

    Raises:
        InvalidInputError: a row is wrong, or two rates or rules of equal rank hold on one day.
    """
    path = folder / "taxes.json"
    said = read_json(path)
    for zone, countries in said["zones"].items():
        for country in countries:
            yield ZoneCountry(zone=zone, country=country)
    yield Setting(name="taxes", value={"home_country": said["home_country"]})
    yield from _places(folder)
    rates = list(json_rows(path, TaxRateSeed, said["rates"]))
    if (table := folder / "tax_rates.csv").exists():
        rates += csv_rows(table, TaxRateSeed, needs=RATE_COLUMNS)
    check_rates(rates)
    yield from map(rate_row, rates)
    rules = list(json_rows(path, TaxRuleSeed, said["rules"]))
    check_rules(rules)
    for rule in rules:
        yield TaxRuleRow(**rule.model_dump())
    yield from _registrations(path, said.get("registrations", []))


def rate_row(rate: TaxRateSeed) -> TaxRateRow:
    """Return a checked rate as the table keeps it."""
    return TaxRateRow(**rate.model_dump())


def _places(folder: Path) -> Iterator[FinanceTable]:
    path = folder / "tax_jurisdictions.csv"
    if path.exists():
        for row in csv_rows(path, JurisdictionSeed, needs=PLACE_COLUMNS):
            yield TaxJurisdictionRow(**row.model_dump())


def _registrations(path: Path, rows: Any) -> Iterator[FinanceTable]:
    for row in json_rows(path, RegistrationSeed, rows):
        yield TaxRegistrationRow(**row.model_dump())


def check_rates(rates: Iterable[TaxRateSeed | TaxRateRow]) -> None:
    """Refuse two rates of equal rank that hold on one day.

    Raises:
        InvalidInputError: RULE_CONFLICT, naming both.
    """
    facts = [
        TaxRate(
            r.rate_id,
            r.country,
            r.category,
            Decimal(0),  # how high they are makes no rank
            Window(r.valid_from, r.valid_to),
            r.source,
            region=r.region,
            tax_class=r.tax_class,
            sequence=r.sequence,
        )
        for r in rates
    ]
    if twins := equal_rank(facts):
        raise InvalidInputError(
            f"RULE_CONFLICT: the tax rates {' and '.join(twins)} hold on the same day",
            fix="end one of them the day before the other begins",
        )


def check_rules(rules: list[TaxRuleSeed]) -> None:
    """Refuse two rules of equal rank that could fit the same supply.

    Raises:
        InvalidInputError: RULE_CONFLICT, naming both.
    """
    facts = [
        TaxRule(
            r.rule_id,
            r.zone,
            tuple(r.customer_kinds),
            r.item,
            r.vat,
            r.category,
            r.note,
            r.finding,
        )
        for r in rules
    ]
    if twins := rules_that_tie(facts):
        raise InvalidInputError(
            f"RULE_CONFLICT: the tax rules {' and '.join(twins)} fit the same supply",
            fix="give one of them another key, or end it",
        )
