"""What accounts have running."""

from datetime import date
from typing import Annotated

from pydantic import Field as Bounds
from sqlalchemy import CheckConstraint, String
from sqlmodel import Field

from servers.finance.facts.prices import Renewal
from servers.finance.tables.base import CUSTOMER, ID, ITEM, FinanceTable
from servers.toolkit.columns import Micro, Percent, UnitAmount
from servers.toolkit.fields import AccountId, CurrencyCode, Sku


class SubscriptionRow(FinanceTable, table=True):
    """A subscription of an account: until when, at which price, and what its renewal costs.

    `unit_price` is for the price list's standard term; `uplift` and `cap` are percentages.
    """

    __table_args__ = (
        CheckConstraint("quantity >= 1 AND unit_price >= 0", name="subscription_numbers"),
        CheckConstraint("first <= last", name="subscription_has_days"),
        CheckConstraint("renewal IN ('same', 'list', 'uplift')", name="subscription_renewal_known"),
    )

    subscription_id: Annotated[str, Bounds(pattern=r"^sub_[A-Za-z0-9_-]{1,40}$", max_length=ID)] = (
        Field(primary_key=True)
    )
    account_id: AccountId = Field(foreign_key=CUSTOMER, index=True)
    sku: Sku = Field(foreign_key=ITEM, index=True)
    quantity: int = Field(ge=1)
    first: date
    last: date
    term_months: int = Field(ge=1, le=120)
    unit_price: Micro = Field(sa_type=UnitAmount)
    currency: CurrencyCode
    lock_until: date | None = None
    renewal: Renewal = Field(sa_type=String(8))
    uplift: Percent | None = Field(default=None, sa_type=UnitAmount)
    cap: Percent | None = Field(default=None, sa_type=UnitAmount)
    clause: str = Field(default="", max_length=80)
    document: str = Field(default="", max_length=120)
