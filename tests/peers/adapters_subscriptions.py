"""Adapters for cases about subscriptions: (inputs, expected) -> what our own functions answer."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from servers.finance.facts.prices import Item
from servers.finance.facts.promotions import Promotion
from servers.finance.facts.windows import Window
from servers.finance.prices.units import UnitPrice
from servers.finance.promotions.effects import Part, State, effect
from servers.finance.schemas import LineIn
from servers.finance.subscriptions import proration
from servers.finance.subscriptions.terms import put_term, terms_of
from servers.toolkit.money import round_money

CURRENCY = "USD"


def _for_its_term(
    price: Decimal, default: int, policy: proration.Proration, start: date, **term: Any
) -> UnitPrice:
    line = LineIn(line_id="l1", sku="PLAN-1", quantity=1, start=start, **term)
    unit = UnitPrice(amount=price, default_term_months=default, proration=policy)
    put_term(unit, line, terms_of([line], (), start)["l1"])
    assert unit.amount is not None
    return unit


def subscription_proration(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """A price for a term, less an amount discount that is prorated or not."""
    default = int(inputs["default_term_months"])
    unit = _for_its_term(
        Decimal(inputs["list_price"]),
        default,
        "monthly",
        date(2026, 1, 1),
        term_months=int(inputs["term_months"]),
    )
    assert unit.amount is not None
    part = Part(
        "l1",
        1,
        unit.amount,
        Item("PLAN-1", "", "", "", "subscription", 0, None, CURRENCY, "digital"),
        term=unit.term_factor,
    )
    off = Promotion(
        *("P", "P", "amount", Window(), 1, "P"),
        amount={CURRENCY: Decimal(inputs.get("amount_discount", 0))},
        prorated=inputs.get("prorate_amount_discount", False),
    )
    taken = effect(off, [part], State.of([part]), CURRENCY).offs.get("l1", Decimal(0))
    return {"unit_price": unit.amount, "net": unit.amount - taken}


def proration_of_a_period(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """A plan that is ended within its period, which is a whole number of months."""
    first, last = (date.fromisoformat(inputs[name]) for name in ("period_start", "period_end"))
    ended = date.fromisoformat(inputs["cancel_on"]) if inputs["prorate"] else last
    months = proration.until(first, last)
    assert months.days == 0
    assert last + timedelta(1) == proration.advance(first, months.months, first.day)
    price = Decimal(inputs["plan_price"])
    unit = _for_its_term(price, months.months, "daily_actual", first, end=ended)
    assert unit.amount is not None
    return {"amount": round_money(unit.amount, CURRENCY)}


ADAPTERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "subscription_proration": subscription_proration,
    "proration": proration_of_a_period,
}
