"""Importing files of one's own: all rows or none, and every problem with its row."""

import csv
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from sqlmodel import select

from servers.finance.load import TABLES
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.store.customers import find_customer
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.charges import FreightRateRow
from servers.finance.tables.customers import CustomerRow
from servers.finance.tables.house import Person
from servers.finance.tables.prices import DiscountBand, DiscountSchedule, ItemRow, PriceEntry
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.importing import Loading, Report, import_file, load_folder
from servers.toolkit.seeding import seed_folder


def table(tmp_path: Path, name: str, rows: Sequence[dict[str, Any]]) -> Path:
    path = tmp_path / name
    if name.endswith(".json"):
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def counts(report: Report) -> tuple[int, int, int]:
    return report.inserted, report.updated, report.unchanged


PRICE = {"book": "PB-EUR", "sku": "SW-P8-120", "unit": "each", "amount": "401.50"}


def test_prices_are_added_and_changed_and_the_next_quote_has_them(
    database: Database, tmp_path: Path
) -> None:
    path = table(tmp_path, "p.csv", [{**PRICE, "min_qty": "0"}])
    assert counts(import_file(database, TABLES["prices"], path)) == (0, 1, 0)
    assert counts(import_file(database, TABLES["prices"], path)) == (0, 0, 1)
    request = PriceRequest.model_validate(asking(line("l1", "SW-P8-120", 2)))
    with acting(everyone()), database.session() as session:
        found = price(collect(session, request).pricing, request)
    assert found.lines[0].unit_price == "401.50"


def test_their_names_and_an_inclusive_band_are_understood(
    database: Database, tmp_path: Path
) -> None:
    rows = [
        {"Liste": "PB-EUR", "Artikel": "SW-P8-120", "ME": "each", "Preis": "380", "bis": "49"},
    ]
    rows[0] |= {"ab": "10"}
    mapping = {"book": "Liste", "sku": "Artikel", "unit": "ME", "amount": "Preis"}
    mapping |= {"min_qty": "ab", "max_qty_inclusive": "bis"}
    path = table(tmp_path, "p.csv", rows)
    assert counts(import_file(database, TABLES["prices"], path, mapping=mapping)) == (1, 0, 0)
    with database.session() as session:
        statement = select(PriceEntry).where(PriceEntry.min_qty == 10)
        (entry,) = session.exec(statement).all()
    assert (entry.max_qty, entry.amount) == (50, Decimal("380.00"))


def test_a_sku_is_found_however_it_is_written_and_two_that_are_one_are_refused(
    database: Database, tmp_path: Path
) -> None:
    item = {"sku": "Kabel rot/2.5_m", "name": "Kabel", "family": "kabel", "kind": "goods"}
    item |= {"tax_class": "standard"}
    path = table(tmp_path, "i.csv", [item])
    assert counts(import_file(database, TABLES["items"], path)) == (1, 0, 0)
    path = table(tmp_path, "i.csv", [{**item, "sku": "KABEL  ROT/2.5_M"}])
    assert counts(import_file(database, TABLES["items"], path)) == (0, 0, 1)
    path = table(tmp_path, "p.csv", [{**PRICE, "sku": "kabel rot/2.5_M", "unit": ""}])
    assert counts(import_file(database, TABLES["prices"], path)) == (1, 0, 0)
    with database.session() as session:
        assert (
            session.exec(select(PriceEntry.sku).where(PriceEntry.unit == "")).one() == item["sku"]
        )
    twice = [{**item, "sku": "New-1"}, {**item, "sku": "NEW-1"}]
    with pytest.raises(InvalidInputError, match=r"i\.csv: row 3: is row 2 again \(New-1\)"):
        import_file(database, TABLES["items"], table(tmp_path, "i.csv", twice))


def test_one_wrong_row_and_nothing_is_written(database: Database, tmp_path: Path) -> None:
    rows = [
        PRICE,
        {**PRICE, "sku": "NO-SUCH"},
        {**PRICE, "book": "PB-XXX"},
        {**PRICE, "sku": "SW-P16-240"},
        PRICE,
    ]
    with pytest.raises(InvalidInputError) as refused:
        import_file(database, TABLES["prices"], table(tmp_path, "p.csv", rows))
    said = str(refused.value)
    assert "nothing was imported: p.csv: " in said
    assert "row 3, sku: there is no NO-SUCH" in said
    assert "row 4, book: there is no PB-XXX" in said
    assert "row 6: is row 2 again" in said
    with database.session() as session:
        amounts = session.exec(select(PriceEntry.amount)).all()
    assert Decimal("401.50") not in amounts


def test_a_dry_run_checks_everything_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    path = table(tmp_path, "p.csv", [PRICE])
    assert counts(import_file(database, TABLES["prices"], path, dry_run=True)) == (0, 1, 0)
    assert counts(import_file(database, TABLES["prices"], path)) == (0, 1, 0)


