"""Files of rows come in whole or not at all, and every problem is named with its row."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from openpyxl import Workbook, load_workbook
from pydantic import Field
from sqlalchemy import JSON, Numeric, create_engine
from sqlalchemy.orm import registry
from sqlmodel import Field as Column
from sqlmodel import SQLModel, select

from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.folders import import_folder
from servers.toolkit.importing import Report, import_file
from servers.toolkit.migrate import setting_table
from servers.toolkit.tables import Table, tables


class ShopTable(SQLModel, registry=registry()):
    """A base of its own."""


class Item(ShopTable, table=True):
    sku: str = Column(primary_key=True, max_length=8)
    above: str | None = Column(default=None, foreign_key="item.sku")
    amount: Decimal = Column(sa_type=Numeric)
    pieces: int = 1
    since: date | None = None
    tags: list[str] = Column(default_factory=list, sa_type=JSON)
    least: dict[str, str] = Column(default_factory=dict, sa_type=JSON)


class Part(ShopTable, table=True):
    of: str = Column(primary_key=True, foreign_key="item.sku")
    sku: str = Column(primary_key=True, foreign_key="item.sku")
    place: int = 0


ITEMS = Table(
    "items",
    Item,
    "what is sold",
    ("sku",),
    {"amount": Annotated[Decimal, Field(ge=0, decimal_places=2)], "since": "the first day"},
    problems=lambda row: ["sku and above are one"] if row.sku == row.above else [],
)
PARTS = Table("parts", Part, "what is in it", ("of", "sku"), whole=("of",))
TABLES = tables(ITEMS, PARTS)
PREIS = {"amount": "Preis"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    ShopTable.metadata.create_all(engine)
    setting_table.create(engine)
    database = Database(engine, "shop")
    yield database
    database.close()


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def sheet(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def stored(database: Database) -> dict[str, Item]:
    with database.session() as session:
        return {one.sku: one for one in session.exec(select(Item))}


def counts(report: Report) -> tuple[int, int, int]:
    return report.inserted, report.updated, report.unchanged


def said(database: Database, path: Path, table: Table = ITEMS, **more: Any) -> str:
    with pytest.raises(InvalidInputError) as refused:
        import_file(database, table, path, **more)
    assert refused.value.fix
    return refused.value.message


def test_the_columns_of_a_file_are_those_of_the_table() -> None:
    assert list(ITEMS.fields) == list(Item.model_fields)
    assert ITEMS.fields["since"].description == "the first day"
    assert list(PARTS.fields) == ["of", "sku"]


def test_other_names_and_delimiters_a_byte_order_mark_and_a_constant_are_understood(
    database: Database, tmp_path: Path
) -> None:
    path = written(tmp_path, "p.csv", "\ufeffArtikel;Preis;Bemerkung\nA-1;12.50;x\n")
    report = import_file(
        database,
        ITEMS,
        path,
        mapping={"sku": "Artikel", "amount": "Preis"},
        constants={"pieces": "7"},
    )
    assert (counts(report), report.ignored) == ((1, 0, 0), ("Bemerkung",))
    assert stored(database)["A-1"].pieces == 7
    assert stored(database)["A-1"].amount == Decimal("12.50")


def test_lists_and_maps_fit_into_a_cell(database: Database, tmp_path: Path) -> None:
    text = 'sku,amount,tags,least\nA,1,a; b,EUR=5;GBP=4\nB,1,"[""c;d""]",\n'
    import_file(database, ITEMS, written(tmp_path, "p.csv", text))
    one, two = stored(database).values()
    assert (one.tags, one.least) == (["a", "b"], {"EUR": "5", "GBP": "4"})
    assert (two.tags, two.least) == (["c;d"], {})


def test_a_workbook_is_read_as_it_is_shown(database: Database, tmp_path: Path) -> None:
    rows = [
        ["sku", "amount", "pieces", "since", None],
        ["A", 0.1 + 0.2, 3, datetime(2026, 11, 23), None],  # noqa: DTZ001 - a sheet's day
        [None, None, None, None, None],
        ["B", "12.50", None, None, None],
    ]
    import_file(database, ITEMS, sheet(tmp_path / "p.xlsx", rows))
    found = stored(database)
    assert (found["A"].amount, found["A"].since) == (Decimal("0.3"), date(2026, 11, 23))
    assert (found["B"].amount, found["B"].pieces) == (Decimal("12.50"), 1)
    rows[3][1] = "dear"
    message = said(database, sheet(tmp_path / "p.xlsx", rows))
    assert "p.xlsx: row 4, amount: 'dear' cannot be read" in message


def test_the_sheet_that_is_named_is_read_and_the_report_says_what_was_read_as_what(
    database: Database, tmp_path: Path
) -> None:
    path = sheet(tmp_path / "p.xlsx", [["sku", "amount"], ["A", "dear"]])
    book = load_workbook(path)
    new = book.create_sheet("New")
    for row in (["sku", "amount"], ["A", "1.234,50"]):
        new.append(row)
    book.save(path)
    report = import_file(database, ITEMS, path.with_name("p.xlsx#New"))
    assert report.read_as == ("it as sheet New", "amount: 1.234,50 as 1234.50 (1)")
    assert report.file == "p.xlsx"


def test_the_other_numbers_of_a_file_say_what_a_point_means(
    database: Database, tmp_path: Path
) -> None:
    import_file(database, ITEMS, written(tmp_path, "p.csv", 'sku,amount\nA,1.234\nB,"2,50"\n'))
    assert [one.amount for one in stored(database).values()] == [Decimal(1234), Decimal("2.50")]
    message = said(database, written(tmp_path, "p.csv", "sku,Preis\nA,1.234\n"), mapping=PREIS)
    assert "row 2, amount: '1.234' is 1.234 or 1234" in message


def test_a_column_twice_that_is_not_taken_does_no_harm(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, "p.csv", "sku,Preis,x,x\nA,1.50,1,2\n")
    assert import_file(database, ITEMS, path, mapping=PREIS).inserted == 1


def test_a_number_of_json_is_its_digits(database: Database, tmp_path: Path) -> None:
    path = written(tmp_path, "p.json", '[{"sku": "A", "amount": 0.10, "since": null}]')
    import_file(database, ITEMS, path)
    assert stored(database)["A"].amount == Decimal("0.10")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('A,,"1,2,3",,,,', "row 2, amount: '1,2,3' cannot be read; write it like 1234.56"),
        ('A,,"1,234",,,,', "row 2, amount: '1,234' is 1.234 or 1234: say in a mapping"),
        ("A,,-1,,,,", "row 2, amount: Input should be greater than or equal to 0 (it is '-1')"),
        ("A,,1,many,,,", "row 2, pieces: 'many' cannot be read; write it like 1234"),
        ("A,,1,,31.11.2026,,", "since: '31.11.2026' cannot be read; write it like 2026-11-23"),
        ("A,,1,,05/06/2026,,", "since: '05/06/2026' is one of two days: say which comes first"),
        (",,1,,,,", "row 2, sku: is missing"),
        ("A,,1,,,,EUR", "row 2: 'EUR' is not a map: write EUR=100.00;GBP=90.00"),
        ("A,A,1,,,,", "row 2: sku and above are one"),
        ("A,B,1,,,,", "row 2, above: there is no B"),
        ("TOO-LONG-1,,1,,,,", "row 2, sku: String should have at most 8 characters"),
        ("A,,1,,,", "line 2: wrong number of columns"),
    ],
)
def test_every_problem_says_its_row_its_column_and_how_it_is_written(
    database: Database, tmp_path: Path, row: str, problem: str
) -> None:
    text = f"{','.join(Item.model_fields)}\n{row}\n"
    message = said(database, written(tmp_path, "p.csv", text))
    assert message.startswith("nothing was imported: p.csv: ")
    assert problem in message


def test_many_problems_are_told_with_their_number(database: Database, tmp_path: Path) -> None:
    text = "sku,amount\nA,1\nA,2\n" + "".join(f"B{n},dear\n" for n in range(29))
    message = said(database, written(tmp_path, "p.csv", text))
    assert "p.csv: row 3: is row 2 again (A); p.csv: row 4, amount: 'dear'" in message
    assert message.endswith("and 10 more")
    assert stored(database) == {}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("p.csv", "sku,amount\n", "has no rows"),
        ("p.csv", "sku,amount,sku\nA,1,B\n", "the column 'sku' twice"),
        ("p.json", '[{"sku": "A", "sku": "B", "amount": 1}]', "the column 'sku' twice"),
        ("p.json", "{}", "is not a list of rows"),
        ("p.json", "[1]", "is not a list of rows"),
        ("p.json", '[\n {"sku": 1},\n {"b": }\n]', "line 3"),
        ("p.csv", 'sku,amount\n"A,1\n', "columns"),
        ("p.xlsx", "sku,amount\nA,1\n", "is no XLSX workbook"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    database: Database, tmp_path: Path, name: str, text: str, problem: str
) -> None:
    assert problem in said(database, written(tmp_path, name, text))


def test_a_sheet_with_a_column_twice_and_a_missing_file_are_refused(
    database: Database, tmp_path: Path
) -> None:
    assert "twice" in said(database, sheet(tmp_path / "p.xlsx", [["sku", "sku"], ["A", "B"]]))
    assert "cannot read gone.csv" in said(database, tmp_path / "gone.csv")


def test_a_mapping_or_a_constant_of_what_is_not_there_is_refused(
    database: Database, tmp_path: Path
) -> None:
    path = written(tmp_path, "p.csv", "sku,Preis\nA,1\n")
    assert "no column 'price'" in said(database, path, mapping={"price": "Preis"})
    assert "has no 'Prix'" in said(database, path, mapping={"amount": "Prix"})
    assert "no column 'price'" in said(database, path, constants={"price": "1"})
    assert "says 'sku' itself" in said(database, path, constants={"sku": "B"})


def test_a_row_that_is_there_changes_in_the_columns_of_the_file_only(
    database: Database, tmp_path: Path
) -> None:
    import_file(database, ITEMS, written(tmp_path, "p.csv", "sku,amount,pieces\nA,1,5\nB,2,5\n"))
    path = written(tmp_path, "c.csv", "sku,pieces\nA,6\nB,5\n")
    assert counts(import_file(database, ITEMS, path, dry_run=True)) == (0, 1, 1)
    assert stored(database)["A"].pieces == 5
    assert counts(import_file(database, ITEMS, path)) == (0, 1, 1)
    assert (stored(database)["A"].pieces, stored(database)["A"].amount) == (6, Decimal(1))
    path = written(tmp_path, "c.csv", "sku,pieces\nA,7\nNEW,5\n")
    assert "row 3, amount: is missing" in said(database, path)
    assert stored(database)["A"].pieces == 6


def test_rows_may_name_rows_below_them(database: Database, tmp_path: Path) -> None:
    text = "sku,above,amount\nA,B,1\nB,C,1\nC,,1\n"
    assert counts(import_file(database, ITEMS, written(tmp_path, "p.csv", text))) == (3, 0, 0)
    assert counts(import_file(database, ITEMS, written(tmp_path, "p.csv", text))) == (0, 0, 3)


def test_a_group_is_replaced_whole_and_keeps_its_order(database: Database, tmp_path: Path) -> None:
    import_file(database, ITEMS, written(tmp_path, "i.csv", "sku,amount\nA,1\nB,1\nC,1\n"))
    first = written(tmp_path, "p.csv", "of,sku\nA,B\nA,C\nB,C\n")
    assert counts(import_file(database, PARTS, first)) == (3, 0, 0)
    assert counts(import_file(database, PARTS, first)) == (0, 0, 3)
    import_file(database, PARTS, written(tmp_path, "q.csv", "of,sku\nA,C\nA,B\n"))
    with database.session() as session:
        parts = [(one.of, one.sku, one.place) for one in session.exec(select(Part))]
    assert sorted(parts) == [("A", "B", 1), ("A", "C", 0), ("B", "C", 0)]
    import_file(database, PARTS, written(tmp_path, "q.csv", "of,sku\nA,C\n"))
    with database.session() as session:
        assert {(one.of, one.sku) for one in session.exec(select(Part))} == {("A", "C"), ("B", "C")}


def test_a_folder_comes_in_whole_and_again_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    written(tmp_path, "in/shop/parts.csv", "of,sku\nA,B\n")
    written(
        tmp_path, "in/shop/items.json", '[{"sku": "A", "amount": 1}, {"sku": "B", "amount": 2}]'
    )
    heard: list[str] = []
    shop = {"shop": (database, TABLES)}
    done = import_folder(shop, tmp_path / "in", told=heard.append)
    assert heard == ["items", "parts"]
    assert [counts(one) for one in done["shop"]] == [(2, 0, 0), (1, 0, 0)]
    again = import_folder(shop, tmp_path / "in")
    assert [counts(one) for one in again["shop"]] == [(0, 0, 2), (0, 0, 1)]


def test_every_file_of_a_folder_is_checked_before_anything_is_written(
    database: Database, tmp_path: Path
) -> None:
    written(tmp_path, "in/shop/items.csv", "sku,amount,colour\nA,dear,red\n")
    written(tmp_path, "in/shop/parts.csv", "of,sku\n,B\n")
    written(tmp_path, "in/shop/widgets.csv", "a\nb\n")
    with pytest.raises(InvalidInputError) as refused:
        import_folder({"shop": (database, TABLES)}, tmp_path / "in")
    for problem in (
        "shop/items.csv: colour: no such column",
        "shop/items.csv: row 2, amount: 'dear'",
        "shop/parts.csv: row 2, of: is missing",
        "shop/widgets.csv: is no table's name",
    ):
        assert problem in refused.value.message
    assert stored(database) == {}
    with pytest.raises(InvalidInputError, match="has no folder shop"):
        import_folder({"shop": (database, TABLES)}, tmp_path / "in" / "shop")
