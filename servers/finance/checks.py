"""What the catalog and the CRM said of a draft, and what follows where they did not say it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from servers.finance.findings import finding
from servers.toolkit.findings import Finding, Severity

LINES = "the catalog's check of exactly these lines, this country and this day"
DEAL = "the CRM's word that this deal may be quoted"


class Checked(BaseModel):
    """A statement that held when the draft was made; `until` is when it grows stale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ok: bool
    codes: tuple[str, ...] = ()
    until: datetime


def check_findings(
    lines: Checked | None, deal: Checked | None, controlled: Sequence[str]
) -> list[Finding]:
    """Ask a person where a check is missing or found something; `controlled` are line ids."""
    found = []
    for what, said in ((LINES, lines), (DEAL, deal)):
        if said is None or not said.ok:
            state = "is missing" if said is None else "is not a clean one"
            found.append(
                finding(
                    "UNCHECKED",
                    Severity.NEEDS_HUMAN,
                    f"{what} {state}",
                    rule_id="UNCHECKED",
                    fix="give the statement of check_configuration and of quote_readiness",
                )
            )
    if controlled and (lines is None or not lines.ok):
        found.append(
            finding(
                "EXPORT_UNCHECKED",
                Severity.NEEDS_HUMAN,
                f"{', '.join(controlled)} is under export control and needs the catalog's check",
                rule_id="EXPORT-UNCHECKED",
                fix="check_configuration with the same lines; it is not issued without",
            )
        )
    return found


def embargo_findings(
    country: str, embargoed: Collection[str], controlled: Sequence[str]
) -> list[Finding]:
    """Refuse controlled items to a country under embargo; ask legal about all others."""
    if country not in embargoed:
        return []
    if not controlled:
        return [
            finding(
                "EXPORT_EMBARGO_REVIEW",
                Severity.NEEDS_HUMAN,
                f"{country} is under embargo",
                rule_id="EMBARGO",
                fix="ask export control before quoting",
            )
        ]
    return [
        finding(
            "EXPORT_EMBARGO",
            Severity.BLOCKED,
            f"{', '.join(controlled)} is under export control and {country} is under embargo",
            rule_id="EMBARGO",
            fix="remove the lines; nobody can approve this",
        )
    ]
