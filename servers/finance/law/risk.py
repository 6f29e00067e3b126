"""The risk summary: one row per rule that fired, each with its fact. No score, no judgement.

Rows come from the findings of the quote (from a warning up, and reviewed hits) and from a few
facts that no finding asks a person about: controlled goods and where they go, payment later than
the seller's standard, an amount that needs a person anyway.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from servers.finance.facts.blocks import ApprovalNeed, RiskRow
from servers.finance.facts.legal import PaymentTerms
from servers.finance.law.payment import longer
from servers.toolkit.findings import Finding, Severity, at_least

Area = Literal["credit", "screening", "export", "payment", "deviation", "tax", "pricing"]
AREAS: tuple[Area, ...] = get_args(Area)

PREFIXES: Mapping[Area, tuple[str, ...]] = {
    "credit": ("CREDIT_",),
    "screening": ("SCREENING_",),
    "export": ("EXPORT_",),
    "payment": ("PAYMENT_TERMS", "CLAIM_PAYMENT_TERMS", "CLAIM_BANK"),
    "deviation": ("CLAUSE_", "MISSING_CLAUSE", "CUSTOMER_KIND"),
    "tax": ("CLAIM_EXEMPTION", "TAX_", "EXEMPTION_", "CLAIM_SHIP_TO"),
}
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
    rows = [
        _row(area_of(found.code), found.rule_id or found.code, found.severity, found.message)
        for found in findings
        if at_least(found, Severity.WARNING) or found.code in SHOWN_INFO
    ]
    rows += [*_export(facts), *_payment(facts), *_totals(facts)]
    unique = {(row.area, row.rule_id, row.fact): row for row in rows}
    return sorted(unique.values(), key=lambda row: (AREAS.index(row.area), row.rule_id, row.fact))


def area_of(code: str) -> Area:
    return next((area for area, begins in PREFIXES.items() if code.startswith(begins)), "pricing")


def _export(facts: RiskFacts) -> Iterable[RiskRow]:
    if not facts.export_lines:
        return
    count = len(facts.export_lines)
    named = ", ".join(facts.export_lines[:5]) + (f" and {count - 5} more" if count > 5 else "")
    fact = f"Goods under export control go to {facts.destination}: {named}."
    if facts.destination_zone == "OUTSIDE":
        yield _row("export", "RISK-EXPORT-OUTSIDE", Severity.WARNING, fact)
    else:
        yield _row("export", "RISK-EXPORT-INSIDE", Severity.INFO, fact)


def _payment(facts: RiskFacts) -> Iterable[RiskRow]:
    picked, standard = facts.payment, facts.standard
    if standard is not None and longer(picked, standard):
        fact = f"{picked.code} gives more than the seller's standard {standard.code}."
        yield _row("payment", "RISK-PAYMENT-LATER", Severity.INFO, fact)


def _totals(facts: RiskFacts) -> Iterable[RiskRow]:
    for need in facts.approvals:
        if need.rule_id.startswith("APR-TOTAL"):
            fact = f"{need.reason[:1].upper()}{need.reason[1:].rstrip('.')}."
            yield _row("pricing", need.rule_id, Severity.NEEDS_HUMAN, fact)


def _row(area: Area, rule_id: str, severity: Severity, fact: str) -> RiskRow:
    return RiskRow(area=area, rule_id=rule_id, severity=severity.value, fact=fact)
