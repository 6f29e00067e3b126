"""Collect what the rules need, with the same number of queries however many lines there are."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, literal
from sqlalchemy import select as plain_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from servers.finance import models as m
from servers.finance.facts.customers import Customer
from servers.finance.facts.policy import NOBODY, Requester
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.quote import QuoteFacts
from servers.finance.facts.sellers import Entity
from servers.finance.models_quotes import Quote
from servers.finance.repository import legal, rows, terms
from servers.finance.repository.collect_prices import price_facts
from servers.finance.repository.promotions import find_promotions
from servers.finance.repository.taxes import find_taxes
from servers.finance.schemas import PriceRequest
from servers.finance.seller import choose
from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError, StorageError
from servers.toolkit.findings import Finding
from servers.toolkit.money import from_micro

COMPANY = "name the company: `dealdesk init --company FILE`"
MAX_DEPTH = 5
"""How many parents a contract price is inherited over."""


def collect(session: Session, request: PriceRequest, requested_by: str | None = None) -> QuoteFacts:
    """Return the facts of a request, narrowed by the caller's grant.

    Args:
        session: Finance's own database.
        request: What is to be priced.
        requested_by: Whose limits hold; None is whoever asks now.

    Raises:
        NotFoundError: the account does not exist, or the caller may not see it.
    """
    found = find_customer(session, request.account_id)
    row, customer = found
    currency = request.currency or customer.currency
    promotions = find_promotions(session, request.promo_codes)
    gifts = {one.gift.sku for one in promotions if one.gift is not None and one.gift.sku}
    asked = {line.sku for line in request.lines} | gifts
    prices = price_facts(session, customer, asked, currency, request.order_date)
    settings = _settings(session)
    entity = choose(find_entities(session), customer.country)
    home = home_of(entity, settings)
    places = {home[0], *(entry.country or home[0] for entry in prices.entries)}
    freight = select(m.FreightRateRow).where(
        m.FreightRateRow.method == request.ship_method, m.FreightRateRow.currency == currency
    )
    rates = list(session.exec(select(m.ExchangeRate)))
    pricing = PricingFacts(
        customer=customer,
        home_country=home[0],
        zones=_zones(session),
        currencies=prices.currencies,
        items=prices.items,
        entries=prices.entries,
        contracts=prices.contracts,
        tiers=prices.tiers,
        units=prices.units,
        options=prices.options,
        components=prices.components,
        history=prices.history,
        promotions=promotions,
        freight=tuple(rows.freight_rate(one) for one in session.exec(freight)),
        **find_taxes(session, customer, request.ship_to_address_id, places, home[1]),
        exchange={one.currency: from_micro(one.rate_micro) for one in rates},
        policy=rows.policy(settings["policies"]),
        requester=_requester(session, requested_by),
        subscriptions=terms.subscriptions(session, customer.account_id),
        fees=terms.fees(session),
        rates=tuple(terms.rate(one) for one in rates),
    )
    credit = legal.credit_policy(settings["policies"])
    return QuoteFacts(
        pricing=pricing,
        clauses=legal.find_clauses(session),
        payment_terms=legal.find_payment_terms(session),
        credit=legal.credit_facts(session, row, customer.family_tree, credit),
        screening=legal.find_screening(session),
        seller=entity,
        parties=legal.find_parties(session, row.account_id),
        reviews=legal.find_reviews(session, row.account_id),
    )


def home_of(entity: Entity | Finding, settings: Mapping[str, Any]) -> tuple[str, str]:
    """Return the country whose tax law the seller is under, and the legal entity's id."""
    if isinstance(entity, Entity):
        return entity.block.address.country, entity.entity_id
    return settings["taxes"]["home_country"], ""


def _settings(session: Session) -> dict[str, Any]:
    """Return the named pieces of policy.

    Raises:
        StorageError: finance was never filled.
    """
    found = {one.name: one.value for one in session.exec(select(m.Setting))}
    for name in ("policies", "taxes"):
        if name not in found:
            raise StorageError(f"finance has no {name}", fix=COMPANY)
    return found


def _requester(session: Session, person_id: str | None) -> Requester:
    """Return on whose behalf a price is asked for, with their roles."""
    name = scope.requester() if person_id is None else person_id
    row = session.get(m.Person, name)
    return NOBODY if row is None else Requester(name, frozenset(row.roles))


def find_customer(session: Session, account_id: str) -> tuple[m.CustomerRow, Customer]:
    """Return a customer with its parents, tax ids, addresses and certificates.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    tree = _family(session, account_id)
    if not tree:
        raise NotFoundError(f"no account {account_id!r}", fix="resolve_account finds the id")
    row = tree[0]

    def own(model: Any) -> Select[Any]:
        return select(model).where(model.account_id == account_id)

    customer = rows.customer(
        row,
        tuple(one.account_id for one in tree),
        list(session.scalars(own(m.CustomerTaxId).order_by(col(m.CustomerTaxId.id)))),
        list(session.scalars(own(m.CustomerAddress).order_by(col(m.CustomerAddress.address_id)))),
        list(session.scalars(own(m.ExemptionRow).order_by(col(m.ExemptionRow.certificate_id)))),
    )
    return row, customer


def _family(session: Session, account_id: str) -> list[m.CustomerRow]:
    """Return an account and its parents, nearest first, in one query."""
    mine: Select[Any] = plain_select(m.CustomerRow).where(
        col(m.CustomerRow.account_id) == account_id
    )
    mine = scope.narrow(mine, col(m.CustomerRow.account_id), "account_id")
    start = mine.with_only_columns(col(m.CustomerRow.account_id), literal(0).label("depth"))
    tree = start.cte("family", recursive=True)
    child = aliased(m.CustomerRow)
    tree = tree.union_all(
        plain_select(col(child.parent_account_id), (tree.c.depth + 1).label("depth"))
        .join(tree, tree.c.account_id == child.account_id)
        .where(col(child.parent_account_id).is_not(None), tree.c.depth < MAX_DEPTH)
    )
    statement = (
        select(m.CustomerRow)
        .join(tree, tree.c.account_id == m.CustomerRow.account_id)
        .order_by(tree.c.depth)
    )
    return list(session.scalars(statement))


def find_policies(session: Session) -> dict[str, Any]:
    """Return the house's policies as they were written.

    Raises:
        StorageError: finance was never filled.
    """
    found = session.get(m.Setting, "policies")
    if found is None:
        raise StorageError("finance has no policies", fix="load the master data first")
    return found.value


def find_entities(session: Session) -> list[Entity]:
    """Return the legal entities of the house, the default one first."""
    order = (col(m.Seller.is_default).desc(), col(m.Seller.entity_id))
    return [rows.entity(one) for one in session.exec(select(m.Seller).order_by(*order))]


def entity_of(session: Session, quote: Quote) -> m.Seller:
    """Return the legal entity that makes the offer of a quote.

    Raises:
        StorageError: finance has no such entity any more.
    """
    found = session.get(m.Seller, quote.entity_id)
    if found is None:
        raise StorageError(
            f"finance has no entity {quote.entity_id!r}",
            fix=COMPANY,
        )
    return found


def _zones(session: Session) -> dict[str, frozenset[str]]:
    zones: dict[str, set[str]] = {}
    for one in session.exec(select(m.ZoneCountry)):
        zones.setdefault(one.zone, set()).add(one.country)
    return {zone: frozenset(countries) for zone, countries in zones.items()}
