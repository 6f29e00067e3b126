"""Which entry of which book holds, and books that follow from other books."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from servers.finance.documents import Pricing
from servers.finance.facts.prices import Book, Entry, Formula, Item, ItemUnit
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.windows import Window
from servers.finance.prices.books import Ask, choose, in_region
from servers.finance.prices.formula import all_entries, chain_problems, formula_price
from servers.finance.prices.units import Units
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.tables.prices import PriceBook, PriceEntry
from servers.toolkit.database import Database

DAY = date(2026, 11, 23)
KEYS = {
    "account": frozenset({"acc_1", "acc_parent"}),
    "channel": frozenset({"reseller"}),
    "country": frozenset({"CH"}),
    "region": frozenset({"UKCH"}),
    "kind": frozenset({"business"}),
}
ASK = Ask("A", "each", Decimal(5), "EUR", DAY, KEYS, "l1")
ITEM = Item("A", "A", "", "things", "goods", 100, Decimal(50), "EUR", "standard")


def entry(name: str, amount: Any = 100, **more: Any) -> Entry:
    plain = Entry(
        *(name, name, "EUR", "", ""),
        *(Window(date(2026, 1, 1)), "A", "each", None, Decimal(str(amount))),
    )
    return replace(plain, **more)


def chosen(*entries: Entry, ask: Ask = ASK, units: Any = ()) -> str:
    """Return the entry that holds, in whatever order the rows come, or the finding's code."""
    answers = set()
    for order in permutations(entries):
        found = choose(ask, order, Units(units))
        answers.add(found.entry.entry_id if found.entry else found.findings[0].code)
    (only,) = answers
    return only


def test_most_matched_keys_win_even_when_another_is_cheaper() -> None:
    assert chosen(entry("ALL", 1), entry("RES", 100, channel="reseller")) == "RES"
    zone = entry("ZONE", 90, region="UKCH", channel="reseller")
    assert chosen(zone, entry("RES", 1, channel="reseller")) == "ZONE"
    own = entry("OWN", 95, account_id="acc_parent", rules={"kind": ("government", "business")})
    assert chosen(own, entry("LAND", 1, country="CH")) == "OWN"


def test_a_key_that_does_not_match_rules_a_book_out() -> None:
    other = {"EU": {"region": "EU"}, "GOV": {"rules": {"kind": ("government",)}}}
    for name, keys in other.items():
        assert chosen(entry("ALL"), entry(name, 1, **keys)) == "ALL"
    unknown = entry("X", 1, rules={"nobody_knows": ("x",)})
    assert chosen(entry("ALL"), unknown) == "ALL"


def test_a_book_of_another_account_is_never_named() -> None:
    found = choose(ASK, [entry("ALL"), entry("SECRET", 1, account_id="acc_9")], Units([]))
    assert found.entry is not None
    assert found.entry.entry_id == "ALL"
    assert not any("SECRET" in lost for lost in found.lost)


def test_the_narrower_band_then_the_newest_window_wins() -> None:
    wide = entry("WIDE", max_qty=Decimal(100))
    assert chosen(entry("ALL"), wide) == "WIDE"
    assert chosen(wide, entry("NARROW", min_qty=Decimal(2), max_qty=Decimal(10))) == "NARROW"
    assert chosen(entry("ALL"), entry("FROM-3", min_qty=Decimal(3))) == "FROM-3"
    assert chosen(entry("ALL"), entry("NEW", window=Window(date(2026, 6, 1)))) == "NEW"
    assert chosen(entry("ONE"), entry("TWO")) == "RULE_CONFLICT"
    assert chosen() == "NO_PRICE"


def test_a_tie_names_both_and_nothing_is_chosen() -> None:
    found = choose(ASK, [entry("ONE"), entry("TWO", 7)], Units([]))
    assert found.amount is None
    assert all(name in found.findings[0].message for name in ("ONE", "TWO"))


def test_a_price_of_zero_is_a_price() -> None:
    found = choose(ASK, [entry("FREE", 0)], Units([]))
    assert (found.amount, found.findings) == (Decimal(0), [])


@given(st.integers(0, 60), st.integers(1, 40), st.integers(1, 40))
def test_a_band_begins_at_its_lower_end_and_ends_before_its_upper(
    quantity: int, lower: int, width: int
) -> None:
    band = entry("BAND", 7, min_qty=Decimal(lower), max_qty=Decimal(lower + width))
    ask = replace(ASK, quantity=Decimal(quantity))
    inside = lower <= quantity < lower + width
    assert chosen(entry("ALL"), band, ask=ask) == ("BAND" if inside else "ALL")


