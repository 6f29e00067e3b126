"""`dealdesk quote list|show`: the quotes there are, in the terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from dealdesk.cli.output import clean, describe, money, print_json, result, table

if TYPE_CHECKING:
    from dealdesk.desk import Desk

Flag = Parameter(negative="")
Status = Literal[
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


async def list_quotes(
    *,
    status: Status | None = None,
    account: str | None = None,
    expiring: int | None = None,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """List quotes, newest first.

    Parameters
    ----------
    status
        Only quotes of this status.
    account
        Only quotes of this account.
    expiring
        Only issued quotes whose validity ends within so many days.
    home
        The data folder.
    json
        Print JSON.
    """
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    async with Desk.open(load_settings(home=home), work=False) as desk:
        rows = await every_quote(desk, status=status, account=account, expiring=expiring)
    if json:
        print_json(rows)
        return
    table(
        ("quote", "number", "rev", "status", "account", "opportunity", "valid until", "total"),
        [
            (
                row["quote_id"],
                row.get("number") or "-",
                row["revision"],
                _status(row),
                row["account_id"],
                row["opportunity_id"],
                row.get("valid_until") or "-",
                money(row["total_minor"], row["currency"]),
            )
            for row in rows
        ],
        right=(7,),
    )


async def every_quote(
    desk: "Desk",
    *,
    status: str | None = None,
    account: str | None = None,
    expiring: int | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of every quote that fits, newest first."""
    given = {"status": status, "account_id": account, "expiring_within_days": expiring}
    asked = {name: value for name, value in given.items() if value is not None}
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        arguments = {"limit": 100, "cursor": cursor, **asked}
        page = await desk.look("finance", "list_quotes", arguments)
        rows += page["items"]
        cursor = page["next_cursor"]
    return rows


def _status(row: Mapping[str, Any]) -> str:
    """Return a status, and whom a waiting quote waits for."""
    roles = ", ".join(row.get("approvals_pending", ()))
    return f"{row['status']} ({roles})" if roles else str(row["status"])


async def show_quote(
    quote_id: str,
    /,
    *,
    view: Literal["customer", "internal"] = "internal",
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Show a quote in the terminal.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    view
        What a customer may see, or everything.
    home
        The data folder.
    json
        Print JSON.
    """
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    async with Desk.open(load_settings(home=home), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        asked = {"quote_id": quote_id, "view": view, "whole": True}
        found = await desk.look("finance", "get_quote", asked)
    if json:
        print_json(found)
    else:
        print_quote(found)


def print_quote(quote: Mapping[str, Any]) -> None:
    """Print a quote's facts, as finance gave them."""
    console = result()

    def say(words: str) -> None:
        console.print(words, markup=False)

    from dealdesk.cli.quote_lines import COLUMNS, RIGHT, line_rows

    currency = quote["currency"]
    name = quote.get("number") or quote.get("quote_id") or "draft"
    customer = quote.get("customer", {})
    say(clean(f"{name}  revision {quote.get('revision', 1)}  {quote.get('status', '')}"))
    say(clean(f"{customer.get('legal_name', '')}  {customer.get('country', '')}"))
    table(COLUMNS, line_rows(quote), right=RIGHT)
    totals = quote["totals"]
    for label, key in (("net", "net_minor"), ("tax", "tax_minor"), ("total", "total_minor")):
        if totals.get(key) is not None:
            say(f"  {label:<6} {money(totals[key], currency)}")
    if totals.get("rounding_minor"):
        say(f"  to pay {money(totals['payable_minor'], currency)}, in coins there are")
    if runs := quote.get("recurring"):
        parts = [money(runs[f"{name}_minor"], currency) for name in ("monthly", "contract")]
        once = money(runs["one_time_minor"], currency)
        say(f"  of it subscriptions: {parts[0]} a month, {parts[1]} over their terms; once {once}")
    for finding in quote.get("findings", ()):
        say(f"  ! {describe(finding)}")
    for approval in quote.get("approvals", ()):
        say(clean(f"  approval {approval['approval_id']} {approval['role']}: {approval['status']}"))
