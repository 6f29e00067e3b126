"""Whether a promotion holds for an order: window, customer, currency, quantity, merchandise, use.

What a promotion asks for in merchandise is measured after contracts and tiers and before
promotions and discounts, so that a discount can never cost the customer another advantage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from servers.finance.facts.customers import Customer
from servers.finance.facts.promotions import Promotion
from servers.finance.findings import plain
from servers.finance.promotions.effects import Part, targets

ZERO = Decimal(0)


@dataclass(frozen=True)
class Order:
    """What promotions ask about an order."""

    customer: Customer
    day: date
    currency: str
    parts: Sequence[Part]

    @property
    def merchandise(self) -> Decimal:
        """What the lines in the total cost before promotions and discounts."""
        return sum((p.measured for p in self.parts if p.item is not None and p.counted), ZERO)


@dataclass(frozen=True)
class Refusal:
    """Why a promotion gives nothing: a finding's code, in words, and what to do."""

    code: str
    message: str
    fix: str


def refusal(promotion: Promotion, order: Order) -> Refusal | None:
    name, window, day = promotion.code, promotion.window, order.day
    if window.ended(day):
        return Refusal(
            "PROMO_EXPIRED",
            f"promotion {name} ended on {window.last} and was not applied",
            "tell the customer that it ended",
        )
    if not window.covers(day):
        return Refusal("PROMO_NOT_YET", f"promotion {name} has not begun", "quote later")
    priced = promotion.kind not in ("amount", "fixed_price") or order.currency in promotion.amount
    if order.currency not in promotion.conditions.minimum or not priced:
        return Refusal(
            "PROMO_CURRENCY",
            f"promotion {name} does not hold in {order.currency}",
            "quote in another currency",
        )
    return (
        _customer(promotion, order)
        or _merchandise(promotion, order)
        or _quantity(promotion, order)
        or _usage(promotion)
    )


def _customer(promotion: Promotion, order: Order) -> Refusal | None:
    asks, customer = promotion.conditions, order.customer
    for allowed, own, what in (
        (asks.customer_kinds, customer.kind, "customers of kind"),
        (asks.channels, customer.channel, "channel"),
        (asks.countries, customer.country, "customers in"),
        (asks.segments, customer.segment, "segment"),
    ):
        if allowed and own not in allowed:
            return Refusal(
                "PROMO_CUSTOMER",
                f"promotion {promotion.code} is for {what} {', '.join(allowed)}",
                "tell the customer whom it is for",
            )
    return None


def _measured(promotion: Promotion, order: Order) -> list[Part]:
    only = promotion.conditions.measured
    return [
        part
        for part in order.parts
        if part.item is not None
        and part.counted
        and (only is None or only.fits(part.item, part.unit))
    ]


def _merchandise(promotion: Promotion, order: Order) -> Refusal | None:
    least = promotion.conditions.minimum[order.currency]
    if sum((part.measured for part in _measured(promotion, order)), ZERO) >= least:
        return None
    return Refusal(
        "PROMO_MINIMUM",
        f"promotion {promotion.code} asks for merchandise of {plain(least)} {order.currency}",
        "tell the customer what is missing",
    )


def _quantity(promotion: Promotion, order: Order) -> Refusal | None:
    asks, measured = promotion.conditions, _measured(promotion, order)
    shipping = promotion.target == "shipping" or promotion.kind == "free_shipping"
    mine = targets(promotion, order.parts)
    if not mine and not shipping:
        return Refusal(
            "PROMO_NO_LINES",
            f"promotion {promotion.code} applies to no line of this quote",
            "tell the customer what it holds for",
        )
    if asks.measured is None and not shipping:
        measured = [part for part in mine if part.counted]
    quantity = sum((part.pieces for part in measured), ZERO)
    if asks.min_quantity is not None and quantity < asks.min_quantity:
        said, fix = (
            f"asks for a quantity of {asks.min_quantity}",
            "tell the customer what is missing",
        )
    elif asks.max_quantity is not None and quantity > asks.max_quantity:
        said, fix = f"holds up to a quantity of {asks.max_quantity}", "tell the customer how far"
    else:
        return None
    return Refusal("PROMO_QUANTITY", f"promotion {promotion.code} {said}", fix)


def _usage(promotion: Promotion) -> Refusal | None:
    limits = promotion.limits
    if limits.usage is None or limits.used < limits.usage:
        return None
    return Refusal(
        "PROMO_BUDGET",
        f"promotion {promotion.code} was for {limits.usage} orders and is used up",
        "tell the customer that it is used up",
    )


def over_budget(promotion: Promotion, amount: Decimal, currency: str) -> Refusal | None:
    """Say so when an amount is more than a promotion has left; then it gives nothing at all."""
    budget = promotion.limits.budget.get(currency)
    if budget is None:
        return None
    left = max(ZERO, budget - promotion.limits.spent.get(currency, ZERO))
    if amount <= left:
        return None
    return Refusal(
        "PROMO_BUDGET",
        f"promotion {promotion.code} has {plain(left)} {currency} of its budget left and "
        f"would take {plain(amount)}",
        "ask whoever owns the promotion for more budget, or quote without it",
    )
