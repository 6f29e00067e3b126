"""Cells are read as people write them, and what can be read in two ways is refused."""

from datetime import date
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from servers.toolkit.cells import Cells
from servers.toolkit.written_numbers import decimal_mark, number_forms, read_day, read_number
from servers.toolkit.written_words import country, currency, language, yes_or_no


class Shelf(BaseModel):
    name: str = ""
    country: str = ""
    unit: Literal["each", "kg", "carton"] = "each"
    price: Decimal = Decimal(0)
    pieces: int | None = None
    since: date | None = None
    live: bool = False
    verified_at: str | None = None
    tags: list[str] = []


def cells(mark: str = "", **more: object) -> Cells:
    return Cells(Shelf.model_fields, lambda: mark, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("7", "7"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\u202f234,56", "1234.56"),
        ("1'234.50", "1234.50"),
        ("12,50 €", "12.50"),
        ("$12.50", "12.50"),
        ("EUR 12,50", "12.50"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("0,125", "0.125"),
        ("1234,567", "1234.567"),
        ("12,50-", "-12.50"),
        ("−3", "-3"),
        ("1,2,3", "1,2,3"),
        ("12.", "12."),
        ("ABC 12", "ABC 12"),
        ("1.23,456", "1.23,456"),
        ("٣", "٣"),
        ("dear", "dear"),
    ],
)
def test_a_number_is_read_where_there_is_one_way_to(written: str, number: str) -> None:
    assert read_number(written, "") == number


@pytest.mark.parametrize(("mark", "number"), [(",", "1234"), (".", "1.234")])
def test_a_number_of_two_readings_is_refused_until_the_mark_is_said(mark: str, number: str) -> None:
    with pytest.raises(ValueError, match=r"'1\.234' is 1\.234 or 1234"):
        read_number("1.234", "")
    assert read_number("1.234", mark) == number
    assert read_number("12.50", ",") == "12.50"  # no number with that mark: the column refuses it


@given(st.decimals(0, 10**9, places=2), st.sampled_from([(".", ","), (",", "."), (" ", ",")]))
def test_a_price_with_separators_is_that_price(price: Decimal, marks: tuple[str, str]) -> None:
    thousands, point = marks
    written = f"{price:,.2f}".replace(",", "T").replace(".", point).replace("T", thousands)
    assert Decimal(read_number(written, "")) == price


def test_the_other_cells_show_the_mark_unless_they_differ() -> None:
    assert decimal_mark(["1.234", "7", "12,50"]) == ","
    assert decimal_mark(["1.234", "12,50", "12.50"]) == ""
    assert decimal_mark(["1.234", "1 234"]) == ""
    assert decimal_mark(["1.234", "7"], own=True) == "."
    assert decimal_mark(["1.234", "1,234"], own=True) == ""
    assert number_forms("1.234") == {".": "1.234", ",": "1234"}


@pytest.mark.parametrize(
    ("written", "order", "day"),
    [
        ("31.12.2026", "", "2026-12-31"),
        ("2026-12-31", "", "2026-12-31"),
        ("2026/12/31", "", "2026-12-31"),
        ("2026-12-31T00:00:00Z", "", "2026-12-31"),
        ("12/31/2026", "", "2026-12-31"),
        ("31/12/2026", "", "2026-12-31"),
        ("05.06.2026", "mdy", "2026-06-05"),
        ("05/06/2026", "mdy", "2026-05-06"),
        ("05/06/2026", "dmy", "2026-06-05"),
        ("5/5/2026", "", "2026-05-05"),
        ("31.12.26", "", "31.12.26"),
        ("31.11.2026", "", "31.11.2026"),
    ],
)
def test_a_day_is_read_where_there_is_one_way_to(written: str, order: str, day: str) -> None:
    assert read_day(written, order) == day


def test_a_day_of_two_readings_is_refused() -> None:
    with pytest.raises(ValueError, match="'05/06/2026' is one of two days"):
        read_day("05/06/2026", "")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("Germany", "DE"), ("deutschland", "DE"), ("Österreich", "AT"), ("España", "ES")),
        *(("日本", "JP"), ("DEU", "DE"), ("de", "DE"), ("UK", "GB"), ("EL", "GR")),
        *(("U.S.A.", "US"), ("The Netherlands", "NL"), ("Holland", "NL")),
        *(("Korea, Republic of", "KR"), ("Kongo", "Kongo"), ("Atlantis", "Atlantis")),
        *(("*", "*"), ("", "")),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(written: str, code: str) -> None:
    assert country(written) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("German", "de"), ("deutsch", "de"), ("français", "fr"), ("en-GB", "en")),
        *(("de_AT", "de"), ("deu", "de"), ("ger", "de"), ("DE", "de"), ("Elvish", "Elvish")),
        ("", ""),
    ],
)
def test_a_language_is_known_by_its_names_and_codes(written: str, code: str) -> None:
    assert language(written) == code


