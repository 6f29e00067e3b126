"""From tables to what the rules know of subscriptions, fees and rates."""

from decimal import Decimal
from typing import cast

from sqlmodel import Session, select

from servers.finance.facts.charges import Fee, Kind, Rate
from servers.finance.facts.subscriptions import Renewal, Subscription
from servers.finance.facts.windows import Window
from servers.finance.models import ExchangeRate
from servers.finance.models_subscriptions import FeeRow, SubscriptionRow
from servers.toolkit.money import from_micro


def subscriptions(session: Session, account_id: str) -> tuple[Subscription, ...]:
    """Return the subscriptions of an account, and of no other."""
    own = select(SubscriptionRow).where(SubscriptionRow.account_id == account_id)
    found = session.exec(own.order_by(SubscriptionRow.subscription_id))
    return tuple(_subscription(row) for row in found)


def _subscription(row: SubscriptionRow) -> Subscription:
    return Subscription(
        subscription_id=row.subscription_id,
        account_id=row.account_id,
        sku=row.sku,
        quantity=row.quantity,
        first=row.first,
        last=row.last,
        term_months=row.term_months,
        unit_price=from_micro(row.unit_price_micro),
        currency=row.currency,
        lock_until=row.lock_until,
        renewal=cast(Renewal, row.renewal),
        uplift=None if row.uplift_micro is None else from_micro(row.uplift_micro),
        cap=None if row.cap_micro is None else from_micro(row.cap_micro),
        clause=row.clause,
        document=row.document,
    )


def fees(session: Session) -> tuple[Fee, ...]:
    """Return the fees of the house."""
    return tuple(_fee(row) for row in session.exec(select(FeeRow).order_by(FeeRow.fee_id)))


def _fee(row: FeeRow) -> Fee:
    holds = {key: frozenset(values) for key, values in row.conditions.items()}
    return Fee(
        fee_id=row.fee_id,
        label=row.label,
        kind=cast(Kind, row.kind),
        amount={code: Decimal(amount) for code, amount in row.amount.items()},
        tax_class=row.tax_class,
        window=Window(row.valid_from, row.valid_to),
        below={code: Decimal(amount) for code, amount in row.below.items()},
        **holds,
    )


def rate(row: ExchangeRate) -> Rate:
    """Return an exchange rate with its day and source."""
    return Rate(row.currency, from_micro(row.rate_micro), row.as_of, row.source)
