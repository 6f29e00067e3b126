"""Collect what the rules need, with the same number of queries however many lines there are."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.charges import Fee, FreightRate, Rate
from servers.finance.facts.copies import fact
from servers.finance.facts.customers import Address, Customer
from servers.finance.facts.policy import Entity
from servers.finance.facts.prices import Subscription
from servers.finance.facts.pricing import PricingFacts, QuoteFacts
from servers.finance.schemas import PriceRequest
from servers.finance.seller import choose
from servers.finance.store import legal
from servers.finance.store.ageing import find_checked
from servers.finance.store.credit import credit_facts, credit_policy
from servers.finance.store.customers import find_customer
from servers.finance.store.policy import find_entities, policy, requester_of, setting
from servers.finance.store.prices import find_prices
from servers.finance.store.promotions import find_promotions
from servers.finance.store.rows import facts, kept
from servers.finance.store.taxes import find_taxes
from servers.finance.tables.charges import ExchangeRate, FeeRow, FreightRateRow
from servers.finance.tables.customers import SubscriptionRow
from servers.toolkit.findings import Finding


def collect(session: Session, request: PriceRequest, requested_by: str | None = None) -> QuoteFacts:
    """Return the facts of a request, narrowed by the caller's grant.

    The limits that hold are those of `requested_by`; None is whoever asks now.
    """
    row, customer = find_customer(session, request.account_id)
    policies = setting(session, "policies")
    pricing, entity = _priced_by(session, request, customer, policies, requested_by)
    credit = credit_policy(policies)
    return QuoteFacts(
        pricing=pricing,
        clauses=legal.find_clauses(session),
        payment_terms=legal.find_payment_terms(session),
        credit=credit_facts(session, row, customer.family_tree, credit),
        screening=legal.find_screening(session),
        seller=entity,
        parties=legal.find_parties(session, row.account_id),
        reviews=legal.find_reviews(session, row.account_id),
        embargoed=legal.find_embargoed(session),
        checked=find_checked(
            session, request.order_date, {rate.country for rate in pricing.tax_rates}
        ),
    )


def collect_prospect(session: Session, request: PriceRequest, country: str) -> PricingFacts:
    """Return the facts of a price for a company that is no customer: list prices, no tax number."""
    address = Address(request.ship_to_address_id, "shipping", (), "", "", "", country)
    customer = Customer(
        account_id=request.account_id,
        legal_name="",
        country=country,
        kind="business",
        channel="direct",
        currency=request.currency or "",
        payment_terms_code="",
        family_tree=(),
        addresses=(address,),
    )
    return _priced_by(session, request, customer, setting(session, "policies"), None)[0]


def _priced_by(
    session: Session,
    request: PriceRequest,
    customer: Customer,
    policies: Mapping[str, Any],
    requested_by: str | None,
) -> tuple[PricingFacts, Entity | Finding]:
    """Return what decides a price, and who makes the offer."""
    currency = request.currency or customer.currency
    promotions = find_promotions(session, request.promo_codes)
    gifts = {one.gift.sku for one in promotions if one.gift is not None and one.gift.sku}
    asked = {line.sku for line in request.lines} | gifts
    prices = find_prices(session, customer, asked, currency, request.order_date)
    entity = choose(find_entities(session), customer.country)
    home, entity_id = setting(session, "taxes")["home_country"], ""
    if isinstance(entity, Entity):
        home, entity_id = entity.block.address.country, entity.entity_id
    places = {home, *(entry.country or home for entry in prices["entries"])}
    owned = select(SubscriptionRow).where(col(SubscriptionRow.account_id) == customer.account_id)
    pricing = PricingFacts(
        customer=customer,
        home_country=home,
        **prices,
        promotions=promotions,
        **find_taxes(session, customer, request.ship_to_address_id, places, entity_id),
        **_charges(session, request.ship_method),
        policy=policy(policies),
        requester=requester_of(session, requested_by),
        subscriptions=facts(session, Subscription, owned.order_by(SubscriptionRow.subscription_id)),
    )
    return pricing, entity


@kept
def _charges(session: Session, ship_method: str) -> dict[str, Any]:
    """Return freight, fees and exchange rates, as fields of PricingFacts."""
    freight = select(FreightRateRow).where(col(FreightRateRow.method) == ship_method)
    rates = facts(session, Rate, select(ExchangeRate))
    return {
        "freight": facts(session, FreightRate, freight),
        "fees": tuple(
            fact(Fee, row, **{key: frozenset(values) for key, values in row.conditions.items()})
            for row in session.scalars(select(FeeRow).order_by(FeeRow.fee_id))
        ),
        "rates": rates,
        "exchange": {one.currency: one.rate for one in rates},
    }