@given(st.permutations(range(6)), st.integers(1, 20))
def test_the_order_of_the_rows_never_matters(order: list[int], quantity: int) -> None:
    rows = [
        entry("ALL"),
        entry("RES", channel="reseller"),
        entry("BAND", min_qty=Decimal(3), max_qty=Decimal(9)),
        entry("RES-BAND", channel="reseller", min_qty=Decimal(5), max_qty=Decimal(8)),
        entry("LATE", window=Window(date(2027, 1, 1))),
        entry("EU", region="EU", channel="reseller"),
    ]
    ask = replace(ASK, quantity=Decimal(quantity))
    one, other = choose(ask, rows, Units([])), choose(ask, [rows[n] for n in order], Units([]))
    assert one == other


def test_windows_go_by_the_order_date_both_ends_included() -> None:
    may = entry("MAY", window=Window(date(2026, 5, 1), date(2026, 5, 31)))
    for day, code in ((1, "MAY"), (31, "MAY")):
        assert chosen(may, ask=replace(ASK, day=date(2026, 5, day))) == code
    assert chosen(may, ask=replace(ASK, day=date(2026, 6, 1))) == "NO_PRICE"


def test_regions_are_zones_of_tax_or_freight() -> None:
    zones = {"EU": frozenset({"DE"}), "FREIGHT-UKCH": frozenset({"CH"}), "FREIGHT-EU": frozenset()}
    assert in_region("DE", "EU", zones)
    assert in_region("CH", "UKCH", zones)
    assert not in_region("CH", "EU", zones)
    assert not in_region("CH", "MOON", zones)


@pytest.mark.parametrize(
    ("formula", "made"),
    [
        (Formula(percent=Decimal(10)), "90"),
        (Formula(percent=Decimal(-10)), "110"),
        (Formula(round_to=Decimal(10), surcharge=Decimal("-0.01")), "99.99"),
        (Formula(percent=Decimal("33.3"), round_to=Decimal(5)), "65"),
        (Formula(percent=Decimal(50), min_margin=Decimal(-20)), "80"),
        (Formula(percent=Decimal(-50), max_margin=Decimal(15)), "115"),
    ],
)
def test_a_formula_works_in_one_order(formula: Formula, made: str) -> None:
    assert formula_price(Decimal(100), formula) == Decimal(made)


def derived(books: list[Book], *entries: Entry, item: Item = ITEM) -> dict[str, Entry]:
    made = all_entries({book.book: book for book in books}, entries, {"A": item})
    return {one.book: one for one in made}


def test_chains_compound_and_a_price_of_ones_own_stands() -> None:
    ten = Formula(percent=Decimal(10))
    books = [
        Book("LIST", "EUR"),
        Book("DEALER", "EUR", derived_from="LIST", formula=ten),
        Book("BEST", "EUR", channel="reseller", derived_from="DEALER", formula=ten),
    ]
    assert derived(books, entry("LIST"))["BEST"].amount == 81
    stated = derived(books, entry("LIST"), entry("DEALER", 50))
    assert (stated["DEALER"].amount, stated["BEST"].amount) == (50, 45)
    assert derived(books, entry("LIST"))["BEST"].channel == "reseller"


def test_a_book_in_another_currency_states_its_rate() -> None:
    base = Book("LIST", "EUR")
    formula = Formula(rate=Decimal("0.87"), percent=Decimal(10))
    abroad = Book("GBP", "GBP", derived_from="LIST", formula=formula)
    assert derived([base, abroad], entry("LIST"))["GBP"].amount == Decimal("78.30")
    without = replace(abroad, formula=Formula())
    assert "no rate" in derived([base, without], entry("LIST"))["GBP"].refused
    assert any("no rate" in problem for problem in chain_problems([base, without]))


@pytest.mark.parametrize("cost", [None, Decimal(0)])
def test_cost_plus_is_refused_without_a_cost(cost: Decimal | None) -> None:
    plus = Book("PLUS", "EUR", formula=Formula(over="cost", percent=Decimal(-40)))
    good = derived([plus])["PLUS"]
    assert good.amount == 70
    assert "50" not in good.note, "a note never tells a cost"
    refused = derived([plus], item=replace(ITEM, cost=cost))["PLUS"]
    found = choose(ASK, [refused], Units([ItemUnit("A", "each", 1)]))
    assert found.findings[0].code == "NO_PRICE"
    assert "no cost" in found.findings[0].evidence[0]


