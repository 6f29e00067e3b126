"""Load the files about prices: each row checked, then all of a file together."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from servers.finance.facts.prices import Band, Book, Component, Formula, Schedule
from servers.finance.facts.windows import Window
from servers.finance.prices.bundles import bundle_problems
from servers.finance.prices.formula import chain_problems
from servers.finance.prices.tiers import schedule_problem
from servers.finance.seeds import rows_prices as rows
from servers.finance.seeds.reading import read_csv, read_json
from servers.finance.seeds.rows import ItemSeed, csv_rows, json_rows
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.customers import AccountPurchase
from servers.finance.tables.prices import (
    BundleComponent,
    ContractPrice,
    ContractUseRow,
    DiscountBand,
    DiscountSchedule,
    ItemOption,
    ItemUnitRow,
    PriceBook,
    PriceEntry,
)
from servers.toolkit.errors import InvalidInputError

Part = Callable[[Path], Iterable[FinanceTable]]
ENTRY_COLUMNS = ("book", "sku", "unit", "default_term_months", "amount")
OPTION_COLUMNS = ("scope", "selector", "code", "label", "currency", "amount", "cost_eur")
SCHEDULE_COLUMNS = (
    *("schedule_id", "scope", "selector", "type", "unit", "basis", "aggregation", "currency"),
    *("valid_from", "valid_to"),
)


def refuse(file: str, problem: str) -> InvalidInputError:
    """Return the error that names a file and what is wrong in it."""
    return InvalidInputError(f"{file}: {problem}", fix="mend the row")


def items_of(folder: Path) -> dict[str, ItemSeed]:
    """Return the items that the other files may name."""
    return {row.sku: row for row in csv_rows(folder / "items.csv", ItemSeed, needs=("sku",))}


def books(folder: Path) -> Iterator[FinanceTable]:
    """Yield the price books, bases first."""
    found = list(json_rows(folder / "price_books.json", rows.BookSeed))
    regions = {*read_json(folder / "taxes.json")["zones"], *_freight_zones(folder)}
    for book in found:
        if book.region and book.region not in regions:
            raise refuse("price_books.json", f"{book.book}: there is no zone {book.region}")
    for problem in chain_problems(_as_book(book) for book in found):
        raise refuse("price_books.json", problem)
    for book in found:
        yield book_row(book)


def book_row(book: rows.BookSeed) -> PriceBook:
    """Return a checked book as the table keeps it."""
    formula = None if book.formula is None else Formula(**book.formula.model_dump())
    return PriceBook(**book.model_dump(exclude={"formula"}), formula=formula)


def _freight_zones(folder: Path) -> Iterable[str]:
    return [str(zone) for zone in read_json(folder / "freight.json")["zones"]]


def _as_book(row: rows.BookSeed) -> Book:
    formula = None if row.formula is None else Formula(**row.formula.model_dump())
    return Book(row.book, row.currency, derived_from=row.derived_from, formula=formula)


def entries(folder: Path) -> Iterator[FinanceTable]:
    """Yield the prices; one of each book, item, unit, lowest quantity and first day."""
    seen: set[tuple[object, ...]] = set()
    known, books = _skus(folder), {row["book"] for row in read_json(folder / "price_books.json")}
    for row in csv_rows(folder / "price_entries.csv", rows.EntrySeed, needs=ENTRY_COLUMNS):
        if row.sku not in known or row.book not in books:
            raise refuse("price_entries.csv", f"{row.book} {row.sku} names an unknown book or item")
        key = (row.book, row.sku, row.unit, row.min_qty, row.valid_from)
        if key in seen:
            raise refuse("price_entries.csv", f"{row.book} {row.sku} {row.unit} is there twice")
        seen.add(key)
        yield PriceEntry(**entry_values(row))


def entry_values(row: rows.EntrySeed) -> dict[str, Any]:
    """Return a checked price as the table's columns."""
    return row.model_dump()


def _skus(folder: Path) -> set[str]:
    return {row["sku"] for _, row in read_csv(folder / "items.csv")}


def schedules(folder: Path) -> Iterator[FinanceTable]:
    """Yield the discount schedules, refused unless their bands hold together."""
    of: dict[str, list[rows.TierSeed]] = {}
    for row in json_rows(folder / "tiers.json", rows.TierSeed):
        of.setdefault(row.schedule_id, []).append(row)
    for schedule_id, bands in of.items():
        told = [band.model_dump(include=set(SCHEDULE_COLUMNS)) for band in bands]
        if any(one != told[0] for one in told):
            raise refuse("tiers.json", f"{schedule_id}: its rows disagree about the schedule")
        if problem := schedule_problem(as_schedule(bands)):
            raise refuse("tiers.json", problem)
        yield DiscountSchedule(**told[0])


def bands(folder: Path) -> Iterator[FinanceTable]:
    """Yield the bands of the discount schedules."""
    for band in json_rows(folder / "tiers.json", rows.TierSeed):
        yield band_row(band)


