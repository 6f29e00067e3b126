"""The seed rows of subscriptions and fees, checked before anything is written."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from servers.finance.seeds.rows import Row, json_rows
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.charges import FeeRow
from servers.finance.tables.subscriptions import SubscriptionRow

Condition = Literal["flags", "item_kinds", "countries", "ship_methods"]


class SubscriptionSeed(Row):
    """One row of subscriptions.json."""

    subscription_id: str = Field(pattern=r"^sub_[A-Za-z0-9_-]{1,40}$")
    account_id: str = Field(pattern=r"^acc_[A-Za-z0-9_-]{1,40}$")
    sku: str
    quantity: int = Field(ge=1)
    first: date
    last: date
    term_months: int = Field(ge=1, le=120)
    unit_price: Decimal = Field(ge=0, decimal_places=6)
    currency: str = Field(pattern="^[A-Z]{3}$")
    lock_until: date | None = None
    renewal: Literal["same", "list", "uplift"]
    uplift: Decimal | None = Field(default=None, ge=0, le=100, decimal_places=6)
    cap: Decimal | None = Field(default=None, ge=0, le=100, decimal_places=6)
    clause: str = ""
    document: str = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.last < self.first:
            raise ValueError("it ends before it begins")
        if (self.renewal == "uplift") != (self.uplift is not None):
            raise ValueError("an uplift is given when, and only when, renewal is uplift")
        if (self.cap is None) != (not self.clause):
            raise ValueError("a cap comes with the clause that says so")
        return self


class FeeSeed(Row):
    """One row of fees.json."""

    fee_id: str = Field(pattern=r"^FEE-[A-Z0-9-]{1,40}$")
    label: str = Field(min_length=1, max_length=80)
    kind: Literal["small_order", "hazmat", "fixed"]
    amount: dict[str, Decimal] = Field(min_length=1)
    tax_class: Literal["standard", "digital", "service", "carriage"]
    below: dict[str, Decimal] = Field(default_factory=dict)
    conditions: dict[Condition, list[str]] = Field(default_factory=dict)
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(amount < 0 for amount in (*self.amount.values(), *self.below.values())):
            raise ValueError("a fee is never negative")
        if (self.kind == "small_order") != bool(self.below):
            raise ValueError("a small-order fee, and no other, says below what it is due")
        if self.below and self.below.keys() != self.amount.keys():
            raise ValueError("below and amount are given for the same currencies")
        if self.kind == "hazmat" and "flags" not in self.conditions:
            raise ValueError("a fee for dangerous goods says for which flags")
        return self


def subscriptions_and_fees(folder: Path) -> Iterator[FinanceTable]:
    """Yield the rows of subscriptions.json and fees.json."""
    yield from map(subscription_row, json_rows(folder / "subscriptions.json", SubscriptionSeed))
    yield from map(fee_row, json_rows(folder / "fees.json", FeeSeed))


def subscription_row(row: SubscriptionSeed) -> SubscriptionRow:
    """Return a checked row as the table keeps it."""
    return SubscriptionRow(**row.model_dump())


def fee_row(fee: FeeSeed) -> FeeRow:
    """Return a checked row as the table keeps it."""
    return FeeRow(**fee.model_dump())
