from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from servers.finance.seeds.reading import (
    RowError,
    check_rows,
    read_csv,
    read_json,
    read_table,
    refuse,
)
from servers.toolkit.errors import InvalidInputError


def test_rows_come_with_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text('sku,name\nA-1,"a\nb"\nB-2,c\n', encoding="utf-8")
    assert [(n, row["sku"]) for n, row in read_csv(path)] == [(3, "A-1"), (4, "B-2")]


@pytest.mark.parametrize("row", ["A-1", "A-1,b,c"])
def test_a_ragged_row_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "items.csv"
    path.write_text(f"sku,name\nX-1,x\n{row}\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"items.csv, line 3: wrong number of columns"):
        list(read_csv(path))


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text('[\n {"a": 1},\n {"b": }\n]', encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"rules.json, line 3"):
        read_json(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (read_json, lambda path: list(read_csv(path))):
        with pytest.raises(InvalidInputError, match=r"cannot read gone\.csv"):
            read(tmp_path / "gone.csv")


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: str
    amount: Decimal = Field(ge=0)
    pieces: int = 1
    since: date | None = None
    tags: list[str] = Field(default_factory=list)
    least: dict[str, Decimal] = Field(default_factory=dict)


COLUMNS = list(Row.model_fields)


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_may_have_other_names_delimiters_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, "p.csv", "\ufeffArtikel;Preis;Bemerkung\nA-1;12.50;x\n")
    rows = read_table(path, COLUMNS, {"sku": "Artikel", "amount": "Preis"})
    assert rows == [(2, {"sku": "A-1", "amount": "12.50"})]


def test_json_rows_are_counted_from_one(tmp_path: Path) -> None:
    path = written(tmp_path, "p.json", '[{"sku": "A", "amount": "1"}, {"sku": "B"}]')
    checked = check_rows(Row, read_table(path, COLUMNS, {}))
    assert [str(e) for e in checked.errors] == ["row 2, amount: is missing"]
    assert checked.rows == [(1, Row(sku="A", amount=Decimal(1)))]


def test_lists_and_maps_fit_into_a_cell(tmp_path: Path) -> None:
    path = written(tmp_path, "p.csv", 'sku,amount,tags,least\nA,1,a; b,EUR=5;GBP=4\nB,1,"[""c""]",')
    (_, one), (_, two) = check_rows(Row, read_table(path, COLUMNS, {})).rows
    assert one.tags == ["a", "b"]
    assert one.least == {"EUR": Decimal(5), "GBP": Decimal(4)}
    assert two.tags == ["c"]
    assert two.least == {}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('A,"1.234,50",,,,', "row 2, amount: '1.234,50' cannot be read; write it like 1234.56"),
        ("A,-1,,,,", "row 2, amount: Input should be greater than or equal to 0 (it is '-1')"),
        ("A,1,many,,,", "row 2, pieces: 'many' cannot be read; write it like 1234"),
        (
            "A,1,,23.11.2026,,",
            "row 2, since: '23.11.2026' cannot be read; write it like 2026-11-23",
        ),
        (",1,,,,", "row 2, sku: is missing"),
        ("A,1,,,,EUR", "row 2: 'EUR' is not a map: write EUR=100.00;GBP=90.00"),
    ],
)
def test_every_problem_says_its_row_its_column_and_how_it_is_written(
    tmp_path: Path, row: str, said: str
) -> None:
    path = written(tmp_path, "p.csv", f"{','.join(COLUMNS)}\n{row}\n")
    assert [str(e) for e in check_rows(Row, read_table(path, COLUMNS, {})).errors] == [said]


def test_a_file_is_refused_with_its_first_problems_and_their_number(tmp_path: Path) -> None:
    errors = [RowError(n, "sku", "is missing") for n in range(30, 0, -1)]
    with pytest.raises(InvalidInputError, match=r"nothing was imported: row 1, .*; and 10 more"):
        refuse(tmp_path / "p.csv", errors)
    refuse(tmp_path / "p.csv", [])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.csv", "sku,amount\n", "has no rows"),
        ("p.json", "{}", "is not a list of rows"),
        ("p.json", "[1]", "is not a list of rows"),
        ("p.csv", 'sku,amount\n"A,1\n', "row|no CSV|columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_table(written(tmp_path, name, text), COLUMNS, {})


def test_a_mapping_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "p.csv", "sku,Preis\nA,1\n")
    with pytest.raises(InvalidInputError, match="no column 'price' to map to"):
        read_table(path, COLUMNS, {"price": "Preis"})
    with pytest.raises(InvalidInputError, match="has no 'Prix'"):
        read_table(path, COLUMNS, {"amount": "Prix"})


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes("sku,amount\nGerät,1\n".encode("latin-1"))
    with pytest.raises(InvalidInputError, match="is not UTF-8 text"):
        read_table(path, COLUMNS, {})
