"""Unit prices, in this order: book or bundle, contract, options (waterfall steps 1 to 3)."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal

from servers.finance.facts.items import Item
from servers.finance.facts.prices import Contract, Entry
from servers.finance.findings import finding, step
from servers.finance.prices.books import Choice, unit_mismatch
from servers.finance.prices.bundles import find_part, part_price
from servers.finance.prices.contracts import Buying, apply_contract
from servers.finance.prices.lookup import Lookup
from servers.finance.prices.options import add_options
from servers.finance.prices.unit_price import UnitPrice
from servers.finance.prices.units import in_base
from servers.finance.schemas import LineIn
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import exponent


def unit_price(
    line: LineIn, item: Item, lines: Sequence[LineIn], contracts: Iterable[Contract], lookup: Lookup
) -> UnitPrice:
    """Return the unit price of a line for the standard term: list, else contract, and options.

    The day is the order's, never the clock's. Nothing is guessed: two entries of equal rank, or
    none, give a finding and no price.
    """
    price = UnitPrice()
    ratio = lookup.units.ratio(line.sku, line.unit)
    if ratio is None:
        price.findings.append(unit_mismatch(line.sku, line.unit, line.line_id))
        return price
    price.ratio = ratio
    choice = lookup.list_price(line.sku, line.unit, Decimal(line.quantity), line.line_id)
    if choice.entry is None or choice.amount is None:
        price.findings += choice.findings
        return price
    _listed(price, line, choice, choice.entry, lookup)
    if line.part_of is not None:
        _as_part(price, line, lines, lookup)
    else:
        pieces = in_base(Decimal(line.quantity), ratio)
        firm = not line.optional and line.alternative_of is None
        buying = Buying(
            line.line_id, line.sku, item.family, pieces, firm, lookup.currency, lookup.day
        )
        apply_contract(price, buying, lookup.facts.customer, contracts, lookup.taken)
    options = lookup.options_for(line.sku, item.family)
    add_options(price, line.options, item, options, lookup.currency, line.line_id)
    return price


def _listed(price: UnitPrice, line: LineIn, choice: Choice, entry: Entry, lookup: Lookup) -> None:
    price.amount = price.list_amount = choice.amount
    price.book, price.entry_id, price.currency = entry.book or None, entry.entry_id, lookup.currency
    price.default_term_months, price.proration = entry.default_term_months, entry.proration
    price.book_country, price.tax_inclusive = entry.country, entry.tax_inclusive
    price.components = lookup.parts.blocks(line.sku, lookup.facts.items)
    where = f"book {entry.book}, " if entry.book else ""
    note = f"{where}{lookup.currency}, order date {lookup.day}"
    if entry.unit and entry.unit != line.unit:
        note += f", {price.ratio[0]}/{price.ratio[1]} times the price per {entry.unit}"
    if entry.note:
        note += f"; {entry.note}"
    price.trace.append(
        step(
            line.line_id,
            "list",
            "LIST-PRICE",
            source=entry.entry_id,
            after=choice.amount,
            note=note,
            lost=choice.lost,
        )
    )


def _as_part(price: UnitPrice, line: LineIn, lines: Sequence[LineIn], lookup: Lookup) -> None:
    found = find_part(line, lines, lookup.parts)
    if isinstance(found, Finding):
        price.findings.append(found)
        price.amount = None
        return
    part_price(price, line, *found)


def unknown_currency(currency: str, books: AbstractSet[str]) -> Finding | None:
    try:
        exponent(currency)
        known = currency in books
    except InvalidInputError:
        known = False
    if known:
        return None
    return finding(
        "UNKNOWN_CURRENCY",
        Severity.ERROR,
        f"there is no price book in {currency}",
        rule_id="LIST-PRICE",
        evidence=[f"books: {', '.join(sorted(books))}"],
        fix="quote in a currency that has a price book",
    )
