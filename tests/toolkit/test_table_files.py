"""Files are read as programs write them, and hostile ones are refused in plain words."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from servers.toolkit import csv_files, workbooks
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.table_files import file_and_part, read_rows

WORDS = "Größe;Preis\n€ Gerät;5\n"


def rows_of(path: Path, part: str = "", *, flat: bool = False) -> list[dict[str, Any]]:
    return [row for _, row in read_rows(path, part, flat=flat).rows]


def written(tmp_path: Path, data: str | bytes, name: str = "p.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (WORDS.encode("utf-8"), ""),
        (WORDS.encode("utf-8-sig"), ""),
        (WORDS.encode("utf-16"), "utf-16"),
        ("\ufeff".encode("utf-16-be") + WORDS.encode("utf-16-be"), "utf-16"),
        (WORDS.encode("cp1252"), "cp1252"),
    ],
)
def test_the_usual_encodings_are_found_out_and_told(tmp_path: Path, data: bytes, said: str) -> None:
    found = read_rows(written(tmp_path, data))
    assert (found.header, found.said) == (["Größe", "Preis"], said)
    assert [row for _, row in found.rows] == [{"Größe": "€ Gerät", "Preis": "5"}]


def test_a_character_over_the_border_of_what_is_read_at_once_is_one(tmp_path: Path) -> None:
    for more in (-1, 0, 1):
        text = "a\n" + "x" * (csv_files.SAMPLE - 3 + more) + "ü\n"
        assert read_rows(written(tmp_path, text)).said == ""


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_every_delimiter_is_found_also_behind_a_quoted_one(tmp_path: Path, mark: str) -> None:
    other = ";" if mark == "," else ","
    text = f'"Name{other}{other} or\ntitle"{mark}price\n"a\nb"{mark}1\n'
    assert rows_of(written(tmp_path, text)) == [
        {f"Name{other}{other} or\ntitle": "a\nb", "price": "1"}
    ]


def test_blank_lines_and_empty_last_columns_do_not_count(tmp_path: Path) -> None:
    text = "\n;;;\n Artikel ;Preis;;\nA;1;;\n;;;\nB;2\n"
    found = read_rows(written(tmp_path, text))
    assert found.header == ["Artikel", "Preis"]
    assert list(found.rows) == [
        (4, {"Artikel": "A", "Preis": "1"}),
        (6, {"Artikel": "B", "Preis": "2"}),
    ]


@pytest.mark.parametrize("row", ["A;1;;x", "A"])
def test_a_row_that_is_too_long_or_too_short_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(InvalidInputError, match="line 2: wrong number of columns"):
        rows_of(written(tmp_path, f"a;b;;\n{row}\n"))


def test_the_line_with_which_excel_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "sep=|\na,b|c\n1|2\n")) == [{"a,b": "1", "c": "2"}]


@pytest.mark.parametrize("data", [b"a,b\n\x81,1\n", b"\xff\xfea", b"\xef\xbb\xbfa\xff"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"p\.csv is not text in UTF-8, UTF-16 or"):
        read_rows(written(tmp_path, data))


def test_a_field_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is no CSV"):
        rows_of(written(tmp_path, 'a,b\n"' + "x" * 200_000))


def workbook(tmp_path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "b.xlsx")
    return tmp_path / "b.xlsx"


def test_the_first_sheet_with_rows_is_read_or_the_one_that_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Notes": [], "Items": [[None], ["sku"], [1017]], "B": [["x"], [2]]})
    assert rows_of(path) == [{"sku": 1017}]
    assert rows_of(*file_and_part(path.with_name("b.xlsx#B"))) == [{"x": 2}]
    with pytest.raises(InvalidInputError, match="no sheet 'C'") as refused:
        read_rows(path, "C")
    assert refused.value.fix == "name one of Notes, Items, B"


def test_a_file_whose_name_has_the_mark_is_that_file(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n1\n", "list#2.csv")
    assert file_and_part(path) == (path, "")


def test_a_number_of_a_sheet_is_exact_and_no_text(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"A": [["n"], [0.1 + 0.2], [1.234], [7], [True], ["1.234"]]})
    assert [row["n"] for row in rows_of(path)] == [
        Decimal("0.3"),
        Decimal("1.234"),
        7,
        True,
        "1.234",
    ]


def test_a_workbook_that_unpacks_to_more_than_it_may_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path, {"A": [["n"], [1]]})
    with ZipFile(path) as packed:
        size = sum(one.file_size for one in packed.infolist())
    for most in (size + 1, size):
        monkeypatch.setattr(workbooks, "MOST_UNPACKED", most)
        assert rows_of(path) == [{"n": 1}]
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", size - 1)
    with pytest.raises(InvalidInputError, match="unpacks to more than"):
        read_rows(path)


def test_an_object_of_json_may_hold_the_list_and_rows_may_hold_objects(tmp_path: Path) -> None:
    rows = [{"sku": "A", "price": {"amount": "5", "per": {"n": 1}}}, {"sku": "B", "tags": ["x"]}]
    path = written(tmp_path, json.dumps({"count": 2, "products": rows}), "p.json")
    assert rows_of(path) == rows
    found = read_rows(path, flat=True)
    assert found.header == ["sku", "price.amount", "price.per.n", "tags"]
    assert next(found.rows) == (1, {"sku": "A", "price.amount": "5", "price.per.n": 1})


def test_of_two_lists_one_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": [{"x": 1}], "b": [{"y": 2}]}', "p.json")
    with pytest.raises(InvalidInputError, match="has the lists a, b") as refused:
        read_rows(path)
    assert refused.value.fix == "name one: p.json#a"
    assert rows_of(path, "b") == [{"y": 2}]


def test_a_list_that_each_row_of_a_list_holds_is_read_with_what_the_row_says(
    tmp_path: Path,
) -> None:
    tiers = {"tiers": [{"from": 5, "amount": "4"}, {"from": 9, "amount": "3"}]}
    text = json.dumps({"b": [], "plans": [{"id": "x", "price": tiers}, {"id": "y"}]})
    found = read_rows(written(tmp_path, text, "p.json"), "plans.price.tiers", flat=True)
    assert [
        (row["id"], row["price.tiers.from"], row["price.tiers.amount"]) for _, row in found.rows
    ] == [("x", 5, "4"), ("x", 9, "3")]


def test_json_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="nested too deep"):
        read_rows(written(tmp_path, "[" * 200_000, "p.json"))
