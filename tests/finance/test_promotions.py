"""What promotions take off, to whom, up to where, and which of them apply together."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from promotion_support import BUYER, DAY, EUR, EVERYWHERE, ZERO, part, promotion

from servers.finance.documents import Pricing
from servers.finance.explain import explain
from servers.finance.facts.blocks import PromotionBlock
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.promotions import BuyGet, Gift, Limits, Promotion, Selector
from servers.finance.facts.windows import Window
from servers.finance.pricing import price
from servers.finance.promotions.effects import FREIGHT, Part, canonical
from servers.finance.promotions.rules import Order, refusal, settle
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database

With = Callable[..., Pricing]


def taken(promotions: list[Promotion], *parts: Part) -> dict[str, dict[str, str]]:
    """What each promotion that applies takes off each part."""
    outcome = settle(promotions, canonical(parts), EUR).outcome
    return {
        one.promotion.code: {name: str(off) for name, off in one.effect.offs.items()}
        for one in outcome.applied
    }


@pytest.fixture
def given(database: Database) -> With:
    """Price an order with promotions in the place of the seed's; their codes are named."""

    def run(promotions: list[Promotion], *lines: dict[str, Any], **changes: Any) -> Pricing:
        named = [one.code for one in promotions if not one.automatic]
        asked = {"promo_codes": named, **changes}
        request = PriceRequest.model_validate(asking(*lines, **asked))
        cable = PriceRequest.model_validate(asking(*lines, line("l99", "CBL-C6-02"), **asked))
        facts = facts_of(database, cable)
        return price(replace(facts, promotions=tuple(promotions)), request)

    return run


def facts_of(database: Database, request: PriceRequest) -> PricingFacts:
    with acting(everyone()), database.session() as session:
        return collect(session, request).pricing


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


# what one promotion takes off


def test_a_percentage_counts_by_line_and_rounds_each_line_once() -> None:
    ten = promotion("TEN", percent="10")
    assert taken([ten], part("l1", 1, "1.05"), part("l2", 1, "1.05")) == {
        "TEN": {"l1": "0.11", "l2": "0.11"}
    }


def test_a_percentage_across_rounds_once_and_is_split_without_loss() -> None:
    ten = promotion("TEN", percent="10", allocation="across")
    assert taken([ten], part("l1", 1, "1.05"), part("l2", 1, "1.05")) == {
        "TEN": {"l1": "0.11", "l2": "0.10"}
    }


@pytest.mark.parametrize(
    ("per", "most", "off"),
    [
        ("unit", None, "15.00"),
        ("unit", 2, "6.00"),
        ("line", None, "3.00"),
        ("line", 1, "3.00"),
    ],
)
def test_an_amount_is_for_each_unit_or_each_line(per: str, most: int | None, off: str) -> None:
    one = promotion("OFF", "amount", amount="3.00", per=per, limits=Limits(max_quantity=most))
    assert taken([one], part("l1", 5, "100.00")) == {"OFF": {"l1": off}}


def test_an_amount_for_a_line_is_at_most_what_its_units_cost() -> None:
    one = promotion("OFF", "amount", amount="200", limits=Limits(max_quantity=1))
    assert taken([one], part("l1", 5, "750.00")) == {"OFF": {"l1": "150.00"}}


def test_an_amount_across_is_split_by_what_is_left_and_never_more_than_that() -> None:
    lines = [part("l1", 1, "10.00"), part("l2", 1, "10.00"), part("l3", 1, "10.00")]
    ten = promotion("TEN", "amount", amount="10", allocation="across", per="order")
    assert taken([ten], *lines) == {"TEN": {"l1": "3.34", "l2": "3.33", "l3": "3.33"}}
    much = promotion("MUCH", "amount", amount="99", allocation="across", per="order")
    assert taken([much], *lines) == {"MUCH": dict.fromkeys(("l1", "l2", "l3"), "10.00")}


