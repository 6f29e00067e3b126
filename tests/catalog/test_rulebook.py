"""Rows of the rulebook: what a field may hold, and what selectors and ratios mean."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from servers.catalog import rulebook as rb
from servers.catalog.schemas import Product

BASE = {
    "rule_id": "a-rule",
    "code": "CODE",
    "severity": "error",
    "message": "said",
    "subject": {},
}
DAY = "2026-11-23"
RATIO, STOCK = {"count": 1, "per": 1}, {"sku": "A", "on_hand": 0, "lead_time_days": 0, "as_of": DAY}
LIST = {
    "list_id": "x",
    "test": "embargo",
    "name": "n",
    "version": "1",
    "date": DAY,
    "source": "s",
    "countries": ["DE"],
}
HAZMAT = {
    "un_number": "UN3480",
    "mode": "air",
    "allowed": True,
    "note": "n",
    "source": "s",
    "as_of": DAY,
}
METHOD = {"method": "ROAD", "name": "n", "mode": "road", "transit_days": {}}
PAPER = {"scheme": "CE", "certificate_no": "1", "covers": {}}
STAND_IN = {"sku": "A", "stand_in": "B", "relation": "upgrade", "note": "n"}
GOAL = {"scope": {}, "goal": "push", "note": "n"}
POLICY = {**BASE, "kind": "qty_policy"}


def accepted(model: type[BaseModel], row: dict[str, Any], **changes: Any) -> bool:
    try:
        model.model_validate({**row, **changes})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("model", "row", "field", "longest"),
    [
        (rb.Note, {**BASE, "kind": "note"}, "message", 400),
        (rb.Note, {**BASE, "kind": "note"}, "fix", 250),
        (rb.Note, {**BASE, "kind": "note"}, "rule_id", 80),
        (rb.Certificate, PAPER, "scheme", 20),
        (rb.Certificate, PAPER, "certificate_no", 60),
        (rb.ExportList, LIST, "list_id", 40),
        (rb.ExportList, LIST, "name", 120),
        (rb.ExportList, LIST, "version", 20),
        (rb.ExportList, LIST, "source", 200),
        (rb.HazmatMode, HAZMAT, "note", 200),
        (rb.HazmatMode, HAZMAT, "source", 120),
        (rb.ShipMethod, METHOD, "name", 80),
        (rb.SubstituteRow, STAND_IN, "note", 200),
        (rb.SalesGoal, GOAL, "note", 120),
    ],
)
def test_a_text_is_as_long_as_its_column(
    model: type[BaseModel], row: dict[str, Any], field: str, longest: int
) -> None:
    assert accepted(model, row, **{field: "x" * longest})
    assert not accepted(model, row, **{field: "x" * (longest + 1)})


@pytest.mark.parametrize(
    ("model", "row", "field", "least"),
    [
        (rb.Ratio, RATIO, "count", 1),
        (rb.Ratio, RATIO, "per", 0),
        (rb.QtyPolicy, POLICY, "minimum", 1),
        (rb.QtyPolicy, POLICY, "maximum", 1),
        (rb.QtyPolicy, POLICY, "multiple", 1),
        (rb.CountRange, {**BASE, "kind": "count_range", "per": {}}, "minimum", 0),
        (rb.CountRange, {**BASE, "kind": "count_range", "per": {}}, "maximum", 1),
        (rb.Term, {**BASE, "kind": "term"}, "minimum", 0),
        (rb.Term, {**BASE, "kind": "term"}, "maximum", 0),
        *((rb.Stock, STOCK, name, 0) for name in ("on_hand", "reserved", "lead_time_days")),
        (rb.Stock, STOCK, "inbound_quantity", 0),
    ],
)
def test_a_number_is_not_below_its_least(
    model: type[BaseModel], row: dict[str, Any], field: str, least: int
) -> None:
    assert accepted(model, row, **{field: least})
    assert not accepted(model, row, **{field: least - 1})


@pytest.mark.parametrize(
    ("model", "row", "field"),
    [
        (rb.RequiresAll, {**BASE, "kind": "requires_all"}, "parts"),
        (rb.PlanGate, {**BASE, "kind": "plan_gate"}, "plans"),
        (
            *(rb.AttrMatch, {**BASE, "kind": "attr_match", "targets": {}, "attribute": "a"}),
            "target_attributes",
        ),
        (
            *(rb.Certification, {**BASE, "kind": "certification", "schemes": ["CE"]}),
            "countries",
        ),
        (
            *(rb.Certification, {**BASE, "kind": "certification", "countries": ["DE"]}),
            "schemes",
        ),
    ],
)
def test_a_list_that_a_rule_is_about_is_not_empty(
    model: type[BaseModel], row: dict[str, Any], field: str
) -> None:
    one: Any = {"sku": "A"} if field == "parts" else "A"
    assert accepted(model, row, **{field: [one]})
    assert not accepted(model, row, **{field: []})


def test_what_a_row_does_not_say_is_harmless() -> None:
    """Once for each, no bound but what a line has itself, nothing on its way."""
    policy = rb.QtyPolicy.model_validate(POLICY)
    assert (policy.minimum, policy.maximum, policy.multiple) == (1, 100_000, 1)
    counted = rb.CountRange.model_validate({**BASE, "kind": "count_range", "per": {}})
    assert (counted.minimum, counted.maximum) == (0, 100_000)
    term = rb.Term.model_validate({**BASE, "kind": "term"})
    assert (term.minimum, term.maximum) == (1, 120)
    assert rb.Ratio() == rb.Ratio(count=1, per=1)
    stock = rb.Stock.model_validate(STOCK)
    assert (stock.reserved, stock.inbound_quantity, stock.inbound_date) == (0, 0, None)
    packed = rb.AttrSumLe.model_validate(
        {**BASE, "kind": "attr_sum_le", "targets": {}, "provide": "w"}
    )
    assert (packed.pack, packed.only_with_targets, packed.use) == (False, False, "")


@pytest.mark.parametrize(
    ("count", "per", "needed"),
    [
        (1, 1, {1: 1, 2: 2}),
        (2, 1, {1: 2, 3: 6}),
        (1, 4, {1: 1, 4: 1, 5: 2, 8: 2, 9: 3}),
        (3, 2, {1: 2, 2: 3, 3: 5}),
        (2, 0, {1: 2, 1000: 2}),
    ],
)
def test_a_ratio_is_rounded_up_or_once_for_all(
    count: int, per: int, needed: dict[int, int]
) -> None:
    ratio = rb.Ratio(count=count, per=per)
    assert {quantity: ratio.needed(Decimal(quantity)) for quantity in needed} == needed


@pytest.mark.parametrize(
    ("asks", "picks"),
    [
        ({}, True),
        ({"skus": ["A", "B"]}, True),
        ({"skus": ["B"]}, False),
        ({"skus": ["A"], "but_not": ["A"]}, False),
        ({"but_not": ["B"]}, True),
        ({"but_not_eccn": ["5A002"]}, False),
        ({"families": ["things"], "kinds": ["goods"]}, True),
        ({"families": ["things"], "kinds": ["service"]}, False),
        ({"eccn": ["5A002"]}, True),
        ({"eccn": ["5A992"]}, False),
        ({"un_numbers": ["UN3480"]}, True),
        ({"un_numbers": ["UN3481"]}, False),
        ({"specials": ["m12", "other"]}, True),
        ({"specials": ["other"]}, False),
        ({"has": ["watts"]}, True),
        ({"has": ["watts", "none"]}, False),
        ({"has": ["off"]}, False),
        ({"attributes": {"watts": 30}}, True),
        ({"attributes": {"watts": 30, "plug": "UK"}}, False),
        ({"attributes": {"other": 1}}, False),
    ],
)
def test_a_selector_picks_when_all_of_it_holds(asks: dict[str, Any], *, picks: bool) -> None:
    one = Product(
        sku="A",
        name="A",
        family="things",
        kind="goods",
        base_uom="each",
        lifecycle="active",
        eccn="5A002",
        un_number="UN3480",
        specials=["m12"],
        attributes={"watts": 30, "plug": "EU", "off": False},
    )
    assert rb.Selector.model_validate(asks).picks(one) is picks


def test_a_list_is_named_with_its_version_and_day() -> None:
    found = rb.ExportList.model_validate(LIST)
    assert found.date == date(2026, 11, 23)
    assert found.evidence == "list: n, version 1 of 2026-11-23"