def test_a_cost_changes_only_the_cost(database: Database, tmp_path: Path) -> None:
    path = table(tmp_path, "c.csv", [{"sku": "SW-P8-120", "cost": "240.5"}])
    assert counts(import_file(database, TABLES["items"], path)) == (0, 1, 0)
    with database.session() as session:
        item = session.get(ItemRow, "SW-P8-120")
    assert item is not None
    assert (item.cost, item.family) == (Decimal("240.50"), "switches")
    path = table(tmp_path, "c.csv", [{"sku": "NEW-1", "cost": "1"}])
    with pytest.raises(InvalidInputError, match="row 2, name: is missing"):
        import_file(database, TABLES["items"], path)


def test_a_credit_limit_is_an_amount_of_its_currency(database: Database, tmp_path: Path) -> None:
    row = {"account_id": "acc_001", "credit_limit": "1234.50", "credit_currency": "EUR"}
    import_file(database, TABLES["customers"], table(tmp_path, "c.csv", [row]))
    with database.session() as session:
        customer = session.get(CustomerRow, "acc_001")
    assert customer is not None
    assert customer.credit_limit_minor == 123450
    for wrong in ({"credit_limit": "1.005"}, {"credit_currency": "QQQ"}, {"credit_currency": ""}):
        with pytest.raises(InvalidInputError, match=r"decimals|QQQ|has a currency"):
            import_file(database, TABLES["customers"], table(tmp_path, "c.csv", [{**row, **wrong}]))


@pytest.mark.parametrize(
    ("number", "doubts", "verified"),
    [
        ("DE136695976", (), "2026-11-01"),
        (
            "DE136695977",
            ("row 2: DE136695977 does not have the form of eu_vat, and counts as not verified",),
            None,
        ),
    ],
)
def test_a_vat_id_that_cannot_be_one_is_told_kept_and_never_counts_as_verified(
    database: Database, tmp_path: Path, number: str, doubts: tuple[str, ...], verified: str | None
) -> None:
    with database.session() as session:
        account = session.exec(select(CustomerRow.account_id)).first()
    row = {"account_id": account, "scheme": "eu_vat", "country": "DE", "value": number}
    path = table(tmp_path, "t.csv", [{**row, "verified_at": "2026-11-01"}])
    assert import_file(database, TABLES["customer_tax_ids"], path).doubts == doubts
    with acting(everyone()), database.session() as session:
        ids = find_customer(session, str(account))[1].tax_ids
    assert [one.verified_at for one in ids if one.value == number] == [verified]


def test_no_limit_is_said_in_so_many_words(database: Database, tmp_path: Path) -> None:
    row = {"person_id": "per_lena", "max_discount_bp": "", "max_total": "unlimited"}
    with pytest.raises(InvalidInputError, match="max_discount_bp: is missing"):
        import_file(database, TABLES["people"], table(tmp_path, "p.csv", [row]))
    row["max_discount_bp"] = "700"
    import_file(database, TABLES["people"], table(tmp_path, "p.csv", [row]))
    with database.session() as session:
        person = session.get(Person, "per_lena")
    assert person is not None
    assert (person.max_discount_bp, person.max_total) == (700, None)


def test_days_in_order_and_currencies_that_exist_are_asked_of_every_table(
    database: Database, tmp_path: Path
) -> None:
    entry = {**PRICE, "valid_from": "2027-01-01", "valid_to": "2026-01-01"}
    with pytest.raises(InvalidInputError, match="valid_to is before valid_from"):
        import_file(database, TABLES["prices"], table(tmp_path, "p.csv", [entry]))
    book = {"book": "PB-X", "name": "x", "currency": "QQQ", "valid_from": "2026-01-01"}
    with pytest.raises(InvalidInputError, match="QQQ"):
        import_file(database, TABLES["price_books"], table(tmp_path, "b.csv", [book]))


def test_a_column_that_a_file_does_not_have_stays_as_it_is(
    database: Database, tmp_path: Path
) -> None:
    row = {"sku": "SW-P8-120", "name": "Another name", "family": "switches", "kind": "goods"}
    path = table(tmp_path, "i.csv", [{**row, "tax_class": "standard"}])
    with database.session() as session:
        before = session.get(ItemRow, "SW-P8-120")
    import_file(database, TABLES["items"], path)
    with database.session() as session:
        after = session.get(ItemRow, "SW-P8-120")
    assert before is not None
    assert after is not None
    assert after.name == "Another name"
    assert (after.cost, after.weight_g, after.flags) == (
        before.cost,
        before.weight_g,
        before.flags,
    )


def test_a_schedule_is_replaced_whole_and_refused_with_a_gap(
    database: Database, tmp_path: Path
) -> None:
    with database.session() as session:
        known = session.exec(select(DiscountSchedule)).first()
    assert known is not None
    band = {"schedule_id": known.schedule_id}
    rows = [
        {**band, "band_id": "T-1", "lower": "1", "upper": "10", "value": "0"},
        {**band, "band_id": "T-2", "lower": "10", "value": "7"},
    ]
    path = table(tmp_path, "t.json", rows)
    assert counts(import_file(database, TABLES["tier_bands"], path)) == (2, 0, 0)
    with database.session() as session:
        statement = select(DiscountBand).where(DiscountBand.schedule_id == known.schedule_id)
        assert {one.band_id for one in session.exec(statement)} == {"T-1", "T-2"}
    rows[1]["lower"] = "12"
    with pytest.raises(InvalidInputError, match=known.schedule_id):
        import_file(database, TABLES["tier_bands"], table(tmp_path, "t.json", rows))


