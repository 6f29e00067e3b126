"""A new colleague's first day: four questions about ten customers, with the CRM and finance alone.

What is open, who decides, what do they owe, what did they buy? Three calls each, and the answers
are those of the files that the databases were filled from. docs/first-day.md keeps the session.
"""

import csv
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from servers.crm.server import create_server as crm_server
from servers.finance.server import create_server as finance_server
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.money import from_minor

from .conftest import Folder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-day.md"
MARK = "<!-- the session: written by tests/e2e/test_first_day.py with UPDATE_SNAPSHOTS=1 -->\n"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ACCOUNTS = [f"acc_{number:03}" for number in range(1, 11)]


@pytest.fixture
def apps(seeded: Folder, tmp_path: Path) -> Iterator[dict[str, Server]]:
    databases = {}
    for name in ("crm", "finance"):
        (tmp_path / f"{name}.db").write_bytes((seeded.home / f"{name}.db").read_bytes())
        databases[name] = Database.open(tmp_path / f"{name}.db", name)
    finance = finance_server(databases["finance"], now=lambda: NOW)
    found = {"crm": crm_server(databases["crm"]), "finance": finance}
    yield found
    for app in found.values():
        app.ledger.audit.flush()
        app.database.close()


def rows(file: str, account_id: str) -> list[dict[str, str]]:
    with (ROOT / "seed_data" / file).open(encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines) if row["account_id"] == account_id]


def on_file(account_id: str) -> dict[str, Any]:
    """What the files say of an account, in the form of `answers`."""
    owed: dict[str, int] = defaultdict(int)
    late: dict[str, int] = defaultdict(int)
    for row in rows("finance/receivables.csv", account_id):
        owed[row["currency"]] += int(row["open_minor"])
        late[row["currency"]] += int(row["open_minor"]) * (row["due"] < NOW.date().isoformat())
    taken = {
        row["quote_id"]
        for row in rows("crm/quote_records.csv", account_id)
        if row["outcome"] == "accepted"
    }
    return {
        "open": {
            row["opportunity_id"]
            for row in rows("crm/opportunities.csv", account_id)
            if not row["stage"].startswith("closed")
        },
        "tasks": {r["task_id"] for r in rows("crm/tasks.csv", account_id) if not r["done_at"]},
        "decide": {
            row["contact_id"]
            for row in rows("crm/contacts.csv", account_id)
            if row["is_signatory"] == "true"
        },
        "owed": {currency: (owed[currency], late[currency]) for currency in owed},
        "bought": {
            (row["sku"], row["quantity"])
            for row in rows("crm/quote_lines.csv", account_id)
            if row["quote_id"] in taken
        },
    }


def answers(account: Any, balance: Any, history: Any) -> dict[str, Any]:
    bought = [quote for quote in history["items"] if quote["outcome"] == "accepted"]
    return {
        "open": {one["opportunity_id"] for one in account["opportunities"]},
        "tasks": {one["task_id"] for one in account["tasks"]},
        "decide": {one["contact_id"] for one in account["deciders"]},
        "owed": {o["currency"]: (o["owed_minor"], o["overdue_minor"]) for o in balance["owed"]},
        "bought": {(one["sku"], one["quantity"]) for quote in bought for one in quote["lines"]},
    }


async def test_four_questions_about_ten_customers_take_three_calls_each(
    apps: dict[str, Server],
) -> None:
    told = []
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(Client(app.view(profile_grant(name, "read"))))
            for name, app in apps.items()
        }
        for account_id in ACCOUNTS:
            calls: list[tuple[str, str, dict[str, Any]]] = [
                ("crm", "get_account", {"account_id": account_id}),
                ("finance", "get_balance", {"account_id": account_id}),
                ("crm", "quote_history", {"account_id": account_id, "with_lines": True}),
            ]
            found = [
                (await clients[server].call_tool(tool, arguments)).structured_content
                for server, tool, arguments in calls
            ]
            assert answers(*found) == on_file(account_id), account_id
            told.append(in_words(*found))
            if account_id == ACCOUNTS[0]:
                told.append(in_full(calls, found))
    session = "\n".join(told)
    head, mark, said = PAGE.read_text(encoding="utf-8").partition(MARK)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(f"{head}{MARK}\n{session}", encoding="utf-8")
    else:
        assert mark
        assert said == f"\n{session}", "UPDATE_SNAPSHOTS=1 and read the change"


def amount(minor: int, currency: str) -> str:
    return f"{from_minor(minor, currency):,} {currency}"


def in_words(account: Any, balance: Any, history: Any) -> str:
    """The four answers, as a colleague reads them."""
    deals = [
        f"{one['name']} ({one['stage']}"
        + (f", {amount(one['amount_minor'], one['currency'])})" if one["currency"] else ")")
        for one in account["opportunities"]
    ]
    tasks = [f"{one['what']} ({one['due'] or 'no day'})" for one in account["tasks"]]
    people = [f"{one['name']}, {one['role']}" for one in account["deciders"]]
    owed = [
        f"{amount(one['owed_minor'], one['currency'])}, "
        f"{amount(one['overdue_minor'], one['currency'])} of it overdue"
        for one in balance["owed"]
    ]
    left = amount(balance["left_minor"], balance["limit_currency"])
    bought = [
        f"{one['quantity']} x {one['description']} ({quote['at'][:10]})"
        for quote in history["items"]
        if quote["outcome"] == "accepted"
        for one in quote["lines"]
    ]
    return (
        f"## {account['name']} ({account['account_id']})\n\n"
        f"- **What is open?** {'; '.join([*deals, *tasks]) or 'nothing'}\n"
        f"- **Who decides?** {'; '.join(people) or 'nobody on file'}\n"
        f"- **What do they owe?** {'; '.join(owed) or 'nothing'}; {left} of the limit is left\n"
        f"- **What did they buy?** {'; '.join(bought) or 'nothing on file'}\n"
    )


def in_full(calls: Any, found: Any) -> str:
    """The calls behind the answers, without what is empty."""
    lines = ["The three calls behind it, and what they said:\n"]
    for (server, tool, arguments), answer in zip(calls, found, strict=True):
        said = json.dumps(kept(answer), ensure_ascii=False, indent=1)
        lines.append(f"**{server}** `{tool}` `{json.dumps(arguments)}`\n\n```json\n{said}\n```\n")
    return "\n".join(lines)


def kept(part: Any) -> Any:
    if isinstance(part, list):
        return [kept(one) for one in part]
    if isinstance(part, dict):
        return {n: kept(one) for n, one in part.items() if one not in (None, [], "", {}, False)}
    return part
