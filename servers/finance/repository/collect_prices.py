"""Collect what prices are made of, with the same number of queries for one line or many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, cast, func, literal, or_
from sqlalchemy import select as plain_select
from sqlmodel import Session, col, select

from servers.finance import models_prices as m
from servers.finance.facts.customers import Customer
from servers.finance.facts.items import Item, ItemUnit
from servers.finance.facts.prices import Book, Component, Contract, Entry, History, Option, Schedule
from servers.finance.models import ItemRow
from servers.finance.models_subscriptions import SubscriptionRow as Subscription
from servers.finance.prices.bundles import Parts, completed
from servers.finance.prices.formula import all_entries
from servers.finance.repository import rows
from servers.finance.repository import rows_prices as priced

ZERO = Decimal(0)
MICRO = 1_000_000


@dataclass(frozen=True)
class PriceFacts:
    """The fields of `PricingFacts` about prices."""

    currencies: frozenset[str]
    items: dict[str, Item]
    entries: tuple[Entry, ...]
    contracts: tuple[Contract, ...]
    tiers: tuple[Schedule, ...]
    units: tuple[ItemUnit, ...]
    options: tuple[Option, ...]
    components: tuple[Component, ...]
    history: tuple[History, ...]


def price_facts(
    session: Session, customer: Customer, asked: Iterable[str], currency: str, day: date
) -> PriceFacts:
    """Return the facts about the prices of some SKUs, the parts of bundles included."""
    components = _components(session, sorted(set(asked)))
    skus = sorted({*asked, *(one.sku for one in components)})
    plain = {
        one.sku: rows.item(one)
        for one in session.exec(select(ItemRow).where(col(ItemRow.sku).in_(skus)))
    }
    items = completed(plain, Parts(components))
    books = {one.book: priced.book(one) for one in session.exec(select(m.PriceBook))}
    mine = {
        name: book
        for name, book in books.items()
        if not book.account_id or book.account_id in customer.family_tree
    }
    needed = _with_bases([one for one in mine.values() if one.currency == currency], books)
    units = select(m.ItemUnitRow).where(col(m.ItemUnitRow.sku).in_(skus))
    named = [*skus, *sorted({one.family for one in items.values()})]
    options = select(m.ItemOption).where(col(m.ItemOption.selector).in_(named))
    schedules = session.exec(
        select(m.DiscountSchedule).order_by(col(m.DiscountSchedule.schedule_id))
    )
    return PriceFacts(
        currencies=frozenset(book.currency for book in mine.values()),
        items=items,
        entries=_entries(session, skus, needed, items, currency),
        contracts=_contracts(session, customer.family_tree),
        tiers=priced.schedules(list(schedules), session.exec(select(m.DiscountBand))),
        units=tuple(priced.unit(one) for one in session.exec(units)),
        options=tuple(priced.option(one) for one in session.exec(options)),
        components=components,
        history=_history(session, customer.account_id, day),
    )


def _components(session: Session, skus: Sequence[str]) -> tuple[Component, ...]:
    """Return the parts of bundles, and of the bundles in them, in one query."""
    table = m.BundleComponent
    tree = plain_select(col(table.bundle_sku), col(table.sku))
    inside = tree.where(col(table.bundle_sku).in_(skus)).cte("inside", recursive=True)
    inside = inside.union(tree.join(inside, inside.c.sku == col(table.bundle_sku)))
    statement = (
        select(table)
        .where(col(table.bundle_sku).in_(plain_select(inside.c.bundle_sku)))
        .order_by(col(table.bundle_sku), col(table.sku))
    )
    return tuple(priced.component(one) for one in session.exec(statement))


def _with_bases(start: Iterable[Book], books: dict[str, Book]) -> dict[str, Book]:
    """Return books with all that they are derived from."""
    found: dict[str, Book] = {}
    waiting = list(start)
    while waiting:
        book = waiting.pop()
        if book.book in found:
            continue
        found[book.book] = book
        if book.derived_from in books:
            waiting.append(books[book.derived_from])
    return found


def _entries(
    session: Session,
    skus: Sequence[str],
    books: dict[str, Book],
    items: dict[str, Item],
    currency: str,
) -> tuple[Entry, ...]:
    table = m.PriceEntry
    statement = select(table).where(col(table.sku).in_(skus), col(table.book).in_(sorted(books)))
    stated = [priced.entry(one, books[one.book]) for one in session.exec(statement)]
    made = all_entries(books, stated, items)
    return tuple(entry for entry in made if entry.currency == currency)


def _contracts(session: Session, accounts: Iterable[str]) -> tuple[Contract, ...]:
    used = (
        plain_select(func.sum(col(m.ContractUseRow.quantity_micro)))
        .where(col(m.ContractUseRow.contract_id) == col(m.ContractPrice.contract_id))
        .scalar_subquery()
    )
    statement = plain_select(m.ContractPrice, used).where(
        col(m.ContractPrice.account_id).in_(list(accounts))
    )
    return tuple(priced.contract(row, micro) for row, micro in session.execute(statement).all())


def _history(session: Session, account_id: str, day: date) -> tuple[History, ...]:
    """Return what an account has on a day: bought by then and not ended, or subscribed to."""
    bought, running = m.AccountPurchase, Subscription
    purchases = plain_select(col(bought.sku), col(bought.quantity_micro)).where(
        col(bought.account_id) == account_id,
        col(bought.day) <= day,
        or_(col(bought.until).is_(None), col(bought.until) >= day),
    )
    subscriptions = plain_select(
        col(running.sku), cast(col(running.quantity), BigInteger) * literal(MICRO, BigInteger)
    ).where(
        col(running.account_id) == account_id,
        col(running.first) <= day,
        col(running.last) >= day,
    )
    both = purchases.union_all(subscriptions).subquery()
    statement = (
        plain_select(both.c.sku, col(ItemRow.family), func.sum(both.c.quantity_micro))
        .join(ItemRow, col(ItemRow.sku) == both.c.sku)
        .group_by(both.c.sku, col(ItemRow.family))
        .order_by(both.c.sku)
    )
    return tuple(
        History(sku, family, priced.quantity(int(micro)) or ZERO)
        for sku, family, micro in session.execute(statement).all()
    )
