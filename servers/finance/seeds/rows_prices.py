"""The rows of the files about prices, checked field by field before anything is written.

Bands are kept with their lower end in and their upper end out. A file that states the last
number that still belongs to a band gives it as `..._inclusive` instead.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from servers.finance.facts.subscriptions import Proration
from servers.finance.prices.books import RULE_KEYS
from servers.finance.seeds.rows import Row

SKU = r"^[A-Z0-9][A-Z0-9-]{1,31}$"
CURRENCY = "^[A-Z]{3}$"
UnitName = Literal["each", "box", "license", "hour", "day", "month"]
Micro = Annotated[Decimal, Field(decimal_places=6, max_digits=18)]
Scope = Literal["sku", "family"]


def exclusive(data: Any, upper: str) -> Any:
    """Return a row with `UPPER_inclusive`, if it has that, as the exclusive upper end.

    Raises:
        ValueError: the row has both, or a number that is not whole.
    """
    name = f"{upper}_inclusive"
    if not isinstance(data, dict) or data.get(name) in (None, ""):
        return data
    if data.get(upper) not in (None, ""):
        raise ValueError(f"give {upper} or {name}, not both")
    last = Decimal(str(data[name]))
    if last != last.to_integral_value():
        raise ValueError(f"{name} is no whole number: give {upper}, which is excluded")
    rest = {key: value for key, value in data.items() if key != name}
    return {**rest, upper: int(last) + 1}


class FormulaSeed(Row):
    """How a derived book makes its prices."""

    over: Literal["book", "cost"] = "book"
    rate: Annotated[Decimal, Field(gt=0, decimal_places=6)] | None = None
    percent: Annotated[Decimal, Field(ge=-1000, le=100, decimal_places=6)] = Decimal(0)
    round_to: Annotated[Decimal, Field(gt=0, decimal_places=6)] | None = None
    surcharge: Micro = Decimal(0)
    min_margin: Micro | None = None
    max_margin: Micro | None = None
    min_qty: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class BookSeed(Row):
    """One row of price_books.json."""

    book: str = Field(min_length=1, max_length=30)
    name: str
    currency: str = Field(pattern=CURRENCY)
    channel: str = ""
    country: str = ""
    region: str = ""
    account_id: str = ""
    rules: dict[str, list[str]] = Field(default_factory=dict)
    valid_from: date
    valid_to: date | None = None
    derived_from: str = ""
    formula: FormulaSeed | None = None
    tax_inclusive: bool = False

    @model_validator(mode="after")
    def fits(self) -> "BookSeed":
        """Refuse keys nobody knows, and a base without a formula."""
        if unknown := sorted(set(self.rules) - set(RULE_KEYS)):
            raise ValueError(f"rules know {', '.join(RULE_KEYS)}, not {unknown[0]}")
        over_book = self.formula is not None and self.formula.over == "book"
        if over_book != bool(self.derived_from):
            raise ValueError("a book that is derived names its base and has a formula over it")
        return self


class EntrySeed(Row):
    """One row of price_entries.csv; without a unit it is a price per base unit."""

    book: str
    sku: str
    unit: UnitName | Literal[""] = ""
    default_term_months: int | None = Field(default=None, ge=1, le=120)
    proration: Proration = "monthly"
    amount: Micro = Field(ge=0)
    min_qty: int = Field(default=0, ge=0)
    max_qty: int | None = Field(default=None, ge=1)
    valid_from: date | None = None
    valid_to: date | None = None

    @model_validator(mode="before")
    @classmethod
    def convert(cls, data: Any) -> Any:
        """Take an inclusive upper end too."""
        return exclusive(data, "max_qty")

    @model_validator(mode="after")
    def has_room(self) -> "EntrySeed":
        """Refuse a band with nothing in it."""
        if self.max_qty is not None and self.max_qty <= self.min_qty:
            raise ValueError("max_qty is excluded and must be above min_qty")
        return self


class TierSeed(Row):
    """One row of tiers.json: a band, with its schedule's columns repeated."""

    tier_id: str = Field(min_length=1, max_length=60)
    schedule_id: str = Field(min_length=1, max_length=60)
    scope: Literal["sku", "family", "all"] = "family"
    selector: str = ""
    type: Literal["range", "slab"] = "range"
    unit: Literal["percent", "amount", "unit_price", "flat"] = "percent"
    basis: Literal["quantity", "amount", "term"] = "quantity"
    aggregation: Literal["line", "product", "group", "quote", "account_history"] = "line"
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    lower: Annotated[Decimal, Field(ge=0, decimal_places=6)]
    upper: Annotated[Decimal, Field(gt=0, decimal_places=6)] | None = None
    value: Micro = Field(ge=0)
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="before")
    @classmethod
    def convert(cls, data: Any) -> Any:
        """Take an inclusive upper end too."""
        return exclusive(data, "upper")


class ContractSeed(Row):
    """One row of contracts.json; `used` is what was bought under it before."""

    contract_id: str
    account_id: str
    scope: Scope
    selector: str
    kind: Literal["fixed", "percent"]
    amount: Micro = Field(ge=0)
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    valid_from: date
    valid_to: date | None = None
    exclusive: bool = True
    document: str = ""
    min_commit: Annotated[Decimal, Field(gt=0, decimal_places=6)] | None = None
    max_quantity: Annotated[Decimal, Field(gt=0, decimal_places=6)] | None = None
    used: Annotated[Decimal, Field(ge=0, decimal_places=6)] = Decimal(0)

    @model_validator(mode="after")
    def fits(self) -> "ContractSeed":
        """Refuse an amount without its currency, a percentage above all, a promise out of reach."""
        if (self.kind == "fixed") != bool(self.currency):
            raise ValueError(
                f"{self.contract_id}: a fixed price has a currency, a percentage has none"
            )
        if self.kind == "percent" and self.amount > 100:
            raise ValueError(f"{self.contract_id}: more than 100 percent off")
        limits = (self.min_commit, self.max_quantity)
        if None not in limits and self.min_commit > self.max_quantity:  # type: ignore[operator]
            raise ValueError(f"{self.contract_id}: commits to more than it allows")
        return self


class OptionSeed(Row):
    """One row of item_options.csv."""

    scope: Scope
    selector: str
    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$")
    label: str = Field(min_length=1, max_length=120)
    currency: str = Field(pattern=CURRENCY)
    amount: Micro = Field(ge=0)
    cost_eur: Micro | None = Field(default=None, ge=0)


class UnitSeed(Row):
    """One row of item_units.csv."""

    sku: str
    unit: UnitName
    numerator: int = Field(ge=1, le=1_000_000)
    denominator: int = Field(default=1, ge=1, le=1_000_000)


class ComponentSeed(Row):
    """One row of bundles.csv."""

    bundle_sku: str
    sku: str
    quantity: int = Field(ge=1, le=100_000)
    price_mode: Literal["included", "priced"]
    optional: bool = False
    percent_off: Annotated[Decimal, Field(ge=0, le=100, decimal_places=6)] = Decimal(0)

    @model_validator(mode="after")
    def fits(self) -> "ComponentSeed":
        """Refuse a percentage off what is free."""
        if self.price_mode == "included" and self.percent_off:
            raise ValueError("what is included has no percent_off")
        return self


class PurchaseSeed(Row):
    """One row of account_history.csv: what an account has, for tiers that count it."""

    account_id: str
    sku: str
    quantity: Annotated[Decimal, Field(gt=0, decimal_places=6)]
    day: date
    until: date | None = None
    source: str = Field(min_length=1, max_length=120)