def test_chains_that_cannot_be_are_named() -> None:
    def book(name: str, base: str) -> Book:
        return Book(name, "EUR", derived_from=base, formula=Formula())

    assert any("circle" in one for one in chain_problems([book("A", "B"), book("B", "A")]))
    assert any("derived from C" in one for one in chain_problems([book("A", "C")]))
    long = [Book("B0", "EUR"), *(book(f"B{n}", f"B{n - 1}") for n in range(1, 8))]
    assert any("more than 5" in one for one in chain_problems(long))
    assert chain_problems(long[:5]) == []


# through the whole server


def priced(database: Database, *lines: dict[str, Any], **changes: Any) -> Pricing:
    request = PriceRequest.model_validate(asking(*lines, **changes))
    return price(facts_of(database, request), request)


def facts_of(database: Database, request: PriceRequest) -> PricingFacts:
    with acting(everyone()), database.session() as session:
        return collect(session, request).pricing


def test_a_derived_book_prices_a_reseller_in_pounds(database: Database) -> None:
    order = {"account_id": "acc_012", "ship_to_address_id": "adr_036", "ship_method": "AIR-STD"}
    pricing = priced(database, line("l1", "SW-P8-120"), currency="GBP", **order)
    assert pricing.lines[0].price_book == "PB-GBP-RES"
    assert pricing.lines[0].unit_price == "297.8184"
    (step,) = [one for one in pricing.trace if one.step == "list"]
    assert "12% off PB-GBP/SW-P8-120/each" in step.note


def test_books_and_bands_of_the_store_reach_the_price(database: Database) -> None:
    with database.write() as session:
        session.add(
            PriceBook(
                book="PB-OWN",
                name="Own",
                currency="EUR",
                account_id="acc_008",
                region="EU",
                rules={"kind": ["business"]},
                valid_from=date(2026, 1, 1),
            )
        )
        session.flush()
        for first, last, amount in ((0, 10, 380), (10, None, 370)):
            session.add(
                PriceEntry(
                    book="PB-OWN",
                    sku="SW-P8-120",
                    unit="each",
                    amount=Decimal(amount),
                    min_qty=first,
                    max_qty=last,
                )
            )
    for quantity, amount in ((9, "380.00"), (10, "370.00")):
        (only,) = priced(database, line("l1", "SW-P8-120", quantity)).lines
        assert (only.price_book, only.unit_price) == ("PB-OWN", amount)
    other = {"account_id": "acc_002", "ship_to_address_id": "adr_006"}
    assert priced(database, line("l1", "SW-P8-120"), **other).lines[0].price_book == "PB-EUR"


@pytest.mark.parametrize("skus", [["SW-P8-120"], ["SW-P8-120", "BDL-CAM", "BDL-EDGE", "SEN-T4"]])
def test_prices_take_the_same_queries_for_any_lines(database: Database, skus: list[str]) -> None:
    def count(lines: list[str]) -> int:
        seen: list[str] = []

        def note(*args: Any) -> None:
            seen.append(str(args[2]))

        event.listen(database.engine, "before_cursor_execute", note)
        asked = [line(f"l{n}", sku) for n, sku in enumerate(lines, 1)]
        facts_of(database, PriceRequest.model_validate(asking(*asked)))
        event.remove(database.engine, "before_cursor_execute", note)
        return len(seen)

    assert count(skus) == count(["SW-P8-120"])


def test_a_price_on_request_is_asked_for_and_never_nothing() -> None:
    asked = entry("ASK", 0, on_request=True)
    assert chosen(asked) == "ASK_FOR_PRICE"
    assert chosen(asked, entry("OWN", 95, country="CH")) == "OWN", "a stated price stands above it"
    assert chosen(replace(asked, country="CH"), entry("ALL", 95)) == "ASK_FOR_PRICE"
    book = Book("D", "EUR", derived_from="ASK", formula=Formula(percent=Decimal(10)))
    (made,) = [one for one in derived_from(book, asked) if one.book == "D"]
    assert made.on_request


def derived_from(book: Book, base: Entry) -> tuple[Entry, ...]:
    return all_entries({"ASK": Book("ASK", "EUR"), book.book: book}, [base], {"A": ITEM})
