"""How files about prices come in: items, options, bundles, books, contracts, volume tiers."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlmodel import Session, select

from servers.finance.facts.prices import Book, Component
from servers.finance.load.base import exclusive, table
from servers.finance.prices.books import RULE_KEYS
from servers.finance.prices.bundles import bundle_problems
from servers.finance.prices.formula import chain_problems
from servers.finance.prices.tiers import schedule_problem
from servers.finance.store.prices import find_schedules
from servers.finance.store.rows import facts
from servers.finance.tables import prices as p
from servers.finance.tables.customers import CustomerRow
from servers.finance.tables.taxes import ZoneCountry
from servers.toolkit.columns import Micro
from servers.toolkit.tables import TODAY, Around, Values

Flag = Literal["export_control", "hazmat", "personal_data", "camera"]
ON_REQUEST = ("on request", "price on request", "auf anfrage", "preis auf anfrage", "a. a.", "poa")
YES = ("yes", "true", "1", "ja", "x", "y")
_band = exclusive("max_qty")
ACCOUNT = {"account_id": (CustomerRow, "account_id")}


def _book_problems(row: Any) -> Iterator[str]:
    if unknown := sorted(set(row.rules) - set(RULE_KEYS)):
        yield f"rules know {', '.join(RULE_KEYS)}, not {unknown[0]}"
    over_book = row.formula is not None and row.formula.over == "book"
    if over_book != bool(row.derived_from):
        yield "a book that is derived names its base and has a formula over it"


def _book(row: Any, around: Around) -> Values:
    zones = around.known(ZoneCountry, "zone")
    if row.region and not {row.region, f"FREIGHT-{row.region}"} & zones.keys():
        raise ValueError(f"there is no zone {row.region}")
    return BOOKS.plain(row)


def _chains_hold(session: Session) -> Iterator[str]:
    yield from chain_problems(facts(session, Book, select(p.PriceBook)))


def _entry_problems(row: Any) -> Iterator[str]:
    if row.max_qty is not None and row.max_qty <= row.min_qty:
        yield f"nothing lies between {row.min_qty} and {row.max_qty}"


def _option(row: Any, around: Around) -> Values:
    around.must_know(p.ItemRow, row.scope, [row.selector])
    return OPTIONS.plain(row)


def _units_hold(session: Session) -> Iterator[str]:
    """Yield items without exactly one base unit, or priced by a unit that has no factor."""
    of: dict[str, dict[str, p.ItemUnitRow]] = {}
    for row in session.exec(select(p.ItemUnitRow)):
        of.setdefault(row.sku, {})[row.unit] = row
    for sku, mine in of.items():
        if sum(one.numerator == one.denominator == 1 for one in mine.values()) != 1:
            yield f"{sku}: exactly one unit has the factor 1/1"
    for sku, unit in session.exec(select(p.PriceEntry.sku, p.PriceEntry.unit).distinct()):
        if unit and sku in of and unit not in of[sku]:
            yield f"{sku} is priced by {unit}, which has no factor"


def _bundle_problems(row: Any) -> Iterator[str]:
    if row.price_mode == "included" and row.percent_off:
        yield "what is included has no percent_off"


def _bundles_hold(session: Session) -> Iterator[str]:
    items = {one.sku: (one.kind, one.tax_class) for one in session.exec(select(p.ItemRow))}
    made = facts(session, Component, select(p.BundleComponent))
    yield from bundle_problems(made, items, set(session.exec(select(p.PriceEntry.sku))))


def _schedules_hold(session: Session) -> Iterator[str]:
    for schedule in find_schedules(session):
        if problem := schedule_problem(schedule):
            yield problem


def _contract_problems(row: Any) -> Iterator[str]:
    if (row.kind == "fixed") != bool(row.currency):
        yield f"{row.contract_id}: a fixed price has a currency, a percentage has none"
    if row.kind == "percent" and row.amount > 100:
        yield f"{row.contract_id}: more than 100 percent off"
    if Decimal(0) in (row.min_commit, row.max_quantity):
        yield f"{row.contract_id}: min_commit and max_quantity are above 0, or left out"
    if row.min_commit and row.max_quantity and row.min_commit > row.max_quantity:
        yield f"{row.contract_id}: commits to more than it allows"


def _price_read(row: Values) -> Values:
    """Return a price whose amount may be words for `on request`, or be said by `on_request`."""
    asked = str(row.get("on_request", "")).strip().casefold() in YES
    amount = str(row.get("amount") or "").strip().casefold()
    rest = {name: value for name, value in _band(row).items() if name != "on_request"}
    if amount in ON_REQUEST or (asked and amount == ""):
        return {**rest, "amount": ON_REQUEST[0]}
    if asked and "amount" in row:
        raise ValueError("the price is on request, and has an amount: give one of them")
    return {**rest, "amount": ON_REQUEST[0]} if asked else rest


def _price(row: Any, _around: Around) -> Values:
    asked = row.amount == ON_REQUEST[0]
    return {**ENTRIES.plain(row), "on_request": asked, "amount": 0 if asked else row.amount}


def _told_price(stored: Values, _around: Around) -> Values:
    told = ENTRIES.plain_told(stored)
    return {**told, "amount": ON_REQUEST[0]} if stored["on_request"] else told


ITEMS = table(
    "items",
    p.ItemRow,
    "what is sold, and what it costs us",
    {"flags": frozenset[Flag], "cost": "what one costs us"},
)
BOOKS = table(
    "price_books",
    p.PriceBook,
    "a list of prices in one currency; for whom, where and when it holds; empty is anybody",
    problems=_book_problems,
    make=_book,
    holds=_chains_hold,
)
OPTIONS = table(
    "options",
    p.ItemOption,
    "what an option of an item or a family adds to the price of one, in one currency",
    key=("scope", "selector", "code", "currency"),
    make=_option,
)
ENTRIES = table(
    "prices",
    p.PriceEntry,
    "the price of an item in a book, from a quantity on",
    {
        "default_term_months": "of a subscription: the months the price is for",
        "amount": Annotated[
            Micro | Literal["on request"], Field(description="the price, or `on request`")
        ],
    },
    key=("book", "sku", "unit", "min_qty", "valid_from"),
    without=("on_request",),
    also={
        "max_qty_inclusive": "the last quantity of the band, in the place of max_qty",
        "on_request": "yes in the place of an amount: a person gives the price",
    },
    read=_price_read,
    make=_price,
    tell=_told_price,
    ends={"valid_to": TODAY},
    problems=_entry_problems,
)
PRICES = (
    ITEMS,
    BOOKS,
    ENTRIES,
    table(
        "tiers",
        p.DiscountSchedule,
        "a volume discount: what it is for and what it measures; tier_bands say what it gives",
        holds=_schedules_hold,
    ),
    table(
        "tier_bands",
        p.DiscountBand,
        "a band of a volume discount; a file says all bands of each schedule it names",
        {"value": "a percentage or an amount, as the schedule's unit says"},
        also={"upper_inclusive": "the last quantity of the band, in the place of upper"},
        read=exclusive("upper"),
        whole=("schedule_id",),
        holds=_schedules_hold,
    ),
    OPTIONS,
    table(
        "units",
        p.ItemUnitRow,
        "how many base units one unit of an item is; 1/1 names the base unit",
        holds=_units_hold,
    ),
    table(
        "bundles",
        p.BundleComponent,
        "a part of a bundle and what it costs there; a file says all parts of each bundle",
        whole=("bundle_sku",),
        problems=_bundle_problems,
        holds=_bundles_hold,
    ),
)
CONTRACTS = (
    table(
        "contracts",
        p.ContractPrice,
        "a price agreed with an account, which holds for its children too",
        refers=ACCOUNT,
        problems=_contract_problems,
    ),
    table(
        "contract_uses",
        p.ContractUseRow,
        "what was bought under a contract before",
        key=("contract_id", "quote_id", "line_id", "day"),
    ),
)
