"""The waterfall: books, contracts, terms, tiers, promotions, freight, and what is never guessed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from sqlalchemy import event

from servers.finance.documents import Pricing
from servers.finance.explain import explain
from servers.finance.facts.prices import Contract
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.windows import Window
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError, NotFoundError

Price = Callable[..., Pricing]


def facts_of(database: Database, request: PriceRequest) -> PricingFacts:
    with acting(everyone()), database.session() as session:
        return collect(session, request).pricing


def request_of(*lines: dict[str, Any], **changes: Any) -> PriceRequest:
    return PriceRequest.model_validate(asking(*lines, **changes))


@pytest.fixture
def priced(database: Database) -> Price:
    def run(*lines: dict[str, Any], **changes: Any) -> Pricing:
        request = request_of(*lines, **changes)
        return price(facts_of(database, request), request)

    return run


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


def test_a_plain_order(priced: Price) -> None:
    pricing = priced(line("l1", "SW-P8-120", 12), line("l2", "SW-P16-240", 3))
    first, second = pricing.lines
    assert (first.unit_price, first.gross_minor, first.net_minor) == ("389.00", 466800, 443460)
    assert [(a.label, a.percent, a.amount_minor) for a in first.allowances] == [
        ("Volume discount", "5", 23340)
    ]
    assert second.net_minor == 206700
    assert pricing.freight.weight_g == 15600
    assert pricing.freight.net_minor == 1490 + 16 * 60
    assert [(t.category, t.rate, t.taxable_minor) for t in pricing.taxes] == [("S", "19", 652610)]
    assert pricing.totals.net_minor == 652610
    assert pricing.totals.total_minor == 652610 + 123996
    assert pricing.findings == []
    assert pricing.approvals == []


@pytest.mark.parametrize(
    ("quantity", "percent"),
    [(9, None), (10, "5"), (24, "5"), (25, "8"), (49, "8"), (50, "12"), (100_000, "12")],
)
def test_the_whole_quantity_gets_the_tier_it_falls_in(
    priced: Price, quantity: int, percent: str | None
) -> None:
    (only,) = priced(line("l1", "SW-P8-120", quantity)).lines
    assert [a.percent for a in only.allowances] == ([percent] if percent else [])


def test_a_tier_counts_the_pieces_of_its_own_line(priced: Price) -> None:
    pricing = priced(line("l1", "SW-P8-120", 6), line("l2", "SW-P8-120", 6))
    assert [one.allowances for one in pricing.lines] == [[], []]


def test_more_pieces_that_would_cost_less_are_said(priced: Price) -> None:
    pricing = priced(line("l1", "SW-P8-120", 49))
    assert codes(pricing) == ["TIER_HINT"]
    assert pricing.approvals == []


def test_a_contract_replaces_the_list_and_shuts_out_tiers_and_promotions(priced: Price) -> None:
    order = {"account_id": "acc_002", "ship_to_address_id": "adr_006"}
    pricing = priced(line("l1", "SW-P16-240", 60), **order)
    (only,) = pricing.lines
    assert (only.unit_price, only.list_unit_price) == ("598.00", "689.00")
    assert only.contract_id == "CON-002-SWP16"
    assert only.allowances == []
    assert any("exclusive" in lost for one in pricing.trace for lost in one.lost)


def test_the_requested_discount_still_comes_off_a_contract_price(priced: Price) -> None:
    order = {"account_id": "acc_002", "ship_to_address_id": "adr_006", "discount_bp": 500}
    (only,) = priced(line("l1", "SW-P16-240", 1), **order).lines
    assert only.net_minor == 59800 - 2990


def test_a_family_contract_takes_a_percentage_off_the_book(priced: Price) -> None:
    order = {"account_id": "acc_003", "ship_to_address_id": "adr_009"}
    (only,) = priced(line("l1", "SEN-T4", 40), **order).lines
    assert (only.unit_price, only.net_minor) == ("73.92", 295680)


def test_an_expired_contract_is_not_applied_and_said_aloud(priced: Price) -> None:
    order = {"account_id": "acc_005", "ship_to_address_id": "adr_015"}
    pricing = priced(line("l1", "SRV-D1-16", 2), **order)
    assert codes(pricing) == ["CONTRACT_EXPIRED"]
    assert pricing.lines[0].unit_price == "1290.00"
    last_day = priced(line("l1", "SRV-D1-16", 2), order_date="2026-06-30", **order)
    assert (codes(last_day), last_day.lines[0].unit_price) == ([], "1161.00")


def test_a_contract_is_inherited_and_the_nearest_one_wins(database: Database) -> None:
    request = request_of(line("l1", "SW-P8-120", 1))
    facts = facts_of(database, request)
    parent = Contract(
        *("CON-P", "acc_100", "sku", "SW-P8-120", "fixed", Decimal(300), "EUR"),
        *(Window(date(2026, 1, 1)), True, "frame"),
    )
    family = replace(facts.customer, family_tree=("acc_008", "acc_100"))
    facts = replace(facts, customer=family, contracts=(parent,))
    pricing = price(facts, request)
    assert pricing.lines[0].unit_price == "300"
    assert any("inherited from acc_100" in one.note for one in pricing.trace)
    own = replace(parent, contract_id="CON-O", account_id="acc_008", amount=Decimal(310))
    nearest = price(replace(facts, contracts=(parent, own)), request)
    assert nearest.lines[0].contract_id == "CON-O"
    rival = replace(own, contract_id="CON-X")
    assert codes(price(replace(facts, contracts=(own, rival)), request)) == ["RULE_CONFLICT"]


def test_a_fixed_contract_in_another_currency_is_said(priced: Price) -> None:
    order = {"account_id": "acc_002", "ship_to_address_id": "adr_006", "currency": "GBP"}
    pricing = priced(line("l1", "SW-P16-240", 1), **order)
    assert codes(pricing) == ["CONTRACT_CURRENCY", "CURRENCY_NOT_ON_FILE"]
    assert pricing.lines[0].price_book == "PB-GBP"


def test_the_reseller_book_is_more_specific_than_the_list(priced: Price) -> None:
    order = {"account_id": "acc_012", "ship_to_address_id": "adr_036", "ship_method": "AIR-STD"}
    pricing = priced(line("l1", "SW-P8-120", 1), **order)
    assert (pricing.lines[0].price_book, pricing.lines[0].unit_price) == ("PB-EUR-RES", "342.32")
    (chosen,) = [one for one in pricing.trace if one.step == "list"]
    assert any(lost.startswith("PB-EUR/") for lost in chosen.lost)


def test_two_prices_of_equal_rank_are_a_conflict_not_a_choice(database: Database) -> None:
    request = request_of(line("l1", "SW-P8-120", 1))
    facts = facts_of(database, request)
    (one,) = [e for e in facts.entries if e.book == "PB-EUR" and e.unit == "each"]
    twin = replace(one, entry_id="PB-TWIN/SW-P8-120/each", book="PB-TWIN", amount=Decimal(1))
    pricing = price(replace(facts, entries=(one, twin)), request)
    assert codes(pricing) == ["RULE_CONFLICT"]
    assert pricing.totals.total_minor is None
    newer = replace(twin, window=Window(date(2026, 6, 1)))
    assert price(replace(facts, entries=(one, newer)), request).lines[0].price_book == "PB-TWIN"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lines": [line("l1", "NO-SUCH-SKU", 1)]}, "UNKNOWN_ITEM"),
        ({"lines": [line("l1", "SW-P8-120", 1, unit="box")]}, "UNIT_MISMATCH"),
        ({"order_date": "2025-12-31"}, "NO_PRICE"),
        ({"currency": "JPY"}, "UNKNOWN_CURRENCY"),
        ({"currency": "XXX"}, "UNKNOWN_CURRENCY"),
        ({"ship_method": "RAIL"}, "NO_FREIGHT_RATE"),
        ({"ship_method": "DIGITAL"}, "FREIGHT_METHOD"),
        ({"lines": [line("l1", "SW-P8-120", 1, optional=True)]}, "NOTHING_IN_TOTAL"),
    ],
)
def test_what_is_missing_is_a_finding_and_never_a_number(
    priced: Price, change: dict[str, Any], code: str
) -> None:
    pricing = priced(**change)
    assert code in codes(pricing)
    assert pricing.totals.total_minor is None
    assert pricing.approvals == [] or code == "NO_PRICE"


def test_a_term_scales_the_price_of_a_subscription(priced: Price) -> None:
    pricing = priced(
        line("l1", "SUB-DM-STD", 10, unit="license", term_months=36),
        line("l2", "SUB-DM-STD", 10),
        line("l3", "SVC-SUP-8X5", 1, term_months=7),
        ship_method="DIGITAL",
    )
    assert [one.unit_price for one in pricing.lines] == ["144.00", "48.00", "344.166667"]
    assert [one.net_minor for one in pricing.lines] == [144000, 48000, 34417]
    assert codes(pricing) == ["TERM_DEFAULTED"]
    assert pricing.freight.net_minor == 0


def test_a_term_on_goods_is_said(priced: Price) -> None:
    assert codes(priced(line("l1", "SW-P8-120", 1, term_months=12))) == ["TERM_NOT_SOLD"]


def test_optional_and_alternative_lines_are_priced_but_not_counted(priced: Price) -> None:
    plain = priced(line("l1", "SW-P8-120", 12))
    more = priced(
        line("l1", "SW-P8-120", 12),
        line("l2", "SRV-R1-64", 1, optional=True),
        line("l3", "SW-P16-240", 12, alternative_of="l1"),
    )
    assert [one.net_minor is not None for one in more.lines] == [True, True, True]
    assert (more.totals, more.freight) == (plain.totals, plain.freight)


@pytest.mark.parametrize(
    "lines",
    [
        [line("l1", "SW-P8-120"), line("l1", "SEN-T4")],
        [line("l1", "SW-P8-120", alternative_of="l1")],
        [line("l1", "SW-P8-120", alternative_of="l9")],
    ],
)
def test_lines_that_contradict_themselves_are_refused(
    priced: Price, lines: list[dict[str, Any]]
) -> None:
    with pytest.raises(InvalidInputError):
        priced(lines=lines)


def test_an_address_of_another_customer_is_not_on_file(priced: Price) -> None:
    with pytest.raises(InvalidInputError, match="not on file"):
        priced(ship_to_address_id="adr_003")


def test_promotions(priced: Price) -> None:
    servers = line("l1", "SRV-D1-16", 4)
    assert codes(priced(servers, promo_codes=["EDGE5"])) == []
    (only,) = priced(servers, promo_codes=["EDGE5"]).lines
    assert [(a.label, a.amount_minor) for a in only.allowances] == [("Promotion EDGE5", 25800)]
    assert codes(priced(line("l1", "SRV-D1-16", 3), promo_codes=["EDGE5"])) == ["PROMO_MINIMUM"]
    assert codes(priced(promo_codes=["NOPE"])) == ["PROMO_UNKNOWN"]
    cameras = line("l1", "CAM-D4", 30)
    assert codes(priced(cameras, promo_codes=["WINTER25"])) == ["PROMO_EXPIRED"]
    assert codes(priced(cameras, promo_codes=["EDGE5"])) == ["PROMO_NO_LINES"]


def test_a_promotion_comes_after_the_tier(priced: Price) -> None:
    (only,) = priced(line("l1", "SRV-D1-16", 10), promo_codes=["EDGE5"]).lines
    assert [a.amount_minor for a in only.allowances] == [77400, 60630]  # 6% of gross, 5% of rest


def test_free_shipping_counts_what_is_bought_before_the_discount(priced: Price) -> None:
    free = priced(line("l1", "SW-P8-120", 7), promo_codes=["SHIPFREE"], discount_bp=1000)
    assert free.freight.net_minor == 0
    assert free.freight.allowances[0].amount_minor == free.freight.gross_minor
    assert codes(priced(line("l1", "SW-P8-120", 6), promo_codes=["SHIPFREE"])) == ["PROMO_MINIMUM"]


@pytest.mark.parametrize(
    ("discount_bp", "needs"),
    [
        (500, {}),
        (501, {"APR-DISCOUNT-5": "sales_manager"}),
        (1200, {"APR-DISCOUNT-5": "sales_manager"}),
        (1300, {"APR-DISCOUNT-5": "sales_manager", "APR-AVERAGE-12": "finance_director"}),
        (1500, {"APR-DISCOUNT-5": "sales_manager", "APR-AVERAGE-12": "finance_director"}),
        (1501, {"APR-DISCOUNT-15": "finance_director", "APR-AVERAGE-12": "finance_director"}),
    ],
)
def test_a_discount_above_a_limit_needs_a_role(
    priced: Price, discount_bp: int, needs: dict[str, str]
) -> None:
    pricing = priced(line("l1", "SW-P8-120", 1), discount_bp=discount_bp)
    assert {need.rule_id: need.role for need in pricing.approvals} == needs


def test_no_preview_is_judged_by_what_it_earns(priced: Price) -> None:
    pricing = priced(line("l1", "SW-P8-120", 1), discount_bp=2500)
    assert codes(pricing) == ["DISCOUNT_LIMIT", "AVERAGE_DISCOUNT"]
    assert {need.role for need in pricing.approvals} == {"finance_director"}
    assert pricing.margin is not None
    assert (pricing.margin.net_minor, pricing.margin.cost_minor) == (29175, 24118)


def test_a_cost_that_is_missing_is_no_margin_of_a_hundred_percent(database: Database) -> None:
    request = request_of(line("l1", "SW-P8-120", 1))
    facts = facts_of(database, request)
    items = {sku: replace(item, cost=None) for sku, item in facts.items.items()}
    without = price(replace(facts, items=items), request)
    assert (codes(without), without.margin) == ([], None)
    abroad = request_of(line("l1", "SW-P8-120", 1), currency="GBP")
    facts = replace(facts_of(database, abroad), exchange={})
    assert codes(price(facts, abroad)) == ["CURRENCY_NOT_ON_FILE"]


def test_a_missing_weight_leaves_no_freight(database: Database) -> None:
    request = request_of(line("l1", "SW-P8-120", 1))
    facts = facts_of(database, request)
    items = {sku: replace(item, weight_g=None) for sku, item in facts.items.items()}
    assert codes(price(replace(facts, items=items), request)) == ["WEIGHT_UNKNOWN"]


def test_a_total_above_the_limit_does_not_issue_by_itself(priced: Price) -> None:
    assert priced(line("l1", "SRV-R1-64", 6)).approvals == []
    (need,) = priced(line("l1", "SRV-R1-64", 7)).approvals
    assert (need.rule_id, need.role) == ("APR-TOTAL-1", "sales_manager")
    (need,) = priced(line("l1", "SRV-R1-64", 27)).approvals
    assert (need.rule_id, need.role) == ("APR-TOTAL-2", "finance_director")


def test_every_amount_of_a_line_is_in_its_trace(priced: Price) -> None:
    pricing = priced(
        line("l1", "SRV-D1-16", 10), line("l2", "SEN-T4", 1), promo_codes=["EDGE5"], discount_bp=250
    )
    steps = explain(pricing, "l1")
    assert [one.step for one in steps] == [
        *("list", "gross", "tier", "promotion", "discount", "round", "tax"),
    ]
    assert all(one.line_id == "l1" for one in steps)
    for before, after in pairwise(steps[1:6]):
        assert before.after == after.before
    whole = {one.step for one in explain(pricing, None)}
    assert whole >= {"freight", "totals", "promotion"}
    with pytest.raises(InvalidInputError):
        explain(pricing, "l9")


def test_the_number_of_queries_does_not_grow_with_the_lines(database: Database) -> None:
    seen: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: seen.append(str(args[2])))
    counted = []
    for count in (1, 200):
        seen.clear()
        lines = (line(f"l{n}", "SW-P8-120") for n in range(1, count + 1))
        facts_of(database, request_of(*lines))
        asked = [sql for sql in seen if sql.lstrip().upper().startswith(("SELECT", "WITH"))]
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 41


def test_an_account_that_the_grant_does_not_reach_is_not_found(database: Database) -> None:
    request = request_of()
    bound = everyone(bind={"account_id": ("acc_001",)})
    with (
        acting(bound),
        database.session() as session,
        pytest.raises(NotFoundError, match="acc_008"),
    ):
        collect(session, request)
