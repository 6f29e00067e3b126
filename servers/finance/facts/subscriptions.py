"""What an account has running, and how a term is prorated."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Proration = Literal["monthly", "daily", "daily_actual", "monthly_daily"]


Renewal = Literal["same", "list", "uplift"]


@dataclass(frozen=True)
class Subscription:
    """A subscription that an account has; `unit_price` is for the price list's standard term.

    `lock_until` is the last day on which that price holds for more of it; `cap` is the highest
    increase at renewal in percent, and `clause` where that is written.
    """

    subscription_id: str
    account_id: str
    sku: str
    quantity: int
    first: date
    last: date
    term_months: int
    unit_price: Decimal
    currency: str
    lock_until: date | None
    renewal: Renewal
    uplift: Decimal | None
    cap: Decimal | None
    clause: str
    document: str
