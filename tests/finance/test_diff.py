"""What differs between two revisions: lines, numbers, terms and approvals, each by its path."""

from typing import Any

import pytest
from paper_support import line, rich

from servers.finance.diff import diff
from servers.finance.documents import QuoteSnapshot
from servers.finance.facts.blocks import ApprovalNeed, ChargeBlock, ClauseBlock, OptionBlock


def snapshot(**changes: Any) -> QuoteSnapshot:
    """A quote with everything in it, as a stored state."""
    whole = rich()
    said = {name: getattr(whole, name, None) for name in QuoteSnapshot.model_fields}
    return QuoteSnapshot.model_construct(**{**said, **changes})


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Every field that differs, with its two values; lines by their ids."""
    found = diff(snapshot(**before), snapshot(**after))
    fields = [*found.numbers, *found.terms, *found.approvals]
    said = [(one.name, one.before, one.after) for one in fields]
    for row in found.lines:
        said += [(f"{row.line_id} {one.name}", one.before, one.after) for one in row.fields]
    assert found.same is (said == [])
    return said


def fee(label: str, minor: int) -> ChargeBlock:
    said = {"charge_id": label, "label": label, "tax_category": "S", "tax_rate": "19"}
    return ChargeBlock.model_validate({**said, "net_minor": minor})


def clause(version: int) -> ClauseBlock:
    return ClauseBlock(
        clause_id="CL-1", version=version, topic="t", title="T", text="x", sha256="0"
    )


def need(reason: str) -> ApprovalNeed:
    return ApprovalNeed(rule_id="R", role="legal", reason=reason)


def test_a_quote_does_not_differ_from_itself() -> None:
    assert changed({}, {}) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"discount_bp": 0}, {"discount_bp": 50}, [("discount_bp", "0", "50")]),
        ({"promo_codes": []}, {"promo_codes": ["A", "B"]}, [("promo_codes", None, "A, B")]),
        ({"contact_id": ""}, {"contact_id": None}, []),
        (
            {"charges": [fee("A", 1), fee("B", 2)]},
            {"charges": [fee("B", 2), fee("A", 1)]},
            [],
        ),
        (
            {"charges": [fee("A", 1), fee("A", 2)]},
            {"charges": [fee("A", 1), fee("A", 3)]},
            [("charges.A (2).net_minor", "2", "3")],
        ),
        (
            {"clauses": [clause(1)]},
            {"clauses": [clause(2)]},
            [("clause CL-1", "version 1", "version 2")],
        ),
        ({"clauses": [clause(1)]}, {"clauses": []}, [("clause CL-1", "version 1", None)]),
        (
            {"approvals_needed": [need("a")]},
            {"approvals_needed": [need("b")]},
            [("R by a legal", "a", "b")],
        ),
    ],
)
def test_what_differs_is_named_with_both_values(
    before: dict[str, Any], after: dict[str, Any], said: list[Any]
) -> None:
    assert changed(before, after) == said


def test_lines_are_added_removed_and_changed_by_their_ids() -> None:
    memory = [OptionBlock(code="RAM64", label="64 GB", unit_extra="312.00")]
    before = snapshot(lines=[line(1), line(2), line(3)])
    after = snapshot(lines=[line(2), line(3, quantity=13, options=memory), line(4, name="New")])
    rows = {row.line_id: row for row in diff(before, after).lines}
    assert {name: row.change for name, row in rows.items()} == {
        "l1": "removed",
        "l3": "changed",
        "l4": "added",
    }
    assert rows["l4"].name == "New"
    assert {one.name: (one.before, one.after) for one in rows["l3"].fields} == {
        "quantity": ("12", "13"),
        "options.64 GB.code": (None, "RAM64"),
        "options.64 GB.label": (None, "64 GB"),
        "options.64 GB.unit_extra": (None, "312.00"),
    }
    assert all(one.after is None for one in rows["l1"].fields)


def test_taxes_are_named_by_category_rate_and_place() -> None:
    taxes = rich().taxes
    more = [taxes[0].model_copy(update={"tax_minor": 1}), *taxes[1:]]
    (one,) = changed({"taxes": taxes}, {"taxes": more})
    assert one == ("taxes.S 19 DE.tax_minor", str(taxes[0].tax_minor), "1")
