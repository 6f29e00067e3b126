"""Credit: whether an amount fits a customer's line, with the numbers."""

from dataclasses import dataclass

from servers.finance.say import finding
from servers.toolkit.findings import Finding, Severity


@dataclass(frozen=True)
class CreditLine:
    """What finance grants a customer; `open_minor` are receivables that are still open."""

    limit_minor: int | None
    currency: str
    rating: str
    hold: bool
    open_minor: int = 0


def exposure(line: CreditLine, amount_minor: int) -> int:
    """Return what the customer would owe: open receivables and this amount."""
    return line.open_minor + amount_minor


def check(line: CreditLine, amount_minor: int, currency: str, *, prepaid: bool) -> list[Finding]:
    """Judge an amount against a credit line; prepaid quotes carry no credit risk."""
    if line.hold:
        return [_human("CREDIT_HOLD", "the customer's credit is on hold", f"rating {line.rating}")]
    if prepaid:
        return []
    if line.limit_minor is None:
        return [_human("CREDIT_UNKNOWN", "the customer has no credit limit on file", "")]
    if line.currency != currency:
        return [
            _human(
                "CREDIT_CURRENCY",
                f"the credit limit is in {line.currency}, the quote in {currency}",
                f"limit {line.limit_minor} {line.currency} (minor units)",
            )
        ]
    owed = exposure(line, amount_minor)
    if owed > line.limit_minor:
        return [
            _human(
                "CREDIT_LIMIT",
                "the exposure would be above the credit limit",
                f"limit {line.limit_minor}, exposure {owed} {currency} (minor units)",
            )
        ]
    return []


def _human(code: str, message: str, evidence: str) -> Finding:
    return finding(
        code,
        Severity.NEEDS_HUMAN,
        message,
        rule_id="CREDIT",
        evidence=[evidence] if evidence else [],
        fix="offer payment in advance, or ask a finance_director to approve",
    )
