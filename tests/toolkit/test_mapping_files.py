"""A mapping file says which tables somebody's files fill, and a second import is a sync."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from servers.catalog.tables import ProductRow, StockRow
from servers.crm.tables import Account, Address
from servers.finance.tables.prices import ItemRow, PriceEntry
from servers.registry import NAMES, tables_of
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.folders import Databases, import_mapped
from servers.toolkit.importing import Report
from servers.toolkit.mapping import Fill
from servers.toolkit.mapping_files import BESIDE, plan, read_mapping
from servers.toolkit.table_files import file_and_part, read_rows

SHIPPED = sorted((Path(str(files("dealdesk"))) / "mappings").glob("*.toml"))
OWN = sorted(
    path
    for path in (Path(__file__).parents[1] / "companies_mappings").glob("*.toml")
    if not path.name.endswith(".company.toml")
)
DAY = date(2026, 11, 30)
MAPPING = """
source = "erp"
decimal = ","

[[file]]
name = "ARTIKEL*.csv"
carry = ["Gruppe"]
empty = ["-"]
where = { "Gesperrt" = ["", "nein"] }

[file.catalog.products]
sku = "Nr"
name = ["Name 2", "{Name} {Farbe}"]
family = "Gruppe"
base_uom = "ME"
weight_g = "Gewicht kg"
times.weight_g = 1000
set = { kind = "goods", lifecycle = "active", base_uom = "each" }

[file.catalog.stock]
sku = "Nr"
on_hand = "Bestand"
skip_without = ["on_hand"]
set = { lead_time_days = 3, as_of = "today" }

[file.finance.items]
sku = "Nr"
name = "Name"
family = "Gruppe"
set = { kind = "goods", tax_class = "standard" }

[file.finance.price_books]
set = { book = "ERP", name = "Liste", currency = "EUR", valid_from = "2026-01-01" }

[file.finance.prices]
sku = "Nr"
amount = "VK"
set = { book = "ERP" }
"""
ITEMS = """\
Nr;Name;Name 2;Farbe;Gruppe;ME;Gewicht kg;Bestand;VK;Gesperrt;Lager
k-1;Kabel;;rot;Kabel;Stk;0,25;7;1.234,50;;A
K-2;Kabel;Kabel lang;-;;m;-;;2,00;nein;B
K-3;Alt;;;;Stk;;1;1,00;ja;B
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Databases]:
    opened = {n: Database.open(tmp_path / f"{n}.db", n) for n in NAMES}
    yield {name: (database, tables_of(name)) for name, database in opened.items()}
    for database in opened.values():
        database.close()


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def taken(house: Databases, tmp_path: Path, items: str, **more: Any) -> dict[str, Report]:
    mapping = read_mapping(written(tmp_path, "m.toml", MAPPING))
    takes, _ = plan(mapping, [written(tmp_path, "Artikel 2026.csv", items)], DAY.isoformat())
    reports = import_mapped(house, takes, **more)
    return {one.table: one for every in reports.values() for one in every}


def rows(house: Databases, server: str, model: Any) -> list[Any]:
    with house[server][0].session() as session:
        return list(session.exec(select(model)).all())


def test_one_file_fills_the_tables_of_several_servers(house: Databases, tmp_path: Path) -> None:
    reports = taken(house, tmp_path, ITEMS)
    first, second = rows(house, "catalog", ProductRow)
    assert (first.sku, first.name, first.base_uom, first.weight_g) == (
        "k-1",
        "Kabel rot",
        "each",
        250,
    )
    assert (second.sku, second.name, second.family, second.base_uom) == (
        "K-2",
        "Kabel lang",
        "Kabel",
        "m",
    )
    (stock,) = rows(house, "catalog", StockRow)
    assert (stock.on_hand, stock.as_of) == (7, DAY)
    assert [one.amount for one in rows(house, "finance", PriceEntry)] == [
        Decimal("1234.50"),
        Decimal("2.00"),
    ]
    assert reports["price_books"].rows == 1  # the same in every row of the file
    assert reports["products"].ignored == ("Lager",)
    assert "base_uom: Stk as each (1)" in reports["products"].read_as
    assert "weight_g: 0,25 as 250 (1)" in reports["products"].read_as


