"""The seed files: the plan's numbers are in them, and a mistake in one is named."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from stdnum import iban
from stdnum.de import vat

from servers.finance import seed
from servers.finance.tables.house import Person
from servers.finance.tables.legal import ClauseRow
from servers.finance.tables.prices import BundleComponent, ItemRow, PriceEntry
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import round_money
from servers.toolkit.seeding import ensure_seeded, seed_folder

MULTIPLIER = {"EUR": "1", "GBP": "0.87", "USD": "1.10", "CHF": "0.97"}


def read(name: str) -> Any:
    return json.loads((seed_folder("finance") / name).read_text(encoding="utf-8"))


def test_the_whole_demo_loads(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "finance.db", "finance")
    counts = ensure_seeded(database, seed.load)
    assert counts["clause"] >= 40
    assert counts["price_entry"] >= 5 * counts["item"]
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
    seller = read("seller.json")
    assert vat.is_valid(seller["vat_id"])
    assert iban.is_valid(seller["bank"]["iban"], check_country=False)
    assert seller["quote_number_format"].format(year=2026, n=7) == "Q-2026-000007"


def test_every_book_is_its_multiple_of_the_list_rounded_half_up() -> None:
    factor = {
        "PB-EUR-RES": Decimal("0.88"),
        **{f"PB-{code}": Decimal(by) for code, by in MULTIPLIER.items()},
    }
    path = seed_folder("finance") / "price_entries.csv"
    with path.open(encoding="utf-8", newline="") as file:
        entries = list(csv.DictReader(file))
    base = {(e["sku"], e["unit"]): Decimal(e["amount"]) for e in entries if e["book"] == "PB-EUR"}
    for entry in entries:
        expected = base[(entry["sku"], entry["unit"])] * factor[entry["book"]]
        assert Decimal(entry["amount"]) == round_money(expected, "EUR"), entry


def test_freight_in_every_currency_is_a_row_of_its_own() -> None:
    rates = read("freight.json")["rates"]
    euro = {(r["method"], r["zone"]): r for r in rates if r["currency"] == "EUR"}
    assert len(rates) == 4 * len(euro)
    for rate in rates:
        of = euro[(rate["method"], rate["zone"])]
        by = Decimal(MULTIPLIER[rate["currency"]])
        for name in ("base", "per_kg"):
            assert Decimal(rate[name]) == round_money(Decimal(of[name]) * by, "EUR")


def test_flags_and_families_are_those_of_the_items() -> None:
    path = seed_folder("finance") / "items.csv"
    with path.open(encoding="utf-8", newline="") as file:
        items = {row["sku"]: row for row in csv.DictReader(file)}
    families = {row["family"] for row in items.values()}
    for row in (*read("tiers.json"), *read("contracts.json")):
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
    with (seed_folder("finance") / "item_flags.csv").open(encoding="utf-8", newline="") as file:
        flags = {(row["sku"], row["flag"]) for row in csv.DictReader(file)}
    assert {flag for flag in flags if flag[1] != "camera"} == wanted


def put(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / name
        if name.endswith(".json"):
            path.write_text(json.dumps(change(json.loads(path.read_text()))))
        else:
            path.write_text(change(path.read_text()))

    return apply


def first(**changes: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [{**rows[0], **changes}, *rows[1:]]


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (put("tiers.json", first(value="much")), "tiers.json, row 1: value"),
        (put("tiers.json", first(upper=30)), "overlap or leave a gap"),
        (put("tiers.json", lambda rows: [dict(r, upper=99) for r in rows[2:3]]), "must be open"),
        (put("contracts.json", first(currency="")), "a fixed price has a currency"),
        (put("promotions.json", first(priority=1, stack_group="shipping")), "same stack_group"),
        (put("people.json", first(surprise=1)), "people.json, row 1: surprise"),
        (put("clauses.json", first(when={"moon": ["full"]})), "clauses.json, row 1: when"),
        (put("clauses.json", first(text="Pay {amount} within {days} days.")), "not finished"),
        (put("clauses.json", first(approved_by="")), "names approved_by and approved_on"),
        (put("clauses.json", first(conflicts_with=["CL-NONE"])), "CL-NONE, which is no clause"),
        (put("clauses.json", lambda rows: [rows[0], *rows]), "CL-OFFER: version 1 in en is there"),
        (put("clauses.json", first(language="fr")), "CL-OFFER: there is no text in en"),
        (put("payment_terms.json", first(prepaid=False)), "give lines, or days, or prepaid"),
        (put("payment_terms.json", first(days=9)), "what is prepaid has no days"),
        (put("policies.json", lambda p: {**p, "credit": {"rows": []}}), "policies.json, credit"),
        (put("screening.json", lambda s: {**s, "threshold": "0"}), "screening.json: threshold"),
        (put("seller.json", lambda s: {**s, "quote_number_format": "Q"}), "quote_number_format"),
        (put("customers.json", first(country="Ireland")), "customers.json, row 1: country"),
        (put("items.csv", lambda t: t.replace("sku,name,", "sku,nom,")), "no column name"),
        (put("items.csv", lambda t: t.replace(",900,", ",heavy,")), "items.csv, line 2: weight_g"),
        (put("items.csv", lambda t: t + "SW-X,too,few\n"), "wrong number of columns"),
        (
            put("price_entries.csv", lambda t: t + "PB-EUR,NOPE,each,,1.00\n"),
            "unknown book or item",
        ),
        (put("item_flags.csv", lambda t: t + "NOPE,hazmat\n"), "item_flags.csv names NOPE"),
        (put("payment_terms.json", lambda rows: rows[0]), "payment_terms.json"),
        (lambda folder: (folder / "tiers.json").write_text("[{"), "tiers.json, line 1"),
        (lambda folder: (folder / "tiers.json").unlink(), "cannot read tiers.json"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    tmp_path: Path, small_seed: Path, mistake: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "seed"
    shutil.copytree(small_seed, folder)
    mistake(folder)
    database = Database.open(tmp_path / "finance.db", "finance")
    with pytest.raises(InvalidInputError, match=said):
        ensure_seeded(database, seed.load, folder)
    with database.session() as session:
        assert session.exec(select(Person)).first() is None
    assert database.setting("seeded") is None
    database.close()
