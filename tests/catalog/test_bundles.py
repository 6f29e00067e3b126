"""Bundles: judged by what is in them; optional parts belong to one and are counted."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from servers.catalog.availability import promise
from servers.catalog.bundles import misplaced, unpack
from servers.catalog.configuration import check, complete
from servers.catalog.load.bundles import bundle_problems
from servers.catalog.rulebook import Stock
from servers.catalog.schemas import Component, OptionGroup, Product
from servers.catalog.selection import join, scenarios, total
from servers.catalog.shipping import options
from servers.catalog.tables import ComponentRow, OptionGroupRow
from servers.toolkit.errors import InvalidInputError

from .conftest import TODAY, lines_of


def product(sku: str, kind: str = "bundle", **more: Any) -> Product:
    fields = {"sku": sku, "name": sku, "family": "bundles", "kind": kind, "base_uom": "each"}
    return Product.model_validate({**fields, "lifecycle": "active", "eccn": "N", **more})


def bundle(sku: str, *parts: Component, groups: tuple[OptionGroup, ...] = ()) -> Product:
    return product(sku, components=list(parts), option_groups=list(groups))


@pytest.fixture(scope="session")
def kits(catalog: dict[str, Product]) -> dict[str, Product]:
    """The demo catalog with bundles of its own."""
    rack = bundle("KIT-RACK", Component(sku="SRV-R1-64"), Component(sku="PSU-R550"))
    bare = bundle("KIT-BARE", Component(sku="SRV-R1-64"))
    nest = bundle("KIT-NEST", Component(sku="KIT-RACK", quantity=2), Component(sku="MNT-RK1"))
    eyes = bundle(
        "KIT-EYES",
        Component(sku="CAM-D4", quantity=4),
        Component(sku="SUB-AN-BAS", quantity=4, optional=True, group="software"),
        Component(sku="SUB-VID-30", quantity=4, optional=True, group="software"),
        groups=(OptionGroup(group="software", max_select=1),),
    )
    must = bundle(
        "KIT-MUST",
        Component(sku="CAM-D4"),
        Component(sku="CBL-C6-02", optional=True, group="cable"),
        Component(sku="CBL-C6-05", optional=True, group="cable"),
        groups=(OptionGroup(group="cable", min_select=1, max_select=1),),
    )
    made = {one.sku: one for one in (rack, bare, nest, eyes, must)}
    made["CBL-BOX"] = product("CBL-BOX", "goods", weight_g=100, units={"box": 10})
    return {**catalog, **made}


def given(kits: dict[str, Product], *parts: Any) -> list[Any]:
    items, findings = join(lines_of(*parts), kits)
    assert findings == []
    return items


def test_a_bundle_stands_for_its_parts_to_any_depth(kits: Any) -> None:
    items = unpack(given(kits, ("KIT-NEST", 3)), kits)
    counts = {item.product.sku: item.pieces for item in items}
    assert counts == {"KIT-NEST": 3, "KIT-RACK": 6, "SRV-R1-64": 6, "PSU-R550": 6, "MNT-RK1": 3}
    assert {item.line.line_id for item in items} == {"l1"}
    assert "l1: 6 x SRV-R1-64 in KIT-RACK" in [item.text for item in items]


def test_the_parts_of_a_bundle_count_for_compatibility(kits: Any, rules: Any, to: Any) -> None:
    where = to("IE")
    assert check(lines_of(("KIT-RACK", 2)), rules, kits, where).ok
    lacking = check(lines_of(("KIT-BARE", 2)), rules, kits, where)
    assert not lacking.ok
    assert [f.code for f in lacking.findings if f.severity == "error"] == ["MISSING_PART"]
    found = complete(lines_of(("KIT-BARE", 2)), rules, kits, where)
    assert [(a.sku, a.quantity, a.unit, a.for_line) for a in found.additions] == [
        ("PSU-R550", 2, "each", "l1")
    ]


def test_a_bundle_is_ready_with_its_last_part(kits: Any) -> None:
    def row(sku: str, on_hand: int, days: int) -> Stock:
        return Stock(sku=sku, on_hand=on_hand, lead_time_days=days, as_of=TODAY)

    stock = {"SRV-R1-64": row("SRV-R1-64", 5, 40), "PSU-R550": row("PSU-R550", 20, 10)}
    items = unpack(given(kits, ("KIT-RACK", 2), ("KIT-RACK", 4), ("PSU-R550", 1)), kits)
    made = promise(items, stock, TODAY, None, [])
    assert [(x.sku, x.quantity, x.available) for x in made.lines] == [
        ("KIT-RACK", 2, 2),
        ("KIT-RACK", 4, 3),
        ("PSU-R550", 1, 1),
    ]
    assert [x.promise_date for x in made.lines] == [
        date(2026, 11, 24),
        date(2027, 1, 2),
        date(2026, 11, 24),
    ]
    unknown = promise(unpack(given(kits, ("KIT-RACK", 1)), kits), {}, TODAY, None, [])
    assert unknown.lines[0].promise_date is None


def test_goods_inside_a_bundle_are_shipped(kits: Any, session: Any) -> None:
    from servers.catalog.store.rules import find_shipping_network

    items = unpack(given(kits, ("KIT-RACK", 1)), kits)
    assert options(items, "IE", find_shipping_network(session, [])).recommended == "ROAD-STD"


@pytest.mark.parametrize(
    ("parts", "codes"),
    [
        ([("KIT-EYES", 2)], []),
        ([("KIT-EYES", 2), {"sku": "SUB-AN-BAS", "quantity": 8, "part_of": "l1"}], []),
        ([("KIT-EYES", 2), {"sku": "SUB-AN-BAS", "quantity": 9, "part_of": "l1"}], ["COUNT"]),
        ([("KIT-EYES", 2), {"sku": "SUB-AN-ADV", "quantity": 8, "part_of": "l1"}], ["PART"]),
        ([("CAM-D4", 2), {"sku": "SUB-AN-BAS", "quantity": 8, "part_of": "l1"}], ["PART"]),
        (
            [
                ("KIT-EYES", 1),
                {"sku": "SUB-AN-BAS", "quantity": 4, "part_of": "l1"},
                {"sku": "SUB-VID-30", "quantity": 4, "part_of": "l1"},
            ],
            ["GROUP"],
        ),
        ([("KIT-MUST", 1)], ["GROUP"]),
        ([("KIT-MUST", 1), {"sku": "CBL-C6-05", "quantity": 1, "part_of": "l1"}], []),
    ],
)
def test_optional_parts_belong_to_their_bundle(kits: Any, parts: Any, codes: list[str]) -> None:
    found = misplaced(given(kits, *parts))
    assert [f.code for f in found] == [f"BUNDLE_{code}" for code in codes]
    assert all(f.severity == "error" and f.fix for f in found)


def test_a_reference_to_no_other_line_is_refused(kits: Any) -> None:
    for name in ("part_of", "segment_of"):
        for other in ("l1", "l7"):
            with pytest.raises(InvalidInputError, match=name):
                given(kits, {"sku": "CAM-D4", "quantity": 1, name: other})


def test_a_bundle_goes_with_its_parts_when_an_alternative_takes_its_place(kits: Any) -> None:
    parts = [
        ("KIT-EYES", 1),
        {"sku": "SUB-AN-BAS", "quantity": 4, "part_of": "l1"},
        {"sku": "KIT-RACK", "quantity": 1, "alternative_of": "l1"},
    ]
    first, second = scenarios(unpack(given(kits, *parts), kits))
    assert [item.product.sku for item in first] == ["KIT-EYES", "CAM-D4", "SUB-AN-BAS"]
    assert [item.product.sku for item in second] == ["KIT-RACK", "SRV-R1-64", "PSU-R550"]


def test_of_a_ramp_the_largest_year_counts(kits: Any, rules: Any, to: Any) -> None:
    ramp = [
        {"sku": "SUB-AN-ADV", "quantity": 50, "term_months": 12},
        {"sku": "SUB-AN-ADV", "quantity": 100, "term_months": 12, "segment_of": "l1"},
        {"sku": "SUB-AN-ADV", "quantity": 80, "term_months": 12, "segment_of": "l2"},
    ]
    assert total(scenarios(given(kits, *ramp))[0]) == 100
    plan = {"sku": "SUB-DM-PRO", "quantity": 100}
    assert check(lines_of(*ramp, plan), rules, kits, to("IE")).ok
    assert not check(lines_of(*ramp, {**plan, "quantity": 99}), rules, kits, to("IE")).ok


def test_a_box_counts_as_its_pieces(kits: Any, rules: Any, to: Any, session: Any) -> None:
    from servers.catalog.store.rules import find_shipping_network

    box = {"sku": "CBL-BOX", "quantity": 3, "unit": "box"}
    items = given(kits, box)
    assert items[0].pieces == 30
    assert items[0].text == "l1: 3 x CBL-BOX (box of 10)"
    codes = {f.code for f in check(lines_of(box), rules, kits, to("IE")).findings}
    assert "UNIT" not in codes
    plain = {"sku": "CBL-C6-10-D", "quantity": 3, "unit": "box"}
    codes = {f.code for f in check(lines_of(plain), rules, kits, to("IE")).findings}
    assert "UNIT" in codes
    stock = {"CBL-BOX": Stock(sku="CBL-BOX", on_hand=29, lead_time_days=9, as_of=TODAY)}
    assert promise(items, stock, TODAY, None, []).lines[0].available == 29
    light = find_shipping_network(session, [])
    assert options(items, "IE", light).recommended == "ROAD-STD"


@pytest.mark.parametrize(
    ("products", "problem"),
    [
        ([bundle("K-1", Component(sku="K-2")), bundle("K-2", Component(sku="K-1"))], "circle"),
        ([bundle("K-1")], "always in it"),
        ([product("P-1", "goods"), bundle("K-1", Component(sku="P-1", optional=True))], "always"),
        (
            [product("P-1", "goods"), bundle("K-1", Component(sku="P-1", group="x"))],
            "option groups",
        ),
    ],
)
def test_a_bundle_that_cannot_be_is_refused(products: list[Product], problem: str) -> None:
    found = list(bundle_problems({one.sku: one for one in products}))
    assert any(problem in one for one in found), found


def test_a_bundle_is_kept_with_its_parts_and_groups(tmp_path: Path, kits: Any) -> None:
    from servers.catalog.store.products import find_product, find_products
    from servers.catalog.tables import ProductRow
    from servers.toolkit.database import Database

    database = Database.open(tmp_path / "catalog.db", server="catalog")
    with database.write() as session:
        for place, sku in enumerate(("CAM-D4", "SUB-AN-BAS", "SUB-VID-30", "KIT-EYES"), start=1):
            fields = kits[sku].model_dump(exclude={"components", "option_groups", "units"})
            made = {**fields, "id": place, "sku_norm": sku.replace("-", ""), "search_terms": ""}
            session.add(ProductRow(**made))
        session.flush()
        for place, part in enumerate(kits["KIT-EYES"].components):
            row = part.model_dump(exclude={"group"}) | {"option_group": part.group}
            session.add(ComponentRow(bundle_sku="KIT-EYES", place=place, **row))
        session.add(
            OptionGroupRow(
                bundle_sku="KIT-EYES", name="software", place=0, min_select=0, max_select=1
            )
        )
    with database.session() as session:
        assert find_product(session, "KIT-EYES") == kits["KIT-EYES"]
        assert set(find_products(session, ["KIT-EYES"])) == {
            "KIT-EYES",
            "CAM-D4",
            "SUB-AN-BAS",
            "SUB-VID-30",
        }
    database.close()