def test_what_the_command_sets_holds_where_the_file_says_nothing(
    house: Databases, tmp_path: Path
) -> None:
    taken(house, tmp_path, ITEMS, constants={"warranty_months": "24", "lead_time_days": "9"})
    assert {one.warranty_months for one in rows(house, "catalog", ProductRow)} == {24}
    assert rows(house, "catalog", StockRow)[0].lead_time_days == 9


def test_nothing_is_written_anywhere_when_one_file_is_wrong_or_it_is_a_trial(
    house: Databases, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match=r"2026\.csv: row 2, amount: 'dear'"):
        taken(house, tmp_path, ITEMS.replace("1.234,50", "dear"))
    assert taken(house, tmp_path, ITEMS, dry_run=True)["products"].inserted == 2
    assert rows(house, "catalog", ProductRow) == rows(house, "finance", ItemRow) == []


def test_a_second_import_changes_what_changed_and_tells_what_is_gone(
    house: Databases, tmp_path: Path
) -> None:
    taken(house, tmp_path, ITEMS)
    fewer = "\n".join(ITEMS.splitlines()[:2]).replace("1.234,50", "1.300,00") + "\n"
    reports = taken(house, tmp_path, fewer)
    assert (reports["prices"].updated, reports["prices"].gone) == (1, ("ERP / K-2",))
    assert (reports["products"].gone, reports["products"].ended) == (("K-2",), 0)
    assert {one.lifecycle for one in rows(house, "catalog", ProductRow)} == {"active"}


def test_what_is_gone_is_ended_in_its_own_way_when_asked_and_comes_back(
    house: Databases, tmp_path: Path
) -> None:
    taken(house, tmp_path, ITEMS)
    fewer = "\n".join(ITEMS.splitlines()[:2]) + "\n"
    reports = taken(house, tmp_path, fewer, end_gone=DAY)
    assert (reports["products"].ended, reports["prices"].ended, reports["items"].ended) == (1, 1, 0)
    assert [one.lifecycle for one in rows(house, "catalog", ProductRow)] == ["active", "eol"]
    assert [one.valid_to for one in rows(house, "finance", PriceEntry)] == [None, DAY]
    again = taken(house, tmp_path, fewer, end_gone=DAY)
    assert (again["products"].gone, again["items"].gone) == ((), ("K-2",))
    taken(house, tmp_path, ITEMS)
    assert [one.lifecycle for one in rows(house, "catalog", ProductRow)] == ["active", "active"]
    assert [one.valid_to for one in rows(house, "finance", PriceEntry)] == [None, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[file]]\nname = 'x'\nprice = 1", "file.0.price"),
        ("decimal = ';'\n[[file]]\nname = 'x'", "decimal"),
        ("source = 'a'", "file: is missing"),
        ("[[file]", "m.toml: "),
        (
            "[[file]]\nname = 'a*'\n[file.crm.accounts]\ntimes.x = 'much'",
            "a*, crm.accounts: times.x",
        ),
    ],
)
def test_a_mapping_that_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plan(read_mapping(written(tmp_path, "m.toml", text)), [Path("a.csv")], "")
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("catalog.stock", "shop.stock", "there is no 'shop'"),
        ("catalog.stock", "catalog.shelf", "catalog has no table 'shelf'"),
        ('amount = "VK"', 'amount = "Preis"', "has no 'Preis', which is to be amount"),
        ('amount = "VK"', 'price = "VK"', "there is no column 'price' in prices"),
    ],
)
def test_a_mapping_that_does_not_fit_tables_or_file_is_refused(
    house: Databases, tmp_path: Path, old: str, new: str, said: str
) -> None:
    mapping = read_mapping(written(tmp_path, "m.toml", MAPPING.replace(old, new)))
    takes, _ = plan(mapping, [written(tmp_path, "artikel.csv", ITEMS)], DAY.isoformat())
    with pytest.raises(InvalidInputError) as refused:
        import_mapped(house, takes)
    assert said in refused.value.message


