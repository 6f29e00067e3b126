"""What prices are made of, with the same number of queries for one line or many."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, cast, func, literal, or_, select
from sqlmodel import Session, col

from servers.finance.facts.copies import fact
from servers.finance.facts.customers import Customer
from servers.finance.facts.items import Item, ItemUnit
from servers.finance.facts.prices import (
    Band,
    Book,
    Component,
    Contract,
    Entry,
    History,
    Option,
    Schedule,
)
from servers.finance.facts.windows import Window
from servers.finance.prices.bundles import Parts, completed
from servers.finance.prices.formula import all_entries
from servers.finance.store.rows import facts
from servers.finance.tables.customers import AccountPurchase
from servers.finance.tables.prices import (
    BundleComponent,
    ContractPrice,
    ContractUseRow,
    DiscountBand,
    DiscountSchedule,
    ItemOption,
    ItemRow,
    ItemUnitRow,
    PriceBook,
    PriceEntry,
)
from servers.finance.tables.subscriptions import SubscriptionRow
from servers.toolkit.money import MICRO


def find_prices(
    session: Session, customer: Customer, asked: Iterable[str], currency: str, day: date
) -> dict[str, Any]:
    """Return what is known of the prices of some SKUs, as fields of PricingFacts.

    The parts of bundles are among them, and the books that other books are derived from.
    """
    components = _components(session, sorted(set(asked)))
    skus = sorted({*asked, *(one.sku for one in components)})
    stated = facts(session, Item, select(ItemRow).where(col(ItemRow.sku).in_(skus)))
    items = completed({one.sku: one for one in stated}, Parts(components))
    books = {one.book: one for one in facts(session, Book, select(PriceBook))}
    mine = [
        book
        for book in books.values()
        if not book.account_id or book.account_id in customer.family_tree
    ]
    needed = _with_bases([one for one in mine if one.currency == currency], books)
    named = [*skus, *sorted({one.family for one in items.values()})]
    units = select(ItemUnitRow).where(col(ItemUnitRow.sku).in_(skus))
    return {
        "currencies": frozenset(book.currency for book in mine),
        "items": items,
        "entries": _entries(session, skus, needed, items, currency),
        "contracts": _contracts(session, customer.family_tree),
        "tiers": find_schedules(session),
        "units": facts(session, ItemUnit, units),
        "options": facts(
            session, Option, select(ItemOption).where(col(ItemOption.selector).in_(named))
        ),
        "components": components,
        "history": _history(session, customer.account_id, day),
    }


def _components(session: Session, skus: Sequence[str]) -> tuple[Component, ...]:
    table = BundleComponent
    tree = select(col(table.bundle_sku), col(table.sku))
    inside = tree.where(col(table.bundle_sku).in_(skus)).cte("inside", recursive=True)
    inside = inside.union(tree.join(inside, inside.c.sku == col(table.bundle_sku)))
    statement = (
        select(table)
        .where(col(table.bundle_sku).in_(select(inside.c.bundle_sku)))
        .order_by(col(table.bundle_sku), col(table.sku))
    )
    return facts(session, Component, statement)


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
    table = PriceEntry
    statement = select(table).where(col(table.sku).in_(skus), col(table.book).in_(sorted(books)))
    stated = [entry(one, books[one.book]) for one in session.scalars(statement)]
    made = all_entries(books, stated, items)
    return tuple(one for one in made if one.currency == currency)


def entry(row: PriceEntry, of: Book) -> Entry:
    """Return a price entry with what its book says; it holds while both do."""
    name = f"{row.book}/{row.sku}/{row.unit or 'base'}"
    if row.min_qty:
        name += f"/{row.min_qty}"
    if row.valid_from is not None:
        name += f"/{row.valid_from}"
    return fact(
        Entry,
        row,
        entry_id=name,
        currency=of.currency,
        channel=of.channel,
        country=of.country,
        region=of.region,
        account_id=of.account_id,
        rules=of.rules,
        tax_inclusive=of.tax_inclusive,
        window=of.window.meeting(Window(row.valid_from, row.valid_to)),
        min_qty=Decimal(row.min_qty),
        max_qty=None if row.max_qty is None else Decimal(row.max_qty),
    )


def _contracts(session: Session, accounts: Iterable[str]) -> tuple[Contract, ...]:
    used = (
        select(func.sum(col(ContractUseRow.quantity)))
        .where(col(ContractUseRow.contract_id) == col(ContractPrice.contract_id))
        .scalar_subquery()
    )
    statement = select(ContractPrice, used).where(col(ContractPrice.account_id).in_(list(accounts)))
    return tuple(
        fact(Contract, row, used=taken or Decimal(0))
        for row, taken in session.execute(statement).all()
    )


def find_schedules(session: Session) -> tuple[Schedule, ...]:
    """Return the discount schedules with their bands in order."""
    bands: dict[str, list[Band]] = {}
    for row in session.scalars(select(DiscountBand).order_by(col(DiscountBand.lower))):
        bands.setdefault(row.schedule_id, []).append(fact(Band, row))
    rows = session.scalars(select(DiscountSchedule).order_by(col(DiscountSchedule.schedule_id)))
    return tuple(fact(Schedule, row, bands=tuple(bands.get(row.schedule_id, ()))) for row in rows)


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
        select(both_kinds.c.sku, col(ItemRow.family), func.sum(both_kinds.c.quantity))
        .join(ItemRow, col(ItemRow.sku) == both_kinds.c.sku)
        .group_by(both_kinds.c.sku, col(ItemRow.family))
        .order_by(both_kinds.c.sku)
    )
    return tuple(History(*row) for row in session.execute(statement).all())