def test_currencies_and_yes_and_no_are_words_too() -> None:
    assert [currency(one) for one in ("€", "eur", "Fr.", "$")] == ["EUR", "EUR", "CHF", "$"]
    assert [yes_or_no(one) for one in ("Ja", "x", "NEIN", "0", "maybe")] == [
        "true",
        "true",
        "false",
        "false",
        "maybe",
    ]


def test_the_type_of_a_column_says_how_its_cells_are_read_and_the_report_counts_it() -> None:
    file = cells()
    row = {"name": " 1.234 ", "country": "Germany", "unit": "Stk.", "price": "1.234,50 €"}
    row |= {"pieces": "12,00", "since": "31.12.2026", "live": "ja", "tags": "a;b"}
    assert {name: file.read(name, cell) for name, cell in row.items()} == {
        **row,
        "country": "DE",
        "unit": "each",
        "price": "1234.50",
        "pieces": "12",
        "since": "2026-12-31",
        "live": "true",
    }
    assert file.read("country", "Germany") == file.read("country", "DE") == "DE"
    assert file.told()[:2] == ("country: Germany as DE (2)", "unit: Stk. as each (1)")


def test_a_percentage_may_have_its_sign_and_an_amount_may_not() -> None:
    file = Cells(
        {name: FieldInfo(annotation=Decimal) for name in ("percent", "amount")}, lambda: "."
    )
    assert [file.read("percent", one) for one in ("5.5%", "5.5 %", "5.5")] == ["5.5"] * 3
    assert file.read("amount", "5.5%") == "5.5%"


def test_the_report_tells_the_commonest_words_and_how_many_more() -> None:
    file = cells()
    for n in range(7):
        file.read("price", f"{n},50")
    assert file.told()[0].startswith("price: 0,50 as 0.50 (1), ")
    assert file.told()[0].endswith(", and 2 more")


def test_the_mark_of_a_file_is_asked_only_for_a_number_of_two_readings() -> None:
    assert cells(",").read("price", "1.234") == "1234"
    assert cells(",").read("price", "12.50") == "12.50"
    assert cells(decimal=",").read("price", "1.234") == "1234"
    with pytest.raises(ValueError, match=r"is 1\.234 or 1234"):
        cells("").read("price", "1.234")


def test_a_number_of_a_spreadsheet_is_text_where_text_is_wanted_and_exact_elsewhere() -> None:
    file = cells()
    assert file.read("name", 1017) == "1017"
    assert file.read("price", Decimal("1.234")) == Decimal("1.234")
    assert file.read("live", bool(1)) is True


def test_a_day_or_time_kept_as_text_is_read_as_a_day_and_a_time_stays() -> None:
    assert cells().read("verified_at", "31.12.2026") == "2026-12-31"
    assert cells().read("verified_at", "2026-12-31T08:00:00Z") == "2026-12-31T08:00:00Z"


def test_an_amount_that_becomes_another_column_is_a_number_too() -> None:
    assert cells(numbers=["limit"]).read("limit", "1.234,50") == "1234.50"


def test_a_weight_in_other_units_is_multiplied_exactly() -> None:
    file = cells(times={"pieces": Decimal(1000), "price": Decimal("0.01")})
    assert file.read("pieces", "0,4995") == "500"
    assert file.read("pieces", Decimal("0.75")) == "750"
    assert file.read("price", 1234) == "12.34"
    assert file.read("price", "dear") == "dear"
