"""Which of finance's columns hold something of a customer's people, and what the law keeps.

Of our own people (sellers, approvers) nothing is listed: they are not whom a customer asks about.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session

from servers.finance.tables.house import Setting
from servers.toolkit.privacy import SHARED, held_in

YEARS = 10
WHY = "an issued quote and its seal stay for tax and commercial law"
REVIEWED = "a review of a hit on the screening list stays for export law"
HELD = {**SHARED, **held_in(__package__)}


def keeper(session: Session) -> Callable[[str, Mapping[str, Any]], str]:
    """Return what says why a row must stay, and until when; empty when it need not."""
    found = session.get(Setting, "policies")
    years = YEARS if found is None else int(found.value.get("retention_years", YEARS))

    def kept(table: str, row: Mapping[str, Any]) -> str:
        since = {"quote": row.get("issued_at"), "screening_review": row.get("decided_on")}
        if not since.get(table):
            return ""
        why = WHY if table == "quote" else REVIEWED
        return f"{why}, until {int(str(since[table])[:4]) + years}-12-31"

    return kept
