"""Derived prices: each part of a formula at its bound, and what an entry takes from its base."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from servers.finance.facts.prices import Book, Entry, Formula, Item
from servers.finance.facts.windows import Window
from servers.finance.prices.formula import all_entries, chain_problems, formula_price


def number(value: Any) -> Decimal:
    return Decimal(str(value))


@pytest.mark.parametrize(
    ("base", "formula", "price"),
    [
        (100, {}, "100"),
        (100, {"percent": 10}, "90"),
        (100, {"percent": -10}, "110"),
        (99, {"round_to": 10}, "100"),
        (95, {"round_to": 10}, "100"),
        ("94.99", {"round_to": 10}, "90"),
        (95, {"round_to": 10, "surcharge": "-0.05"}, "99.95"),
        (100, {"percent": 10, "min_margin": -11}, "90"),
        (100, {"percent": 10, "min_margin": -10}, "90"),
        (100, {"percent": 10, "min_margin": -9}, "91"),
        (100, {"percent": -10, "max_margin": 11}, "110"),
        (100, {"percent": -10, "max_margin": 10}, "110"),
        (100, {"percent": -10, "max_margin": 9}, "109"),
        (100, {"percent": 50, "min_margin": 5, "max_margin": 0}, "100"),
        (100, {"surcharge": 5, "min_margin": 0, "max_margin": 0}, "100"),
    ],
)
def test_each_part_of_a_formula_holds_at_its_bound(
    base: Any, formula: dict[str, Any], price: str
) -> None:
    said = Formula(**{name: number(value) for name, value in formula.items()})
    assert formula_price(number(base), said) == Decimal(price)


YEAR = Window(date(2026, 1, 1), date(2026, 12, 31))
HALF = Window(date(2026, 7, 1), date(2027, 6, 30))
ITEM = Item("A", "A", "", "f", "goods", 1, Decimal(50), "EUR", "standard")


def entry(**more: Any) -> Entry:
    fields = {
        "entry_id": "E",
        "book": "BASE",
        "currency": "EUR",
        "channel": "",
        "country": "",
        "window": YEAR,
        "sku": "A",
        "unit": "each",
        "default_term_months": 12,
    }
    return Entry(**{**fields, "amount": Decimal(100), **more})


def derived(
    *own: Entry, base: Any = None, base_book: Any = None, formula: Any = None, **book: Any
) -> dict[str, Entry]:
    """The entries of a book that takes ten percent off another."""
    made = Formula(**{"percent": Decimal(10), **(formula or {})})
    books = {
        "BASE": Book("BASE", "EUR", **(base_book or {})),
        "NEW": Book(
            **{"book": "NEW", "currency": "EUR", "derived_from": "BASE", "formula": made} | book
        ),
    }
    found = all_entries(books, [entry(**(base or {})), *own], {"A": ITEM})
    return {one.entry_id: one for one in found if one.book == "NEW"}


def test_a_derived_entry_keeps_what_its_base_says_of_term_and_quantity() -> None:
    base = {"proration": "daily", "min_qty": Decimal(5), "max_qty": Decimal(10)}
    (made,) = derived(base=base, formula={"min_qty": Decimal(6)}, window=HALF).values()
    assert (made.amount, made.default_term_months, made.proration) == (90, 12, "daily")
    assert (made.min_qty, made.max_qty) == (6, 10)
    assert made.window == Window(date(2026, 7, 1), date(2026, 12, 31))
    (lower,) = derived(base=base, formula={"min_qty": Decimal(4)}).values()
    assert (lower.min_qty, lower.window) == (5, YEAR)
    (open_,) = derived(base={"window": Window()}).values()
    assert open_.window == Window()


def test_a_price_of_its_own_stands_in_the_derived_ones_place() -> None:
    own = entry(entry_id="OWN", book="NEW", amount=Decimal(70))
    assert set(derived(own)) == {"OWN"}
    other = entry(entry_id="OWN", book="NEW", unit="box")
    assert set(derived(other)) == {"OWN", "NEW/A/each"}


@pytest.mark.parametrize(
    ("book", "base_book", "rate", "amount", "refused"),
    [
        ({}, {}, None, 90, ""),
        ({"currency": "USD"}, {}, None, 0, "the book states no rate"),
        ({"currency": "USD"}, {}, 2, 180, ""),
        ({}, {}, 2, 90, ""),
        ({"tax_inclusive": True}, {}, None, 0, "one of the book and its base includes tax"),
    ],
)
def test_currency_and_tax_are_never_mixed(
    book: Any, base_book: Any, rate: Any, amount: int, refused: str
) -> None:
    formula = {} if rate is None else {"rate": number(rate)}
    (made,) = derived(formula=formula, base_book=base_book, **book).values()
    assert made.refused.startswith(refused)
    assert bool(made.refused) is bool(refused)
    assert refused or made.amount == amount


@pytest.mark.parametrize(
    ("formula", "amount", "refused"),
    [
        ({"percent": Decimal(100)}, 0, ""),
        ({"percent": Decimal(101)}, 0, "the book's formula gives less than nothing"),
        ({"surcharge": Decimal(-90)}, 0, ""),
        ({"surcharge": Decimal("-90.01")}, 0, "the book's formula gives less than nothing"),
    ],
)
def test_a_price_of_nothing_is_a_price_and_less_is_none(
    formula: Any, amount: int, refused: str
) -> None:
    (made,) = derived(formula=formula).values()
    assert (made.amount, made.refused) == (amount, refused)


@pytest.mark.parametrize(
    ("cost", "currency", "rate", "inclusive", "amount", "refused"),
    [
        (50, "EUR", None, False, 45, ""),
        (50, "USD", None, False, 0, "the book states no rate to the currency of the cost"),
        (50, "USD", 2, False, 90, ""),
        (50, "EUR", None, True, 0, "the book's prices include tax, a cost does not"),
        (0, "EUR", None, False, 0, "the item has no cost to work from"),
        (None, "EUR", None, False, 0, "the item has no cost to work from"),
    ],
)
def test_a_price_from_cost_has_a_cost_to_work_from(
    cost: Any, currency: str, rate: Any, amount: int, refused: str, *, inclusive: bool
) -> None:
    made = Formula(over="cost", percent=Decimal(10), rate=rate and Decimal(rate))
    book = Book("NEW", "EUR", formula=made, tax_inclusive=inclusive)
    item = Item("A", "A", "", "f", "goods", 1, cost and Decimal(cost), currency, "standard")
    if cost == 0:
        item = Item("A", "A", "", "f", "goods", 1, Decimal(0), currency, "standard")
    (found,) = all_entries({"NEW": book}, [], {"A": item})
    assert (found.amount, found.refused) == (amount, refused)


def test_a_note_says_how_a_price_came_about() -> None:
    said = {
        "10% off E": {},
        "10% on top of E": {"percent": Decimal(-10)},
        "as in E": {"percent": Decimal(0)},
        "x 2, 10% off E": {"rate": Decimal(2)},
        "10% off, 3 added to E": {"surcharge": Decimal(3)},
    }
    for note, formula in said.items():
        (made,) = derived(formula=formula).values()
        assert made.note == note


def test_a_chain_that_cannot_be_worked_out_is_named() -> None:
    formula = Formula()
    one, two = (
        Book(name, "EUR", derived_from=base, formula=formula)
        for name, base in (("ONE", "TWO"), ("TWO", "ONE"))
    )
    assert chain_problems([one, two]) == [
        "ONE <- TWO <- ONE is a circle",
        "TWO <- ONE <- TWO is a circle",
    ]
    assert chain_problems([one]) == ["ONE is derived from TWO"]
    lost = Book("X", "EUR", formula=formula)
    assert chain_problems([lost]) == ["X is derived from nothing"]
    dollars = Book("TWO", "USD")
    assert chain_problems([one, dollars]) == ["ONE states no rate from USD"]
    rated = Book("ONE", "EUR", derived_from="TWO", formula=Formula(rate=Decimal(2)))
    assert chain_problems([rated, dollars]) == []
    assert chain_problems([Book("C", "EUR", formula=Formula(over="cost"))]) == []