def test_a_fixed_price_lowers_and_never_raises() -> None:
    low = promotion("LOW", "fixed_price", amount="8")
    assert taken([low], part("l1", 3, "30.00"), part("l2", 3, "21.00")) == {"LOW": {"l1": "6.00"}}


def test_a_fixed_price_is_for_the_base_unit_and_the_default_term() -> None:
    low = promotion("LOW", "fixed_price", amount="8")
    box = part("l1", 2, "300.00", unit="box", ratio=(10, 1))
    assert taken([low], box) == {"LOW": {"l1": "140.00"}}
    by_box = replace(low, on=Selector(units=("box",)))
    assert taken([by_box], box) == {"LOW": {"l1": "284.00"}}
    years = part("l1", 1, "30.00", term=(3, 1))
    assert taken([low], years) == {"LOW": {"l1": "6.00"}}


def test_a_list_base_adds_and_a_running_base_compounds() -> None:
    first = promotion("A", percent="20", priority=2)
    for base, off in (("list", "10.00"), ("running", "8.00")):
        both = [first, promotion("B", percent="10", base=base)]
        assert taken(both, part("l1", 1, "100.00")) == {"A": {"l1": "20.00"}, "B": {"l1": off}}


def test_only_the_lines_it_is_about_and_only_those_with_an_open_price() -> None:
    sensors = promotion("S", percent="10", on=Selector(family="sensors"))
    lines = [
        part("l1", 1, "100.00", family="sensors"),
        part("l2", 1, "100.00"),
        part("l3", 1, "100.00", family="sensors", closed=True),
        part("l4", 1, "100.00", family="sensors", counted=False),
    ]
    assert taken([sensors], *lines) == {"S": {"l1": "10.00", "l4": "10.00"}}
    across = replace(sensors, allocation="across")
    assert taken([across], *lines) == {"S": {"l1": "10.00"}}


def test_shipping_is_a_target_of_its_own() -> None:
    freight = Part(FREIGHT, Decimal(1), Decimal("30.00"))
    half = promotion("HALF", percent="50", target="shipping")
    assert taken([half], part("l1", 1, "100.00"), freight) == {"HALF": {FREIGHT: "15.00"}}
    free = promotion("FREE", "free_shipping", target="shipping")
    assert taken([free], part("l1", 1, "100.00"), freight) == {"FREE": {FREIGHT: "30.00"}}


def test_a_cap_holds_and_is_split_over_the_lines() -> None:
    lines = [part("l1", 1, "100.00"), part("l2", 1, "200.00")]
    half = promotion("HALF", percent="50", limits=Limits(cap={EUR: Decimal("10.00")}))
    assert taken([half], *lines) == {"HALF": {"l1": "3.33", "l2": "6.67"}}


# buy X get Y


def buy_get(code: str, buy: int, get: int, **more: Any) -> Promotion:
    given = {"percent": "100", "buy_get": BuyGet(buy, get, more.pop("of", None)), **more}
    return promotion(code, "buy_x_get_y", **given)


@pytest.mark.parametrize(
    ("quantity", "off"), [(2, None), (3, "10.00"), (5, "10.00"), (6, "20.00"), (9, "30.00")]
)
def test_units_that_were_bought_are_not_given_too(quantity: int, off: str | None) -> None:
    two_and_one = buy_get("B2G1", 2, 1)
    found = taken([two_and_one], part("l1", quantity, f"{quantity * 10}.00"))
    assert found == ({"B2G1": {"l1": off}} if off else {})


def test_the_cheapest_units_are_given_and_the_dearest_count_as_bought() -> None:
    lines = [part("l1", 2, "40.00"), part("l2", 2, "10.00"), part("l3", 1, "30.00")]
    assert taken([buy_get("B", 3, 2)], *lines) == {"B": {"l2": "10.00"}}
    assert taken([buy_get("B", 2, 3)], *lines) == {"B": {"l2": "10.00", "l1": "20.00"}}


