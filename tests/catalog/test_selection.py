"""Lines joined with products: which could be bought together, and where a finding is cut."""

from typing import Any

import pytest

from servers.catalog import rulebook as rb
from servers.catalog.comparing import compare
from servers.catalog.configuration import complete
from servers.catalog.eligibility import Destination
from servers.catalog.schemas import Product
from servers.catalog.selection import (
    MAX_EVIDENCE,
    digest_of_lines,
    finding,
    join,
    number,
    picked,
    scenarios,
    total,
)
from servers.catalog.substitutes import SIMILAR, suggest
from servers.toolkit.errors import InvalidInputError

from .conftest import TODAY, lines_of

RULE = {"rule_id": "a-rule", "code": "CODE", "severity": "error", "message": "{sku}", "subject": {}}


def product(sku: str, **more: Any) -> Product:
    fields = {"sku": sku, "name": sku, "family": "things", "kind": "goods", "base_uom": "each"}
    return Product.model_validate({**fields, "lifecycle": "active", **more})


CATALOG = {sku: product(sku) for sku in ("AA", "BB", "CC", "DD")}


def bought(*parts: Any) -> list[str]:
    """The line ids of each set that could be bought together."""
    items, _ = join(lines_of(*parts), CATALOG)
    return [" ".join(item.line.line_id for item in chosen) for chosen in scenarios(items)]


@pytest.mark.parametrize(
    ("parts", "sets"),
    [
        ([("AA", 1), ("BB", 1)], ["l1 l2"]),
        ([("AA", 1), {"sku": "BB", "quantity": 1, "optional": True}], ["l1 l2"]),
        (
            [("AA", 1), ("BB", 1), {"sku": "CC", "quantity": 1, "alternative_of": "l1"}],
            ["l1 l2", "l2 l3"],
        ),
        (
            [
                *(("AA", 1), {"sku": "BB", "quantity": 1, "part_of": "l1"}),
                {"sku": "CC", "quantity": 1, "alternative_of": "l1"},
                {"sku": "DD", "quantity": 1, "part_of": "l3"},
            ],
            ["l1 l2", "l3 l4"],
        ),
        (
            [
                *(("AA", 1), {"sku": "BB", "quantity": 1, "alternative_of": "l1"}),
                {"sku": "CC", "quantity": 1, "alternative_of": "l1"},
            ],
            ["l1", "l2", "l3"],
        ),
        ([("AA", 5), {"sku": "AA", "quantity": 6, "segment_of": "l1"}], ["l2"]),
        ([("AA", 6), {"sku": "AA", "quantity": 6, "segment_of": "l1"}], ["l1"]),
        (
            [
                *(("AA", 1), {"sku": "AA", "quantity": 9, "segment_of": "l1"}),
                *({"sku": "AA", "quantity": 2, "segment_of": "l2"}, ("BB", 1)),
            ],
            ["l2 l4"],
        ),
    ],
)
def test_lines_that_stand_for_each_other_are_not_bought_together(
    parts: list[Any], sets: list[str]
) -> None:
    assert bought(*parts) == sets


def test_a_ramp_that_goes_in_a_circle_ends() -> None:
    ring = [
        {"sku": "AA", "quantity": 1, "segment_of": "l2"},
        {"sku": "AA", "quantity": 2, "segment_of": "l1"},
    ]
    assert len(bought(*ring)) == 1


