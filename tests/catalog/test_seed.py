"""The demo data fits together: what one file names, another has; and prices follow the plan."""

import csv
import json
import re
import shutil
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from servers.catalog.load import TABLES
from servers.catalog.rulebook import RULE, Certification, Export
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.seeding import ensure_seeded, seed_folder

FOLDER = seed_folder("catalog")
FINANCE = seed_folder("finance")
BOOKS = {"PB-EUR": "1", "PB-EUR-RES": "0.88", "PB-GBP": "0.87", "PB-USD": "1.10", "PB-CHF": "0.97"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_range_is_wide_and_described(catalog: Any) -> None:
    assert len(catalog) >= 150
    for product in catalog.values():
        assert len(product.description) >= 25, product.sku
        assert product.eccn or product.sku == "CAM-T4-PTZ"
        if product.kind == "goods":
            assert product.weight_g, product.sku
            assert product.hs_code, product.sku
            assert product.origin_country, product.sku
            assert product.warranty_months, product.sku


def test_what_is_no_longer_sold_has_a_successor_that_is(catalog: Any) -> None:
    for product in catalog.values():
        if product.lifecycle == "eol":
            assert product.last_order_date, product.sku
            assert catalog[product.successor_sku].lifecycle == "active", product.sku


def test_dangerous_goods_have_limits_on_file(catalog: Any, session: Any) -> None:
    from servers.catalog.store.rules import find_shipping_network

    on_file = find_shipping_network(session, [])
    for product in catalog.values():
        if product.un_number:
            for mode in ("road", "air", "sea", "pickup"):
                assert on_file.limit(product.un_number, mode), product.sku


def test_devices_that_need_a_supply_say_how_much(catalog: Any) -> None:
    for product in catalog.values():
        if "needs_supply_v" in product.attributes:
            assert isinstance(product.attributes["watts"], int), product.sku


def test_rules_are_many_of_many_kinds(rules: Any) -> None:
    assert len(rules) >= 60
    assert len({rule.kind for rule in rules}) >= 14
    assert len({rule.rule_id for rule in rules}) == len(rules)


def test_country_groups_are_written_out(rules: Any) -> None:
    for rule in rules:
        if isinstance(rule, Certification):
            assert all(len(country) == 2 for country in rule.countries)
    assert any(isinstance(rule, Export) and rule.test == "embargo" for rule in rules)


def test_every_product_has_a_cost_and_finance_knows_the_same_weight(catalog: Any) -> None:
    items = {row["sku"]: row for row in rows(FINANCE / "items.csv")}
    assert items.keys() == catalog.keys()
    for sku, item in items.items():
        assert item["family"] == catalog[sku].family
        if catalog[sku].kind == "bundle":  # its parts have the cost and the weight
            assert (item["kind"], item["cost"], item["weight_g"]) == ("goods", "", "")
            continue
        assert Decimal(item["cost"]) > 0
        assert int(item["weight_g"]) == (catalog[sku].weight_g or 0)
        assert item["kind"] == catalog[sku].kind


def test_bundles_and_units_are_the_same_in_finance(catalog: Any) -> None:
    parts = {
        (row["bundle_sku"], row["sku"], int(row["quantity"]), row["optional"] == "true")
        for row in rows(FINANCE / "bundles.csv")
    }
    assert parts == {
        (product.sku, part.sku, part.quantity, part.optional)
        for product in catalog.values()
        for part in product.components
    }
    factors = {
        (row["sku"], row["unit"]): int(row["numerator"])
        for row in rows(FINANCE / "units.csv")
        if row["numerator"] != "1"
    }
    assert factors == {
        (product.sku, unit): pieces
        for product in catalog.values()
        for unit, pieces in product.units.items()
    }


def test_every_price_follows_from_the_list_price(catalog: Any) -> None:
    prices = {
        (r["book"], r["sku"], r["unit"]): Decimal(r["amount"]) for r in rows(FINANCE / "prices.csv")
    }
    bundles = [row for row in rows(FINANCE / "bundles.csv") if row["optional"] == "false"]
    summed = {row["bundle_sku"] for row in bundles if row["price_mode"] == "priced"}
    assert {sku for _, sku, _ in prices} == catalog.keys() - summed
    for (book, sku, unit), amount in prices.items():
        exact = prices["PB-EUR", sku, unit] * Decimal(BOOKS[book])
        assert amount == exact.quantize(Decimal("0.01"), ROUND_HALF_UP), (book, sku)
    for sku, product in catalog.items():
        for book in BOOKS if sku not in summed else ():
            assert (book, sku, "each") in prices
            assert (book, sku, product.base_uom) in prices


def test_goods_and_services_have_a_stock_row(catalog: Any, session: Any) -> None:
    from servers.catalog.store.rules import find_stock

    known = find_stock(session, catalog)
    wanted = {sku for sku, p in catalog.items() if p.kind not in ("subscription", "bundle")}
    assert known.keys() == wanted


def test_a_database_is_filled_once(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "catalog.db", server="catalog")
    assert ensure_seeded(database, TABLES)["products"] >= 150
    assert ensure_seeded(database, TABLES) == {}
    database.close()


def change(file: str, mend: Any) -> Any:
    def apply(folder: Path) -> None:
        text = (folder / file).read_text()
        if file.endswith(".json"):
            data = json.loads(text)
            mend(data)
            text = json.dumps(data)
        else:
            text = mend(text)
        (folder / file).write_text(text)

    return apply


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (change("products.json", lambda d: d[3].pop("name")), "products.json: row 4, name"),
        (
            change("products.json", lambda d: d[4].update(successor_sku="SW-NONE")),
            "row 5, successor_sku: there is no SW-NONE",
        ),
        (
            change("rules.json", lambda d: d[0].update(severity="bad")),
            "rules.json: row 1, requires_all",
        ),
        (change("rules.json", lambda d: d[0].update(wrong=1)), "rules.json: wrong: no such column"),
        (
            change("rules.json", lambda d: d[0]["subject"].update(skus=["NOPE-1"])),
            "rules.json: row 1: there is no NOPE-1",
        ),
        (
            change("substitutes.csv", lambda t: t + "SW-P8-120,NOPE-1,upgrade,better\n"),
            "stand_in: there is no NOPE-1",
        ),
        (
            change("hazmat_modes.csv", lambda t: t.replace("air", "rocket", 1)),
            "hazmat_modes.csv: row 2, mode",
        ),
        (
            change("bundle_components.csv", lambda t: t + "BDL-CAM-KIT,NOPE-1,1,true,\n"),
            "sku: there is no NOPE-1",
        ),
        (
            change("bundle_components.csv", lambda t: t + "BDL-CAM-KIT,CAM-D4,1,true,\n"),
            "is row 6 again (BDL-CAM-KIT / CAM-D4)",
        ),
        (
            change("bundle_components.csv", lambda t: t + "SW-P8-120,CAM-D4,1,false,\n"),
            "product SW-P8-120: only a bundle has parts",
        ),
        (
            change("vocabulary.json", lambda d: d[0].update(part="songs")),
            "vocabulary: songs",
        ),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_kept(
    tmp_path: Path, mistake: Any, message: str
) -> None:
    folder = tmp_path / "seed"
    shutil.copytree(FOLDER, folder)
    mistake(folder)
    database = Database.open(tmp_path / "catalog.db", server="catalog")
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        ensure_seeded(database, TABLES, folder)
    assert database.setting("seeded") is None
    database.close()


def test_rule_messages_can_be_filled_in() -> None:
    known = (
        "sku quantity need have used given most last country scheme legal unit months maximum "
        "value fitting promise needed available un mode instead"
    )
    blanks = dict.fromkeys(known.split(), "x")
    for row in json.loads((FOLDER / "rules.json").read_text()):
        rule = RULE.validate_python(row)
        rule.message.format(**blanks)
        rule.fix.format(**blanks)