def test_what_is_bought_may_be_something_else() -> None:
    cameras = [part("l1", 4, "400.00", "CAM"), part("l2", 3, "30.00", "CBL")]
    one = buy_get("B", 2, 1, of=Selector("CAM"), on=Selector("CBL"))
    assert taken([one], *cameras) == {"B": {"l2": "20.00"}}
    few = replace(one, limits=Limits(max_quantity=1))
    assert taken([few], *cameras) == {"B": {"l2": "10.00"}}


def test_a_unit_is_given_once_whatever_promotions_there_are() -> None:
    lines = [part("l1", 540, "1350.00"), part("l2", 540, "1350.00")]
    first = buy_get("A", 50, 1000, limits=Limits(max_quantity=1000), priority=2)
    second = buy_get("B", 10, 20, limits=Limits(max_quantity=20))
    assert taken([first, second], *lines) == {
        "A": {"l2": "1225.00", "l1": "1275.00"},
        "B": {"l2": "50.00"},
    }


def test_a_reward_may_be_a_part_of_the_price() -> None:
    half = buy_get("HALF", 1, 1, percent="50")
    assert taken([half], part("l1", 4, "40.00")) == {"HALF": {"l1": "10.00"}}


# gifts


def gifts(one: Promotion, *parts: Part) -> list[tuple[str, str, int]]:
    (applied,) = settle([one], canonical(parts), EUR).outcome.applied
    return [(gift.beside, gift.sku, gift.quantity) for gift in applied.effect.gifts]


@pytest.mark.parametrize(("quantity", "free"), [(5, 2), (7, 3), (100, 50)])
def test_a_gift_that_recurs(quantity: int, free: int) -> None:
    one = promotion("GIFT", "free_item", gift=Gift(1, every=2))
    assert gifts(one, part("l1", quantity, "70.00")) == [("l1", "A", free)]


def test_a_gift_of_the_same_item_counts_by_line_and_another_one_over_all_lines() -> None:
    lines = [part("l1", 3, "30.00"), part("l2", 3, "30.00")]
    same = promotion("SAME", "free_item", gift=Gift(1, every=2))
    assert gifts(same, *lines) == [("l1", "A", 1), ("l2", "A", 1)]
    other = promotion("OTHER", "free_item", gift=Gift(1, "CBL", every=2))
    assert gifts(other, *lines) == [("l1", "CBL", 3)]
    few = replace(other, limits=Limits(max_quantity=2))
    assert gifts(few, *lines) == [("l1", "CBL", 2)]


def test_goods_are_not_given_where_none_are_carried() -> None:
    service = replace(part("l1", 1, "10.00"), item=replace(part("l1", 1, "1").item, kind="service"))
    gift = promotion("GIFT", "free_item", gift=Gift(1, "CBL"))
    outcome = settle([gift], [service], EUR).outcome
    assert (outcome.applied, outcome.idle) == ([], [gift])


def test_a_gift_is_a_line_of_its_own_that_is_true_in_all_but_its_price(given: With) -> None:
    gift = promotion("GIFT", "free_item", gift=Gift(3, "CBL-C6-02"))
    with_it = given([gift], line("l1", "SW-P8-120", 1), line("l2", "SEN-T4", 1))
    without = given([gift], line("l1", "SW-P8-120", 1), line("l2", "SEN-T4", 1), promo_codes=[])
    free = with_it.lines[1]
    assert [one.line_id for one in with_it.lines] == ["l1", "l1.free", "l2"]
    assert [one.position for one in with_it.lines] == [1, 2, 3]
    assert (free.sku, free.quantity, free.unit_price, free.free) == ("CBL-C6-02", 3, "0.00", True)
    assert (free.gross_minor, free.net_minor, free.tax_category) == (0, 0, "S")
    assert with_it.freight.weight_g == without.freight.weight_g + 3 * 90
    assert with_it.margin is not None
    assert without.margin is not None
    assert with_it.margin.cost_minor == without.margin.cost_minor + 3 * 483
    assert with_it.margin.net_minor == without.margin.net_minor
    assert with_it.totals == without.totals
    assert {step.line_id for step in explain(with_it, "l1")} == {"l1", "l1.free"}
    assert with_it.promotions == [
        PromotionBlock(promotion_id="PRO-GIFT", code="GIFT", amount_minor=0, free_units=3)
    ]


