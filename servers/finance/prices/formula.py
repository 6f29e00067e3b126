"""Price books that follow from other books, or from cost, by a formula.

    base -> percent off -> round to a step -> surcharge -> at least base + minimum margin
         -> at most base + maximum margin

Chains compound: ten percent off a book that is ten percent off another is nineteen percent off.
A negative percentage is a surcharge; it is in the price and never shown as a discount. A book in
another currency than its base states its own fixed rate: no day's exchange rate makes a price.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from servers.finance.facts.copies import fact
from servers.finance.facts.prices import Book, Entry, Formula, Item
from servers.finance.findings import percent, plain
from servers.toolkit.money import round_to, six_decimals

MAX_CHAIN = 5
"""How many books a chain of derived books may have."""


def formula_price(base: Decimal, formula: Formula) -> Decimal:
    """Return the price that a formula makes of a base; unrounded but for the formula's own step."""
    price = base * (1 - formula.percent / 100)
    if formula.round_to:
        price = round_to(price, formula.round_to)
    price += formula.surcharge
    if formula.min_margin is not None:
        price = max(price, base + formula.min_margin)
    if formula.max_margin is not None:
        price = min(price, base + formula.max_margin)
    return price


def all_entries(
    books: Mapping[str, Book], entries: Sequence[Entry], items: Mapping[str, Item]
) -> tuple[Entry, ...]:
    """Return the entries of all books, those of derived books worked out.

    A price that a derived book states itself stands in the place of the derived one.
    """
    done: dict[str, list[Entry]] = {}
    own: dict[str, list[Entry]] = {}
    for entry in entries:
        own.setdefault(entry.book, []).append(entry)
    for name in sorted(books):
        _entries_of(name, books, own, items, done, 0)
    return tuple(entry for name in sorted(done) for entry in done[name])


def _entries_of(
    name: str,
    books: Mapping[str, Book],
    own: Mapping[str, list[Entry]],
    items: Mapping[str, Item],
    done: dict[str, list[Entry]],
    depth: int,
) -> list[Entry]:
    if name in done:
        return done[name]
    book, mine = books.get(name), own.get(name, [])
    if book is None or book.formula is None or depth > MAX_CHAIN:
        done[name] = mine
        return mine
    if book.formula.over == "cost":
        made = [_from_cost(book, book.formula, items[sku]) for sku in sorted(items)]
    else:
        base = _entries_of(book.derived_from, books, own, items, done, depth + 1)
        parent = books.get(book.derived_from)
        same = parent is not None and parent.currency == book.currency
        made = [_from_entry(book, book.formula, entry, same_currency=same) for entry in base]
    stated = {(entry.sku, entry.unit) for entry in mine}
    done[name] = mine + [entry for entry in made if (entry.sku, entry.unit) not in stated]
    return done[name]


def _from_entry(book: Book, formula: Formula, base: Entry, *, same_currency: bool) -> Entry:
    rate = Decimal(1) if same_currency else formula.rate
    refused = base.refused or ("" if rate else "the book states no rate to its base's currency")
    if base.tax_inclusive != book.tax_inclusive:
        refused = refused or "one of the book and its base includes tax, the other does not"
    amount = None if refused else base.amount * (rate or 1)
    made = _entry(book, base.sku, base.unit, formula, amount, refused)
    return replace(
        made,
        note=f"{_words(formula)} {base.entry_id}",
        on_request=base.on_request,
        default_term_months=base.default_term_months,
        proration=base.proration,
        window=book.window.meeting(base.window),
        min_qty=max(base.min_qty, formula.min_qty),
        max_qty=base.max_qty,
    )


def _from_cost(book: Book, formula: Formula, item: Item) -> Entry:
    rate = Decimal(1) if item.cost_currency == book.currency else formula.rate
    refused = ""
    if not item.cost:
        refused = "the item has no cost to work from"
    elif not rate:
        refused = "the book states no rate to the currency of the cost"
    elif book.tax_inclusive:
        refused = "the book's prices include tax, a cost does not"
    base = None if refused else (item.cost or Decimal(0)) * (rate or 1)
    made = _entry(book, item.sku, "", formula, base, refused)
    return replace(made, note="worked out by the book's own formula")


def _entry(
    book: Book, sku: str, unit: str, formula: Formula, base: Decimal | None, refused: str
) -> Entry:
    amount = Decimal(0) if base is None else formula_price(base, formula)
    if amount < 0:
        amount, refused = Decimal(0), "the book's formula gives less than nothing"
    return fact(
        Entry,
        book,
        entry_id=f"{book.book}/{sku}/{unit or 'base'}",
        window=book.window,
        sku=sku,
        unit=unit,
        default_term_months=None,
        amount=six_decimals(amount),
        min_qty=formula.min_qty,
        refused=refused,
    )


def _words(formula: Formula) -> str:
    said = []
    if formula.rate is not None:
        said.append(f"x {plain(formula.rate)}")
    if formula.percent:
        by = percent(abs(formula.percent))
        said.append(f"{by}% off" if formula.percent > 0 else f"{by}% on top of")
    if formula.surcharge:
        said.append(f"{plain(formula.surcharge)} added to")
    return ", ".join(said) or "as in"


def chain_problems(books: Iterable[Book]) -> list[str]:
    known = {book.book: book for book in books}
    problems = []
    for book in known.values():
        if book.formula is None or book.formula.over == "cost":
            continue
        seen, here = [book.book], book
        while here.formula is not None and here.formula.over == "book":
            base = known.get(here.derived_from)
            if base is None:
                problems.append(f"{here.book} is derived from {here.derived_from or 'nothing'}")
                break
            if here.formula.rate is None and base.currency != here.currency:
                problems.append(f"{here.book} states no rate from {base.currency}")
            if base.book in seen:
                problems.append(f"{' <- '.join([*seen, base.book])} is a circle")
                break
            if len(seen) >= MAX_CHAIN:
                problems.append(f"{book.book} is derived over more than {MAX_CHAIN} books")
                break
            seen.append(base.book)
            here = base
    return problems
