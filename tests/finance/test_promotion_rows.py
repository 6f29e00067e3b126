"""Promotions as rows: what is refused at load, what acceptance uses up, what an upgrade keeps."""

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from finance_support import acting, asking, by, call, drafted, everyone, line
from sqlmodel import select

from servers.finance.facts.promotions import BuyGet, Conditions, Gift, Promotion, Selector
from servers.finance.load import TABLES
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.store.promotions import find_promotions
from servers.finance.tables.customers import CustomerRow
from servers.finance.tables.promotions import PromotionRow, PromotionUse
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.importing import load_folder

AGENT, TOMAS = everyone(), by("per_tomas")


def found(database: Database, *codes: str) -> dict[str, Promotion]:
    with database.session() as session:
        return {one.code: one for one in find_promotions(session, codes)}


def test_the_seed_has_every_kind_and_automatic_ones_come_unasked(database: Database) -> None:
    assert set(found(database)) == {"EDU-AUTO", "HEALTH-AUTO"}
    with database.session() as session:
        rows = session.exec(select(PromotionRow)).all()
    assert {row.kind for row in rows} == {
        *("percent", "amount", "fixed_price", "buy_x_get_y", "free_item", "free_shipping"),
    }


def test_a_row_becomes_the_promotion_it_says(database: Database) -> None:
    known = found(database, "CAM4GET1", "RACKKIT", "WELCOME250", "CABLE50")
    assert known["CAM4GET1"].buy_get == BuyGet(4, 1)
    assert known["RACKKIT"].gift == Gift(2, "CBL-C6-02", 1)
    assert known["WELCOME250"].exclusive
    assert known["WELCOME250"].limits.usage == 50
    assert known["WELCOME250"].conditions == Conditions(
        minimum=known["WELCOME250"].conditions.minimum, channels=("direct",)
    )
    cables = known["CABLE50"]
    assert (cables.on, cables.per) == (Selector(family="cables"), "unit")
    assert cables.amount["GBP"] == Decimal("0.45")
    assert cables.limits.cap["EUR"] == Decimal("75.00")


def test_a_segment_decides_and_is_a_fact_of_the_customer(database: Database) -> None:
    request = PriceRequest.model_validate(asking())
    with database.write() as session:
        row = session.get(CustomerRow, "acc_008")
        assert row is not None
        row.segment = "education"
    with acting(AGENT), database.session() as session:
        facts = collect(session, request).pricing
    assert facts.customer.segment == "education"
    pricing = price(facts, request)
    assert [block.code for block in pricing.promotions] == ["EDU-AUTO"]
    plain = price(replace(facts, customer=replace(facts.customer, segment="")), request)
    assert plain.promotions == []


