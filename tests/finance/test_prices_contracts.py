"""Contract prices that begin, end, run out, are promised, or leave room for tiers."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servers.finance.documents import Pricing
from servers.finance.facts.prices import Contract
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.windows import Window
from servers.finance.prices.contracts import contract_uses
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database

AGREED = Contract(
    *("CON-1", "acc_008", "sku", "SW-P8-120", "fixed", Decimal("350.00"), "EUR"),
    *(Window(date(2026, 1, 1), date(2026, 12, 31)), True, "Call-off"),
)
SKUS = ("SW-P8-120", "SW-P16-240", "SEN-T4")


@pytest.fixture
def facts(database: Database) -> PricingFacts:
    lines = [line(f"l{n}", sku) for n, sku in enumerate(SKUS, 1)]
    with acting(everyone()), database.session() as session:
        return collect(session, PriceRequest.model_validate(asking(*lines))).pricing


def with_(facts: PricingFacts, *lines: dict[str, Any], **changes: Any) -> Pricing:
    contracts = changes.pop("contracts", (AGREED,))
    request = PriceRequest.model_validate(asking(*lines, **changes))
    return price(replace(facts, contracts=contracts), request)


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


def limited(most: int, used: int = 0, **more: Any) -> Contract:
    return replace(AGREED, max_quantity=Decimal(most), used=Decimal(used), **more)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"window": Window(date(2025, 1, 1), date(2025, 12, 31))}, "CONTRACT_EXPIRED"),
        ({"window": Window(date(2027, 1, 1))}, "CONTRACT_NOT_YET"),
        ({"currency": "GBP"}, "CONTRACT_CURRENCY"),
        ({"max_quantity": Decimal(20), "used": Decimal(20)}, "CONTRACT_EXHAUSTED"),
    ],
)
def test_what_is_not_in_force_is_not_applied_and_said(
    facts: PricingFacts, change: dict[str, Any], code: str
) -> None:
    pricing = with_(facts, line("l1", "SW-P8-120"), contracts=(replace(AGREED, **change),))
    assert codes(pricing) == [code]
    assert (pricing.lines[0].unit_price, pricing.lines[0].contract_id) == ("389.00", None)


def test_what_is_left_has_the_agreed_price_and_the_rest_the_list(facts: PricingFacts) -> None:
    pricing = with_(facts, line("l1", "SW-P8-120", 12), contracts=(limited(100, 95),))
    (only,) = pricing.lines
    assert codes(pricing) == ["CONTRACT_PARTLY"]
    assert [need.role for need in pricing.approvals] == ["sales_manager"]
    assert (only.unit_price, only.gross_minor) == ("389.00", 12 * 38900)
    assert [(a.label, a.amount_minor) for a in only.allowances] == [
        ("Contract price for 5 of 12", 5 * 3900)
    ]
    assert only.net_minor == 5 * 35000 + 7 * 38900
    assert only.contract_quantity == "5"


def test_an_agreed_price_above_the_list_is_split_the_other_way(facts: PricingFacts) -> None:
    dear = limited(5, amount=Decimal("400.00"))
    (only,) = with_(facts, line("l1", "SW-P8-120", 12), contracts=(dear,)).lines
    assert only.unit_price == "400.00"
    assert only.allowances[0].label == "List price for 7 of 12"
    assert only.net_minor == 5 * 40000 + 7 * 38900


def test_lines_share_what_is_left_in_the_order_of_their_ids(facts: PricingFacts) -> None:
    lines = [
        line("l2", "SW-P8-120", 4),
        line("l10", "SW-P8-120", 4),
        line("l1", "SW-P8-120", 4, optional=True),
    ]
    covered = set()
    for order in permutations(lines):
        pricing = with_(facts, *order, contracts=(limited(6),))
        covered.add(tuple(sorted((o.line_id, o.contract_quantity) for o in pricing.lines)))
    assert covered == {(("l1", None), ("l10", "2"), ("l2", "4"))}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 60))
def test_a_split_is_exactly_both_prices(
    facts: PricingFacts, quantity: int, most: int, used: int
) -> None:
    pricing = with_(facts, line("l1", "SW-P8-120", quantity), contracts=(limited(most, used),))
    (only,) = pricing.lines
    covered = max(0, min(most - used, quantity))
    if covered:
        assert only.net_minor == covered * 35000 + (quantity - covered) * 38900
        assert only.net_minor == (only.gross_minor or 0) - sum(
            a.amount_minor for a in only.allowances
        )
    else:
        assert codes(pricing)[0] == "CONTRACT_EXHAUSTED"


def test_a_commitment_that_is_short_is_said_once(facts: PricingFacts) -> None:
    promised = replace(AGREED, min_commit=Decimal(100), used=Decimal(30))
    lines = (line("l1", "SW-P8-120", 20), line("l2", "SW-P8-120", 10))
    pricing = with_(facts, *lines, contracts=(promised,))
    (short,) = [f for f in pricing.findings if f.code == "CONTRACT_UNDERCOMMITTED"]
    assert "60 are bought, 40 short" in short.message
    assert pricing.approvals == []
    kept = with_(facts, line("l1", "SW-P8-120", 70), contracts=(promised,))
    assert codes(kept) == []
    assert codes(with_(facts, line("l1", "SEN-T4", 1), contracts=(promised,))) == []


def test_a_contract_that_is_not_exclusive_stacks_with_tiers(facts: PricingFacts) -> None:
    open_ = replace(AGREED, exclusive=False)
    (only,) = with_(facts, line("l1", "SW-P8-120", 10), contracts=(open_,)).lines
    assert [a.label for a in only.allowances] == ["Volume discount"]
    assert only.net_minor == 350000 - 17500


def test_a_sku_before_a_family_and_the_uses_of_a_quote(facts: PricingFacts) -> None:
    family = replace(
        AGREED,
        contract_id="CON-F",
        scope="family",
        selector="switches",
        kind="percent",
        amount=Decimal(10),
        currency="",
    )
    lines = [
        line("l1", "SW-P8-120", 2),
        line("l2", "SW-P16-240", 3),
        line("l3", "SEN-T4", 1),
        line("l4", "SW-P16-240", 9, optional=True),
    ]
    pricing = with_(facts, *lines, contracts=(family, AGREED))
    assert [one.contract_id for one in pricing.lines] == ["CON-1", "CON-F", None, "CON-F"]
    assert [(u.contract_id, u.line_id, u.quantity) for u in contract_uses(pricing.lines)] == [
        ("CON-1", "l1", 2),
        ("CON-F", "l2", 3),
    ]


def test_contracts_of_others_and_for_other_products_are_passed_over(facts: PricingFacts) -> None:
    """Whichever of them comes first by its id."""
    others = [
        replace(AGREED, contract_id="CON-0", account_id="acc_001"),
        replace(AGREED, contract_id="CON-2", selector="SEN-T4"),
    ]
    for contracts in permutations((AGREED, *others)):
        (only,) = with_(facts, line("l1", "SW-P8-120"), contracts=contracts).lines
        assert (only.contract_id, only.unit_price) == ("CON-1", "350.00")