def test_a_gift_does_not_cost_its_carriage(given: With) -> None:
    gift = promotion("GIFT", "free_item", gift=Gift(20, "CBL-C6-02"))
    with_it = given([gift], line("l1", "SW-P8-120", 1))
    without = given([gift], line("l1", "SW-P8-120", 1), promo_codes=[])
    assert with_it.freight.gross_minor == (without.freight.gross_minor or 0) + 2 * 60
    assert [(a.label, a.amount_minor) for a in with_it.freight.allowances] == [
        ("Freight of gifts GIFT", 120)
    ]
    assert with_it.totals == without.totals


def test_a_gift_that_finance_does_not_have_is_not_given(given: With) -> None:
    gift = promotion("GIFT", "free_item", gift=Gift(1, "GONE-1"))
    assert codes(given([gift], line("l1", "SW-P8-120", 1))) == ["PROMO_GIFT"]


def test_two_gifts_beside_one_line_have_names_of_their_own(given: With) -> None:
    two = [
        promotion("G1", "free_item", gift=Gift(1), priority=2),
        promotion("G2", "free_item", gift=Gift(1, "CBL-C6-02")),
    ]
    pricing = given(two, line("l1", "SW-P8-120", 1))
    assert [(one.line_id, one.sku) for one in pricing.lines] == [
        ("l1", "SW-P8-120"),
        ("l1.free", "SW-P8-120"),
        ("l1.free1", "CBL-C6-02"),
    ]


def test_a_free_licence_runs_as_long_as_those_bought(given: With) -> None:
    gift = promotion("GIFT", "free_item", on=Selector("SUB-DM-STD"), gift=Gift(1, every=5))
    order = line("l1", "SUB-DM-STD", 11, unit="license", term_months=24)
    pricing = given([gift], order, line("l2", "SW-P8-120", 1))
    bought, free, _ = pricing.lines
    assert (free.line_id, free.quantity, free.unit) == ("l1.free", 2, "license")
    assert (free.term_months, free.start, free.end) == (24, bought.start, bought.end)
    assert (free.net_minor, free.unit_price, free.allowances) == (0, "0.00", [])
    without = given([gift], order, line("l2", "SW-P8-120", 1), promo_codes=[])
    assert pricing.recurring == without.recurring
    assert pricing.margin is not None
    assert without.margin is not None
    assert pricing.margin.cost_minor > without.margin.cost_minor


# to whom


@pytest.mark.parametrize(
    ("asks", "code"),
    [
        ({"customer_kinds": ("reseller",)}, "PROMO_CUSTOMER"),
        ({"channels": ("reseller",)}, "PROMO_CUSTOMER"),
        ({"countries": ("FR", "IT")}, "PROMO_CUSTOMER"),
        ({"segments": ("education",)}, "PROMO_CUSTOMER"),
        ({"minimum": {"USD": ZERO}}, "PROMO_CURRENCY"),
        ({"minimum": {"EUR": Decimal("100.01")}}, "PROMO_MINIMUM"),
        ({"min_quantity": 6}, "PROMO_QUANTITY"),
        ({"max_quantity": 4}, "PROMO_QUANTITY"),
        ({"minimum": {"EUR": Decimal(90)}, "measured": Selector("A")}, "PROMO_MINIMUM"),
        ({"min_quantity": 4, "measured": Selector("A")}, "PROMO_QUANTITY"),
        ({"customer_kinds": ("business",), "channels": ("direct",), "countries": ("DE",)}, None),
        ({"minimum": {"EUR": Decimal("100.00")}, "min_quantity": 5, "max_quantity": 5}, None),
        ({"minimum": {"EUR": Decimal(60)}, "measured": Selector("A")}, None),
    ],
)
def test_who_may_have_a_promotion(asks: dict[str, Any], code: str | None) -> None:
    one = promotion("P", percent="10", conditions=replace(EVERYWHERE, **asks))
    parts = [part("l1", 3, "60.00"), part("l2", 2, "40.00", "B")]
    why = refusal(one, Order(BUYER, DAY, EUR, parts))
    assert (why.code if why else None) == code


