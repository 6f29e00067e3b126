"""The one list of units: complete, and read as people write it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

import pytest

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.shipped import shipped
from servers.toolkit.units import UNIT_WORDS, UNITS, Unit, check_quantities


@dataclass
class Line:
    quantity: Decimal
    unit: str
    line_id: str = "l1"


def test_every_unit_has_its_measure_and_is_a_word_for_itself() -> None:
    assert set(get_args(Unit)) == set(UNITS)
    assert all(UNIT_WORDS[unit] == unit for unit in UNITS)


@pytest.mark.parametrize(
    ("word", "unit"),
    [
        *[(word, "each") for word in ("Stk", "Stück", "STÜCKE", "pcs", "pc", "piece", "ea")],
        *[(word, "kg") for word in ("kg", "Kilo", "kilogram", "Kilogramm")],
        *[(word, "carton") for word in ("Karton", "Ktn", "ctn")],
        *[(word, "case") for word in ("Kiste", "case")],
        *[("qm", "m2"), ("m²", "m2"), ("Std", "hour"), ("Lizenzen", "license")],
    ],
)
def test_a_unit_is_known_by_the_words_people_write(word: str, unit: str) -> None:
    assert UNIT_WORDS[word.casefold()] == unit


def test_a_dozen_is_no_unit() -> None:
    assert not {"dozen", "dutzend", "dz"} & set(UNIT_WORDS)


def test_no_word_stands_for_two_units() -> None:
    said = shipped("servers.toolkit", "units")
    words = [w.casefold() for unit, one in said["words"].items() for w in (unit, *one)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("quantity", "unit", "takes"),
    [
        ("2", "each", ""),
        ("2.5", "each", "whole numbers only"),
        ("2.5", "license", "whole numbers only"),
        ("1.25", "hour", ""),
        ("1.255", "hour", "at most 2 decimals"),
        ("0.001", "kg", ""),
        ("0.0015", "kg", "at most 3 decimals"),
    ],
)
def test_a_quantity_is_as_fine_as_its_unit_is_counted(quantity: str, unit: str, takes: str) -> None:
    lines = [Line(Decimal(1), "each"), Line(Decimal(quantity), unit, "l2")]
    if not takes:
        check_quantities(lines)
        return
    with pytest.raises(InvalidInputError, match=f"line l2: {quantity} {unit}, .* {takes}"):
        check_quantities(lines)
