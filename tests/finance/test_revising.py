"""A change by hand: what it may name, what stays, and what the revision is made from."""

from typing import Any

import pytest
from finance_support import asking, line

from servers.finance.quote_changes import Changes, clauses_after, revised
from servers.finance.schemas import Adjustment, LineIn, PriceRequest
from servers.finance.schemas_quotes import LineChange
from servers.toolkit.errors import InvalidInputError


def off(line_id: str | None, value: str = "5") -> Adjustment:
    said = {"line_id": line_id, "kind": "percent", "value": value}
    return Adjustment.model_validate({**said, "reason_code": "agreed_rounding", "author": "per_a"})


ORDER = asking(line("l1", "SW-P8-120", 12), line("l2", "SEN-T4", 3), promo_codes=["EDGE5"])
REQUEST = PriceRequest.model_validate(ORDER).model_copy(
    update={"adjustments": (off("l1"), off("l2"), off(None))}
)


def change(**changes: Any) -> PriceRequest:
    return revised(REQUEST, Changes(**changes), "per_b")


def quantities(request: PriceRequest) -> dict[str, int]:
    return {one.line_id: one.quantity for one in request.lines}


def new(line_id: str, **more: Any) -> LineIn:
    return LineIn.model_validate(line(line_id, "CAM-D4", 1, **more))


def test_lines_change_go_and_come_in_their_order() -> None:
    made = change(
        change_lines=(LineChange(line_id="l1", quantity=13),),
        remove_lines=("l2",),
        add_lines=(new("l3"),),
    )
    assert quantities(made) == {"l1": 13, "l3": 1}
    assert quantities(change(discount_bp=100)) == {"l1": 12, "l2": 3}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, "nothing is changed"),
        ({"change_lines": (LineChange(line_id="l9", quantity=1),)}, "has no line l9"),
        ({"remove_lines": ("l9",)}, "has no line l9"),
        ({"change_lines": (LineChange(line_id="l1"),)}, "nothing is changed on l1"),
        ({"change_lines": (LineChange(line_id="l1", quantity=1),) * 2}, "changed twice"),
        (
            {"change_lines": (LineChange(line_id="l1", quantity=1),), "remove_lines": ("l1",)},
            "changed twice",
        ),
        ({"add_lines": (new("l1"),)}, "has a line l1 already"),
        ({"remove_lines": ("l1", "l2")}, "no line is left"),
        ({"adjustments": (off("l9"),)}, "has no line l9"),
        ({"adjustments": (off("l2"),), "remove_lines": ("l2",)}, "has no line l2"),
    ],
)
def test_a_change_that_cannot_be_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInputError, match=problem):
        change(**changes)


def test_all_lines_may_be_others() -> None:
    assert quantities(change(remove_lines=("l1", "l2"), add_lines=(new("l3"),))) == {"l3": 1}


def test_what_is_not_said_stays_and_nothing_is_something() -> None:
    same = change(discount_bp=0)
    assert (same.promo_codes, same.ship_method) == (("EDGE5",), "ROAD-STD")
    made = change(promo_codes=(), ship_method="AIR-STD", display_currency="USD", discount_bp=250)
    assert (made.promo_codes, made.ship_method) == ((), "AIR-STD")
    assert (made.display_currency, made.discount_bp) == ("USD", 250)


@pytest.mark.parametrize(
    ("changes", "stay"),
    [
        ({"discount_bp": 0}, [("l1", "per_a"), ("l2", "per_a"), (None, "per_a")]),
        ({"drop_adjustments": True}, []),
        ({"remove_lines": ("l2",)}, [("l1", "per_a"), (None, "per_a")]),
        (
            {"adjustments": (off("l1", "7"),)},
            [("l2", "per_a"), (None, "per_a"), ("l1", "per_b")],
        ),
        ({"adjustments": (off(None, "7"),)}, [("l1", "per_a"), ("l2", "per_a"), (None, "per_b")]),
        ({"adjustments": (off("l1"),), "drop_adjustments": True}, [("l1", "per_b")]),
    ],
)
def test_a_new_adjustment_takes_the_place_of_those_of_its_line(
    changes: dict[str, Any], stay: list[tuple[str | None, str]]
) -> None:
    assert [(one.line_id, one.author) for one in change(**changes).adjustments] == stay


@pytest.mark.parametrize(
    ("stored", "selected", "now", "after"),
    [
        (("A", "B"), ("A", "B"), ("A", "B"), ("A", "B")),
        (("A", "B"), ("A", "B"), ("B", "C"), ("B", "C")),
        (("A", "X"), ("A", "B"), ("A", "B"), ("A", "X")),
        (("A",), ("A", "B"), ("B", "C"), ("C",)),
        (("A", "X"), ("A",), ("A", "X"), ("A", "X")),
    ],
)
def test_a_deviation_from_the_rules_is_kept(
    stored: tuple[str, ...],
    selected: tuple[str, ...],
    now: tuple[str, ...],
    after: tuple[str, ...],
) -> None:
    assert clauses_after(stored, selected, now) == after