@pytest.mark.parametrize(
    ("window", "code"),
    [
        (Window(date(2026, 11, 23), date(2026, 11, 23)), None),
        (Window(None, date(2026, 11, 22)), "PROMO_EXPIRED"),
        (Window(date(2026, 11, 24), None), "PROMO_NOT_YET"),
    ],
)
def test_both_days_of_the_window_are_included(window: Window, code: str | None) -> None:
    one = replace(promotion("P", percent="10"), window=window)
    why = refusal(one, Order(BUYER, DAY, EUR, [part("l1", 1, "1.00")]))
    assert (why.code if why else None) == code


def test_quantities_are_those_of_base_units() -> None:
    one = promotion("P", percent="10", conditions=replace(EVERYWHERE, min_quantity=10))
    boxes = part("l1", 1, "100.00", unit="box", ratio=(10, 1))
    assert refusal(one, Order(BUYER, DAY, EUR, [boxes])) is None


# how far


@pytest.mark.parametrize(("used", "code"), [(9, None), (10, "PROMO_BUDGET")])
def test_a_promotion_is_used_up_after_so_many_orders(used: int, code: str | None) -> None:
    one = promotion("P", percent="10", limits=Limits(usage=10, used=used))
    why = refusal(one, Order(BUYER, DAY, EUR, [part("l1", 1, "1.00")]))
    assert (why.code if why else None) == code


@pytest.mark.parametrize(("spent", "applies"), [("90.00", True), ("90.01", False)])
def test_a_budget_is_kept_to_the_cent_and_nothing_is_given_in_part(
    given: With, spent: str, applies: bool
) -> None:
    limits = Limits(budget={EUR: Decimal("100.00")}, spent={EUR: Decimal(spent)})
    one = promotion("P", "amount", amount="10", limits=limits)
    pricing = given([one], line("l1", "SW-P8-120", 1))
    assert [block.amount_minor for block in pricing.promotions] == ([1000] if applies else [])
    assert codes(pricing) == ([] if applies else ["PROMO_BUDGET"])


# which apply together


def test_of_one_group_the_best_for_the_customer_applies_and_the_other_is_said(given: With) -> None:
    pair = [
        promotion("FIVE", percent="5", stack_group="g", priority=2),
        promotion("TEN", "amount", amount="38.90", stack_group="g"),
    ]
    pricing = given(pair, line("l1", "SW-P8-120", 1))
    assert [block.code for block in pricing.promotions] == ["TEN"]
    assert codes(pricing) == ["PROMO_NOT_STACKABLE"]
    assert "does not stack with TEN" in pricing.findings[0].message


def test_a_group_may_pick_by_priority_instead() -> None:
    pair = [
        promotion("LESS", percent="5", stack_group="g", priority=8, pick="priority"),
        promotion("MORE", percent="15", stack_group="g", priority=1, pick="priority"),
    ]
    assert taken(pair, part("l1", 1, "100.00")) == {"LESS": {"l1": "5.00"}}


def test_equal_priority_in_a_group_is_a_conflict_and_neither_applies(given: With) -> None:
    pair = [promotion(code, percent=rate, stack_group="g") for code, rate in (("A", 5), ("B", 9))]
    pricing = given(pair, line("l1", "SW-P8-120", 1))
    assert codes(pricing) == ["RULE_CONFLICT"]
    assert pricing.promotions == []


