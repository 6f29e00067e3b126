"""The desk's daily work with quotes: list, explain, revise by hand, compare, accept, report."""

import asyncio
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from servers.crm.server import open_server as open_crm
from servers.profiles import profile_grant

from .conftest import Command, Folder
from .test_quote_decisions import draft

pytestmark = pytest.mark.timeout(180)
Copy = Callable[[Folder], Path]


def outcomes(home: Path, account_id: str = "acc_008") -> dict[str, str]:
    """How the CRM says that quotes stand."""

    async def look() -> Any:
        server, _ = open_crm(str(home / "crm.db"))
        async with Client(server.view(profile_grant("crm", "read"))) as client:
            found = await client.call_tool("quote_history", {"account_id": account_id})
        server.ledger.audit.flush()
        server.database.close()
        return found.structured_content

    return {row["quote_id"]: row["outcome"] for row in asyncio.run(look())["items"]}


def test_a_quote_is_revised_by_hand_compared_accepted_and_reported(
    seeded: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    home = copy(seeded)
    first = draft(home, "opp_021")["quote_id"]
    told = command("quote", "explain", first, "l1", home=home)
    assert told.code == 0
    assert "List price: 389.00" in told.out
    assert "Rule LIST-PRICE, row PB-EUR/SW-P8-120/each, version " in told.out
    change = ("--set", "l1.quantity=20", "--add", "SW-P8-120=1", "--discount", "6")
    change += ("--as", "per_lena")
    seen = command("quote", "revise", first, *change, "--dry-run")
    assert "quantity: 12 -> 20" in seen.out
    assert "+ l2  SW-P8-120" in seen.out
    assert len(command("quote", "list", "--json").json) == 1, "a dry run stores nothing"
    made = command("quote", "revise", first, *change, "--json").json
    second = made["quote_id"]
    assert (made["revision"], made["crm_trouble"]) == (2, "")
    assert outcomes(home)[first] == "superseded"
    assert outcomes(home)[second] == "draft"
    diff = command("quote", "diff", second)
    assert diff.out == command("quote", "diff", first, second).out
    assert "totals / total: " in diff.out
    command("quote", "diff", first).fails(2, "revises no other quote")

    assert command("quote", "request", second, "--as", "per_lena").code == 10
    (row,) = command("quote", "list", "--status", "waiting", "--json").json
    assert row["approvals_pending"] == ["sales_manager"]
    assert command("quote", "approve", second, "--as", "per_tomas", "--all").code == 0
    command("quote", "issue", second, "--as", "per_lena").fails(2, "not a sales_manager")
    issued = command("quote", "issue", second, "--as", "per_tomas", "--json").json
    assert len(command("quote", "list", "--expiring", "30", "--json").json) == 1
    assert command("quote", "list", "--expiring", "5", "--json").json == []
    done = command("quote", "accept", second, "--reference", "=PO 7", "--as", "per_lena")
    assert (done.code, done.err) == (0, "")
    assert f"{issued['number']} is accepted with =PO 7" in done.out
    assert outcomes(home)[second] == "accepted"
    command("quote", "accept", second, "--as", "per_lena").fails(2, "was accepted on")

    path = tmp_path / "report.csv"
    assert command("quote", "report", "--csv", path).out == f"{path}: 2 quotes.\n"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["quote_id"]: row for row in csv.DictReader(file)}
    assert rows[second]["status"] == "accepted"
    assert rows[second]["number"] == issued["number"]
    assert rows[second]["hours_to_decision"] == rows[second]["hours_to_issue"] == "0.0"
    printed = command("quote", "report", "--status", "accepted").out
    (only,) = csv.DictReader(io.StringIO(printed))
    assert only == rows[second]


def test_one_of_two_quotes_is_closed_in_favour_of_the_other(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    second, first = (draft(home, deal)["quote_id"] for deal in ("opp_021", "opp_999"))
    done = command("quote", "supersede", first, "--by", second, "--as", "per_lena", home=home)
    assert done.out.startswith(f"{first} is superseded by {second}. The CRM took no note of it")
    command("quote", "supersede", first, "--by", second, "--as", "per_lena").fails(2, "superseded")
    taken = ("quote", "withdraw", second, "--reason", "a test", "--as", "per_lena")
    assert command(*taken).out == f"{second} is withdrawn.\n"
    assert outcomes(home)[second] == "withdrawn"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((), "nothing is changed"),
        (("--set", "quantity=3"), "--set l1.quantity=20"),
        (("--set", "l1.quantity=many"), "has no number"),
        (("--add", "SW-P8-120"), "--add SKU=3"),
        (("--adjust", "l1:percent:3"), "--adjust LINE:percent"),
        (("--adjust", "l1:percent:3:because"), "reason_code"),
        (("--discount", "much"), "no percentage"),
        (("--remove", "l9"), "no line l9"),
    ],
)
def test_a_revision_that_is_not_understood_says_how_to_write_it(
    seeded: Folder, copy: Copy, command: Command, change: tuple[str, ...], said: str
) -> None:
    home = copy(seeded)
    quote_id = draft(home, "opp_021")["quote_id"]
    command("quote", "revise", quote_id, *change, "--as", "per_lena", home=home).fails(2, said)


def test_no_cell_of_the_report_is_a_formula() -> None:
    from dealdesk.cli.quote_list import harmless, hours

    for text in ("=1+1", "+1", "-1", "@x", "\tx"):
        assert harmless(text) == f"'{text}"
    assert (harmless("Q-1"), harmless(None)) == ("Q-1", "")
    assert hours("2026-11-23T09:00:00Z", "2026-11-23T11:33:00Z") == "2.6"
    assert hours(None, "2026-11-23T11:33:00Z") == ""


EXAMPLE = Path(__file__).parents[2] / "examples" / "company" / "company.yaml"


def test_ones_own_company_starts_empty_or_takes_the_demos_place(
    seeded: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    first = command("init", "--empty", "--company", EXAMPLE, home=own)
    assert first.code == 0
    assert "ent_kestrel_us is Kestrel Instruments, Inc." in first.out
    assert "is empty: import items and prices" in first.out
    assert command("quote", "list", "--json").json == []
    assert "still to come" not in command("init", "--empty", "--company", EXAMPLE).out

    home = copy(seeded)
    done = command("init", "--company", EXAMPLE, home=home)
    assert "ent_norvane_de is gone" in done.out
    quote_id = draft(home, "opp_021", ask=False)["quote_id"]
    shown = command("quote", "show", quote_id, "--json").json
    assert shown["seller"]["legal_name"] == "Kestrel Instruments SAS"
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("entities: []\n", encoding="utf-8")
    command("init", "--company", wrong).fails(3, "wrong.yaml: entities")


def test_a_quote_may_be_named_by_its_printed_number(
    quoted: Folder, copy: Callable[[Folder], Path], command: Command
) -> None:
    home, number = copy(quoted), quoted.said.json["number"]
    told = command("quote", "explain", number, "l1", home=home)
    assert "List price: 389.00" in told.out
    assert command("quote", "show", number, "--json").json["quote_id"].startswith("q_")
    command("quote", "show", "Q-2026-999999").fails(2, "Q-2026-999999", "dealdesk quote list")
