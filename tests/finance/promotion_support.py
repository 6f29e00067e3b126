"""Promotions and parts for the tests, with what they usually are."""

from datetime import date
from decimal import Decimal
from typing import Any

from servers.finance.facts.customers import Customer
from servers.finance.facts.prices import Item
from servers.finance.facts.promotions import Conditions, Promotion
from servers.finance.facts.windows import Window
from servers.finance.promotions.effects import Part

EUR = "EUR"
ZERO = Decimal(0)
EVERYWHERE = Conditions(minimum={"EUR": ZERO, "GBP": ZERO, "USD": ZERO, "CHF": ZERO})
DAY = date(2026, 11, 23)
BUYER = Customer("acc_1", "Buyer", "DE", "business", "direct", EUR, "NET30", ("acc_1",))


def promotion(code: str, kind: Any = "percent", **more: Any) -> Promotion:
    """A promotion that holds everywhere, in a group of its own."""
    given: dict[str, Any] = {"priority": 1, "stack_group": code, "conditions": EVERYWHERE}
    if "amount" in more:
        more["amount"] = {EUR: Decimal(more["amount"])}
    if "percent" in more:
        more["percent"] = Decimal(more["percent"])
    return Promotion(f"PRO-{code}", code, kind, Window(), **{**given, **more})


def item(sku: str = "A", family: str = "things", kind: str = "goods") -> Item:
    """An item with a weight and a cost."""
    return Item(sku, sku, "", family, kind, 500, Decimal(1), EUR, "standard")


def part(part_id: str, quantity: int, start: str, sku: str = "A", **more: Any) -> Part:
    """A line as promotions see it."""
    return Part(
        part_id, Decimal(quantity), Decimal(start), item(sku, more.pop("family", "things")), **more
    )
