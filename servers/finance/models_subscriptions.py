"""What accounts have running, and the fees of the house."""

from datetime import date

from sqlalchemy import JSON, BigInteger, CheckConstraint
from sqlmodel import Field

from servers.finance.models import CUSTOMER, ID, FinanceTable


class SubscriptionRow(FinanceTable, table=True):
    """A subscription of an account: until when, at which price, and what its renewal costs.

    `unit_price_micro` is for the price list's standard term; percentages are micro units too.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("quantity >= 1 AND unit_price_micro >= 0", name="subscription_numbers"),
        CheckConstraint("first <= last", name="subscription_has_days"),
        CheckConstraint("renewal IN ('same', 'list', 'uplift')", name="subscription_renewal_known"),
    )

    subscription_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    sku: str = Field(foreign_key="item.sku", index=True, max_length=32)
    quantity: int
    first: date
    last: date
    term_months: int
    unit_price_micro: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    lock_until: date | None = None
    renewal: str = Field(max_length=8)
    uplift_micro: int | None = Field(default=None, sa_type=BigInteger)
    cap_micro: int | None = Field(default=None, sa_type=BigInteger)
    clause: str = Field(default="", max_length=80)
    document: str = Field(default="", max_length=120)


class FeeRow(FinanceTable, table=True):
    """A fee on whole quotes; `conditions` say when it is due, `amount` is per currency."""

    __tablename__ = "fee"
    __table_args__ = (
        CheckConstraint("kind IN ('small_order', 'hazmat', 'fixed')", name="fee_kind_known"),
    )

    fee_id: str = Field(primary_key=True, max_length=60)
    label: str = Field(max_length=80)
    kind: str = Field(max_length=16)
    amount: dict[str, str] = Field(sa_type=JSON)
    tax_class: str = Field(max_length=20)
    below: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    conditions: dict[str, list[str]] = Field(default_factory=dict, sa_type=JSON)
    valid_from: date
    valid_to: date | None = None
