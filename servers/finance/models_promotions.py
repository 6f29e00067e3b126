"""Promotions, and what accepted quotes used of them."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint
from sqlmodel import Field

from servers.finance.models import FinanceTable


class PromotionRow(FinanceTable, table=True):
    """A promotion, by code or automatic; amounts are decimal strings per currency.

    `minimum` is the merchandise it asks for in each currency it holds in; `conditions` whom and
    what it is for. `of` columns say what counts as bought for buy X get Y, empty is the same.
    """

    __tablename__ = "promotion"

    promotion_id: str = Field(primary_key=True, max_length=60)
    code: str = Field(unique=True, max_length=20)
    kind: str = Field(max_length=16)
    family: str = Field(default="", max_length=40)
    percent_micro: int = Field(sa_type=BigInteger)
    minimum: dict[str, str] = Field(sa_type=JSON)
    valid_from: date
    valid_to: date | None = None
    priority: int
    stack_group: str = Field(max_length=40)
    automatic: bool = Field(default=False)
    target: str = Field(default="lines", max_length=8)
    sku: str = Field(default="", max_length=32)
    amount: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    allocation: str = Field(default="each", max_length=6)
    per: str = Field(default="line", max_length=5)
    conditions: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    max_quantity: int | None = None
    cap: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    usage_limit: int | None = None
    budget: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    buy_quantity: int | None = None
    get_quantity: int | None = None
    of_sku: str = Field(default="", max_length=32)
    of_family: str = Field(default="", max_length=40)
    free_sku: str = Field(default="", max_length=32)
    free_quantity: int | None = None
    recurse_for: int | None = None
    base: str = Field(default="running", max_length=7)
    exclusive: bool = Field(default=False)
    prorated: bool = Field(default=False)
    pick: str = Field(default="benefit", max_length=8)


class PromotionUse(FinanceTable, table=True):
    """What one accepted quote used of a promotion; written once, at acceptance."""

    __tablename__ = "promotion_use"
    __table_args__ = (CheckConstraint("amount_minor >= 0", name="promotion_use_not_negative"),)

    promotion_id: str = Field(primary_key=True, max_length=60)
    quote_id: str = Field(primary_key=True, foreign_key="quote.quote_id", max_length=48)
    currency: str = Field(max_length=3)
    amount_minor: int = Field(sa_type=BigInteger)
    free_units: int = 0
