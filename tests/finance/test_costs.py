"""Nothing that a profile or an agent is told depends on what goods cost.

Every tool of theirs is called with the same arguments in two houses that differ in costs alone: in
one every item is a bargain, in the other it is dear, or its cost is not known. All answers and all
errors must be the same, to the byte; so no search over them, however long, finds a cost.
"""

import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from finance_support import asking, by, call, drafted, everyone, line
from sqlalchemy import text
from standing import seat

from servers.finance import whatif
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant
from servers.toolkit.statements import StatementKey

MICRO = 1_000_000
SWITCH, SERVER = "SW-P8-120", "SRV-D1-16"
MINTED = everyone(run="", requester="")
TERMS = {"payment_terms": "NET30", "clause_ids": []}
ORDERS = [
    *(asking(discount_bp=bp) for bp in (0, 250, 500, 501, 1501, 5000)),
    *(asking(line("l1", SWITCH, many)) for many in (1, 400)),
    *(asking(line("l1", SWITCH, n), line("l2", SERVER, 9 - n)) for n in (2, 8)),
    asking(currency="USD"),
    asking(currency="GBP", discount_bp=300),
    asking(line("l1", SWITCH, 2), line("l2", SERVER, 1, optional=True)),
    asking(line("l1", "NOPE", 2)),
    asking(promo_codes=["EDGE5"]),
]


def probes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls of every tool that is not a person's; `{}` in an id takes those of the last draft."""
    yield "get_balance", {"account_id": "acc_008"}
    yield "sales_report", {"from_date": "2026-01-01", "to_date": "2026-12-31"}
    for number, order in enumerate(ORDERS):
        yield "price_quote", order
        yield "explain_price", order
        search = number == 4  # which prices a thousand times
        yield "what_if", {**order, "change_discount_bp": 1600, "avoid_approvals": search}
        yield "create_quote", {**order, **TERMS, "opportunity_id": f"opp_{900 + number}"}
        yield "request_approval", {"quote_id": "{}"}
        for view in ("internal", "customer"):
            yield "get_quote", {"quote_id": "{}", "view": view}
        yield "issue_quote", {"quote_id": "{}", "digest": "{digest}"}
    bare = {name: ORDERS[0][name] for name in ("lines", "ship_method", "order_date")}
    yield "price_prospect", {**bare, "country": "DE", "currency": "EUR"}
    yield "get_price", {"sku": SWITCH, "quantity": 1, "currency": "EUR", "order_date": "2026-11-23"}
    yield "explain_quote", {"quote_id": "{}"}
    yield "render_quote", {"quote_id": "{}", "view": "internal", "format": "markdown"}
    yield "diff_quotes", {"quote_id": "{}", "other_quote_id": "{}"}
    yield "list_quotes", {"account_id": "acc_008"}
    yield "check_credit", {"account_id": "acc_008", "amount_minor": 1, "currency": "EUR"}
    yield "screen_party", {"account_id": "acc_008"}
    places = {name: ORDERS[0][name] for name in ("account_id", "lines", "ship_to_address_id")}
    yield "select_terms", {**places, "total_minor": 100, "currency": "EUR"}


