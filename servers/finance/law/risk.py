"""The risk summary: one row per rule that fired, each with its fact. No score, no judgement.

Rows come from the findings of the quote (from a warning up, and reviewed hits) and from a few
facts that no finding asks a person about: controlled goods and where they go, payment later than
the seller's standard, an amount that needs a person anyway.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from servers.finance.facts.blocks import ApprovalNeed, RiskRow
from servers.finance.facts.payment import PaymentTerms
from servers.finance.law.payment import longer
from servers.toolkit.findings import Finding, Severity, at_least

Area = Literal["credit", "screening", "export", "payment", "deviation", "tax", "pricing"]
AREAS: tuple[Area, ...] = get_args(Area)

PREFIXES: tuple[tuple[str, Area], ...] = (
    ("CREDIT_", "credit"),
    ("SCREENING_", "screening"),
    ("EXPORT_", "export"),
    ("PAYMENT_TERMS", "payment"),
    ("CLAIM_PAYMENT_TERMS", "payment"),
    ("CLAIM_BANK", "payment"),
    ("CLAUSE_", "deviation"),
    ("MISSING_CLAUSE", "deviation"),
    ("CUSTOMER_KIND", "deviation"),
    ("CLAIM_EXEMPTION", "tax"),
    ("TAX_", "tax"),
    ("EXEMPTION_", "tax"),
    ("CLAIM_SHIP_TO", "tax"),
)
"""Which area a finding belongs to, by how its code begins; all others are about the price."""

SHOWN_INFO = ("SCREENING_REVIEWED",)
"""Findings of no weight that a reader must see all the same: a reviewed hit is not erased."""


@dataclass(frozen=True)
class RiskFacts:
    """What the summary looks at beside the findings."""

    export_lines: tuple[str, ...]
    destination: str
    destination_zone: str
    payment: PaymentTerms
    standard: PaymentTerms | None
    approvals: tuple[ApprovalNeed, ...]


def summary(findings: Sequence[Finding], facts: RiskFacts) -> list[RiskRow]:
    """Return one row per rule that fired, by area."""
    rows = [
        RiskRow(
            area=area_of(found.code),
            rule_id=found.rule_id or found.code,
            severity=found.severity.value,
            fact=found.message,
        )
        for found in findings
        if at_least(found, Severity.WARNING) or found.code in SHOWN_INFO
    ]
    rows += [*_export(facts), *_payment(facts), *_totals(facts)]
    unique = {(row.area, row.rule_id, row.fact): row for row in rows}
    return sorted(unique.values(), key=lambda row: (AREAS.index(row.area), row.rule_id, row.fact))


def area_of(code: str) -> Area:
    """Return the area of a finding's code; the longest beginning that fits decides."""
    fitting = [pair for pair in PREFIXES if code.startswith(pair[0])]
    return max(fitting, key=lambda pair: len(pair[0]))[1] if fitting else "pricing"


def _export(facts: RiskFacts) -> Iterable[RiskRow]:
    if not facts.export_lines:
        return
    count = len(facts.export_lines)
    named = ", ".join(facts.export_lines[:5]) + (f" and {count - 5} more" if count > 5 else "")
    outside = facts.destination_zone == "OUTSIDE"
    yield RiskRow(
        area="export",
        rule_id="RISK-EXPORT-OUTSIDE" if outside else "RISK-EXPORT-INSIDE",
        severity=(Severity.WARNING if outside else Severity.INFO).value,
        fact=f"Goods under export control go to {facts.destination}: {named}.",
    )


def _payment(facts: RiskFacts) -> Iterable[RiskRow]:
    if facts.standard is not None and longer(facts.payment, facts.standard):
        yield RiskRow(
            area="payment",
            rule_id="RISK-PAYMENT-LATER",
            severity=Severity.INFO.value,
            fact=f"{facts.payment.code} gives more than the seller's standard "
            f"{facts.standard.code}.",
        )


def _totals(facts: RiskFacts) -> Iterable[RiskRow]:
    for need in facts.approvals:
        if need.rule_id.startswith("APR-TOTAL"):
            yield RiskRow(
                area="pricing",
                rule_id=need.rule_id,
                severity=Severity.NEEDS_HUMAN.value,
                fact=f"{need.reason[:1].upper()}{need.reason[1:].rstrip('.')}.",
            )
