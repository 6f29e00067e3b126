"""What finance wants of the catalog and the CRM before a draft may issue by itself."""

from datetime import timedelta
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import Clock, by, call, drafted, everyone, line, statements

from servers.catalog.schemas import LineIn as CatalogLine
from servers.finance.schemas import LineIn
from servers.toolkit.app import Server
from servers.toolkit.findings import Finding, Severity

REAL_STATEMENTS = True
RUN, TOMAS, JONAS = everyone(), by("per_tomas"), by("per_jonas")
WARNING = Finding(code="STOCK_SHORT", severity=Severity.WARNING, message="not enough")
ROUTER = (line("l1", "RT-E4-LTE", 1),)


async def issue(app: Server, draft: dict[str, Any], who: Any = RUN, **said: str) -> dict[str, Any]:
    asked = {"quote_id": draft["quote_id"], "digest": draft["digest"], **said}
    return await call(app, who, "issue_quote", asked)


def rules(draft: dict[str, Any]) -> list[str]:
    return [need["rule_id"] for need in draft["approvals_needed"]]


def test_a_line_is_the_same_to_both_servers() -> None:
    row = line("l1", "SW-P8-120", 2, unit="box", options=["A"], start="2026-12-01", optional=True)
    told = [form.model_validate(row).model_dump(mode="json") for form in (CatalogLine, LineIn)]
    assert told[0] == told[1]


async def test_with_both_statements_a_run_issues_by_itself(app: Server, clock: Clock) -> None:
    draft = await drafted(app, **statements(app, clock))
    assert draft["auto_issue"] is True
    assert (await issue(app, draft))["number"]


SHORT = {
    "none at all": {},
    "no check of the catalog": {"crm_statement"},
    "no word of the CRM": {"catalog_statement"},
}


@pytest.mark.parametrize("kept", SHORT.values(), ids=SHORT)
async def test_without_one_a_person_decides(app: Server, clock: Clock, kept: set[str]) -> None:
    said = {name: text for name, text in statements(app, clock).items() if name in kept}
    draft = await drafted(app, **said)
    assert (draft["auto_issue"], rules(draft)) == (False, ["UNCHECKED"])
    with pytest.raises(ToolError, match="APPROVAL_REQUIRED"):
        await issue(app, draft)


OTHER: dict[str, dict[str, Any]] = {
    "another quantity": {"rows": [line("l1", "SW-P8-120", 13)]},
    "another unit": {"rows": [line("l1", "SW-P8-120", 12, unit="box")]},
    "another item": {"rows": [line("l1", "CB-C6-2", 12)]},
    "one line more": {"rows": [line("l1", "SW-P8-120", 12), line("l2", "CB-C6-2", 1)]},
    "another country": {"country": "AT"},
    "another day": {"day": "2026-11-24"},
    "another account": {"deal": ("acc_009", "opp_900")},
    "the account alone": {"deal": ("acc_008", "")},
    "another deal": {"deal": ("acc_008", "opp_901")},
    "lines that do not fit": {"verdicts": ("not_ok", "quote")},
    "a deal not to be quoted": {"verdicts": ("ok", "do_not_quote")},
    "a deal with a question": {"verdicts": ("ok", "ask")},
}


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
async def test_a_statement_about_anything_else_is_none(
    app: Server, clock: Clock, changes: dict[str, Any]
) -> None:
    changes = dict(changes)
    draft = await drafted(app, **statements(app, clock, *changes.pop("rows", ()), **changes))
    assert (draft["auto_issue"], rules(draft)) == (False, ["UNCHECKED"])


@pytest.mark.parametrize("place", ["until", "said", "mac"])
async def test_no_character_of_a_statement_can_be_changed(
    app: Server, clock: Clock, place: str
) -> None:
    said = statements(app, clock, findings=(WARNING,))
    until, words, mac = said["catalog_statement"].split(".")
    changed = {
        "until": f"f{until[1:]}.{words}.{mac}",
        "said": f"{until}.ok.{mac}",
        "mac": f"{until}.{words}.{mac[:-2]}{'AA' if mac[-2:] != 'AA' else 'BB'}",
    }
    draft = await drafted(app, **(said | {"catalog_statement": changed[place]}))
    assert rules(draft) == ["UNCHECKED"]


@pytest.mark.parametrize(("seconds", "stands"), [(-1, True), (0, False), (1, False)])
async def test_a_statement_holds_for_a_day(
    app: Server, clock: Clock, seconds: int, stands: bool
) -> None:
    said = statements(app, clock)
    clock.moment += timedelta(days=1, seconds=seconds)
    draft = await drafted(app, **said)
    assert draft["auto_issue"] is stands


async def test_what_a_check_warned_of_asks_a_person_though_the_caller_leaves_it_out(
    app: Server, clock: Clock
) -> None:
    draft = await drafted(app, **statements(app, clock, findings=(WARNING,)), warnings=[])
    assert (draft["auto_issue"], rules(draft)) == (False, ["STOCK_SHORT"])


async def test_old_checks_are_made_again_before_the_issue(app: Server, clock: Clock) -> None:
    draft = await drafted(app, **statements(app, clock))
    clock.forward(days=1)
    with pytest.raises(ToolError, match="UNCHECKED"):
        await issue(app, draft)
    with pytest.raises(ToolError, match=r"CHANGED.*STOCK_SHORT"):
        await issue(app, draft, **statements(app, clock, findings=(WARNING,)))
    with pytest.raises(ToolError, match="CHANGED"):
        await issue(app, draft, **statements(app, clock, verdicts=("not_ok", "quote")))
    assert (await issue(app, draft, **statements(app, clock)))["number"]


async def test_a_person_who_may_decide_issues_on_old_checks_and_another_does_not(
    app: Server, clock: Clock
) -> None:
    draft = await drafted(app, **statements(app, clock))
    clock.forward(days=1)
    with pytest.raises(ToolError, match="FORBIDDEN"):
        await issue(app, draft, JONAS)
    assert (await issue(app, draft, TOMAS))["number"]


async def test_controlled_items_are_issued_by_nobody_without_a_check_of_today(
    app: Server, clock: Clock
) -> None:
    draft = await drafted(app, lines=list(ROUTER))
    assert set(rules(draft)) >= {"EXPORT_UNCHECKED", "UNCHECKED"}
    assert "legal" in {need["role"] for need in draft["approvals_needed"]}
    for who in (RUN, TOMAS):
        with pytest.raises(ToolError, match="EXPORT_UNCHECKED"):
            await issue(app, draft, who)
    checked = await drafted(
        app, lines=list(ROUTER), opportunity_id="opp_901",
        **statements(app, clock, *ROUTER, deal=("acc_008", "opp_901")),
    )  # fmt: skip
    assert rules(checked) == []
    clock.forward(days=1)
    with pytest.raises(ToolError, match="EXPORT_UNCHECKED"):
        await issue(app, checked, TOMAS)


async def test_an_embargo_blocks_controlled_items_whatever_is_said(
    app: Server, clock: Clock
) -> None:
    where = {"account_id": "acc_012", "ship_to_address_id": "adr_037", "ship_method": "PICKUP"}
    said = statements(app, clock, *ROUTER, country="IR", deal=("acc_012", "opp_900"))
    with pytest.raises(ToolError, match="EXPORT_EMBARGO"):
        await drafted(app, lines=list(ROUTER), **where, **said)
