"""`dealdesk quote report`: quotes, what they wait for and how long each step took, as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TextIO

from cyclopts import Parameter

from dealdesk.cli.output import clean, result

COLUMNS = (
    *("quote_id", "number", "revision", "status", "entity_id", "account_id", "opportunity_id"),
    *("currency", "total", "order_date", "created_at", "requested_by", "approvals_pending"),
    *("approval_requested_at", "approval_decided_at", "hours_to_decision"),
    *("issued_at", "hours_to_issue", "valid_until", "accepted_at", "hours_to_acceptance"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def report_quotes(
    *,
    csv_: Annotated[str | None, Parameter(name="--csv")] = None,
    status: str | None = None,
    account: str | None = None,
    home: str | None = None,
) -> int:
    """Write every quote as a row of CSV: approvals pending, and hours from step to step.

    Parameters
    ----------
    csv_
        The file (default: the terminal).
    status
        Only quotes of this status.
    account
        Only quotes of this account.
    home
        The data folder.
    """
    from dealdesk.cli.quote import every_quote
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings
    from orchestrator.errors import EnvironmentProblem

    async with Desk.open(load_settings(home=home), work=False) as desk:
        rows = [row_of(one) for one in await every_quote(desk, status=status, account=account)]
    if csv_ is None:
        write(sys.stdout, rows)
        return 0
    try:
        with Path(csv_).open("w", encoding="utf-8", newline="") as file:
            write(file, rows)
    except OSError as problem:
        raise EnvironmentProblem(
            f"{csv_} cannot be written", fix="name a file in a folder that can be written"
        ) from problem
    result().print(clean(f"{csv_}: {len(rows)} quotes."), markup=False)
    return 0


def row_of(quote: Mapping[str, Any]) -> list[str]:
    """Return a quote as the report states it."""
    from servers.toolkit.money import from_minor

    asked, decided = quote["approval_requested_at"], quote["approval_decided_at"]
    values = {
        **quote,
        "total": from_minor(quote["total_minor"], quote["currency"]),
        "approvals_pending": " ".join(quote["approvals_pending"]),
        "hours_to_decision": hours(asked, decided),
        "hours_to_issue": hours(quote["created_at"], quote["issued_at"]),
        "hours_to_acceptance": hours(quote["issued_at"], quote["accepted_at"]),
    }
    return [harmless(values.get(name)) for name in COLUMNS]


def hours(start: str | None, end: str | None) -> str:
    """Return the time between two stamps in hours with one decimal; empty without both."""
    if not start or not end:
        return ""
    span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    tenths = round(span / timedelta(minutes=6))
    return f"{tenths // 10}.{tenths % 10}"


def harmless(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def write(file: TextIO, rows: Sequence[Sequence[str]]) -> None:
    """Write the report."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
