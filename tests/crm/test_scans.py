"""What is asked all day is answered from an index, however many accounts and deals there are."""

from typing import Any

from fastmcp import Client
from scanned import scans

from servers.crm.tables import CrmTable
from servers.toolkit.database import Database

HOUSE = ("seller_domain",)
ACCOUNT, DEAL = {"account_id": "acc_101"}, {"opportunity_id": "opp_101"}


async def test_no_look_up_reads_a_whole_table(admin: Client[Any], database: Database) -> None:
    with scans(database, CrmTable.metadata, HOUSE) as found:
        for tool in ("get_account", "list_contacts", "list_addresses", "list_documents"):
            await admin.call_tool(tool, ACCOUNT)
        for tool in ("list_interactions", "quote_history", "search_opportunities", "list_tasks"):
            await admin.call_tool(tool, ACCOUNT)
        for tool in ("get_opportunity", "list_activities", "list_needs", "quote_readiness"):
            await admin.call_tool(tool, DEAL)
        await admin.call_tool("read_message", {**DEAL, "activity_id": "act_101_1"})
        await admin.call_tool("search_text", {**DEAL, "query": "switches"})
        for text in ("Larkspur Tools", "Larkspr", "Quote Larkspr for the racks", "Orla", "x@y.ie"):
            await admin.call_tool("resolve_account", {"text": text})
        for query in ("tools", "tols"):
            await admin.call_tool("search_accounts", {"query": query})
    assert found == []
    with scans(database, CrmTable.metadata, HOUSE) as found:
        for query in ("", "switches"):
            await admin.call_tool("search_opportunities", {"query": query})
    # the newest come first from the index, until there are enough
    assert {step for step, _ in found} == {"SCAN opportunity USING INDEX ix_opportunity_latest"}


async def test_no_step_of_a_deal_reads_a_whole_table(
    admin: Client[Any], database: Database
) -> None:
    with scans(database, CrmTable.metadata, HOUSE) as found:
        span = {"source_id": "act_101_1", "start": 0, "end": 8}
        made = await admin.call_tool("record_need", {**DEAL, **span})
        named = {"need_id": made.structured_content["need_id"], "expected_version": 1}
        await admin.call_tool("confirm_need", {**DEAL, **named})
        await admin.call_tool("log_activity", {**DEAL, "kind": "note", "body": "They called."})
        quote = {"quote_id": "q_1", "revision": 1, "total_minor": 100, "currency": "EUR"}
        for outcome in ("draft", "issued", "accepted"):
            await admin.call_tool("record_quote_outcome", {**DEAL, **quote, "outcome": outcome})
    assert found == []


async def test_nothing_that_people_put_on_file_reads_a_whole_table(
    admin: Client[Any], database: Database
) -> None:
    with scans(database, CrmTable.metadata, HOUSE) as found:
        made = await admin.call_tool("create_account", {"name": "Quill", "country": "DE"})
        mine = {"account_id": made.structured_content["account_id"]}
        where = {"kind": "billing", "lines": ["A"], "city": "Ulm", "country": "DE"}
        await admin.call_tool("add_contact", {**mine, "name": "Ada", "email": "ada@quill.example"})
        await admin.call_tool("add_address", {**mine, **where})
        await admin.call_tool("open_opportunity", {**mine, "name": "Pumps"})
        task = await admin.call_tool("add_task", {**mine, "what": "Call", "owner": "per_lena"})
        done = {"task_id": task.structured_content["task_id"], "expected_version": 1}
        await admin.call_tool("finish_task", {**mine, **done})
        for narrow in ({"owner": "per_lena"}, {"due_from": "2026-11-23", "due_to": "2026-11-30"}):
            await admin.call_tool("list_tasks", narrow)
        both = {**ACCOUNT, "duplicate_id": mine["account_id"]}
        await admin.call_tool("merge_accounts", both)
    assert found == []
