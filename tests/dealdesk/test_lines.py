"""From needs to lines: references to needs become references to lines, and parts go along."""

from typing import Any

from dealdesk.evaluation import compare_lines
from dealdesk.playbook.quote import first_lines, wire, with_additions, without_unit
from orchestrator.workflows.quote.contracts import Line
from orchestrator.workflows.quote.verify import same_lines
from servers.catalog.schemas import LineIn as CatalogLine
from servers.finance.schemas import LineIn as FinanceLine


def need(ref: str, **more: Any) -> dict[str, Any]:
    return {"ref": ref, "phrase": "a thing", "quantity": 2, **more}


def found(sku: str) -> dict[str, Any]:
    return {"resolved": sku, "candidates": [], "findings": []}


def test_references_to_needs_become_references_to_lines() -> None:
    needs = [
        need("n1", unit="license", term_months=12, start="2027-01-01"),
        need("n2", unit="license", term_months=12, segment_of="n1"),
        need("n3", change="renew", subscription_id="sub_1", options=["RAM-64"]),
        need("n4", optional=True, part_of="n3", end="2027-06-30"),
        need("n5", alternative_of="n1"),
    ]
    lines, unmatched = first_lines(needs, [found(f"SKU-{n}") for n in range(1, 6)])
    assert unmatched == []
    assert [line["segment_of"] for line in lines] == [None, "l1", None, None, None]
    assert [line["part_of"] for line in lines] == [None, None, None, "l3", None]
    assert [line["alternative_of"] for line in lines] == [None, None, None, None, "l1"]
    assert lines[2]["subscription_id"] == "sub_1"
    assert lines[2]["options"] == ["RAM-64"]
    assert lines[3]["end"] == "2027-06-30"


def test_every_server_takes_the_same_lines() -> None:
    whole = Line(
        line_id="l2",
        sku="SUB-AN-BAS",
        quantity=2,
        unit="license",
        term_months=12,
        optional=True,
        segment_of="l1",
        part_of="l1",
        options=["RAM-64"],
        change="renew",
        subscription_id="sub_1",
        reason="named",
    )
    sent = same_lines([whole])[0]
    assert sent == wire(whole.model_dump(mode="json"))
    for server in (CatalogLine, FinanceLine):
        assert server.model_validate(sent).model_dump(mode="json") == sent


def test_a_part_is_as_optional_as_what_it_is_for_and_runs_as_long() -> None:
    lines = [
        {"line_id": "l1", "optional": False, "term_months": 36, "start": "2027-01-01"},
        {"line_id": "l2", "optional": True},
    ]
    plan = {"sku": "SUB-DM-PRO", "unit": "license", "quantity": 4}
    supply = {"sku": "PSU-R550", "unit": "each", "quantity": 1}
    additions = [
        {**plan, "for_line": "l1"},
        {**plan, "for_line": "l2"},
        {**supply, "for_line": "l1"},
        {**supply, "for_line": "l1"},
    ]
    parts = with_additions(lines, {"additions": additions})[2:]
    assert [(p["sku"], p["quantity"], p["optional"]) for p in parts] == [
        ("SUB-DM-PRO", 4, False),
        ("SUB-DM-PRO", 4, True),
        ("PSU-R550", 2, False),
    ]
    assert (parts[0]["term_months"], parts[0]["start"]) == (36, "2027-01-01")
    assert "term_months" not in parts[2]
    assert all(Line.model_validate(part) for part in parts)


def test_a_unit_that_is_not_sold_is_asked_about() -> None:
    lines = [{"line_id": "l1", "need_ref": "n1", "sku": "A-1"}, {"line_id": "l2"}]
    kept, asked = without_unit(lines, [{"code": "UNIT", "subject": "l1"}])
    assert kept == [{"line_id": "l2"}]
    assert asked == [{"need_ref": "n1", "reason": "unit", "candidates": ["A-1"]}]


GOLD = [
    {"line_id": "l1", "sku": "KIT-1", "quantity": 1},
    {"line_id": "l2", "sku": "SUB-1", "quantity": 4, "part_of": "l1", "term_months": 24},
]


def quoted(**changes: Any) -> list[dict[str, Any]]:
    part = {"line_id": "l7", "sku": "SUB-1", "quantity": 4, "part_of": "l5", "term_months": 24}
    return [{"line_id": "l5", "sku": "KIT-1", "quantity": 1}, {**part, **changes}]


def test_lines_are_compared_with_all_that_is_said_of_them() -> None:
    assert compare_lines(GOLD, quoted()) == []
    for wrong in ({"part_of": None}, {"term_months": 12}, {"optional": True}, {"quantity": 5}):
        problems = compare_lines(GOLD, quoted(**wrong))
        assert len(problems) == 2, wrong


def test_what_finance_adds_must_be_in_the_record() -> None:
    free = {"line_id": "l5.free", "sku": "CBL-1", "quantity": 1, "free": True}
    assert compare_lines(GOLD, [*quoted(), free]) == ["1 x CBL-1 too much"]
    assert compare_lines([*GOLD, free], [*quoted(), free]) == []
