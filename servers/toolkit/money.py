"""Money: exact amounts with a currency, and the only place that rounds it.

Amounts are `Decimal` in code. The database keeps integers: amounts in minor units (cents),
unit prices in micro units (a millionth), so that nothing is ever lost to a float.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache

from iso4217 import Currency

from servers.toolkit.errors import InvalidInputError

MICRO = Decimal(1_000_000)


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Return how many decimals a currency has (ISO 4217).

    Raises:
        InvalidInputError: the code is unknown, or has no minor unit (gold, say).
    """
    try:
        digits = Currency(currency).exponent
    except ValueError:
        digits = None
    if digits is None:
        raise InvalidInputError(
            f"{currency!r} is not a currency one can quote in", fix="use an ISO 4217 code like EUR"
        )
    return int(digits)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's minor unit, half away from zero: the only rounding of money."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_UP)


def round_to(amount: Decimal, step: Decimal) -> Decimal:
    """Round to a multiple of a step, a coin of 0.05 say, half away from zero."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def six_decimals(amount: Decimal) -> Decimal:
    """Return a unit price with at most six decimals, which is what a quote can state."""
    return shortened(amount.quantize(Decimal("0.000001"), ROUND_HALF_UP))


def shortened(number: Decimal) -> Decimal:
    """Return a number with two decimals, or as many as it needs."""
    short = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return short if short == number else number.normalize()


def trimmed(number: Decimal) -> Decimal:
    """Return the same number without idle zeros: 2.50 as 2.5, 100.0 as 100."""
    return number.normalize() + 0


def whole_up(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_CEILING))


def whole_down(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_FLOOR))


def to_minor(amount: Decimal, currency: str) -> int:
    """Return a rounded amount as integer minor units (12.34 EUR is 1234).

    Raises:
        ValueError: the amount has more decimals than the currency; round it first.
    """
    scaled = amount.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency}: round it first")
    return int(scaled)


def from_minor(minor: int, currency: str) -> Decimal:
    """Return integer minor units as an amount (1234 EUR minor is 12.34)."""
    return Decimal(minor).scaleb(-exponent(currency))


def to_micro(price: Decimal) -> int:
    """Return a unit price as integer micro units.

    Raises:
        ValueError: the price has more than six decimals.
    """
    scaled = price * MICRO
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{price} has more than six decimals")
    return int(scaled)


def from_micro(micro: int) -> Decimal:
    return shortened(Decimal(micro) / MICRO)


def split_proportionally(
    total: Decimal, weights: Sequence[Decimal], currency: str
) -> list[Decimal]:
    """Split a rounded total over weights so that the parts sum to it exactly.

    Largest remainder: every part is first cut to whole minor units, then the units left over
    go to the parts that lost most, the earlier one winning a tie. Weights that are all zero
    split evenly.
    """
    sign = -1 if total < 0 else 1
    units = to_minor(abs(total), currency)
    return [from_minor(sign * part, currency) for part in split_units(units, weights)]


def split_units(units: int, weights: Sequence[Decimal]) -> list[int]:
    """Split whole units over weights by largest remainder; the parts sum to them exactly."""
    if not weights:
        return []
    if not (base := sum(weights)):
        weights, base = [Decimal(1)] * len(weights), Decimal(len(weights))
    shares = [units * weight / base for weight in weights]
    floors = [whole_down(share) for share in shares]
    order = sorted(range(len(shares)), key=lambda i: (floors[i] - shares[i], i))
    for i in order[: units - sum(floors)]:
        floors[i] += 1
    return floors
