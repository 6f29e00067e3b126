"""Promotions, and what accepted quotes used of them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Bounds
from sqlalchemy import BigInteger, String
from sqlmodel import Field

from servers.finance.facts.promotions import Kind, Selector
from servers.finance.tables.base import CustomerKind, FinanceTable
from servers.toolkit.columns import Amounts, Json, Percent, UnitAmount, Words
from servers.toolkit.short_tables import constraints

Count = Annotated[int, Bounds(ge=1)]


class PromotionConditions(BaseModel):
    """Whom and what a promotion is for; what is left out asks for nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_kinds: tuple[CustomerKind, ...] = ()
    channels: Words = ()
    countries: Words = ()
    segments: Words = ()
    item_kinds: tuple[Literal["goods", "service", "subscription"], ...] = ()
    item_flags: Words = ()
    units: Words = ()
    min_quantity: Count | None = None
    max_quantity: Count | None = None
    measured: Selector | None = None


class PromotionRow(FinanceTable, table=True):
    """A promotion, by code or automatic.

    `minimum` is the merchandise it asks for in each currency it holds in; `conditions` whom and
    what it is for. `of` columns say what counts as bought for buy X get Y, empty is the same.
    """

    promotion_id: str = Field(primary_key=True, max_length=60)
    code: Annotated[str, Bounds(pattern=r"^[A-Z0-9][A-Z0-9-]{1,19}$", max_length=20)] = Field(
        unique=True
    )
    kind: Kind = Field(sa_type=String(16))
    family: str = Field(default="", max_length=40)
    percent: Percent = Field(default=0, sa_type=UnitAmount)
    minimum: Amounts = Field(min_length=1, sa_type=Json(Amounts))
    valid_from: date
    valid_to: date | None = None
    priority: int
    stack_group: str = Field(min_length=1, max_length=40)
    automatic: bool = False
    target: Literal["lines", "order", "shipping"] = Field(default="lines", sa_type=String(8))
    sku: str = Field(default="", max_length=40)
    amount: Amounts = Field(default_factory=dict, sa_type=Json(Amounts))
    allocation: Literal["each", "across"] = Field(default="each", sa_type=String(6))
    per: Literal["unit", "line", "order"] = Field(default="line", sa_type=String(5))
    conditions: PromotionConditions = Field(
        default=PromotionConditions(), sa_type=Json(PromotionConditions)
    )
    max_quantity: Count | None = None
    cap: Amounts = Field(default_factory=dict, sa_type=Json(Amounts))
    usage_limit: int | None = Field(default=None, ge=0)
    budget: Amounts = Field(default_factory=dict, sa_type=Json(Amounts))
    buy_quantity: Count | None = None
    get_quantity: Count | None = None
    of_sku: str = Field(default="", max_length=40)
    of_family: str = Field(default="", max_length=40)
    free_sku: str = Field(default="", max_length=40)
    free_quantity: Count | None = None
    recurse_for: Count | None = None
    base: Literal["list", "running"] = Field(default="running", sa_type=String(7))
    exclusive: bool = False
    prorated: bool = False
    pick: Literal["benefit", "priority"] = Field(default="benefit", sa_type=String(8))


class PromotionUse(FinanceTable, table=True):
    """What one accepted quote used of a promotion; written once, at acceptance."""

    __table_args__ = constraints(promotion_use_not_negative="amount_minor >= 0")

    promotion_id: str = Field(primary_key=True, max_length=60)
    quote_id: str = Field(primary_key=True, foreign_key="quote.quote_id", max_length=48)
    currency: str = Field(max_length=3)
    amount_minor: int = Field(sa_type=BigInteger)
    free_units: int = 0
