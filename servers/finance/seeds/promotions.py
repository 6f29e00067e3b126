"""The rows of promotions.json, checked so that a wrong one is refused before it prices anything."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from servers.finance.seeds.reading import read_csv
from servers.finance.seeds.rows import Row, json_rows
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.promotions import PromotionConditions, PromotionRow
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import exponent

Amounts = dict[str, Decimal]
Words = list[str]
Count = int | None


class SelectorSeed(Row):
    """Which lines a condition measures."""

    sku: str = ""
    family: str = ""
    item_kinds: Words = Field(default_factory=list)
    item_flags: Words = Field(default_factory=list)
    units: Words = Field(default_factory=list)


class ConditionsSeed(Row):
    """Whom and what a promotion is for; what is left out asks for nothing."""

    customer_kinds: list[Literal["business", "consumer", "government", "reseller"]] = Field(
        default_factory=list
    )
    channels: Words = Field(default_factory=list)
    countries: Words = Field(default_factory=list)
    segments: Words = Field(default_factory=list)
    item_kinds: list[Literal["goods", "service", "subscription"]] = Field(default_factory=list)
    item_flags: Words = Field(default_factory=list)
    units: Words = Field(default_factory=list)
    min_quantity: Count = Field(default=None, ge=1)
    max_quantity: Count = Field(default=None, ge=1)
    measured: SelectorSeed | None = None


class PromotionSeed(Row):
    """One row of promotions.json. `minimum` names every currency the promotion holds in."""

    promotion_id: str = Field(max_length=60)
    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,19}$")
    kind: Literal["percent", "amount", "fixed_price", "buy_x_get_y", "free_item", "free_shipping"]
    family: str = Field(default="", max_length=40)
    percent: Decimal = Field(default=Decimal(0), ge=0, le=100)
    minimum: Amounts = Field(min_length=1)
    valid_from: date
    valid_to: date | None
    priority: int
    stack_group: str = Field(min_length=1, max_length=40)
    automatic: bool = False
    target: Literal["lines", "order", "shipping"] = "lines"
    sku: str = Field(default="", max_length=32)
    amount: Amounts = Field(default_factory=dict)
    allocation: Literal["each", "across"] = "each"
    per: Literal["unit", "line", "order"] = "line"
    conditions: ConditionsSeed = Field(default_factory=ConditionsSeed)
    max_quantity: Count = Field(default=None, ge=1)
    cap: Amounts = Field(default_factory=dict)
    usage_limit: Count = Field(default=None, ge=0)
    budget: Amounts = Field(default_factory=dict)
    buy_quantity: Count = Field(default=None, ge=1)
    get_quantity: Count = Field(default=None, ge=1)
    of_sku: str = ""
    of_family: str = ""
    free_sku: str = ""
    free_quantity: Count = Field(default=None, ge=1)
    recurse_for: Count = Field(default=None, ge=1)
    base: Literal["list", "running"] = "running"
    exclusive: bool = False
    prorated: bool = False
    pick: Literal["benefit", "priority"] = "benefit"

    @model_validator(mode="after")
    def _whole(self) -> "PromotionSeed":
        """Refuse a row that says too little for its kind, or what its kind cannot mean."""
        if problem := next(self._problems(), None):
            raise ValueError(problem)
        if self.kind == "free_shipping":
            self.target = "shipping"
        return self

    def _problems(self) -> Iterator[str]:
        kind, priced = self.kind, self.kind in ("amount", "fixed_price")
        if (kind in ("percent", "buy_x_get_y")) != (self.percent > 0):
            yield "percent and buy_x_get_y have a percent above 0 (100 is free), others have none"
        if priced != bool(self.amount):
            yield "amount and fixed_price have an amount per currency, others have none"
        if (kind == "buy_x_get_y") != (None not in (self.buy_quantity, self.get_quantity)):
            yield "buy_x_get_y has buy_quantity and get_quantity, others have none"
        if (kind == "free_item") != (self.free_quantity is not None):
            yield "free_item has free_quantity, others have none"
        if kind != "free_item" and (self.free_sku or self.recurse_for):
            yield "only free_item has free_sku and recurse_for"
        if kind != "buy_x_get_y" and (self.of_sku or self.of_family):
            yield "only buy_x_get_y has of_sku and of_family"
        if self.base == "list" and kind != "percent":
            yield "base list is for percent"
        if self.prorated and (kind != "amount" or self.allocation == "across"):
            yield "prorated is for an amount off each line"
        if self.pick == "priority" and not self.automatic:
            yield "pick priority is for automatic promotions: a code never makes an order dearer"
        yield from self._target_problems()
        yield from self._currency_problems()

    def _target_problems(self) -> Iterator[str]:
        kind, chosen = self.kind, bool(self.sku or self.family)
        if self.target == "shipping" and kind not in ("percent", "amount", "free_shipping"):
            yield "on shipping only percent, amount and free_shipping have a meaning"
        if self.target == "order" and kind not in ("percent", "amount"):
            yield "on the order only percent and amount have a meaning"
        if self.target != "lines" and chosen:
            yield "sku and family choose lines; leave them out for order and shipping"
        if self.target == "order" and self.allocation != "across":
            yield "on the order the allocation is across"
        if self.allocation == "across" and kind not in ("percent", "amount"):
            yield "across is for percent and amount"
        if (self.allocation == "across" and kind == "amount") != (self.per == "order"):
            yield "an amount across is per order, and only that"
        if self.allocation == "across" and self.max_quantity is not None:
            yield "max_quantity is for what counts for each line"
        if kind == "free_shipping" and (self.max_quantity or self.amount):
            yield "free_shipping takes off all freight; use amount on shipping for a part"

    def _currency_problems(self) -> Iterator[str]:
        for name in ("minimum", "amount", "cap", "budget"):
            said: Amounts = getattr(self, name)
            for currency, amount in said.items():
                exponent(currency)
                if amount < 0:
                    yield f"{name} is below 0 in {currency}"
            if said and set(said) != set(self.minimum):
                yield f"{name} and minimum name different currencies"


def promotions(folder: Path) -> Iterator[FinanceTable]:
    """Yield the promotions of a folder.

    Raises:
        InvalidInputError: a row is wrong, two clash, or one names what is not sold or given away.
    """
    name = "promotions.json"
    rows = list(json_rows(folder / name, PromotionSeed))
    check_ranks(rows, name)
    _check_items(rows, folder, name)
    for row in rows:
        yield promotion_row(row)


def promotion_row(row: PromotionSeed) -> PromotionRow:
    """Return a checked row as the table keeps it."""
    conditions = PromotionConditions(**row.conditions.model_dump())
    return PromotionRow(**row.model_dump(exclude={"conditions"}), conditions=conditions)


def check_ranks(rows: Sequence[PromotionSeed | PromotionRow], name: str) -> None:
    """Refuse promotions between which nothing decides, or that disagree on what decides.

    Raises:
        InvalidInputError: naming the two.
    """
    for one, other in combinations(rows, 2):
        if one.stack_group != other.stack_group:
            continue
        if one.pick != other.pick:
            problem, fix = "differ in pick", "pick one way in a group"
        elif one.priority == other.priority and _overlap(one, other):
            problem, fix = "have the same stack_group and priority", "give one another priority"
        else:
            continue
        raise InvalidInputError(
            f"{name}: {one.promotion_id} and {other.promotion_id} {problem}",
            fix=fix,
            code="RULE_CONFLICT",
        )


def _overlap(one: PromotionSeed | PromotionRow, other: PromotionSeed | PromotionRow) -> bool:
    return (one.valid_to is None or other.valid_from <= one.valid_to) and (
        other.valid_to is None or one.valid_from <= other.valid_to
    )


def _check_items(rows: Sequence[PromotionSeed], folder: Path, name: str) -> None:
    """Refuse items finance does not have, and gifts that would need a check of their own."""
    items = {row["sku"]: row["kind"] for _, row in read_csv(folder / "items.csv")}
    flagged = {row["sku"] for _, row in read_csv(folder / "item_flags.csv")}
    for row in rows:
        for sku in filter(None, (row.sku, row.of_sku, row.free_sku)):
            if sku not in items:
                raise InvalidInputError(
                    f"{name}: {row.promotion_id} names {sku}, which items.csv does not have",
                    fix="mend the row",
                )
        if row.free_sku and (items[row.free_sku] != "goods" or row.free_sku in flagged):
            raise InvalidInputError(
                f"{name}: {row.promotion_id} gives {row.free_sku}: a gift is goods without "
                "export control, hazard or personal data, which nobody has to check",
                fix="give another item",
            )
