from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import (
    exponent,
    from_micro,
    from_minor,
    round_money,
    round_to,
    split_proportionally,
    split_units,
    to_micro,
    to_minor,
)

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=6)
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CHF", "CLF"])


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.665", "EUR", "2.67"),
        ("-2.665", "EUR", "-2.67"),
        ("0.005", "EUR", "0.01"),
        ("1234.5", "JPY", "1235"),
        ("1.0005", "KWD", "1.001"),
    ],
)
def test_rounding_is_half_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert round_money(Decimal(amount), currency) == Decimal(rounded)


@given(AMOUNTS, CURRENCIES)
def test_rounding_twice_is_rounding_once_and_moves_half_a_unit_at_most(
    amount: Decimal, currency: str
) -> None:
    rounded = round_money(amount, currency)
    assert round_money(rounded, currency) == rounded
    assert abs(rounded - amount) * 2 <= Decimal(1).scaleb(-exponent(currency))
    assert from_minor(to_minor(rounded, currency), currency) == rounded


@given(
    st.integers(-(10**8), 10**8),
    st.lists(st.decimals(min_value=0, max_value=10**6, places=2), min_size=1, max_size=30),
)
def test_a_split_sums_exactly_and_stays_near_its_share(minor: int, weights: list[Decimal]) -> None:
    total = from_minor(minor, "EUR")
    parts = split_proportionally(total, weights, "EUR")
    assert sum(parts) == total
    assert len(parts) == len(weights)
    if whole := sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - total * weight / whole) < Decimal("0.01")


def test_the_largest_remainder_gets_the_last_cent() -> None:
    parts = split_proportionally(Decimal("13.77"), [Decimal(30), Decimal(10)], "EUR")
    assert parts == [Decimal("10.33"), Decimal("3.44")]
    assert split_proportionally(Decimal(1), [], "EUR") == []


@pytest.mark.parametrize(
    ("amount", "step", "rounded"),
    [
        *(("1.07", "0.05", "1.05"), ("1.075", "0.05", "1.10"), ("1.08", "0.05", "1.10")),
        *(("-1.075", "0.05", "-1.10"), ("124", "100", "100"), ("150", "100", "200")),
    ],
)
def test_coins_are_rounded_half_away_from_zero(amount: str, step: str, rounded: str) -> None:
    assert round_to(Decimal(amount), Decimal(step)) == Decimal(rounded)


@pytest.mark.parametrize("total", ["-1.01", "-1", "-0.01", "0", "0.01", "0.99", "1"])
def test_a_split_has_the_sign_of_its_total(total: str) -> None:
    for weights in ([Decimal(1), Decimal(2)], [Decimal(0), Decimal(0)]):
        parts = split_proportionally(Decimal(total), weights, "EUR")
        assert sum(parts) == Decimal(total)
        assert all(part * Decimal(total) >= 0 for part in parts)


def test_weights_of_nothing_split_evenly_and_the_earlier_wins_a_tie() -> None:
    none = [Decimal(0)] * 3
    assert split_units(10, none) == [4, 3, 3]
    assert split_units(11, none) == [4, 4, 3]
    assert split_units(1, [Decimal(1), Decimal(1)]) == [1, 0]
    assert split_units(5, []) == []


def test_what_would_be_lost_is_refused() -> None:
    with pytest.raises(ValueError, match="round it first"):
        to_minor(Decimal("0.001"), "EUR")
    with pytest.raises(ValueError, match="six decimals"):
        to_micro(Decimal("0.0000001"))
    for code in ("XAU", "EURO", ""):
        with pytest.raises(InvalidInputError):
            exponent(code)


@given(st.decimals(min_value=0, max_value=10**6, places=6))
def test_a_unit_price_survives_the_database(price: Decimal) -> None:
    assert from_micro(to_micro(price)) == price