async def told(app: Server, grant: Grant, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return every answer and error, by tool, with ids that come in the same order each time."""
    count = itertools.count(1)
    monkeypatch.setattr(secrets, "token_hex", lambda size=8: f"{next(count):0{size * 2}x}")
    last = {"{}": "q_none", "{digest}": "0" * 64}
    answers: dict[str, list[str]] = {name: [] for name in grant.tools}
    async with Client(app.view(grant, output_schemas=False), mode="2026-07-28") as client:
        for tool, arguments in probes():
            given = {k: last.get(v, v) if isinstance(v, str) else v for k, v in arguments.items()}
            if tool not in grant.tools:
                continue
            try:
                answer = (await client.call_tool(tool, given)).structured_content or {}
            except ToolError as problem:
                answers[tool].append(str(problem))
                continue
            answers[tool].append(json.dumps(answer, sort_keys=True))
            if tool == "create_quote":
                last = {"{}": answer["quote_id"], "{digest}": answer["digest"]}
    return answers


@pytest.mark.parametrize("caller", ["admin", "minted"])
async def test_no_answer_and_no_error_depends_on_a_cost(
    filled: Path,
    tmp_path: Path,
    standing: tuple[Server, ...],
    clock: object,
    monkeypatch: pytest.MonkeyPatch,
    caller: str,
) -> None:
    """`admin` holds all that `read` and `sales` hold."""
    grant = MINTED if caller == "minted" else profile_grant("finance", "admin")
    StatementKey.load(tmp_path / "keys")
    monkeypatch.setattr(whatif, "Effort", partial(whatif.Effort, lines=20))
    seen = []
    for number, cost in enumerate((0, 400 * MICRO, None)):
        copy(filled, path := tmp_path / f"finance{number}.db")
        database = Database.open(path, "finance")
        with database.write() as session:
            session.execute(text("UPDATE item SET cost = :cost"), {"cost": cost})
        seen.append(await told(seat(standing[0], database), grant, monkeypatch))
        database.close()
    assert all(seen[0].values()), [name for name, answers in seen[0].items() if not answers]
    for tool, answers in seen[0].items():
        assert answers == seen[1][tool] == seen[2][tool], tool
    assert sum('"status": "draft"' in one for one in seen[0]["create_quote"]) > 8


@pytest.mark.parametrize("cost", [335 * MICRO, 240 * MICRO, None])
async def test_a_run_is_told_the_same_within_a_band(
    app: Server, database: Database, cost: int | None
) -> None:
    """389.00 earns 14% down to 5% off at a cost of 317.81: within the band nothing moves."""
    with database.write() as session:
        session.execute(text("UPDATE item SET cost = :cost"), {"cost": cost})
    said = []
    for number, bp in enumerate((0, 1, 250, 499, 500)):
        draft = await drafted(app, discount_bp=bp, opportunity_id=f"opp_{910 + number}")
        said.append([need for need in draft["approvals_needed"] if need["rule_id"] == "APR-PRICE"])
    assert all(one == said[0] for one in said)
    reasons = {"This price needs approval by a finance_director."}
    told = {need["reason"] for need in said[0]}
    assert told == (set() if cost == 240 * MICRO else reasons)


async def test_a_person_is_told_and_decides_before_a_dear_draft_of_a_profile_is_issued(
    app: Server, database: Database
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE item SET cost = NULL"))
    draft = await drafted(app, profile_grant("finance", "sales"))
    ids = {"quote_id": draft["quote_id"]}
    assert draft["approvals_needed"] == []
    exactly = {**ids, "digest": draft["digest"]}
    with pytest.raises(ToolError, match=r"APPROVAL_REQUIRED: .*APR-PRICE by a finance_director"):
        await call(app, by("per_tomas"), "issue_quote", exactly)
    seen = await call(app, by("per_tomas"), "get_quote", ids)
    assert [need["rule_id"] for need in seen["approvals_needed"]] == ["APR-PRICE"]
    assert seen["next_step"]["waits_for"] == "request_approval"
    asked = await call(app, by("per_tomas"), "request_approval", ids)
    (pending,) = asked["approvals"]
    decision = {"approval_id": pending["approval_id"], "decision": "approve", "note": ""}
    await call(app, by("per_ingrid"), "decide_approval", decision)
    assert (await call(app, by("per_tomas"), "issue_quote", exactly))["number"]


@pytest.mark.parametrize("tool", ["check_credit", "screen_party", "select_terms", "price_quote"])
@pytest.mark.parametrize("bind", [{"quote_id": ("q_1",)}, {"opportunity_id": ("opp_900",)}])
async def test_a_grant_bound_to_a_quote_or_a_deal_opens_no_free_account(
    app: Server, tool: str, bind: dict[str, tuple[str, ...]]
) -> None:
    arguments = dict(probes())[tool]
    bound = replace(MINTED, id="g_bound", bind=bind)
    async with Client(app.view(bound), mode="2026-07-28") as client:
        assert tool not in {one.name for one in await client.list_tools()}
        with pytest.raises(ToolError, match="Unknown tool"):
            await client.call_tool(tool, arguments)
    both = replace(bound, bind={**bind, "account_id": ("acc_008",)})
    assert await call(app, both, tool, arguments)
