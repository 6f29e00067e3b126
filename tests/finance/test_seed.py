"""The seed files: the plan's numbers are in them, and a mistake in one is named."""

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from stdnum import iban
from stdnum.de import vat

from servers.finance.load import TABLES
from servers.finance.tables.house import Person
from servers.finance.tables.legal import ClauseRow
from servers.finance.tables.prices import BundleComponent, ItemRow, PriceEntry
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import round_money
from servers.toolkit.seeding import ensure_seeded, seed_folder

MULTIPLIER = {"EUR": "1", "GBP": "0.87", "USD": "1.10", "CHF": "0.97"}


def read(name: str) -> Any:
    path = seed_folder("finance") / name
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_whole_demo_loads(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "finance.db", "finance")
    counts = ensure_seeded(database, TABLES)
    assert counts["clauses"] >= 40
    assert counts["prices"] >= 5 * counts["items"]
    with database.session() as session:
        clauses = session.exec(select(ClauseRow)).all()
        unpriced = set(session.exec(select(ItemRow.sku))) - set(
            session.exec(select(PriceEntry.sku))
        )
        bundles = set(session.exec(select(BundleComponent.bundle_sku)))
        uncosted = [
            item.sku
            for item in session.exec(select(ItemRow))
            if item.cost is None or (item.kind == "goods" and item.weight_g is None)
        ]
    database.close()
    assert all(c.sha256 == hashlib.sha256(c.text.encode()).hexdigest() for c in clauses)
    assert (unpriced - bundles, set(uncosted) - bundles) == (set(), set())


def test_the_sellers_numbers_have_a_valid_form() -> None:
    (seller,) = read("sellers.json")
    assert vat.is_valid(seller["vat_id"])
    assert iban.is_valid(seller["bank"]["iban"], check_country=False)
    assert seller["quote_number_format"].format(year=2026, n=7) == "Q-2026-000007"


def test_every_book_is_its_multiple_of_the_list_rounded_half_up() -> None:
    factor = {
        "PB-EUR-RES": Decimal("0.88"),
        **{f"PB-{code}": Decimal(by) for code, by in MULTIPLIER.items()},
    }
    entries = read("prices.csv")
    base = {(e["sku"], e["unit"]): Decimal(e["amount"]) for e in entries if e["book"] == "PB-EUR"}
    for entry in entries:
        expected = base[(entry["sku"], entry["unit"])] * factor[entry["book"]]
        assert Decimal(entry["amount"]) == round_money(expected, "EUR"), entry


def test_freight_in_every_currency_is_a_row_of_its_own() -> None:
    rates = read("freight_rates.csv")
    euro = {(r["method"], r["zone"]): r for r in rates if r["currency"] == "EUR"}
    assert len(rates) == 4 * len(euro)
    for rate in rates:
        of = euro[(rate["method"], rate["zone"])]
        by = Decimal(MULTIPLIER[rate["currency"]])
        for name in ("base", "per_kg"):
            assert Decimal(rate[name]) == round_money(Decimal(of[name]) * by, "EUR")


def test_flags_and_families_are_those_of_the_items() -> None:
    items = {row["sku"]: row for row in read("items.csv")}
    families = {row["family"] for row in items.values()}
    for row in (*read("tiers.csv"), *read("contracts.csv")):
        known = items if row["scope"] == "sku" else families
        assert row["selector"] in known
    assert {p["family"] for p in read("promotions.json") if p.get("family")} <= families


def test_the_flags_agree_with_the_catalog() -> None:
    path = seed_folder("catalog") / "products.json"
    products = json.loads(path.read_text(encoding="utf-8"))
    wanted = set()
    for product in products:
        if product.get("eccn") in ("5A002", "6A003"):
            wanted.add((product["sku"], "export_control"))
        if product.get("un_number"):
            wanted.add((product["sku"], "hazmat"))
        if product["attributes"].get("personal_data") is True:
            wanted.add((product["sku"], "personal_data"))
    flags = {
        (row["sku"], flag) for row in read("items.csv") for flag in row["flags"].split(";") if flag
    }
    assert {flag for flag in flags if flag[1] != "camera"} == wanted


def put(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return apply


def swap(name: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return apply


def policy(place: int, **changes: Any) -> Callable[[list[Any]], list[Any]]:
    def change(rows: list[Any]) -> list[Any]:
        rows[place]["value"] |= changes
        return rows

    return change


def first(**changes: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [{**rows[0], **changes}, *rows[1:]]


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (swap("tier_bands.csv", ",5\n", ",much\n"), "tier_bands.csv: row 2, value"),
        (swap("tier_bands.csv", ",10,25,", ",10,30,"), "overlap or leave a gap"),
        (swap("tier_bands.csv", ",50,,12\n", ",50,99,12\n"), "must be open"),
        (swap("contracts.csv", "598.00,EUR", "598.00,"), "a fixed price has a currency"),
        (put("promotions.json", first(priority=1, stack_group="shipping")), "same stack_group"),
        (put("people.json", first(surprise=1)), "people.json: surprise: no such column"),
        (put("clauses.json", first(conditions={"moon": ["full"]})), "row 1, conditions"),
        (put("clauses.json", first(text="Pay {amount} within {days} days.")), "not finished"),
        (put("clauses.json", first(approved_by="")), "names approved_by and approved_on"),
        (put("clauses.json", first(conflicts_with=["CL-NONE"])), "CL-NONE, which is no clause"),
        (put("clauses.json", lambda rows: [rows[0], *rows]), "is row 1 again (CL-OFFER / 1 / en)"),
        (put("clauses.json", first(language="fr")), "CL-OFFER: there is no text in en"),
        (put("payment_terms.json", first(prepaid=False)), "give lines, or days, or prepaid"),
        (put("payment_terms.json", first(days=9)), "what is prepaid has no days"),
        (put("policies.json", policy(0, credit={"rows": []})), "policies, credit, share_parent"),
        (put("policies.json", policy(2, threshold="0")), "row 3: screening, threshold"),
        (put("sellers.json", first(quote_number_format="Q")), "row 1, quote_number_format"),
        (swap("customers.csv", ",IE,", ",Atlantis,"), "customers.csv: row 2, country"),
        (swap("items.csv", "sku,name,", "sku,nom,"), "items.csv: nom: no such column"),
        (swap("items.csv", ",900,", ",heavy,"), "items.csv: row 2, weight_g"),
        (swap("items.csv", "\n", "\nSW-X,too,few\n"), "items.csv: line 2: wrong number of col"),
        (swap("items.csv", ",hazmat", ",hazmatt"), "flags"),
        (swap("prices.csv", "\n", "\nPB-EUR,NOPE-1,each,,1.00\n"), "sku: there is no NOPE-1"),
        (put("payment_terms.json", lambda rows: rows[0]), "is not a list of rows"),
        (lambda folder: (folder / "fees.json").write_text("[{"), "fees.json: line 1"),
        (lambda folder: (folder / "people.csv").write_text("x\n"), "two files for one table"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    tmp_path: Path, small_seed: Path, mistake: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "seed"
    shutil.copytree(small_seed, folder)
    mistake(folder)
    database = Database.open(tmp_path / "finance.db", "finance")
    with pytest.raises(InvalidInputError, match=re.escape(said)):
        ensure_seeded(database, TABLES, folder)
    with database.session() as session:
        assert session.exec(select(Person)).first() is None
    assert database.setting("seeded") is None
    database.close()
