"""What a person takes off by hand: lines, prices, the document, and who has to agree."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from promotion_support import promotion
from sqlalchemy import update
from sqlmodel import col

from servers.finance.documents import Pricing
from servers.finance.explain import explain
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.tables.prices import PriceEntry
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError

ASKED = {"on_request": True, "amount": Decimal(0)}
Adjusted = Callable[..., Pricing]
SWITCH = line("l1", "SW-P8-120", 1)  # 389.00, costs 241.18
BOTH = (SWITCH, line("l2", "SEN-T4", 2))  # 84.00 each


def by_hand(kind: str, value: str, line_id: str | None = "l1") -> dict[str, Any]:
    return {
        "line_id": line_id,
        "kind": kind,
        "value": value,
        "reason_code": "competitive_match",
        "author": "per_lena",
    }


@pytest.fixture
def adjusted(database: Database) -> Adjusted:
    def run(lines: Any, *adjustments: dict[str, Any], **changes: Any) -> Pricing:
        request = PriceRequest.model_validate(
            {**asking(*lines, **changes), "adjustments": adjustments}
        )
        with acting(everyone()), database.session() as session:
            return price(collect(session, request).pricing, request)

    return run


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


def offs(pricing: Pricing) -> list[list[tuple[str, str | None, int]]]:
    return [[(a.label, a.percent, a.amount_minor) for a in x.allowances] for x in pricing.lines]


def test_a_line_is_reduced_by_percent_and_amount_in_the_order_stored(adjusted: Adjusted) -> None:
    ten, off = by_hand("percent", "10"), by_hand("amount", "50")
    one = adjusted([SWITCH], ten, off)
    assert offs(one) == [[("Discount", "10", 3890), ("Discount", None, 5000)]]
    other = adjusted([SWITCH], off, ten)
    assert offs(other) == [[("Discount", None, 5000), ("Discount", "10", 3390)]]


def test_a_line_never_falls_below_zero(adjusted: Adjusted) -> None:
    pricing = adjusted([SWITCH], by_hand("amount", "1000"), by_hand("amount", "1"))
    assert offs(pricing) == [[("Discount", None, 38900), ("Discount", None, 0)]]
    assert pricing.lines[0].net_minor == 0


def test_every_adjustment_is_in_the_trace_with_reason_and_author(adjusted: Adjusted) -> None:
    pricing = adjusted([SWITCH], by_hand("amount", "50"), by_hand("percent", "1", None))
    steps = [one for one in explain(pricing, "l1") if one.step == "manual"]
    assert [(s.before, s.after, s.source) for s in steps] == [
        ("389.00", "339.00", "per_lena"),
        ("339.00", "335.61", "per_lena"),
    ]
    assert all("reason competitive_match, by per_lena" in s.note for s in steps)
    (carriage,) = [one for one in pricing.trace if one.step == "manual" and not one.line_id]
    assert carriage.after == "15.34"


def test_an_override_below_the_price_is_an_allowance(adjusted: Adjusted) -> None:
    pricing = adjusted([line("l1", "SW-P8-120", 12)], by_hand("override", "350"))
    (only,) = pricing.lines
    assert (only.unit_price, only.gross_minor, only.net_minor) == ("389.00", 466800, 420000)
    assert offs(pricing) == [[("Agreed price", None, 46800)]]
    (step,) = [one for one in explain(pricing, "l1") if one.step == "manual"]
    assert step.lost == ["Volume discount: the price was set by hand"]


def test_an_override_above_the_price_is_the_unit_price_and_no_negative_discount(
    adjusted: Adjusted,
) -> None:
    pricing = adjusted([line("l1", "SW-P8-120", 2)], by_hand("override", "400.5"))
    (only,) = pricing.lines
    assert (only.unit_price, only.gross_minor, only.net_minor) == ("400.50", 80100, 80100)
    assert only.list_unit_price == "389.00"
    assert only.allowances == []
    assert codes(pricing) == ["MANUAL_DISCOUNT"]
    assert pricing.approvals == []


def test_a_price_set_by_hand_shuts_promotions_out(database: Database) -> None:
    request = PriceRequest.model_validate(
        {
            **asking(*BOTH, promo_codes=["TEN"]),
            "adjustments": [by_hand("override", "380")],
        }
    )

    with acting(everyone()), database.session() as session:
        facts = collect(session, request).pricing
    ten = promotion("TEN", percent="10")
    pricing = price(replace(facts, promotions=(ten,)), request)
    assert offs(pricing) == [[("Agreed price", None, 900)], [("Promotion TEN", "10", 1680)]]


def test_a_discount_on_the_document_is_split_over_lines_and_freight_exactly(
    adjusted: Adjusted,
) -> None:
    plain = adjusted(BOTH)
    pricing = adjusted(BOTH, by_hand("amount", "100", None))
    shares = [row[-1] for row in offs(pricing)]
    carriage = pricing.freight.allowances[-1]
    assert [(label, rate) for label, rate, _ in shares] == [("Document discount", None)] * 2
    assert sum(amount for *_, amount in shares) + carriage.amount_minor == 10_000
    assert plain.totals.net_minor is not None
    assert pricing.totals.net_minor == plain.totals.net_minor - 10_000


def test_a_discount_on_the_document_is_capped_at_what_there_is(adjusted: Adjusted) -> None:
    pricing = adjusted(BOTH, by_hand("amount", "99999", None))
    assert pricing.totals.net_minor == 0
    assert all(one.net_minor == 0 for one in pricing.lines)


def test_an_optional_line_has_no_share_of_the_document(adjusted: Adjusted) -> None:
    lines = (SWITCH, line("l2", "SEN-T4", 2, optional=True))
    pricing = adjusted(lines, by_hand("percent", "10", None))
    assert [len(row) for row in offs(pricing)] == [1, 0]


def test_the_requested_discount_comes_before_that_on_the_document(adjusted: Adjusted) -> None:
    pricing = adjusted([SWITCH], by_hand("percent", "10", None), discount_bp=1000)
    assert offs(pricing) == [[("Discount", "10", 3890), ("Document discount", "10", 3501)]]


AVERAGE = {"APR-AVERAGE-12": "finance_director"}
"""What a quote whose reductions are above 12% of it needs too."""


@pytest.mark.parametrize(
    ("adjustments", "discount_bp", "needs"),
    [
        ([by_hand("percent", "5")], 0, {}),
        ([by_hand("percent", "5.01")], 0, {"APR-DISCOUNT-5": "sales_manager"}),
        ([by_hand("percent", "3")], 300, {"APR-DISCOUNT-5": "sales_manager"}),
        (
            [by_hand("percent", "3"), by_hand("percent", "2.5", None)],
            0,
            {"APR-DISCOUNT-5": "sales_manager"},
        ),
        ([by_hand("amount", "58.35")], 0, {"APR-DISCOUNT-5": "sales_manager"} | AVERAGE),
        ([by_hand("amount", "58.36")], 0, {"APR-DISCOUNT-15": "finance_director"} | AVERAGE),
        ([by_hand("override", "330")], 0, {"APR-DISCOUNT-15": "finance_director"} | AVERAGE),
    ],
)
def test_all_that_came_off_by_hand_decides_who_has_to_agree(
    adjusted: Adjusted, adjustments: list[Any], discount_bp: int, needs: dict[str, str]
) -> None:
    pricing = adjusted([SWITCH], *adjustments, discount_bp=discount_bp)
    assert codes(pricing)[0] == "MANUAL_DISCOUNT"
    assert {need.rule_id: need.role for need in pricing.approvals} == needs


def test_a_small_line_given_away_counts_in_a_large_quote(adjusted: Adjusted) -> None:
    lines = (line("l1", "SW-P8-120", 9), line("l2", "CBL-C6-02", 1))
    pricing = adjusted(lines, by_hand("percent", "50", "l2"))
    assert pricing.discount_bp == 5000
    assert "up to 50% on a line, 0.1% in all" in pricing.findings[0].message


def test_a_preview_of_a_price_by_hand_says_nothing_of_what_it_earns(adjusted: Adjusted) -> None:
    pricing = adjusted([SWITCH], by_hand("override", "250"))
    discounts = ["MANUAL_DISCOUNT", "AVERAGE_DISCOUNT", "LINE_DISCOUNT"]
    assert codes(pricing) == discounts
    assert {need.role for need in pricing.approvals} == {"finance_director"}


@pytest.mark.parametrize(
    ("adjustments", "said"),
    [
        ([by_hand("percent", "5", "l7")], "names l7"),
        ([by_hand("percent", "100.1")], "above 100 percent"),
        ([by_hand("override", "5", None)], "price of one line, once"),
        ([by_hand("override", "5"), by_hand("override", "6")], "price of one line, once"),
    ],
)
def test_an_adjustment_that_does_not_fit_is_refused(
    adjusted: Adjusted, adjustments: list[Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        adjusted([SWITCH], *adjustments)


def test_a_line_without_a_price_is_not_priced_by_hand(adjusted: Adjusted) -> None:
    pricing = adjusted([line("l1", "SW-P8-120", 1, unit="hour")], by_hand("override", "5"))
    assert "UNIT_MISMATCH" in codes(pricing)
    assert pricing.totals.total_minor is None


def test_free_is_a_price_too(adjusted: Adjusted) -> None:
    pricing = adjusted([SWITCH], by_hand("override", "0"))
    assert pricing.lines[0].net_minor == 0
    assert Decimal(pricing.lines[0].unit_price or 1) == Decimal("389.00")
    assert pricing.discount_bp == 10_000


def test_a_price_on_request_is_a_persons_to_give(adjusted: Adjusted, database: Database) -> None:
    with database.write() as session:
        session.execute(update(PriceEntry).where(col(PriceEntry.sku) == "SEN-T4").values(**ASKED))
    waiting = adjusted(BOTH)
    assert codes(waiting) == ["ASK_FOR_PRICE"]
    assert (waiting.lines[1].gross_minor, waiting.totals.total_minor) == (None, None)
    ten = by_hand("percent", "10", "l2")
    assert adjusted(BOTH, ten).lines[1].net_minor is None, "nothing comes off no price"
    given = by_hand("override", "79.50", "l2") | {"reason_code": "price_on_request"}
    pricing = adjusted(BOTH, given)
    assert "ASK_FOR_PRICE" not in codes(pricing)
    assert (pricing.lines[1].unit_price, pricing.lines[1].net_minor) == ("79.50", 15_900)
    (step,) = [one for one in explain(pricing, "l2") if one.step == "manual"]
    assert step.note == "unit price 79.50, on request; reason price_on_request, by per_lena"
