"""`dealdesk quote list|report`: the quotes there are, in the terminal or as CSV."""

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import money, print_json, say, table
from dealdesk.cli.session import looking
from dealdesk.settings import load_settings
from orchestrator.errors import DealdeskError, EnvironmentProblem
from servers.toolkit.errors import DomainError

States = Literal[
    "draft",
    "waiting",
    "approved",
    "issued",
    "accepted",
    "rejected",
    "withdrawn",
    "superseded",
    "expired",
]
Status = Annotated[States | None, doc("Only quotes of this status.")]
Account = Annotated[str | None, doc("Only quotes of this account.")]
COLUMNS = (
    *("quote_id", "number", "revision", "status", "entity_id", "account_id", "opportunity_id"),
    *("currency", "total", "order_date", "created_at", "requested_by", "approvals_pending"),
    *("approval_requested_at", "approval_decided_at", "hours_to_decision"),
    *("issued_at", "hours_to_issue", "valid_until", "accepted_at", "hours_to_acceptance"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def list_quotes(
    *,
    status: Status = None,
    account: Account = None,
    expiring: Annotated[
        int | None, doc("Only issued quotes whose validity ends within so many days.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List quotes, newest first."""
    rows = await _every_quote(home, status=status, account=account, expiring=expiring)
    if json:
        print_json(rows)
        return
    table(
        ("quote", "number", "rev", "status", "account", "opportunity", "valid until", "total"),
        [
            (
                *(row["quote_id"], row.get("number") or "-", row["revision"], _status(row)),
                *(row["account_id"], row["opportunity_id"], row.get("valid_until") or "-"),
                money(row["total_minor"], row["currency"]),
            )
            for row in rows
        ],
        right=(7,),
    )


async def report_quotes(
    *,
    csv_: Annotated[Path | None, doc("The file (default: the terminal).", name="--csv")] = None,
    status: Status = None,
    account: Account = None,
    home: Home = None,
) -> None:
    """Write quotes and their times as CSV.

    A row has the approvals that are pending, and the hours from step to step.
    """
    rows = [_row_of(one) for one in await _every_quote(home, status=status, account=account)]
    if csv_ is None:
        _write(sys.stdout, rows)
        return
    try:
        with csv_.open("w", encoding="utf-8", newline="") as file:
            _write(file, rows)
    except OSError as problem:
        fix = "name a file in a folder that can be written"
        raise EnvironmentProblem(f"{csv_} cannot be written", fix=fix) from problem
    say(f"{csv_}: {len(rows)} quotes.")


async def _every_quote(
    home: str | None,
    *,
    status: str | None = None,
    account: str | None = None,
    expiring: int | None = None,
) -> list[dict[str, Any]]:
    """Ask finance's database where it is in this process; else finance as a server."""
    from dealdesk.expiries import tell_expired

    given = {"status": status, "account_id": account, "expiring_within_days": expiring}
    asked = {name: value for name, value in given.items() if value is not None} | {"limit": 100}
    rows = _from_the_database(home, asked)
    if rows is None:
        async with looking(home) as desk:
            rows = (await desk.whole("finance", "list_quotes", asked))["items"]
            await tell_expired(desk)
    else:
        await look_for_expired(home)
    return list(rows)


async def look_for_expired(home: str | None) -> None:
    """Have the CRM told what expired; a desk is opened only where there is something to tell."""
    from dealdesk import expiries
    from orchestrator.durable.store import open_store

    now = datetime.now(UTC)
    try:
        with open_store(load_settings(home=home).runs_url) as store:
            asked = expiries.to_ask(store, now)
            rows = None if asked is None else _from_the_database(home, asked)
            if rows is not None and not rows:
                expiries.note(store, now)
        if rows:
            async with looking(home) as desk:
                await expiries.tell_expired(desk, now)
    except (DealdeskError, DomainError) as problem:  # whoever asked has an answer all the same
        expiries.log.info("the CRM was not told what expired: %s", type(problem).__name__)


def _from_the_database(
    home: str | None, asked: Mapping[str, Any]
) -> Sequence[dict[str, Any]] | None:
    """Return what finance's own code reads there; None where the server has to be asked."""
    from servers.registry import ask_directly
    from servers.toolkit.grants import Grant, new_grant_id

    settings, tool = load_settings(home=home), "list_quotes"
    if settings.servers is not None:  # finance may be elsewhere
        return None
    url = settings.server_url("finance")
    grant = Grant(id=new_grant_id(), audience="finance", tools=frozenset({tool}))
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        part = ask_directly("finance", url, grant, tool, {**asked, "cursor": cursor})
        if part is None:
            return None
        rows += part["items"]
        cursor = part["next_cursor"]
    return rows


def _status(row: Mapping[str, Any]) -> str:
    roles = ", ".join(row.get("approvals_pending", ()))
    return f"{row['status']} ({roles})" if roles else str(row["status"])


def _row_of(quote: Mapping[str, Any]) -> list[str]:
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


def _write(file: TextIO, rows: Sequence[Sequence[str]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
