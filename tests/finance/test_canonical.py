"""The canonical form: the same words for the same value, and what differs by its path."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from servers.finance.digests import changes, digest, text
from servers.finance.facts.blocks import Allowance


def test_a_value_is_written_one_way() -> None:
    day, amount = date(2026, 11, 23), Decimal("1.50")
    assert text({"b": [day], "a": amount, "ü": None}) == '{"a":"1.50","b":["2026-11-23"],"ü":null}'
    assert text(Allowance(label="x", amount_minor=1)) == text(
        {"label": "x", "percent": None, "amount_minor": 1}
    )
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
    with pytest.raises(TypeError, match="set has no canonical form"):
        text({1})


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 1}, {"a": 2}, ["a", "b"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a[1].b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"a": [1]}, {"a": {"b": 1}}, ["a"]),
        ({"a": None}, {"a": 0}, ["a"]),
    ],
)
def test_what_differs_is_named_by_its_path(
    before: dict[str, Any], after: dict[str, Any], paths: list[str]
) -> None:
    assert changes(before, after) == paths
    assert changes(after, before) == paths


@pytest.mark.parametrize(("many", "named"), [(9, 9), (10, 10), (11, 10)])
def test_ten_differences_are_named(many: int, named: int) -> None:
    numbers = {f"n{n:02}": n for n in range(many)}
    assert len(changes(numbers, {})) == named
