"""Units of measure, the one list of them: their words, their codes, how finely each is counted."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.shipped import shipped

# fmt: off
Unit = Literal[
    "each", "box", "license", "hour", "day", "month",
    "pair", "set", "pack", "case", "carton", "pallet", "roll", "bag", "bottle",
    "g", "kg", "t", "ml", "l", "m", "m2", "m3", "week", "year", "user",
]
# fmt: on


class Measure(NamedTuple):
    """What a unit is called, its UN/ECE Recommendation 20 or 21 code, and its decimals."""

    one: str
    many: str
    code: str
    decimals: int = 0


_FILE = shipped(__package__, "units")
UNITS: dict[str, Measure] = {unit: Measure(*said) for unit, said in _FILE["measures"].items()}
UNIT_WORDS: dict[str, str] = {
    word.casefold(): unit for unit, said in _FILE["words"].items() for word in (unit, *said)
}
"""What people write for a unit: case folded, without a full stop."""


class Counted(Protocol):
    """A line, as far as it says how much of what."""

    @property
    def line_id(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit(self) -> str: ...


def check_quantities(lines: Iterable[Counted]) -> None:
    """Refuse a quantity that is finer than its unit is counted."""
    for line in lines:
        most = UNITS[line.unit].decimals
        if line.quantity != round(line.quantity, most):
            takes = f"at most {most} decimals" if most else "whole numbers only"
            raise InvalidInputError(
                f"line {line.line_id}: {line.quantity} {line.unit}, which takes {takes}",
                fix="round the quantity, or give it in the unit that it is measured in",
            )
