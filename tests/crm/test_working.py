"""What people put on file: accounts, contacts, addresses, deals and tasks; and two that are one."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from servers.crm.load import TABLES
from servers.crm.store.overview import overview
from servers.crm.tables import Account, Activity, Contact
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.idempotency import META_KEY
from servers.toolkit.importing import import_file

ADMIN = profile_grant("crm", "admin")
ORLA = {"account_id": "acc_101"}


async def call(client: Client[Any], tool: str, key: str = "", **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments, meta={META_KEY: key} if key else None)
    return dict(result.structured_content or {})


async def refused(client: Client[Any], tool: str, **arguments: Any) -> str:
    with pytest.raises(ToolError) as caught:
        await client.call_tool(tool, arguments)
    return str(caught.value)


async def test_a_new_account_is_found_by_its_names_and_made_once(admin: Client[Any]) -> None:
    said = {"name": " Quill\u202e  Press ", "legal_name": "Quill Press GmbH", "country": "DE"}
    made = await call(admin, "create_account", "k1", **said)
    assert (made["name"], made["currency"], made["status"]) == ("Quill Press", "EUR", "prospect")
    again = await call(admin, "create_account", "k1", **said)
    assert (again["account_id"], again["replayed"]) == (made["account_id"], True)
    for name in ("Quill Press", "quill press gmbh"):
        found = await call(admin, "resolve_account", text=name)
        assert found["resolved"] == made["account_id"]
    double = await refused(admin, "create_account", **{**said, "name": "QUILL PRESS"})
    assert double.startswith("CONFLICT")
    assert made["account_id"] in double
    abroad = await call(admin, "create_account", **{**said, "country": "AT"})
    assert abroad["account_id"] != made["account_id"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "\u200b", "country": "DE"}, "name holds no text"),
        ({"name": "A", "country": "ZZ"}, "say the account's currency"),
        ({"name": "A", "country": "DE", "currency": "XYZ"}, "not a currency"),
        ({"name": "A" * 201, "country": "DE"}, "200"),
        ({"name": "A", "country": "DE", "language": "german"}, "language"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused(
    admin: Client[Any], arguments: dict[str, Any], said: str
) -> None:
    assert said in await refused(admin, "create_account", **arguments)


async def test_a_contact_counts_from_then_on_as_the_customers(admin: Client[Any]) -> None:
    told = {"name": "Ada Quill", "email": "Ada@Quill.example", "is_decision_maker": True}
    made = await call(admin, "add_contact", "k2", **ORLA, **told)
    assert made["email"] == "ada@quill.example"
    again = await call(admin, "add_contact", "k2", **ORLA, **told)
    assert (again["contact_id"], again["replayed"]) == (made["contact_id"], True)
    assert made["contact_id"] in await refused(admin, "add_contact", **ORLA, **told)
    account = await call(admin, "get_account", **ORLA)
    assert account["deciders"][0]["contact_id"] == made["contact_id"], "who decides comes first"
    assert "email" in await refused(admin, "add_contact", **ORLA, name="B", email="no address")
    nameless = [await call(admin, "add_contact", **ORLA, name="B") for _ in range(2)]
    assert len({one["contact_id"] for one in nameless}) == 2


async def test_the_first_address_of_a_kind_is_the_default(admin: Client[Any]) -> None:
    new = await call(admin, "create_account", name="Quill", country="DE")
    where = {"account_id": new["account_id"], "city": "Ulm", "country": "DE", "lines": ["Gasse 1"]}
    kinds = ("shipping", "shipping", "billing")
    made = [await call(admin, "add_address", kind=kind, **where) for kind in kinds]
    assert [one["is_default"] for one in made] == [True, False, True]
    assert "lines" in await refused(admin, "add_address", kind="billing", **{**where, "lines": []})
    too_many = {**where, "lines": ["a"] * 7}
    assert "lines" in await refused(admin, "add_address", kind="billing", **too_many)


async def test_a_deal_is_opened_with_what_is_known(admin: Client[Any]) -> None:
    (contact, *_) = (await call(admin, "list_contacts", **ORLA))["items"]
    deal = await call(
        admin,
        "open_opportunity",
        "k3",
        **ORLA,
        name="Pumps",
        amount_minor=1_000,
        close_date="2027-01-15",
        owner="per_lena",
        contact_ids=[contact["contact_id"]] * 2,
    )
    assert (deal["stage"], deal["amount_minor"], deal["currency"]) == ("prospecting", 1_000, "EUR")
    assert deal["contact_ids"] == [contact["contact_id"]]
    plain = await call(admin, "open_opportunity", **ORLA, name="No idea yet")
    assert (plain["amount_minor"], plain["currency"], plain["owner"]) == (None, "", "local-user")
    shut = await refused(admin, "open_opportunity", **ORLA, name="X", stage="closed_won")
    assert shut.startswith("RULE_VIOLATION")
    foreign = await refused(admin, "open_opportunity", **ORLA, name="X", contact_ids=["con_104"])
    assert foreign.startswith("NOT_FOUND")
    listed = await call(admin, "search_opportunities", owner="per_lena", closes_from="2027-01-15")
    assert deal["opportunity_id"] in {row["opportunity_id"] for row in listed["items"]}
    for narrow in ({"closes_to": "2027-01-14"}, {"stage": "proposal"}, {"owner": "per_tom"}):
        rows = (await call(admin, "search_opportunities", **ORLA, **narrow))["items"]
        assert deal["opportunity_id"] not in {row["opportunity_id"] for row in rows}


async def test_a_task_is_added_listed_and_finished_once(admin: Client[Any]) -> None:
    late = await call(admin, "add_task", **ORLA, what="Call", due="2026-11-24")
    soon = {"what": "Card 4111 1111 1111 1111", "due": "2026-11-23", "owner": "per_lena"}
    deal = await call(admin, "add_task", "k4", **ORLA, **soon, opportunity_id="opp_101")
    assert "4111" not in deal["what"]
    free = await call(admin, "add_task", **ORLA, what="Some day")
    ids = [deal["task_id"], late["task_id"], free["task_id"]]

    async def listed(**narrow: Any) -> list[str]:
        rows = (await call(admin, "list_tasks", **ORLA, **narrow))["items"]
        return [row["task_id"] for row in rows]

    assert await listed() == ids
    assert await listed(due_from="2026-11-24") == [late["task_id"]]
    assert await listed(due_to="2026-11-23") == [deal["task_id"]]
    assert await listed(owner="per_lena") == [deal["task_id"]]
    done = {**ORLA, "task_id": deal["task_id"]}
    stale = await refused(admin, "finish_task", **done, expected_version=2)
    assert stale.startswith("CONFLICT")
    finished = await call(admin, "finish_task", "k5", **done, expected_version=1)
    assert (finished["version"], finished["done_at"] is None) == (2, False)
    assert (await call(admin, "finish_task", "k5", **done, expected_version=1))["replayed"]
    assert await listed() == ids[1:]
    assert await listed(open_only=False) == ids
    shown = await call(admin, "get_account", **ORLA)
    assert [row["task_id"] for row in shown["tasks"]] == ids[1:]
    other = await refused(admin, "add_task", **ORLA, what="X", opportunity_id="opp_103")
    assert other.startswith("NOT_FOUND")


async def test_activities_are_listed_between_two_days(admin: Client[Any]) -> None:
    whole = (await call(admin, "list_activities", opportunity_id="opp_101"))["items"]
    day = whole[1]["at"][:10]
    where = {"opportunity_id": "opp_101", "since": day, "until": day}
    found = (await call(admin, "list_activities", **where))["items"]
    assert found == [row for row in whole if row["at"][:10] == day]
    assert "since" in await refused(admin, "list_activities", opportunity_id="opp_101", since="now")


async def test_two_accounts_become_one(admin: Client[Any], database: Database) -> None:
    gone, kept = {"account_id": "acc_102"}, {"account_id": "acc_101"}
    deals = await call(admin, "search_opportunities", **gone, open_only=False)
    before = await call(admin, "search_opportunities", **kept, open_only=False)
    task = await call(admin, "add_task", **gone, what="Call")
    merged = await call(admin, "merge_accounts", "k6", **kept, duplicate_id="acc_102")
    assert merged["moved"]["opportunity"] == deals["total"] > 0
    assert merged["left_in_finance"][0] == "acc_102"
    assert any(one.startswith("adr_") for one in merged["left_in_finance"])
    assert [found["code"] for found in merged["findings"]] == ["MOVE_IN_FINANCE"]
    again = await call(admin, "merge_accounts", "k6", **kept, duplicate_id="acc_102")
    assert again == {**merged, "replayed": True}
    after = await call(admin, "search_opportunities", **kept, open_only=False)
    assert after["total"] == before["total"] + deals["total"]
    for tool in ("get_account", "list_contacts", "list_addresses", "list_documents"):
        assert await call(admin, tool, **gone) == await call(admin, tool, **kept), tool
    assert (await call(admin, "get_account", **gone))["account_id"] == "acc_101"
    assert (await call(admin, "list_tasks", **gone))["items"] == [{**task, **kept}]
    for name in ("Larkspur Pharma", "acc_102"):
        assert (await call(admin, "resolve_account", text=name))["resolved"] == "acc_101"
    with database.session() as session:
        row = session.get(Account, "acc_102")
        assert row is not None
        assert (row.merged_into, row.status) == ("acc_101", "closed")
        assert not session.exec(select(Activity).where(Activity.account_id == "acc_102")).all()


async def test_a_merge_that_makes_no_sense_changes_nothing(admin: Client[Any]) -> None:
    same = await refused(admin, "merge_accounts", **ORLA, duplicate_id="acc_101")
    assert same.startswith("INVALID_INPUT")
    assert "acc_999" in await refused(admin, "merge_accounts", **ORLA, duplicate_id="acc_999")
    await call(admin, "merge_accounts", **ORLA, duplicate_id="acc_102")
    twice = await refused(admin, "merge_accounts", **ORLA, duplicate_id="acc_102")
    assert twice.startswith("CONFLICT: acc_102 was merged into acc_101 already")
    back = await refused(admin, "merge_accounts", account_id="acc_102", duplicate_id="acc_101")
    assert back.startswith("INVALID_INPUT")
    await call(admin, "merge_accounts", account_id="acc_103", duplicate_id="acc_101")
    for account_id in ("acc_101", "acc_102"):  # one step, however many merges
        assert (await call(admin, "get_account", account_id=account_id))["account_id"] == "acc_103"


def test_an_activity_moves_with_a_merge_and_never_otherwise(database: Database) -> None:
    for change in ("account_id = 'acc_103'", "text = 'x'", "account_id = 'acc_103', text = 'x'"):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.connection().exec_driver_sql(f"UPDATE activity SET {change}")  # noqa: S608


async def test_a_file_that_still_names_the_duplicate_fills_the_account_it_is_now(
    admin: Client[Any], database: Database, tmp_path: Path
) -> None:
    folder = Path(__file__).parent / "data"
    await call(admin, "merge_accounts", **ORLA, duplicate_id="acc_102")
    for name in ("accounts", "account_aliases", "contacts", "addresses", "opportunities"):
        shutil.copy(folder / f"{name}.csv", tmp_path)
        import_file(database, TABLES[name], tmp_path / f"{name}.csv")
    with database.session() as session:
        assert not session.exec(select(Contact).where(Contact.account_id == "acc_102")).all()
    assert (await call(admin, "resolve_account", text="Larkspur Pharma"))["resolved"] == "acc_101"
    gone = await call(admin, "get_account", account_id="acc_102")
    assert gone["account_id"] == "acc_101"


async def test_lines_of_earlier_quotes_are_shown_when_asked_for(
    admin: Client[Any], database: Database, tmp_path: Path
) -> None:
    (quote, *_) = (await call(admin, "quote_history", **ORLA))["items"]
    named = f"acc_101,{quote['quote_id']},{quote['revision']}"
    file = tmp_path / "quote_lines.csv"
    head = "account_id,quote_id,revision,position,sku,description,quantity,unit,net_minor\n"
    file.write_text(f"{head}{named},2,B-1,Two,1.5,hour,100\n{named},1,A-1,One,12,each,900\n")
    assert import_file(database, TABLES["quote_lines"], file).inserted == 2
    assert import_file(database, TABLES["quote_lines"], file).unchanged == 2
    (shown, *_) = (await call(admin, "quote_history", **ORLA, with_lines=True))["items"]
    assert [(one["sku"], one["quantity"], one["net_minor"]) for one in shown["lines"]] == [
        ("A-1", "12", 900),
        ("B-1", "1.5", 100),
    ]
    (plain, *_) = (await call(admin, "quote_history", **ORLA))["items"]
    assert plain["lines"] == []


NEW: dict[str, dict[str, Any]] = {
    "add_contact": {"name": "A"},
    "add_address": {"kind": "billing", "lines": ["A"], "city": "B", "country": "DE"},
    "open_opportunity": {"name": "A"},
    "add_task": {"what": "A"},
    "finish_task": {"task_id": "task_1", "expected_version": 1},
    "merge_accounts": {"duplicate_id": "acc_101"},
}


@pytest.mark.parametrize("tool", NEW)
async def test_a_bound_caller_changes_its_own_account_only(app: Server, tool: str) -> None:
    bind = {"account_id": ("acc_101",)}
    async with Client(app.view(replace(ADMIN, bind=bind))) as client:
        said = await refused(client, tool, account_id="acc_102", **NEW[tool])
        assert "acc_102" in said
        other = await refused(client, "merge_accounts", **ORLA, duplicate_id="acc_102")
        assert other.startswith("NOT_FOUND")
        assert (await refused(client, "create_account", name="A", country="DE")).startswith(
            "FORBIDDEN"
        )
        assert (await call(client, "list_tasks", **ORLA))["items"] == []
    async with Client(app.view(replace(ADMIN, bind={"opportunity_id": ("opp_101",)}))) as client:
        shown = {one.name for one in await client.list_tools()}
        assert tool not in shown, "a deal's grant is not its account's"


def test_what_is_open_is_told_in_short(reading: Session) -> None:
    found = overview(reading, "acc_101")
    assert found["open_opportunities"] == len(found["opportunities"]) == 2
    assert {one.contact_id for one in found["deciders"]} == {
        one.contact_id
        for one in reading.exec(select(Contact).where(Contact.account_id == "acc_101"))
        if one.is_signatory
    }
    assert found["last_interaction"]["at"] == max(
        one.at for one in reading.exec(select(Activity).where(Activity.account_id == "acc_101"))
    )
    assert [one.at for one in found["last_quotes"]] == sorted(
        (one.at for one in found["last_quotes"]), reverse=True
    )