@pytest.mark.parametrize(("rate", "wins"), [("16", ["X"]), ("14", ["A", "B"])])
def test_an_exclusive_one_is_held_against_the_best_of_the_rest(
    given: With, rate: str, wins: list[str]
) -> None:
    three = [
        promotion("A", percent="10", priority=2),
        promotion("B", percent="5"),
        promotion("X", percent=rate, exclusive=True),
    ]
    pricing = given(three, line("l1", "SW-P8-120", 1))
    assert [block.code for block in pricing.promotions] == wins
    message = pricing.findings[0].message
    assert "56.41" in message  # 38.90 + 17.51 off 350.10
    assert ("62.24" if rate == "16" else "54.46") in message


def test_a_weaker_code_never_pushes_out_what_is_better_in_the_end() -> None:
    half = promotion("HALF", percent="50", priority=9)
    amount = promotion("A", "amount", amount="58", stack_group="g", priority=2)
    rate = promotion("B", percent="59", stack_group="g", priority=1)
    assert taken([rate], part("l1", 1, "100.00")) == {"B": {"l1": "59.00"}}
    both = taken([half, amount, rate], part("l1", 1, "100.00"))
    assert both == {"HALF": {"l1": "50.00"}, "A": {"l1": "50.00"}}


def test_many_groups_are_still_settled() -> None:
    many = [promotion(f"P{n:02}", percent="1", priority=n) for n in range(12)]
    assert len(taken(many, part("l1", 1, "100.00"))) == 12


def test_an_automatic_one_needs_no_code_and_is_silent_when_it_does_not_hold(given: With) -> None:
    own = promotion("AUTO", percent="10", automatic=True)
    pricing = given([own], line("l1", "SW-P8-120", 1))
    assert [a.label for a in pricing.lines[0].allowances] == ["Promotion AUTO"]
    far = replace(own, conditions=replace(EVERYWHERE, countries=("FR",)))
    silent = given([far], line("l1", "SW-P8-120", 1))
    assert codes(silent) == []
    assert any("is for customers in FR" in lost for step in silent.trace for lost in step.lost)


def test_an_exclusive_contract_shuts_promotions_out(given: With) -> None:
    ten = promotion("TEN", percent="10", on=Selector("SW-P16-240"))
    lines = (line("l1", "SW-P16-240", 10), line("l2", "SEN-T4", 1))
    pricing = given([ten], *lines, account_id="acc_002", ship_to_address_id="adr_006")
    contract = pricing.lines[0].contract_id
    assert contract is not None
    assert pricing.lines[0].allowances == []
    assert codes(pricing) == ["PROMO_NO_LINES"]
    lost = [text for step in pricing.trace if step.step == "promotion" for text in step.lost]
    assert f"PRO-TEN: contract {contract} is exclusive" in lost


def test_every_promotion_is_in_the_trace_with_what_it_did(given: With) -> None:
    both = [
        promotion("TEN", percent="10", priority=2),
        promotion("CAP", percent="50", limits=Limits(cap={EUR: Decimal("5.00")})),
        promotion("LATE", percent="1", conditions=replace(EVERYWHERE, min_quantity=99)),
    ]
    pricing = given(both, line("l1", "SW-P8-120", 1))
    steps = [one for one in pricing.trace if one.step == "promotion"]
    assert [(s.rule_id, s.before, s.after, s.note) for s in steps if s.line_id] == [
        ("PRO-TEN", "389.00", "350.10", "10% of what is left"),
        ("PRO-CAP", "350.10", "345.10", "50% of what is left, held to its cap"),
    ]
    (whole,) = [one for one in steps if not one.line_id]
    assert whole.note == "merchandise 389.00 EUR; applied: TEN 38.90, CAP 5.00"
    assert len(whole.lost) == 2
    assert codes(pricing) == ["PROMO_QUANTITY", "PROMO_CAPPED"]
