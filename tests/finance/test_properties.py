"""What holds for every order, whatever is in it."""

import ast
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paper_support import document

from servers.finance import digests
from servers.finance.documents import Pricing, QuoteDocument, customer_view
from servers.finance.facts.pricing import PricingFacts
from servers.finance.pricing import earned, price
from servers.finance.render.pages import json_text
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.verify import read, verify
from servers.toolkit.database import Database
from servers.toolkit.money import split_proportionally

FINANCE = Path(__file__).parents[2] / "servers" / "finance"
SKUS = [
    *("SW-P8-120", "SW-P16-240", "SRV-D1-16", "SEN-T4", "CAM-D4", "CBL-C6-02"),
    *("SUB-DM-STD", "SVC-INST-D"),
]
CODES = [
    *("EDGE5", "SHIPFREE", "WINTER25", "NOPE", "CABLE50", "SENSORFIX", "CAM4GET1", "RACKKIT"),
    *("WELCOME250", "HALFSHIP"),
]
PLACES = [("acc_008", "adr_024"), ("acc_001", "adr_003"), ("acc_002", "adr_006")]
rows = st.lists(
    st.tuples(
        st.sampled_from(SKUS),
        st.integers(1, 120),
        st.one_of(st.none(), st.integers(1, 60)),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
HALF = Decimal("0.5")
plenty = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Worlds(dict[str, PricingFacts]):
    """The facts of three customers, with a name short enough for a failure to print."""

    def __repr__(self) -> str:
        return "worlds"


@pytest.fixture(scope="module")
def worlds(filled: Path) -> Iterator[Worlds]:
    database = Database.open(filled, "finance")
    found = Worlds()
    for account_id, address in PLACES:
        order = asking(
            *(line(f"l{n}", sku) for n, sku in enumerate(SKUS, 1)),
            account_id=account_id,
            ship_to_address_id=address,
            promo_codes=CODES,
        )
        with acting(everyone()), database.session() as session:
            found[account_id] = collect(session, PriceRequest.model_validate(order)).pricing
    yield found
    database.close()


def order(drawn: list[Any], place: tuple[str, str], **changes: Any) -> PriceRequest:
    lines = [
        line(f"l{n}", sku, quantity, term_months=term, optional=optional and n > 1)
        for n, (sku, quantity, term, optional) in enumerate(drawn, 1)
    ]
    for one in lines:  # days are counted to the hundredth: 97 of them are 0.97 days
        if one["sku"] == "SVC-INST-D":
            one |= {"unit": "day", "quantity": Decimal(one["quantity"]).scaleb(-2)}
    return PriceRequest.model_validate(
        asking(*lines, account_id=place[0], ship_to_address_id=place[1], **changes)
    )


def printed(pricing: Pricing) -> QuoteDocument:
    """What was priced, as the document that would be exported."""
    names = ("currency", "lines", "freight", "taxes", "totals", "trace", "charges", "recurring")
    blocks = {name: getattr(pricing, name) for name in (*names, "presentation")}
    return document(**blocks, margin=None)


def total(pricing: Pricing) -> int:
    assert pricing.totals.total_minor is not None
    return pricing.totals.total_minor


@plenty
@given(
    rows,
    st.sampled_from(PLACES),
    st.integers(0, 3000),
    st.lists(st.sampled_from(CODES), max_size=3),
)
def test_totals_add_up_exactly(
    worlds: Worlds,
    drawn: list[Any],
    place: tuple[str, str],
    discount_bp: int,
    promo_codes: list[str],
) -> None:
    request = order(drawn, place, discount_bp=discount_bp, promo_codes=promo_codes)
    pricing = price(worlds[place[0]], request)
    for one in pricing.lines:
        assert one.gross_minor is not None
        assert one.net_minor == one.gross_minor - sum(a.amount_minor for a in one.allowances)
        assert 0 <= one.net_minor <= one.gross_minor
        assert abs(Decimal(one.unit_price or 0) * one.quantity * 100 - one.gross_minor) <= HALF
    counted = [one.net_minor for one in pricing.lines if one.in_total]
    totals = pricing.totals
    assert totals.lines_minor == sum(filter(None, counted))
    assert totals.charges_minor == sum(charge.net_minor for charge in pricing.charges)
    around = (totals.freight_minor or 0) + totals.charges_minor
    assert totals.net_minor == totals.lines_minor + around
    assert totals.net_minor == sum(group.taxable_minor for group in pricing.taxes)
    assert totals.tax_minor == sum(group.tax_minor for group in pricing.taxes)
    assert total(pricing) == totals.net_minor + totals.tax_minor
    assert all(found.message and found.rule_id for found in pricing.findings)


@plenty
@given(
    rows,
    st.sampled_from(PLACES),
    st.integers(0, 3000),
    st.lists(st.sampled_from(CODES), max_size=3),
    st.sampled_from([None, "USD", "JPY"]),
)
def test_every_quote_can_be_worked_out_again_from_its_document_alone(
    worlds: Worlds,
    drawn: list[Any],
    place: tuple[str, str],
    discount_bp: int,
    promo_codes: list[str],
    shown_in: str | None,
) -> None:
    request = order(
        drawn, place, discount_bp=discount_bp, promo_codes=promo_codes, display_currency=shown_in
    )
    quote = printed(price(worlds[place[0]], request))
    for view in (quote, customer_view(quote)):
        assert verify(read(json_text(view))) == []


@plenty
@given(rows, st.sampled_from(PLACES), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_never_matters(
    worlds: Worlds, drawn: list[Any], place: tuple[str, str], chance: Any
) -> None:
    request = order(drawn, place, promo_codes=["EDGE5", "SHIPFREE"])
    mixed = list(request.lines)
    chance.shuffle(mixed)
    one = price(worlds[place[0]], request)
    other = price(worlds[place[0]], request.model_copy(update={"lines": tuple(mixed)}))
    assert (one.totals, one.taxes, one.freight) == (other.totals, other.taxes, other.freight)
    assert one.margin == other.margin


@plenty
@given(
    rows,
    st.sampled_from(PLACES),
    st.integers(0, 3000),
    st.lists(st.sampled_from(CODES), max_size=3),
)
def test_what_is_earned_is_the_margin_of_the_price(
    worlds: Worlds,
    drawn: list[Any],
    place: tuple[str, str],
    discount_bp: int,
    promo_codes: list[str],
) -> None:
    request = order(drawn, place, discount_bp=discount_bp, promo_codes=promo_codes)
    assert earned(worlds[place[0]], request) == price(worlds[place[0]], request).margin


@plenty
@given(rows, st.sampled_from(PLACES), st.integers(0, 10_000), st.integers(0, 10_000))
def test_no_discount_raises_a_total(
    worlds: Worlds, drawn: list[Any], place: tuple[str, str], one: int, other: int
) -> None:
    facts, codes = worlds[place[0]], ["SHIPFREE", "EDGE5"]
    less, more = sorted((one, other))
    low = price(facts, order(drawn, place, discount_bp=less, promo_codes=codes))
    high = price(facts, order(drawn, place, discount_bp=more, promo_codes=codes))
    assert total(high) <= total(low)


@plenty
@given(
    rows,
    st.sampled_from(PLACES),
    st.sampled_from(CODES),
    st.sets(st.sampled_from(CODES), max_size=3),
)
def test_no_code_raises_a_total(
    worlds: Worlds, drawn: list[Any], place: tuple[str, str], code: str, others: set[str]
) -> None:
    facts = worlds[place[0]]
    without = price(facts, order(drawn, place, promo_codes=sorted(others)))
    with_it = price(facts, order(drawn, place, promo_codes=[code, *sorted(others)]))
    assert total(with_it) <= total(without)
    backwards = price(facts, order(drawn, place, promo_codes=[*sorted(others)[::-1], code]))
    assert (with_it.totals, with_it.lines) == (backwards.totals, backwards.lines)


@plenty
@given(st.sampled_from(PLACES), st.integers(1, 9_999_999), st.integers(1, 9_999_999))
def test_more_of_it_never_costs_less_before_reductions(
    worlds: Worlds, place: tuple[str, str], one: int, other: int
) -> None:
    few, many = sorted((one, other))
    priced = [
        price(worlds[place[0]], order([("SVC-INST-D", n, None, False)], place)).lines[0]
        for n in (few, many)
    ]
    less, more = (line.gross_minor or 0 for line in priced)
    assert less <= more
    assert [line.quantity * 100 for line in priced] == [few, many]


@plenty
@given(rows, st.sampled_from(PLACES), st.integers(0, 2000))
def test_same_input_same_bytes(
    worlds: Worlds, drawn: list[Any], place: tuple[str, str], discount_bp: int
) -> None:
    request = order(drawn, place, discount_bp=discount_bp)
    again = PriceRequest.model_validate_json(request.model_dump_json())
    one, other = price(worlds[place[0]], request), price(worlds[place[0]], again)
    assert digests.text(one.public()) == digests.text(other.public())
    assert one.digest == other.digest
    assert digests.text(one.trace) == digests.text(other.trace)


@given(
    st.integers(0, 10**9),
    st.lists(st.integers(0, 10**6).map(Decimal), min_size=1, max_size=12),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_splits_sum_exactly(minor: int, weights: list[Decimal], currency: str) -> None:
    whole = Decimal(minor).scaleb({"EUR": -2, "JPY": 0, "KWD": -3}[currency])
    assert sum(split_proportionally(whole, weights, currency)) == whole


@pytest.mark.parametrize("path", sorted(FINANCE.rglob("*.py")), ids=lambda p: p.stem)
def test_there_is_no_float_in_finance(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Constant) and type(node.value) is float), node.lineno
        assert not (isinstance(node, ast.Name) and node.id == "float"), node.lineno
        # what divides is a Decimal or a path; two whole numbers are divided with //
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            both = isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)
            assert not both, node.lineno
