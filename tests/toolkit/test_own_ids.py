"""Ours is made from theirs in one way, and two of theirs stay two."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from servers.toolkit.fields import AccountId, Sku
from servers.toolkit.own_ids import MOST, normalised, own_id

ACCOUNT, SKU = TypeAdapter(AccountId), TypeAdapter(Sku)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("1017", "acc_1017"),
        ("BLAUW-3", "acc_blauw-3"),
        ("acc_Blue", "acc_Blue"),
        ("0017", "acc_0017"),
    ],
)
def test_what_loses_nothing_stays_readable(theirs: str, ours: str) -> None:
    assert own_id("acc", theirs) == ours


@pytest.mark.parametrize("length", [MOST - 1, MOST, MOST + 1])
def test_one_that_is_too_long_ends_in_a_digest(length: int) -> None:
    ours = own_id("acc", "7" * length)
    assert (ours == "acc_" + "7" * length) == (length <= MOST)
    assert len(ours) <= MOST + 4


def test_two_that_differ_in_a_lost_character_stay_two() -> None:
    found = {own_id("acc", one) for one in ("A/1", "A.1", "A-1", "A 1", "Ä1", "客户", "///")}
    assert len(found) == 7
    assert own_id("acc", "a  b") == own_id("acc", "A B")


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_every_id_becomes_one_of_our_form_and_equal_ones_the_same(one: str, other: str) -> None:
    for text in filter(str.strip, (one, other)):
        assert ACCOUNT.validate_python(own_id("acc", text)) == own_id("acc", normalised(text))
    if normalised(one) != normalised(other) and one.strip() and other.strip():
        assert own_id("acc", one) != own_id("acc", other)


@pytest.mark.parametrize("sku", ["1", "a-1", "AB/12.5_x", "#12+3", "Größe 12 blau", "x" * 40])
def test_a_sku_is_as_its_owner_writes_it(sku: str) -> None:
    assert SKU.validate_python(sku) == sku


@pytest.mark.parametrize("sku", ["", " a", "a ", "a\nb", "a\tb", "x" * 41, "a<b", 'a"b', "a;b"])
def test_a_sku_is_one_line_of_plain_characters_and_bounded(sku: str) -> None:
    with pytest.raises(ValidationError):
        SKU.validate_python(sku)
    assert re.match("acc_", own_id("acc", sku or "x"))
