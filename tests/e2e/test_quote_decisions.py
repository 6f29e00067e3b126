"""A quote drafted in a desktop client, decided and issued by people with the command."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from dealdesk.cli.exit_codes import OUTCOMES
from servers.finance.server import open_server
from servers.profiles import profile_grant

from .conftest import Command, Folder
from .stated import stated

pytestmark = pytest.mark.timeout(180)
Copy = Callable[[Folder], Path]
ORDER: dict[str, Any] = {
    "account_id": "acc_008",
    "lines": [{"line_id": "l1", "sku": "SW-P8-120", "quantity": 12}],
    "ship_to_address_id": "adr_024",
    "ship_method": "ROAD-STD",
    "order_date": "2026-11-23",
}


def draft(
    home: Path, opportunity_id: str, revises: str | None = None, *, ask: bool = True, **changes: Any
) -> dict[str, Any]:
    """Draft as a local user of a desktop client does, and ask for what the answer says."""

    async def work() -> dict[str, Any]:
        server, _ = open_server(str(home / "finance.db"))
        order = {**ORDER, **changes}
        async with Client(server.view(profile_grant("finance", "sales"))) as client:

            async def call(tool: str, **arguments: Any) -> dict[str, Any]:
                found = await client.call_tool(tool, arguments)
                return dict(found.structured_content or {})

            priced = await call("price_quote", **order)
            terms = await call(
                "select_terms",
                account_id=order["account_id"],
                lines=order["lines"],
                ship_to_address_id=order["ship_to_address_id"],
                total_minor=priced["totals"]["total_minor"],
                currency=priced["currency"],
            )
            chosen = {name: terms[name] for name in ("payment_terms", "clause_ids")}
            chosen |= {"opportunity_id": opportunity_id, "revises": revises}
            chosen |= stated(server.database, order, opportunity_id)
            made = await call("create_quote", **order, **chosen)
            if ask and made["next_step"]["waits_for"] == "request_approval":
                asked = await call("request_approval", quote_id=made["quote_id"])
                made["next_step"] = asked["next_step"]
        server.ledger.audit.flush()
        server.database.close()
        return made

    return asyncio.run(work())


def test_a_draft_that_nobody_asked_about_is_asked_about_and_decided_by_two_people(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    quote_id = draft(home, "opp_021", ask=False, discount_bp=800)["quote_id"]
    unasked = command("quote", "approve", quote_id, "--as", "per_tomas", home=home)
    unasked.fails(2, f"dealdesk quote request {quote_id}")
    asked = command("quote", "request", quote_id, "--as", "per_tomas")
    assert (asked.code, asked.err) == (OUTCOMES["waiting"], "")
    assert "per_ingrid" in asked.out
    assert "per_tomas" not in asked.out, "who asks does not decide"
    command("quote", "approve", quote_id, "--as", "per_tomas", "--all").fails(2, "per_tomas")
    assert command("quote", "approve", quote_id, "--as", "per_ingrid", "--all").code == 0
    assert command("quote", "issue", quote_id, "--as", "per_tomas").code == 0


def test_a_desktop_draft_is_approved_and_issued_by_whom_it_names(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    made = draft(home, "opp_021", discount_bp=800)
    step, quote_id = made["next_step"], made["quote_id"]
    assert step["waits_for"] == "decision"
    command("quote", "issue", quote_id, "--as", "per_tomas", home=home).fails(2, "approval", "APR")
    command("quote", "approve", quote_id).fails(2, "who decides?")
    command("quote", "approve", quote_id, "--as", "per_lena", "--all").fails(2, "per_lena")
    assert "dealdesk quote" not in step["say"], "an agent reads it"
    for person in [one["people"][0]["person_id"] for one in step["decisions"]]:
        done = command("quote", "approve", quote_id, "--as", person, "--all")
    assert done.code == 0
    assert f"dealdesk quote issue {quote_id} --as" in done.out, "says what comes next"
    command("quote", "approve", quote_id, "--as", "per_tomas").fails(2, "waits for no decision")

    command("quote", "issue", quote_id, "--as", "per_nobody").fails(4, "per_nobody")
    command("quote", "issue", quote_id, "--as", "per_lena").fails(2, "not a sales_manager")
    issued = command("quote", "issue", quote_id, "--as", "per_tomas", "--json").json
    assert issued["number"].endswith("000001")
    command("quote", "issue", quote_id, "--as", "per_lena").fails(2, issued["number"])
    assert issued["next_step"]["waits_for"] == "nothing"
    assert issued["crm_trouble"] == ""

    from servers.crm.server import open_server as open_crm

    async def history() -> Any:
        server, _ = open_crm(str(home / "crm.db"))
        async with Client(server.view(profile_grant("crm", "read"))) as client:
            found = await client.call_tool("quote_history", {"account_id": "acc_008"})
        server.ledger.audit.flush()
        server.database.close()
        return found.structured_content

    rows = [row for row in asyncio.run(history())["items"] if row["quote_id"] == quote_id]
    assert [row["outcome"] for row in rows] == ["issued"], "the CRM knows that it went out"


def test_who_drafts_under_their_name_cannot_approve_it(
    seeded: Folder, copy: Copy, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy(seeded)
    monkeypatch.setenv("DEALDESK_PERSON", "per_tomas")
    made = draft(home, "opp_021", discount_bp=800)
    (asked,) = made["next_step"]["decisions"]
    assert [person["person_id"] for person in asked["people"]] == ["per_ingrid"]
    refused = command("quote", "approve", made["quote_id"], "--all", home=home)
    refused.fails(2, "per_tomas", "another person")
    done = command("quote", "approve", made["quote_id"], "--as", "per_ingrid", "--all")
    assert f"dealdesk quote issue {made['quote_id']} --as per_tomas" in done.out


def test_a_rejected_or_withdrawn_draft_is_closed(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    made = draft(home, "opp_021", discount_bp=800)
    done = command(
        "quote", "reject", made["quote_id"], "--as", "per_tomas", "--note", "no", home=home
    )
    assert done.code == 0
    assert "is rejected" in done.out
    again = draft(home, "opp_021", revises=made["quote_id"])
    assert again["revision"] == 2
    taken = command(
        "quote", "withdraw", again["quote_id"], "--as", "per_lena", "--reason", "a test"
    )
    assert taken.code == 0
    assert "withdrawn" in taken.out


def test_a_quote_that_a_run_waits_with_wakes_the_run(
    waiting: Folder, copy: Copy, command: Command
) -> None:
    home = copy(waiting)
    run_id, quote_id = waiting.run_id, waiting.said.json["quote_id"]
    command("quote", "issue", quote_id, "--as", "per_tomas", home=home).fails(2, run_id)
    done = command("quote", "approve", quote_id, "--as", "per_tomas", "--all", "--json")
    assert done.code == OUTCOMES["issued"], done
    assert done.json["outcome"] == "issued"


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A terminal whose person answers no; what is asked there is kept."""
    asked: list[str] = []

    def no(question: str) -> str:
        asked.append(question)
        return "n"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", no)
    return asked


