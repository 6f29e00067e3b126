"""Which rules ask for whom: roles by rule and code, reasons together, totals, what is missing."""

from dataclasses import replace
from typing import Any

import pytest
from test_thresholds import POLICY

from servers.finance.approvals import (
    band_end,
    claim_findings,
    needed,
    price_finding,
    role_for,
    total_need,
    warning_findings,
)
from servers.finance.facts.blocks import MarginBlock
from servers.finance.facts.policy import NOBODY, RoleAbove
from servers.finance.findings import finding
from servers.toolkit.findings import Finding, Severity


def found(code: str, severity: Severity = Severity.NEEDS_HUMAN, **more: Any) -> Finding:
    return finding(code, severity, more.pop("message", code.lower()), **more)


@pytest.mark.parametrize(
    ("code", "rule_id", "role"),
    [
        ("MANUAL_DISCOUNT", "D-5", "sales_manager"),
        ("MANUAL_DISCOUNT", "D-15", "finance_director"),
        ("AVERAGE_DISCOUNT", "A-12", "finance_director"),
        ("LINE_DISCOUNT", "L-25", "finance_director"),
        ("VALIDITY_LONG", "V-45", "sales_manager"),
        ("VALIDITY_LONG", "V-90", "finance_director"),
        ("PRICE_APPROVAL", "", "finance_director"),
        ("EXPORT_CONTROL", "", "legal"),
        ("EXPORT_LICENCE", "", "counsel"),
        ("SOMETHING_ELSE", "", "sales_manager"),
    ],
)
def test_the_role_is_that_of_the_rule_then_of_the_longest_beginning(
    code: str, rule_id: str, role: str
) -> None:
    assert role_for(POLICY, found(code, rule_id=rule_id)) == role


@pytest.mark.parametrize(
    ("severity", "asks"),
    [
        (Severity.INFO, False),
        (Severity.WARNING, True),
        (Severity.ERROR, False),
        (Severity.NEEDS_HUMAN, True),
        (Severity.BLOCKED, False),
    ],
)
def test_warnings_and_questions_ask_and_nobody_approves_an_error(
    severity: Severity, *, asks: bool
) -> None:
    assert bool(needed(POLICY, [found("X", severity)], None, "EUR")) is asks


def test_a_rule_asks_once_and_gives_each_reason_once() -> None:
    said = [
        found("B", message="two"),
        found("A", rule_id="APR-X", message="one"),
        found("C", rule_id="APR-X", message="other"),
        found("A", rule_id="APR-X", message="one"),
        found("D", rule_id="claim:bank"),
        found("E", rule_id="clause:CL-1"),
        found("F", rule_id="catalog:F"),
    ]
    policy = replace(POLICY, sequence={"sales_manager": 2})
    needs = needed(policy, said, None, "EUR")
    assert [(one.rule_id, one.reason) for one in needs] == [
        ("APR-X", "One.; Other."),
        ("B", "Two."),
        ("F", "F."),
        ("claim:bank", "D."),
        ("clause:CL-1", "E."),
    ]
    assert {one.sequence for one in needs} == {2}
    assert {one.sequence for one in needed(POLICY, said, None, "EUR")} == {1}


def test_a_total_asks_beside_the_rules_and_a_currency_without_limits_always() -> None:
    assert [one.rule_id for one in needed(POLICY, [found("X")], 500_001, "EUR")] == [
        "APR-TOTAL",
        "X",
    ]
    assert needed(POLICY, [], 500_000, "EUR") == []
    for policy in (replace(POLICY, auto_issue={}), replace(POLICY, total_limits={})):
        need = total_need(policy, 0, "EUR")
        assert need is not None
        assert (need.rule_id, need.role) == ("APR-TOTAL", "finance_director")
    assert total_need(POLICY, 0, "USD") is not None


def test_what_a_text_claims_is_a_question_each_once() -> None:
    said = claim_findings(["discount", "bank", "discount"])
    assert [(one.code, one.rule_id, one.severity) for one in said] == [
        ("CLAIM_BANK", "claim:bank", Severity.NEEDS_HUMAN),
        ("CLAIM_DISCOUNT", "claim:discount", Severity.NEEDS_HUMAN),
    ]


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("EXPORT_CONTROL", Severity.NEEDS_HUMAN),
        ("EXPORTED", Severity.WARNING),
        ("EOL", Severity.WARNING),
    ],
)
def test_export_is_a_question_and_the_catalogs_other_codes_are_warnings(
    code: str, severity: Severity
) -> None:
    (one,) = warning_findings([code, code])
    assert (one.code, one.severity, one.rule_id) == (code, severity, f"catalog:{code}")


@pytest.mark.parametrize(
    ("asked", "judged"),
    [(0, 500), (499, 500), (500, 500), (501, 1500), (1500, 1500), (1501, 10000)],
)
def test_a_price_is_judged_at_the_end_of_its_band(asked: int, judged: int) -> None:
    limits = tuple(RoleAbove(f"APR-{above}", above, "sales_manager") for above in (1500, 500))
    assert band_end(replace(POLICY, discount_limits=limits), asked, NOBODY) == judged


def test_every_reason_that_depends_on_cost_reads_the_same() -> None:
    thin = MarginBlock(
        net_minor=100, cost_minor=99, margin_bp=100, hardware_margin_bp=100, floor_bp=1800
    )
    assert price_finding(POLICY, thin) == price_finding(POLICY, None) is not None
    assert price_finding(POLICY, thin.model_copy(update={"hardware_margin_bp": 1800})) is None
    assert price_finding(POLICY, thin.model_copy(update={"hardware_margin_bp": None})) is None