def test_files_are_found_by_name_and_one_alone_by_being_the_only_one(tmp_path: Path) -> None:
    mapping = read_mapping(written(tmp_path, "m.toml", MAPPING))
    assert plan(mapping, [Path("x.csv")], "")[0]
    assert plan(mapping, [Path("x.csv"), Path("artikel.CSV")], "")[1] == [Path("x.csv")]
    with pytest.raises(InvalidInputError, match=r"is for ARTIKEL\*\.csv, not for x\.csv, y\.csv"):
        plan(mapping, [Path("x.csv"), Path("y.csv")], "")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_mappings_that_come_with_it_name_tables_and_columns_there_are(path: Path) -> None:
    mapping = read_mapping(path)
    assert mapping.source == path.stem
    names = [Path(one.name.replace("*", "x")) for one in mapping.file]
    for take in plan(mapping, names, DAY.isoformat())[0]:
        take.fill.check(tables_of(take.server)[take.table], (), path.name)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_the_mappings_of_the_made_up_companies_fit_their_files(path: Path) -> None:
    files_there = sorted((path.parent.parent / "companies" / path.stem).iterdir())
    for take in plan(read_mapping(path), files_there, DAY.isoformat())[0]:
        header = read_rows(*file_and_part(take.path), flat=True).header
        assert take.fill.theirs <= set(header)
        take.fill.check(tables_of(take.server)[take.table], header, path.name)


def test_words_stand_for_the_items_of_a_list_or_for_nothing_and_templates_hold_lists() -> None:
    fill = Fill(
        {"tags": ("States",), "free": ("Kind",), "say": ('{"of": [{Plans}]}',)},
        values={"tags": {"WI, MN": "WI\nMN"}, "free": {"*": ""}},
    )
    row = {"States": "WI, MN", "Kind": "Ground", "Plans": ["a", "b"]}
    found = list(fill.rows(iter([(1, row)]), ["tags"]))
    assert found == [(1, {"tags": ["WI", "MN"], "say": '{"of": ["a", "b"]}'})]


def test_no_table_has_a_column_of_a_name_that_stands_beside_columns() -> None:
    for name in NAMES:
        for table in tables_of(name).values():
            assert not {*table.fields, *table.also} & set(BESIDE)


SHOP_CUSTOMERS = """\
Customer ID,First Name,Last Name,Email,Default Address Company,Default Address Address1,\
Default Address Address2,Default Address City,Default Address Province Code,\
Default Address Country Code,Default Address Zip,Default Address Phone,Phone
'7001,Ada,Lo,ada@example.com,Lo Ltd,1 High St,Yard 2,Leeds,,GB,LS1 1AA,,
'7002,Bo,Li,bo@example.com,,2 Low St,,Cork,,IE,T12,,
"""


def test_a_shop_s_customers_come_in_as_it_exports_them(house: Databases, tmp_path: Path) -> None:
    (path,) = (one for one in SHIPPED if one.stem == "shopify")
    found = written(tmp_path, "customers_export.csv", SHOP_CUSTOMERS)
    takes, _ = plan(read_mapping(path), [found], DAY.isoformat())
    given = {"currency": "EUR", "language": "English"}
    import_mapped(house, [one for one in takes if one.server == "crm"], constants=given)
    accounts = {one.account_id: one for one in rows(house, "crm", Account)}
    assert {key: (one.name, one.kind) for key, one in accounts.items()} == {
        "acc_7001": ("Lo Ltd", "business"),
        "acc_7002": ("Bo Li", "consumer"),
    }
    assert rows(house, "crm", Address)[0].lines == ["1 High St", "Yard 2"]
