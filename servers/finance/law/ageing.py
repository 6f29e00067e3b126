"""Ageing: the law in our tables was read on some day, and past the house's limit a person looks."""

from collections.abc import Iterable
from datetime import date

from servers.finance.facts.legal import CheckedTable
from servers.finance.findings import finding
from servers.toolkit.findings import Finding, Severity

CODES = {
    "tax_rates": "TAX_STALE",
    "embargoed_countries": "EXPORT_STALE",
    "screening_entries": "SCREENING_STALE",
}
"""What is found of each table that is too old; the code's beginning decides whose approval."""


def late_tables(tables: Iterable[CheckedTable], day: date) -> list[Finding]:
    """Return a finding per table that is too old to rely on; none of them auto-issues."""
    return [
        finding(
            CODES[one.table],
            Severity.WARNING,
            f"{one.table} was checked on {one.checked_on}, more than {one.max_age_days} days ago",
            rule_id="AGEING",
            fix="check the table against its sources and import it with the new day",
        )
        for one in tables
        if one.is_late(day)
    ]
