"""What prices are made of, with the same number of queries for one line or many."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, cast, func, literal, or_, select
from sqlmodel import Session, col

from servers.finance.facts.copies import fact
from servers.finance.facts.customers import Customer
from servers.finance.facts.prices import (
    Band,
    Book,
    Component,
    Contract,
    Entry,
    History,
    Item,
    ItemUnit,
    Option,
    Schedule,
)
from servers.finance.facts.windows import Window
from servers.finance.prices.bundles import Parts, completed
from servers.finance.prices.formula import all_entries
from servers.finance.store.rows import facts, grouped, kept
from servers.finance.tables import prices as p
from servers.finance.tables.customers import AccountPurchase, SubscriptionRow
from servers.toolkit.money import MICRO


def find_prices(
    session: Session, customer: Customer, asked: Iterable[str], currency: str, day: date
) -> dict[str, Any]:
    """Return what is known of the prices of some SKUs, as fields of PricingFacts.

    The parts of bundles are among them, and the books that other books are derived from.
    """
    components = _components(session, tuple(sorted(set(asked))))
    skus = sorted({*asked, *(one.sku for one in components)})
    stated = facts(session, Item, select(p.ItemRow).where(col(p.ItemRow.sku).in_(skus)))
    items = completed({one.sku: one for one in stated}, Parts(components))
    books = _books(session)
    mine = [
        book
        for book in books.values()
        if not book.account_id or book.account_id in customer.family_tree
    ]
    needed = _with_bases([one for one in mine if one.currency == currency], books)
    named = [*skus, *sorted({one.family for one in items.values()})]
    options = select(p.ItemOption).where(col(p.ItemOption.selector).in_(named))
    units = select(p.ItemUnitRow).where(col(p.ItemUnitRow.sku).in_(skus))
    return {
        "currencies": frozenset(book.currency for book in mine),
        "items": items,
        "entries": _entries(session, skus, needed, items, currency),
        "contracts": _contracts(session, customer.family_tree),
        "tiers": find_schedules(session),
        "units": facts(session, ItemUnit, units),
        "options": facts(session, Option, options),
        "components": components,
        "history": _history(session, customer.account_id, day),
    }


@kept
def _books(session: Session) -> dict[str, Book]:
    return {one.book: one for one in facts(session, Book, select(p.PriceBook))}


@kept
def _components(session: Session, skus: tuple[str, ...]) -> tuple[Component, ...]:
    bundle, part = col(p.BundleComponent.bundle_sku), col(p.BundleComponent.sku)
    tree = select(bundle, part)
    inside = tree.where(bundle.in_(skus)).cte("inside", recursive=True)
    inside = inside.union(tree.join(inside, inside.c.sku == bundle))
    all_parts = select(p.BundleComponent).where(bundle.in_(select(inside.c.bundle_sku)))
    return facts(session, Component, all_parts.order_by(bundle, part))


def _with_bases(start: Iterable[Book], books: dict[str, Book]) -> dict[str, Book]:
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
    table = p.PriceEntry
    statement = select(table).where(col(table.sku).in_(skus), col(table.book).in_(sorted(books)))
    stated = [entry(one, books[one.book]) for one in session.scalars(statement)]
    made = all_entries(books, stated, items)
    return tuple(one for one in made if one.currency == currency)


def entry(row: p.PriceEntry, of: Book) -> Entry:
    """Return a price entry with what its book says; it holds while both do."""
    parts = (row.book, row.sku, row.unit or "base", row.min_qty or None, row.valid_from)
    same = ("currency", "channel", "country", "region", "account_id", "rules", "tax_inclusive")
    return fact(
        Entry,
        row,
        **{name: getattr(of, name) for name in same},
        entry_id="/".join(str(one) for one in parts if one is not None),
        window=of.window.meeting(Window(row.valid_from, row.valid_to)),
        min_qty=Decimal(row.min_qty),
        max_qty=None if row.max_qty is None else Decimal(row.max_qty),
    )


@kept
def _contracts(session: Session, accounts: tuple[str, ...]) -> tuple[Contract, ...]:
    used = (
        select(func.sum(col(p.ContractUseRow.quantity)))
        .where(col(p.ContractUseRow.contract_id) == col(p.ContractPrice.contract_id))
        .scalar_subquery()
    )
    statement = select(p.ContractPrice, used).where(col(p.ContractPrice.account_id).in_(accounts))
    return tuple(
        fact(Contract, row, used=taken or Decimal(0))
        for row, taken in session.execute(statement).all()
    )


@kept
def find_schedules(session: Session) -> tuple[Schedule, ...]:
    """Return the discount schedules with their bands in order."""
    ordered = session.scalars(select(p.DiscountBand).order_by(col(p.DiscountBand.lower)))
    bands = grouped((row.schedule_id, fact(Band, row)) for row in ordered)
    rows = session.scalars(select(p.DiscountSchedule).order_by(col(p.DiscountSchedule.schedule_id)))
    return tuple(fact(Schedule, row, bands=tuple(bands.get(row.schedule_id, ()))) for row in rows)


@kept
def _history(session: Session, account_id: str, day: date) -> tuple[History, ...]:
    """Return what an account has on a day: bought by then and not ended, or subscribed to."""
    bought, running = AccountPurchase, SubscriptionRow
    purchases = select(col(bought.sku), col(bought.quantity)).where(
        col(bought.account_id) == account_id,
        col(bought.day) <= day,
        or_(col(bought.until).is_(None), col(bought.until) >= day),
    )
    micro = cast(col(running.quantity), BigInteger) * literal(int(MICRO), BigInteger)
    subscriptions = select(col(running.sku), micro).where(
        col(running.account_id) == account_id, col(running.first) <= day, col(running.last) >= day
    )
    both_kinds = purchases.union_all(subscriptions).subquery()
    statement = (
        select(both_kinds.c.sku, col(p.ItemRow.family), func.sum(both_kinds.c.quantity))
        .join(p.ItemRow, col(p.ItemRow.sku) == both_kinds.c.sku)
        .group_by(both_kinds.c.sku, col(p.ItemRow.family))
        .order_by(both_kinds.c.sku)
    )
    return tuple(History(*row) for row in session.execute(statement).all())