async def test_acceptance_uses_a_promotion_up_and_only_acceptance(
    app: Server, database: Database
) -> None:
    with database.write() as session:
        row = session.get(PromotionRow, "PRO-SENSOR-PRICE")
        assert row is not None
        row.budget = {**row.budget, "EUR": "80.00"}
    asked = {"lines": [line("l1", "SEN-T4", 10)], "promo_codes": ["SENSORFIX"]}
    draft = await drafted(app, AGENT, **asked)
    quote = await call(
        app, AGENT, "issue_quote", {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    )
    assert found(database, "SENSORFIX")["SENSORFIX"].limits.used == 0
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"]}
    await call(app, TOMAS, "accept_quote", arguments)
    with database.session() as session:
        (use,) = session.exec(select(PromotionUse)).all()
    assert (use.promotion_id, use.quote_id) == ("PRO-SENSOR-PRICE", quote["quote_id"])
    assert (use.currency, use.amount_minor, use.free_units) == ("EUR", 5000, 0)
    limits = found(database, "SENSORFIX")["SENSORFIX"].limits
    assert (limits.used, limits.spent) == (1, {"EUR": Decimal("50.00")})
    again = await call(app, AGENT, "price_quote", asking(**asked))
    assert [one["code"] for one in again["findings"]] == ["PROMO_BUDGET"]
    assert again["lines"][0]["allowances"] == []
    less = {"lines": [line("l1", "SEN-T4", 10, optional=True), line("l2", "SEN-T4", 1)]}
    within = await call(app, AGENT, "price_quote", asking(**{**asked, **less}))
    assert [one["code"] for one in within["findings"]] == ["PROMO_QUANTITY"]


def row(**changes: Any) -> dict[str, Any]:
    return {
        "promotion_id": "PRO-NEW",
        "code": "NEW",
        "kind": "percent",
        "percent": "5",
        "minimum": {"EUR": "0.00"},
        "valid_from": "2026-01-01",
        "valid_to": None,
        "priority": 1,
        "stack_group": "new",
        **changes,
    }


AMOUNT = {"kind": "amount", "percent": "0", "amount": {"EUR": "5.00"}}
ACROSS = {"allocation": "across", "per": "order"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"percent": "0"}, "have a percent above 0"),
        ({"amount": {"EUR": "5.00"}}, "have an amount per currency, others have none"),
        ({"kind": "amount", "percent": "0"}, "have an amount per currency"),
        ({"kind": "buy_x_get_y", "buy_quantity": 2}, "has buy_quantity and get_quantity"),
        ({"kind": "free_item", "percent": "0"}, "free_item has free_quantity"),
        ({"free_sku": "CBL-C6-02"}, "only free_item"),
        ({"of_sku": "CBL-C6-02"}, "only buy_x_get_y"),
        ({**AMOUNT, "base": "list"}, "base list is for percent"),
        ({"pick": "priority"}, "pick priority is for automatic promotions"),
        ({**AMOUNT, "allocation": "across"}, "an amount across is per order"),
        ({**AMOUNT, "per": "order"}, "an amount across is per order"),
        ({**AMOUNT, **ACROSS, "max_quantity": 3}, "max_quantity is for what counts"),
        ({"target": "order"}, "on the order the allocation is across"),
        ({"target": "order", "allocation": "across", "sku": "SEN-T4"}, "sku and family choose"),
        ({**AMOUNT, "kind": "fixed_price", "target": "shipping"}, "on shipping only percent"),
        ({"cap": {"USD": "5.00"}}, "cap and minimum name different currencies"),
        ({**AMOUNT, "amount": {"EUR": "-5.00"}}, "amount.EUR: Input should be greater"),
        ({"minimum": {}}, "minimum"),
        ({"minimum": {"XXY": "0"}}, "XXY"),
        ({"conditions": {"custmer_kinds": ["business"]}}, "custmer_kinds"),
        ({"sku": "GONE-1"}, "there is no GONE-1"),
        (
            {"kind": "free_item", "percent": "0", "free_quantity": 1, "free_sku": "BAT-L480"},
            "a gift is goods without export control",
        ),
        (
            {"kind": "free_item", "percent": "0", "free_quantity": 1, "free_sku": "SUB-DM-STD"},
            "a gift is goods without export control",
        ),
        ({"stack_group": "shipping"}, "PRO-SHIPFREE and PRO-NEW have the same stack_group"),
        (
            {"stack_group": "segment", "priority": 3, "automatic": True},
            "PRO-EDUCATION and PRO-NEW differ in pick",
        ),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_at_load(
    small_seed: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        loaded(small_seed, tmp_path, row(**changes))


def loaded(small_seed: Path, tmp_path: Path, new: dict[str, Any]) -> None:
    folder = tmp_path / "seed"
    shutil.copytree(small_seed, folder)
    path = folder / "promotions.json"
    path.write_text(json.dumps([*json.loads(path.read_text()), new]))
    database = Database.open(tmp_path / "new.db", "finance")
    try:
        with database.write() as session:
            load_folder(session, TABLES, folder).finish()
    finally:
        database.close()


def test_windows_that_do_not_meet_may_share_a_rank(small_seed: Path, tmp_path: Path) -> None:
    loaded(small_seed, tmp_path, row(stack_group="shipping", valid_from="2029-01-01"))