def test_two_promotions_of_one_rank_are_refused_also_against_those_that_are_there(
    database: Database, tmp_path: Path
) -> None:
    row = {
        "promotion_id": "PRO-NEW",
        "code": "NEW5",
        "kind": "percent",
        "family": "servers",
        "percent": "5",
        "minimum": {"EUR": "0"},
        "valid_from": "2026-01-01",
        "valid_to": None,
        "priority": 20,
        "stack_group": "servers",
    }
    with pytest.raises(InvalidInputError, match=r"PRO-(EDGE5|NEW) and PRO-(NEW|EDGE5)"):
        import_file(database, TABLES["promotions"], table(tmp_path, "p.json", [row]))
    row["priority"] = 21
    done = import_file(database, TABLES["promotions"], table(tmp_path, "p.json", [row]))
    assert counts(done) == (1, 0, 0)


def test_the_text_of_a_clause_version_never_changes(database: Database, tmp_path: Path) -> None:
    rows = json.loads((seed_folder("finance") / "clauses.json").read_text(encoding="utf-8"))
    path = table(tmp_path, "c.json", rows)
    assert counts(import_file(database, TABLES["clauses"], path)) == (0, 0, len(rows))
    rows[0]["text"] += " And one more sentence."
    with pytest.raises(InvalidInputError, match="has another text already"):
        import_file(database, TABLES["clauses"], table(tmp_path, "c.json", rows))


def test_the_demo_s_own_files_change_nothing(database: Database, small_seed: Path) -> None:
    with database.write() as session:
        reports = load_folder(session, TABLES, small_seed).finish()
    assert {(one.table, one.inserted, one.updated) for one in reports} == {
        (one.table, 0, 0) for one in reports
    }
    assert len(reports) == len(list(small_seed.iterdir()))


def test_what_finance_makes_itself_is_not_taken() -> None:
    assert all(known.about and known.fields for known in TABLES.values())
    made = {"quote", "approval", "quote_number", "promotion_use", "screening_review", "enrolled"}
    taken = {table.stored.name for table in TABLES.values()}
    assert set(FinanceTable.metadata.tables) - taken == made


@pytest.mark.parametrize(
    "cells",
    [
        {"amount": "On Request"},
        {"amount": "auf Anfrage"},
        {"amount": "", "on_request": "true"},
        {"on_request": "ja"},
    ],
)
def test_a_price_on_request_comes_in_goes_out_and_gives_way_to_a_price(
    database: Database, tmp_path: Path, cells: dict[str, str]
) -> None:
    same = {name: value for name, value in PRICE.items() if name != "amount"} | {"min_qty": "0"}
    path = table(tmp_path, "p.csv", [{**same, **cells}])
    assert counts(import_file(database, TABLES["prices"], path)) == (0, 1, 0)
    assert counts(import_file(database, TABLES["prices"], path)) == (0, 0, 1)
    with database.session() as session:
        (row,) = session.exec(select(PriceEntry).where(PriceEntry.on_request))
        assert TABLES["prices"].told(dict(row), Loading(session))["amount"] == "on request"
    path = table(tmp_path, "p.csv", [{**same, "amount": "12.50"}])
    assert counts(import_file(database, TABLES["prices"], path)) == (0, 1, 0)
    with database.session() as session:
        assert not session.exec(select(PriceEntry).where(PriceEntry.on_request)).all()


def test_a_price_is_on_request_or_an_amount(database: Database, tmp_path: Path) -> None:
    for cells, said in (
        ({"amount": "5", "on_request": "yes"}, "give one of them"),
        ({"amount": "", "on_request": "no"}, "amount"),
        ({"amount": "maybe"}, "amount"),
    ):
        path = table(tmp_path, "p.csv", [{**PRICE, "min_qty": "0", **cells}])
        with pytest.raises(InvalidInputError, match=said):
            import_file(database, TABLES["prices"], path)


def test_a_freight_rate_may_be_for_any_zone_of_ours(database: Database, tmp_path: Path) -> None:
    rate = {"method": "VAN", "label": "Van", "zone": "ALPS", "currency": "EUR", "base": "19"}
    path = table(tmp_path, "freight_rates.csv", [rate])
    with pytest.raises(InvalidInputError, match="there is no FREIGHT-ALPS"):
        import_file(database, TABLES["freight_rates"], path)
    zones = table(tmp_path, "zones.csv", [{"zone": "FREIGHT-ALPS", "country": "CH"}])
    import_file(database, TABLES["zones"], zones)
    assert counts(import_file(database, TABLES["freight_rates"], path)) == (1, 0, 0)
    with database.session() as session:
        (row,) = session.exec(select(FreightRateRow).where(FreightRateRow.method == "VAN"))
        assert (row.rate_id, row.per_kg) == ("FR-VAN-ALPS-EUR", 0)
