"""Promotions: what they give, on what, to whom, and how they combine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from servers.finance.facts.prices import Item
from servers.finance.facts.windows import Window

Kind = Literal["percent", "amount", "fixed_price", "buy_x_get_y", "free_item", "free_shipping"]


@dataclass(frozen=True)
class Selector:
    """Which lines are meant; what is empty lets every line pass."""

    sku: str = ""
    family: str = ""
    item_kinds: tuple[str, ...] = ()
    item_flags: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def fits(self, item: Item, unit: str) -> bool:
        return (
            self.sku in ("", item.sku)
            and self.family in ("", item.family)
            and (not self.item_kinds or item.kind in self.item_kinds)
            and (not self.item_flags or not item.flags.isdisjoint(self.item_flags))
            and (not self.units or unit in self.units)
        )


@dataclass(frozen=True)
class Conditions:
    """Who may have a promotion, and from how much on; what is empty asks for nothing.

    `minimum` names every currency the promotion holds in, with the merchandise it asks for.
    `measured` says on which lines merchandise and quantity are measured: None is all merchandise,
    and for the quantity the lines that the promotion is about.
    """

    minimum: Mapping[str, Decimal] = field(default_factory=dict)
    customer_kinds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    min_quantity: int | None = None
    max_quantity: int | None = None
    measured: Selector | None = None


@dataclass(frozen=True)
class Gift:
    """What a free item is: `sku` empty is the item bought; `every` repeats it."""

    quantity: int
    sku: str = ""
    every: int | None = None


@dataclass(frozen=True)
class BuyGet:
    """Buy so many of these and get so many of the promotion's own lines."""

    buy: int
    get: int
    of: Selector | None = None


@dataclass(frozen=True)
class Limits:
    """How far a promotion goes, and how far accepted quotes have used it up."""

    max_quantity: int | None = None
    cap: Mapping[str, Decimal] = field(default_factory=dict)
    usage: int | None = None
    budget: Mapping[str, Decimal] = field(default_factory=dict)
    used: int = 0
    spent: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Promotion:
    """A promotion, by code or automatic.

    `amount` is what `amount` takes off or what `fixed_price` costs, per currency. `per` says
    whether an amount is for each unit, each line or the whole order. Of one `stack_group` one
    promotion applies: what is best for the customer (`pick` "benefit"), or the highest priority.
    `base` "list" takes a percentage of what the line cost before any promotion, "running" of what
    is left. An `exclusive` one never combines. An amount off a line with a term is for the whole
    line, whatever its term, unless it is `prorated`: then it is for the standard term.
    """

    promotion_id: str
    code: str
    kind: Kind
    window: Window
    priority: int
    stack_group: str
    target: Literal["lines", "order", "shipping"] = "lines"
    on: Selector = Selector()
    percent: Decimal = Decimal(0)
    amount: Mapping[str, Decimal] = field(default_factory=dict)
    allocation: Literal["each", "across"] = "each"
    per: Literal["unit", "line", "order"] = "line"
    conditions: Conditions = Conditions()
    limits: Limits = Limits()
    buy_get: BuyGet | None = None
    gift: Gift | None = None
    base: Literal["list", "running"] = "running"
    exclusive: bool = False
    pick: Literal["benefit", "priority"] = "benefit"
    automatic: bool = False
    prorated: bool = False