def band_row(band: rows.TierSeed) -> DiscountBand:
    """Return a checked row's band as the table keeps it."""
    return DiscountBand(
        band_id=band.tier_id,
        schedule_id=band.schedule_id,
        lower=band.lower,
        upper=band.upper,
        value=band.value,
    )


def as_schedule(bands: Sequence[rows.TierSeed]) -> Schedule:
    """Return the rows of one schedule as the rules read it."""
    first = bands[0]
    return Schedule(
        schedule_id=first.schedule_id,
        scope=first.scope,
        selector=first.selector,
        window=Window(first.valid_from, first.valid_to),
        bands=tuple(Band(one.tier_id, one.lower, one.upper, one.value) for one in bands),
        type=first.type,
        unit=first.unit,
        basis=first.basis,
        aggregation=first.aggregation,
        currency=first.currency,
    )


def contracts(folder: Path) -> Iterator[FinanceTable]:
    """Yield the contract prices."""
    yield from map(contract_row, json_rows(folder / "contracts.json", rows.ContractSeed))


def contract_row(row: rows.ContractSeed) -> ContractPrice:
    """Return a checked contract as the table keeps it."""
    return ContractPrice(**row.model_dump(exclude={"used"}))


def uses(folder: Path) -> Iterator[FinanceTable]:
    """Yield what was bought under contracts before."""
    for row in json_rows(folder / "contracts.json", rows.ContractSeed):
        if row.used:
            yield ContractUseRow(contract_id=row.contract_id, quantity=row.used, day=row.valid_from)


def options(folder: Path) -> Iterator[FinanceTable]:
    """Yield the configuration options."""
    items = items_of(folder)
    named = {"sku": set(items), "family": {item.family for item in items.values()}}
    for row in csv_rows(folder / "item_options.csv", rows.OptionSeed, needs=OPTION_COLUMNS):
        if row.selector not in named[row.scope]:
            raise refuse("item_options.csv", f"{row.code} names an unknown {row.scope}")
        yield option_row(row)


def option_row(row: rows.OptionSeed) -> ItemOption:
    """Return a checked option as the table keeps it."""
    return ItemOption(**row.model_dump(exclude={"cost_eur"}), cost=row.cost_eur)


def units(folder: Path) -> Iterator[FinanceTable]:
    """Yield the units of measure; an item with any names its base unit and all it is priced by."""
    known, of = _skus(folder), dict[str, dict[str, rows.UnitSeed]]()
    for row in csv_rows(folder / "item_units.csv", rows.UnitSeed, needs=("sku", "unit")):
        if row.sku not in known:
            raise refuse("item_units.csv", f"{row.sku} is no item")
        of.setdefault(row.sku, {})[row.unit] = row
    priced = [
        (row["sku"], row["unit"])
        for _, row in read_csv(folder / "price_entries.csv")
        if row["unit"] and row["sku"] in of
    ]
    for sku, unit in priced:
        if unit not in of[sku]:
            raise refuse("item_units.csv", f"{sku} is priced by {unit}, which has no factor")
    for sku, mine in of.items():
        bases = [one for one in mine.values() if one.numerator == one.denominator == 1]
        if len(bases) != 1:
            raise refuse("item_units.csv", f"{sku}: exactly one unit has the factor 1/1")
        for row in mine.values():
            yield ItemUnitRow(**row.model_dump())


def bundles(folder: Path) -> Iterator[FinanceTable]:
    """Yield the parts of bundles: no circles, and one kind of price each."""
    needs = ("bundle_sku", "sku", "quantity", "price_mode", "optional", "percent_off")
    found = list(csv_rows(folder / "bundles.csv", rows.ComponentSeed, needs=needs))
    items = {sku: (item.kind, item.tax_class) for sku, item in items_of(folder).items()}
    for row in found:
        if row.bundle_sku not in items or row.sku not in items:
            raise refuse("bundles.csv", f"{row.bundle_sku} or {row.sku} is no item")
    made = [Component(**row.model_dump()) for row in found]
    priced = {row["sku"] for _, row in read_csv(folder / "price_entries.csv")}
    for problem in bundle_problems(made, items, priced):
        raise refuse("bundles.csv", problem)
    for row in found:
        yield component_row(row)


def component_row(row: rows.ComponentSeed) -> BundleComponent:
    """Return a checked part of a bundle as the table keeps it."""
    return BundleComponent(**row.model_dump())


def purchases(folder: Path) -> Iterator[FinanceTable]:
    """Yield what accounts have already."""
    known = _skus(folder)
    needs = ("account_id", "sku", "quantity", "day", "until", "source")
    for row in csv_rows(folder / "account_history.csv", rows.PurchaseSeed, needs=needs):
        if row.sku not in known:
            raise refuse("account_history.csv", f"{row.sku} is no item")
        yield AccountPurchase(**row.model_dump())


PARTS: tuple[Part, ...] = (
    *(books, entries, schedules, bands, contracts, uses),
    *(options, units, bundles),
)
ACCOUNT_PARTS: tuple[Part, ...] = (purchases,)
"""What names accounts, and so comes after them."""
