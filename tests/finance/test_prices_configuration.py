"""Options add to a unit price; units are counted in base units; bad rows are named."""

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line

from servers.finance.documents import Pricing
from servers.finance.facts.prices import ItemUnit
from servers.finance.facts.pricing import PricingFacts
from servers.finance.load import TABLES
from servers.finance.prices.units import Units, in_base
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.seeding import ensure_seeded
from servers.toolkit.table_files import read_rows, write_rows

SKUS = ("SRV-R1-64", "CAM-D4", "CBL-C6-02", "SW-P8-120")


@pytest.fixture
def facts(database: Database) -> PricingFacts:
    lines = [line(f"l{n}", sku) for n, sku in enumerate(SKUS, 1)]
    with acting(everyone()), database.session() as session:
        return collect(session, PriceRequest.model_validate(asking(*lines))).pricing


def priced(facts: PricingFacts, *lines: dict[str, Any], **changes: Any) -> Pricing:
    return price(facts, PriceRequest.model_validate(asking(*lines, **changes)))


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


def test_options_add_to_the_unit_price_before_tiers(facts: PricingFacts) -> None:
    (only,) = priced(facts, line("l1", "SRV-R1-64", 5, options=["TPM2", "RAM-128"])).lines
    assert (only.list_unit_price, only.unit_price) == ("3450.00", "3899.00")
    assert [(o.code, o.unit_extra) for o in only.options] == [
        ("RAM-128", "420.00"),
        ("TPM2", "29.00"),
    ]
    assert only.allowances[0].amount_minor == 5 * 389900 * 3 // 100


def test_an_option_is_a_step_and_its_cost_counts(facts: PricingFacts) -> None:
    plain = priced(facts, line("l1", "SRV-R1-64"))
    more = priced(facts, line("l1", "SRV-R1-64", options=["TPM2"]))
    (step,) = [one for one in more.trace if one.step == "option"]
    assert (step.before, step.after) == ("3450.00", "3479.00")
    assert plain.margin is not None
    assert more.margin is not None
    assert more.margin.cost_minor - plain.margin.cost_minor == 1740
    assert "17.4" not in step.model_dump_json()
    unknown = priced(facts, line("l1", "CAM-D4", options=["HEATER"]))
    assert (codes(unknown), unknown.margin) == ([], None)


@pytest.mark.parametrize(
    ("options", "changes", "code"),
    [
        (["NOPE"], {}, "OPTION_UNKNOWN"),
        (["HEATER"], {}, "OPTION_UNKNOWN"),
        (["TPM2", "TPM2"], {}, "OPTION_TWICE"),
    ],
)
def test_an_option_that_cannot_be_leaves_no_price(
    facts: PricingFacts, options: list[str], changes: dict[str, Any], code: str
) -> None:
    pricing = priced(facts, line("l1", "SRV-R1-64", options=options), **changes)
    assert codes(pricing)[0] == code
    assert pricing.totals.total_minor is None


def test_an_option_without_a_price_in_the_currency_is_refused(database: Database) -> None:
    request = asking(line("l1", "SRV-R1-64", options=["TPM2"]), currency="GBP")
    asked = PriceRequest.model_validate(request)
    with acting(everyone()), database.session() as session:
        abroad = collect(session, asked).pricing
    assert codes(price(abroad, asked))[0] == "OPTION_CURRENCY"


def test_a_skus_own_option_stands_before_its_familys(facts: PricingFacts) -> None:
    own = replace(facts.options[0], scope="sku", selector="SRV-R1-64", code="TPM2")
    own = replace(own, amount=Decimal("11.00"), currency="EUR")
    for order in ((*facts.options, own), (own, *facts.options)):
        found = priced(replace(facts, options=order), line("l1", "SRV-R1-64", options=["TPM2"]))
        assert found.lines[0].options[0].unit_extra == "11.00"


def test_a_box_is_twenty_and_counts_as_twenty(facts: PricingFacts) -> None:
    box = priced(facts, line("l1", "CBL-C6-02", 3, unit="box"))
    each = priced(facts, line("l1", "CBL-C6-02", 60))
    assert box.lines[0].unit_price == "138.00"
    assert box.lines[0].base_quantity == "60"
    assert box.lines[0].net_minor == each.lines[0].net_minor
    assert box.lines[0].allowances[0].percent == "10"  # 50 pieces and more
    assert box.freight.weight_g == each.freight.weight_g
    assert box.margin == each.margin


