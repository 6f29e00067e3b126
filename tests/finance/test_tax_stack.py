"""Stacked taxes and whole documents: every amount adds up, whatever the currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from servers.finance.facts.taxes import Tax
from servers.finance.tax.places import effective
from servers.finance.tax.stack import (
    TaxedAmount,
    breakdown,
    included,
    net_of,
    price_elsewhere,
    stack,
    step_of,
    weighted_rate,
    with_included,
)

CENT = Decimal("0.01")
CURRENCIES = sorted(c.code for c in Currency if c.exponent is not None)
RATES = st.sampled_from(
    [Decimal(r) for r in ("0", "2.6", "5", "5.5", "7", "8.1", "19", "20", "27")]
)
amounts = st.integers(0, 10**9)


def D(number: str) -> Decimal:  # noqa: N802 - short, for tables of numbers
    return Decimal(number)


@given(amounts, RATES, st.sampled_from(CURRENCIES))
def test_inclusive_net_and_tax_are_the_gross_in_every_currency(
    minor: int, rate: Decimal, currency: str
) -> None:
    step = step_of(currency)
    gross = minor * step
    done = stack([Tax(rate, included=True)], gross, Decimal(1), step)
    assert done.net + done.tax == done.gross == gross
    exact = gross * rate / (100 + rate)
    assert abs(done.tax - exact) * 2 <= step, "the tax is rounded to the nearest, once"


taxes = st.lists(
    st.builds(
        Tax,
        st.integers(0, 30).map(Decimal),
        kind=st.sampled_from(["percent", "fixed", "division"]),
        included=st.booleans(),
        enlarges_base=st.booleans(),
        on_enlarged=st.booleans(),
    ),
    max_size=3,
)


@given(taxes, st.integers(0, 10**7), st.integers(1, 50), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_any_stack_keeps_the_price_and_adds_up(
    stacked: list[Tax], minor: int, quantity: int, currency: str
) -> None:
    step = step_of(currency)
    price = minor * step
    done = stack(stacked, price, Decimal(quantity), step)
    assert done.net + done.included == price
    assert done.gross == done.net + sum((layer.amount for layer in done.layers), D("0"))
    assert all(layer.amount % step == 0 for layer in done.layers)
    exact = net_of(stacked, price, Decimal(quantity))
    assert abs(with_included(stacked, exact, Decimal(quantity)) - price) < D("1e-12")


@pytest.mark.parametrize(
    ("stacked", "price", "net", "amounts"),
    [
        ([Tax(D("20"), included=True)], "399.99", "333.32", ["66.67"]),  # 66.665: tax first
        ([Tax(D("12"), included=True)], "52.50", "46.87", ["5.63"]),  # 5.625: half up
        ([Tax(D("5")), Tax(D("9.975"))], "100.00", "100.00", ["5.00", "9.98"]),
        ([Tax(D("10"), enlarges_base=True), Tax(D("10"))], "100.00", "100.00", ["10.00", "11.00"]),
        (
            [Tax(D("10"), enlarges_base=True), Tax(D("10"), on_enlarged=False)],
            *("100.00", "100.00", ["10.00", "10.00"]),
        ),
        ([Tax(D("10"), kind="division")], "90.00", "90.00", ["10.00"]),
        ([Tax(D("1"), kind="fixed", enlarges_base=True), Tax(D("21"))], "95", "95", ["5", "21"]),
    ],
)
def test_each_kind_of_tax(stacked: list[Tax], price: str, net: str, amounts: list[str]) -> None:
    done = stack(stacked, D(price), D("5"), CENT)
    assert done.net == D(net)
    assert [layer.amount for layer in done.layers] == [D(one) for one in amounts]


def test_what_a_stack_comes_to_in_percent() -> None:
    assert effective([Tax(D("19"))]) == 19
    assert effective([Tax(D("5")), Tax(D("9.975"))]) == D("14.975")
    assert effective([Tax(D("10"), enlarges_base=True), Tax(D("10"))]) == 21


def test_an_included_fixed_tax_is_its_amount_and_stands_outside_the_others() -> None:
    taxes = [Tax(D("5"), "fixed", included=True), Tax(D("20"), included=True)]
    done = stack(taxes, D("250"), Decimal(2), step_of("EUR"))
    assert (done.net, [layer.amount for layer in done.layers]) == (D("200"), [10, D("40.00")])


def test_only_a_price_with_all_its_tax_inside_moves() -> None:
    inside, other = included([Tax(D("21"))]), included([Tax(D("6"))])
    assert price_elsewhere(D("121"), inside, other) == 106
    assert price_elsewhere(D("121"), inside, []) == 100
    assert price_elsewhere(D("121"), [Tax(D("21"))], other) == 121
    assert price_elsewhere(D("121"), [], other) == 121


parts = st.lists(
    st.builds(
        TaxedAmount,
        st.just("S"),
        RATES,
        st.integers(0, 10**6).map(lambda minor: minor * CENT),
        included=st.booleans(),
        key=st.text("abc", max_size=2),
    ),
    min_size=1,
    max_size=8,
)


@given(parts, st.sampled_from(["document", "line"]), st.randoms())
def test_groups_sum_and_order_never_matters(
    drawn: list[TaxedAmount], mode: str, dice: object
) -> None:
    done = breakdown(drawn, CENT, mode)  # type: ignore[arg-type]
    assert done.net == sum(group.taxable for group in done.groups)
    for part, net, inside in zip(drawn, done.nets, done.inside, strict=True):
        assert net + inside == part.amount
        assert part.included or inside == 0
    mixed = list(drawn)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert breakdown(mixed, CENT, mode).groups == done.groups  # type: ignore[arg-type]
    tags = sum((p.amount for p in drawn if p.included), D("0"))
    if all(part.included for part in drawn):
        assert done.total == tags, "what is on the tags is what is paid"


def test_line_and_document_rounding_differ_and_each_is_exact() -> None:
    stacked = (Tax(D("6"), enlarges_base=True), Tax(D("6"), enlarges_base=True, on_enlarged=False))
    stacked += (Tax(D("3")),)
    drawn = [TaxedAmount("S", D("0"), D("15.89"), stack=stacked) for _ in range(2)]
    assert breakdown(drawn, CENT, "line").tax == D("4.86")
    assert breakdown(drawn, CENT, "document").tax == D("4.89")


def test_inclusive_lines_share_the_tax_of_their_group() -> None:
    drawn = [TaxedAmount("S", D("19"), D("0.02"), included=True, key=f"l{n}") for n in range(5)]
    done = breakdown(drawn, CENT, "document")
    assert [group.tax for group in done.groups] == [D("0.02")]  # 0.10 holds 0.016
    assert sum(done.inside) == D("0.02")
    assert breakdown(drawn, CENT, "line").tax == 0  # 0.003 of each


def test_allowances_and_charges_end_in_the_total() -> None:
    lines = [TaxedAmount("S", D("25"), D("1000.00")), TaxedAmount("E", D("0"), D("-25.00"))]
    extras = [TaxedAmount("S", D("25.00"), D("-100.00")), TaxedAmount("S", D("25"), D("60.00"))]
    done = breakdown([*lines, *extras], step_of("EUR"))
    assert [(g.category, g.rate, g.taxable, g.tax) for g in done.groups] == [
        ("E", 0, D("-25.00"), 0),
        ("S", 25, D("960.00"), D("240.00")),
    ]
    assert sum(done.nets[:2]) == D("975.00")
    assert (done.net, done.tax, done.total) == (D("935.00"), D("240.00"), D("1175.00"))


def test_the_average_rate_is_weighted_by_net_and_has_four_decimals() -> None:
    assert weighted_rate([(D("30"), D("23")), (D("40"), D("3"))]) == D("11.57")
    assert weighted_rate([(D("0"), D("23"))]) is None
