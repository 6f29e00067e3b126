"""How customers come in, and what is known of them."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from servers.finance.load.base import table
from servers.finance.tables import customers as c
from servers.finance.tables.legal import PaymentTerm
from servers.toolkit.money import round_money, to_minor
from servers.toolkit.tables import Values
from servers.toolkit.tax_ids import tax_id_doubts


def _limit_read(row: Values) -> Values:
    """Return a customer whose `credit_limit` is an amount of the credit currency."""
    if row.get("credit_limit") in (None, ""):
        return row
    currency = row.get("credit_currency", "")
    if not currency:
        raise ValueError("a credit limit has a currency: give credit_currency")
    try:
        limit = Decimal(str(row["credit_limit"]))
    except InvalidOperation:
        raise ValueError(f"credit_limit: {row['credit_limit']!r} is no number") from None
    if limit != round_money(limit, currency):
        raise ValueError(f"the credit limit has more decimals than {currency}: round it")
    rest = {name: value for name, value in row.items() if name != "credit_limit"}
    return {**rest, "credit_limit_minor": to_minor(limit, currency)}


def _customer_problems(row: Any) -> Iterator[str]:
    if row.credit_limit_minor is not None and not row.credit_currency:
        yield "a credit limit has a currency: give credit_currency"


def _receivable_problems(row: Any) -> Iterator[str]:
    if row.open_minor > row.total_minor:
        yield "open_minor is more than total_minor"


def _purchase_problems(row: Any) -> Iterator[str]:
    if not row.quantity:
        yield "quantity is above 0"


def _subscription_problems(row: Any) -> Iterator[str]:
    if (row.renewal == "uplift") != (row.uplift is not None):
        yield "an uplift is given when, and only when, renewal is uplift"
    if (row.cap is None) != (not row.clause):
        yield "a cap comes with the clause that says so"


CUSTOMERS = (
    table(
        "customers",
        c.CustomerRow,
        "who buys; amounts are in the smallest unit of credit_currency",
        also={"credit_limit": "the credit limit as an amount, in the place of credit_limit_minor"},
        read=_limit_read,
        refers={"payment_terms_code": (PaymentTerm, "code")},
        problems=_customer_problems,
    ),
    table(
        "customer_tax_ids",
        c.CustomerTaxId,
        "a tax number of a customer, and the day it was verified, if it was",
        key=("account_id", "scheme", "value"),
        doubts=tax_id_doubts,
    ),
    table(
        "addresses",
        c.CustomerAddress,
        "a postal address of a customer; the ship-to decides tax and freight",
    ),
    table("exemptions", c.ExemptionRow, "a tax exemption certificate of a customer"),
    table(
        "related_parties", c.RelatedParty, "somebody who goes with a customer and is screened too"
    ),
    table(
        "purchases",
        c.AccountPurchase,
        "what an account has bought before, for volume discounts that count it",
        key=("account_id", "sku", "day", "source", "quote_id", "line_id"),
        problems=_purchase_problems,
    ),
    table(
        "receivables",
        c.ReceivableRow,
        "an invoice and what of it is still open",
        problems=_receivable_problems,
    ),
    table(
        "subscriptions",
        c.SubscriptionRow,
        "a running subscription: until when, at which price, and what its renewal costs",
        {"document": "the agreement or order it stands in"},
        problems=_subscription_problems,
    ),
)