def test_a_price_of_the_unit_itself_is_the_price_of_that_unit(facts: PricingFacts) -> None:
    (one,) = [e for e in facts.entries if e.sku == "CBL-C6-02" and e.book == "PB-EUR"]
    own = replace(one, entry_id="OWN", unit="box", amount=Decimal("99.00"))
    both = replace(facts, entries=(*facts.entries, own))
    assert priced(both, line("l1", "CBL-C6-02", 1, unit="box")).lines[0].unit_price == "99.00"
    assert priced(both, line("l1", "CBL-C6-02", 20)).lines[0].unit_price == "6.90"
    only = replace(facts, entries=(own,))
    assert codes(priced(only, line("l1", "CBL-C6-02", 20)))[0] == "UNIT_MISMATCH"


@pytest.mark.parametrize(("sku", "unit"), [("SW-P8-120", "box"), ("CBL-C6-02", "hour")])
def test_a_unit_without_a_factor_has_no_price(facts: PricingFacts, sku: str, unit: str) -> None:
    pricing = priced(facts, line("l1", sku, 1, unit=unit))
    assert codes(pricing)[0] == "UNIT_MISMATCH"
    assert pricing.totals.total_minor is None


def test_fractions_of_units_are_exact() -> None:
    units = Units([ItemUnit("A", "each", 1), ItemUnit("A", "box", 1, 3)])
    ratio = units.ratio("A", "box")
    assert ratio is not None
    assert in_base(Decimal(3), ratio) == 1
    assert in_base(Decimal("0.4"), (12, 1)) == Decimal("4.8")
    assert units.base_unit("A") == "each"
    assert units.ratio("A", "hour") is None


def changed(name: str, old: str, new: str) -> Any:
    def apply(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return apply


def added(name: str, row: str) -> Any:
    def apply(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(row + "\n")

    return apply


def book(column: str, value: str) -> Any:
    """Say one thing more of the first price book."""

    def apply(folder: Path) -> None:
        header, found, _ = read_rows(folder / "price_books.csv")
        rows = [row for _, row in found]
        rows[0][column] = value
        write_rows(folder / "price_books.csv", [*dict.fromkeys([*header, column])], rows)

    return apply


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (book("region", "MOON"), "no zone MOON"),
        (book("rules", '{"moon": ["x"]}'), "row 2: rules know"),
        (book("derived_from", "PB-GBP"), "row 2: a book that is derived"),
        (changed("price_books.csv", ",PB-GBP,", ",NO,"), "from NO"),
        (added("prices.csv", "PB-EUR,SEN-T4,each,,1.00"), "again"),
        (added("options.csv", "sku,NOPE,X,X,EUR,1,1"), "there is no NOPE"),
        (added("options.csv", "sku,CAM-D4,X,X,EUR,-1,1"), "row 5, amount"),
        (added("units.csv", "NOPE,each,1,1"), "sku: there is no NOPE"),
        (added("units.csv", "SUB-DM-STD,each,1,1"), "priced by license"),
        (added("units.csv", "CBL-C6-02,month,1,1"), "exactly one unit"),
        (added("purchases.csv", "acc_001,NOPE,1,2026-01-01,,x"), "sku: there is no NOPE"),
        (added("bundles.csv", "BDL-EDGE,NOPE,1,included,false,"), "sku: there is no NOPE"),
        (added("bundles.csv", "BDL-EDGE,SEN-T4,1,included,true,5"), "no percent_off"),
        (added("bundles.csv", "BDL-EDGE,CAM-D4,1,priced,false,"), "exactly one"),
        (added("bundles.csv", "BDL-EDGE,SVC-INST-D,1,included,false,"), "another kind"),
        (added("bundles.csv", "BDL-CAM,BDL-CAM,1,priced,false,"), "circle"),
        (changed("contract_uses.csv", ",40,", ",-1,"), "quantity"),
        (changed("contracts.csv", ",200,", ",0,"), "min_commit"),
        (
            changed("contracts.csv", ",,20\n", ",10,9\n"),
            "commits to more",
        ),
    ],
)
def test_a_mistake_about_prices_is_named(
    tmp_path: Path, small_seed: Path, mistake: Any, said: str
) -> None:
    folder = tmp_path / "seed"
    shutil.copytree(small_seed, folder)
    mistake(folder)
    database = Database.open(tmp_path / "finance.db", "finance")
    with pytest.raises(InvalidInputError, match=said):
        ensure_seeded(database, TABLES, folder)
    database.close()