def test_what_nobody_is_asked_about_is_approved_by_name_or_as_all(
    waiting: Folder, copy: Copy, command: Command
) -> None:
    home, run_id = copy(waiting), waiting.run_id
    quote_id = draft(home, "opp_900", discount_bp=800)["quote_id"]
    asked = command("quote", "show", quote_id, "--json", home=home).json["approvals"]
    named = [word for one in asked for word in ("--rule", one["rule_id"])]
    for words in (("quote", "approve", quote_id), ("runs", "approve", run_id)):
        person = ("--as", "per_tomas")
        for unasked in ((), ("--yes",), ("--note", "all of it")):
            said = command(*words, *person, *unasked)
            said.fails(2, "APR-DISCOUNT-5, by a sales_manager", " off at most", "Try: --all, or")
            assert "--rule APR-DISCOUNT-5" in said.err
        both = command(*words, *person, "--all", "--rule", "APR-DISCOUNT-5")
        both.fails(2, "--all and --rule")
    assert command("quote", "show", quote_id, "--json").json["status"] == "waiting"
    done = command("quote", "approve", quote_id, "--as", "per_tomas", *named)
    assert (done.code, done.err.count(", by a ")) == (0, len(asked)), "shown once, then decided"
    assert command("runs", "approve", run_id, "--as", "per_tomas", "--all").code == 0


def test_at_a_terminal_it_shows_and_asks_once(
    waiting: Folder, copy: Copy, command: Command, at_terminal: list[str]
) -> None:
    home, run_id = copy(waiting), waiting.run_id
    for words in ((), ("--all",), ("--rule", "APR-DISCOUNT-5")):
        said = command("runs", "approve", run_id, "--as", "per_tomas", *words, home=home)
        assert said.code == OUTCOMES["waiting"]
        assert said.err.count("APR-DISCOUNT-5, by a sales_manager") == 1
    assert at_terminal == ["Approve this quote? [y/N] "] * 3
