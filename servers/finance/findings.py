"""Findings and trace steps of the finance rules, made in one short line each."""

from collections.abc import Iterable
from decimal import Decimal

from servers.finance.facts.blocks import TraceStep
from servers.toolkit.findings import Finding, Severity


def finding(
    code: str,
    severity: Severity,
    message: str,
    *,
    subject: str = "",
    rule_id: str = "",
    evidence: Iterable[str] = (),
    fix: str = "",
) -> Finding:
    """Return a finding; its message is made a sentence, and texts that are too long are cut."""
    sentence = message[:1].upper() + message[1:499]
    return Finding(
        code=code,
        severity=severity,
        message=sentence if sentence.endswith(".") else f"{sentence}.",
        subject=subject[:80],
        rule_id=rule_id[:80],
        evidence=[piece[:300] for piece in evidence][:20],
        fix=fix[:300],
    )


def step(
    line_id: str,
    name: str,
    rule_id: str,
    *,
    source: str = "",
    before: Decimal | None = None,
    after: Decimal | None = None,
    note: str = "",
    lost: Iterable[str] = (),
) -> TraceStep:
    return TraceStep(
        line_id=line_id,
        step=name,
        rule_id=rule_id,
        source=source,
        before=None if before is None else plain(before),
        after=None if after is None else plain(after),
        note=note,
        lost=list(lost),
    )


def plain(number: Decimal) -> str:
    """Return a number as people write it: no exponent, at least what it was given with."""
    return format(number, "f")


def percent(number: Decimal) -> str:
    """Return a percentage without idle zeros: 12.50 is '12.5'."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent_of(basis_points: int) -> str:
    """Return basis points as a percentage: 550 is 5.5%."""
    return f"{Decimal(basis_points).scaleb(-2).normalize():f}%"
