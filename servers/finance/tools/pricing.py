"""The tools that work out prices, or advise a person on one, and store nothing."""

from typing import Annotated

from pydantic import Field

from servers.finance.explain import explain, told
from servers.finance.pricing import price
from servers.finance.schemas import (
    DiscountBp,
    Explanation,
    FromLine,
    FromStep,
    Lines,
    Priced,
    PriceRequest,
    PromoCodes,
    ShipMethod,
    WhatIf,
)
from servers.finance.schemas_quotes import PriceGuidance
from servers.finance.store.collect import collect, collect_prospect
from servers.finance.store.database import FinanceDatabase
from servers.finance.store.guidance import guidance
from servers.finance.store.what_if import Asked, answer
from servers.toolkit.components import tool
from servers.toolkit.declare import reads
from servers.toolkit.fields import (
    AccountId,
    AddressId,
    Country,
    CurrencyCode,
    LineId,
    OrderDate,
    Quantity,
    QuoteId,
)
from servers.toolkit.linking import first_that_fit

Currency = Annotated[
    CurrencyCode | None, Field(description="quote currency; none means the customer's own")
]
DisplayCurrency = Annotated[
    CurrencyCode | None,
    Field(description="also show the total in this currency, to read only; the price stays"),
]
BreaksOf = Annotated[
    LineId | None, Field(description="line whose next quantity breaks are asked for")
]
AvoidApprovals = Annotated[
    bool, Field(description="search the smallest changes that avoid approvals of the price")
]
ROOM = 18_000
"""Bytes for lines or steps in one answer; totals and findings come on top."""
PRICED_BY = (
    *("account_id", "lines", "ship_to_address_id", "ship_method", "order_date"),
    *("currency", "promo_codes", "discount_bp"),
)


@tool(reads("Price a quote", rows="bound", binds=PRICED_BY))
def price_quote(
    finance: FinanceDatabase,
    account_id: AccountId,
    lines: Lines,
    ship_to_address_id: AddressId,
    ship_method: ShipMethod,
    order_date: OrderDate,
    currency: Currency = None,
    promo_codes: PromoCodes = [],  # noqa: B006 - FastMCP copies defaults into the schema
    discount_bp: DiscountBp = 0,
    display_currency: DisplayCurrency = None,
    from_line: FromLine = 1,
) -> Priced:
    """Price lines for a customer: list or contract price, tiers, promotions, freight, tax.

    Pure: the same inputs give the same answer, and nothing is stored. Use it before
    create_quote. account_id comes from resolve_account, skus from the catalog's match_need,
    ship_to_address_id from list_addresses, ship_method from shipping_options. Amounts are
    integer minor units; totals are empty when something has no price or no tax, and the
    findings say what. approvals_needed says which rules a person would have to let pass.
    Everything but `lines` is of the whole; with next_line, ask again for the other lines.
    """
    request = PriceRequest(
        account_id=account_id,
        lines=tuple(lines),
        ship_to_address_id=ship_to_address_id,
        ship_method=ship_method,
        order_date=order_date,
        currency=currency,
        promo_codes=tuple(promo_codes),
        discount_bp=discount_bp,
        display_currency=display_currency,
    )
    with finance.session() as session:
        priced = price(collect(session, request).pricing, request).public()
    return _shown(priced, from_line)


@tool(reads("Price for a prospect", rows="public"))
def price_prospect(
    finance: FinanceDatabase,
    lines: Lines,
    country: Country,
    ship_method: ShipMethod,
    order_date: OrderDate,
    currency: CurrencyCode,
    from_line: FromLine = 1,
) -> Priced:
    """Price lines for a business that is no customer yet, at what anybody is charged.

    No offer, and nothing to make a quote from: a quote needs an account. No tax number counts,
    so what a customer's own would change is not in the totals. Nothing is stored. skus come
    from the catalog's match_need, ship_method from shipping_options.
    """
    request = PriceRequest(
        account_id="",
        lines=tuple(lines),
        ship_to_address_id="",
        ship_method=ship_method,
        order_date=order_date,
        currency=currency,
    )
    with finance.session() as session:
        facts = collect_prospect(session, request.checked(), country)
        return _shown(price(facts, request).public(), from_line)