@pytest.mark.parametrize(
    "line",
    [
        {"line_id": "l1"},
        {"alternative_of": "l2"},
        {"alternative_of": "l9"},
        {"part_of": "l2"},
        {"part_of": "l9"},
        {"segment_of": "l2"},
        {"segment_of": "l9"},
    ],
)
def test_a_line_that_names_what_it_cannot_mean_is_refused(line: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        join(lines_of(("AA", 1), {"sku": "BB", "quantity": 1, **line}), CATALOG)


def test_an_alternative_has_no_alternative_and_what_is_unknown_is_said() -> None:
    chain = [
        *(("AA", 1), {"sku": "BB", "quantity": 1, "alternative_of": "l1"}),
        {"sku": "CC", "quantity": 1, "alternative_of": "l2"},
    ]
    with pytest.raises(InvalidInputError, match="no line of its own"):
        join(lines_of(*chain), CATALOG)
    items, problems = join(lines_of(("AA", 1), ("XX", 2)), CATALOG)
    assert [item.product.sku for item in items] == ["AA"]
    assert [(one.code, one.subject) for one in problems] == [("UNKNOWN_SKU", "l2")]


def test_a_finding_is_cut_where_its_fields_end() -> None:
    rule = rb.Note.model_validate({**RULE, "kind": "note", "message": "{sku}" * 3, "fix": "do {n}"})
    made = finding(rule, "l1", ["e" * 301] * 13, sku="x" * 200, n=7)
    assert (len(made.message), made.fix) == (500, "do 7")
    assert (len(made.evidence), {len(piece) for piece in made.evidence}) == (MAX_EVIDENCE, {300})
    assert MAX_EVIDENCE == 12
    assert len(finding(rule, "l1", [], fix="f" * 301, sku="", n=7).fix) == 300


def test_only_whole_numbers_are_numbers() -> None:
    one = product("AA", attributes={"watts": 7, "poe": True, "plug": "EU", "zero": 0})
    found = {name: number(one, name) for name in ("watts", "poe", "plug", "zero", "none")}
    assert found == {"watts": 7, "poe": None, "plug": None, "zero": 0, "none": None}


def test_pieces_are_added_over_what_a_selector_picks() -> None:
    items, _ = join(lines_of(("AA", 2), ("BB", 3), ("AA", 4)), CATALOG)
    assert total(picked(items, rb.Selector(skus=("AA",)))) == 6
    assert total([]) == 0


def test_the_digest_of_lines_is_that_of_all_they_say() -> None:
    one = digest_of_lines(lines_of(("AA", 1)))
    assert one == digest_of_lines(lines_of({"sku": "AA", "quantity": 1, "unit": "each"}))
    assert one != digest_of_lines(lines_of(("AA", 2)))
    assert len(one) == 64


def test_products_are_compared_and_what_differs_comes_first() -> None:
    found = compare(
        [
            product("AA", weight_g=5, attributes={"ports": 8, "mount": "din"}),
            product("BB", weight_g=6, attributes={"ports": 8}),
        ]
    )
    rows = {row.attribute: row.differs for row in found.attributes}
    assert rows == {"mount": True, "weight_g": True, "ports": False, "lifecycle": False}
    assert list(rows) == ["mount", "weight_g", "ports", "lifecycle"]


@pytest.mark.parametrize("many", [SIMILAR - 1, SIMILAR, SIMILAR + 1])
def test_the_likest_of_a_family_stand_in_where_nothing_is_on_file(many: int) -> None:
    asked = product("AA", attributes={"ports": 8, "mount": "din"})
    family = {f"S{n}": product(f"S{n}", attributes={"ports": 8}) for n in range(many)}
    family["S0"] = product("S0", attributes={"ports": 8, "mount": "din"})
    others = {
        "OLD": product("OLD", lifecycle="eol", attributes=asked.attributes),
        "ELSE": product("ELSE", family="others", attributes=asked.attributes),
    }
    found = suggest(asked, [], {"AA": asked, **family, **others}, [], None)
    assert [one.sku for one in found] == sorted(family)[:SIMILAR]
    assert found[0].note == "2 of 2 attributes are the same"
    assert {one.relation for one in found} == {"similar"}


def test_what_is_on_file_stands_in_before_what_is_alike() -> None:
    asked = product("AA", successor_sku="BB", lifecycle="eol")
    rows = [
        rb.SubstituteRow(sku="AA", stand_in=sku, relation="upgrade", note="n")
        for sku in ("BB", "CC", "LOST")
    ]
    gone = product("CC", lifecycle="eol")
    found = suggest(asked, rows, {**CATALOG, "AA": asked, "CC": gone}, [], None)
    assert [(one.sku, one.relation, one.allowed) for one in found] == [
        ("BB", "successor", True),
        ("CC", "upgrade", False),
    ]
    assert suggest(asked, rows, {**CATALOG, "AA": asked}, [], None, TODAY)[0].allowed


@pytest.mark.parametrize(("depth", "done"), [(11, True), (12, True), (13, False)])
def test_completing_goes_twelve_parts_deep(depth: int, *, done: bool) -> None:
    """Each part needs the next; with more than twelve nothing is proposed, and that is said."""
    chain = {f"P{n}": product(f"P{n}", eccn="N") for n in range(depth + 1)}
    rules = [
        rb.RULE.validate_python(
            {
                **RULE,
                "rule_id": f"needs-{n}",
                "kind": "requires_all",
                "subject": {"skus": [f"P{n}"]},
                "parts": [{"sku": f"P{n + 1}"}],
            }
        )
        for n in range(depth)
    ]
    found = complete(lines_of(("P0", 1)), rules, chain, Destination("DE", TODAY))
    assert [one.sku for one in found.additions] == [f"P{n}" for n in range(1, depth + 1) if done]
    assert (found.findings == []) is done
    assert {one.for_line for one in found.additions} <= {"l1"}