@tool(reads("Price a change", rows="bound", binds=PRICED_BY))
def what_if(
    finance: FinanceDatabase,
    account_id: AccountId,
    lines: Lines,
    ship_to_address_id: AddressId,
    ship_method: ShipMethod,
    order_date: OrderDate,
    currency: Currency = None,
    promo_codes: PromoCodes = [],  # noqa: B006
    discount_bp: DiscountBp = 0,
    change_line: LineId | None = None,
    change_quantity: Quantity | None = None,
    change_discount_bp: DiscountBp | None = None,
    change_order_date: OrderDate | None = None,
    change_ship_method: ShipMethod | None = None,
    change_promo_codes: PromoCodes | None = None,
    change_currency: CurrencyCode | None = None,
    change_ship_to_address_id: AddressId | None = None,
    breaks_of: BreaksOf = None,
    avoid_approvals: AvoidApprovals = False,
    from_line: FromLine = 1,
) -> WhatIf:
    """Price the same lines with something changed, beside the price without the change.

    Give the arguments of price_quote and at least one change: change_line with
    change_quantity, or another change_ argument. breaks_of names a line and gives the next
    quantities from which a piece costs less or more; with avoid_approvals, ways_out are the
    smallest discounts and quantities after which fewer approvals of the price are needed
    (name change_line to search one line further). Nothing is stored.
    """
    request = PriceRequest(
        account_id=account_id,
        lines=tuple(lines),
        ship_to_address_id=ship_to_address_id,
        ship_method=ship_method,
        order_date=order_date,
        currency=currency,
        promo_codes=tuple(promo_codes),
        discount_bp=discount_bp,
    )
    changes = {
        "discount_bp": change_discount_bp,
        "order_date": change_order_date,
        "ship_method": change_ship_method,
        "promo_codes": None if change_promo_codes is None else tuple(change_promo_codes),
        "currency": change_currency,
        "ship_to_address_id": change_ship_to_address_id,
    }
    asked = Asked(change_line, change_quantity, breaks_of, avoid_approvals)
    with finance.session() as session:
        found = answer(session, request, changes, asked)
    return found.model_copy(update={"after": _shown(found.after, from_line)})


@tool(reads("Explain a price", rows="bound", binds=PRICED_BY))
def explain_price(
    finance: FinanceDatabase,
    account_id: AccountId,
    lines: Lines,
    ship_to_address_id: AddressId,
    ship_method: ShipMethod,
    order_date: OrderDate,
    currency: Currency = None,
    promo_codes: PromoCodes = [],  # noqa: B006
    discount_bp: DiscountBp = 0,
    line_id: LineId | None = None,
    from_step: FromStep = 1,
) -> Explanation:
    """Explain how price_quote comes to its numbers, step by step, for one line or for all.

    Give the arguments of price_quote, and line_id for one line only. Each step names its
    rule, the row that decided with its version, the amount before and after, and what lost
    and why; `said` is all that in words. With next_from, more steps follow. A quote that is
    stored is explained by explain_quote.
    """
    request = PriceRequest(
        account_id=account_id,
        lines=tuple(lines),
        ship_to_address_id=ship_to_address_id,
        ship_method=ship_method,
        order_date=order_date,
        currency=currency,
        promo_codes=tuple(promo_codes),
        discount_bp=discount_bp,
    )
    with finance.session() as session:
        pricing = price(collect(session, request).pricing, request)
    steps, after = first_that_fit(told(explain(pricing, line_id)), from_step, ROOM)
    return Explanation(
        currency=pricing.currency, steps=steps, findings=pricing.findings, next_from=after
    )


@tool(reads("Guide a price", rows="bound", binds=("quote_id",), person_only=True))
def guide_price(
    finance: FinanceDatabase,
    quote_id: QuoteId,
    line_id: LineId | None = None,
    from_line: FromLine = 1,
) -> PriceGuidance:
    """Propose floor, target and stretch for the lines of a stored quote; set nothing.

    quote_id comes from list_quotes. The floor earns the house's margin floor; target and
    stretch come from quotes of ours that comparable customers accepted for about as much, and
    those quotes are named with their outcome. All stay inside the policy band. Without
    comparable quotes it says so and proposes nothing. Only a named person can call this. With
    next_line, ask again from there for the other lines.
    """
    with finance.session() as session:
        found = guidance(session, quote_id, line_id)
    lines, after = first_that_fit(found.lines, from_line, ROOM)
    return found.model_copy(update={"lines": lines, "next_line": after})


def _shown(priced: Priced, from_line: int) -> Priced:
    """Return a price with the lines that fit, from one on; everything else stays whole."""
    lines, after = first_that_fit(priced.lines, from_line, ROOM)
    return priced.model_copy(update={"lines": lines, "next_line": after})
