"""The approval vector: every failing rule at once, whose threshold holds, in which order."""

import json
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import by, call, drafted, everyone, line
from sqlalchemy import text

from servers.finance.approvals import highest, holding
from servers.finance.facts.policy import NOBODY, Requester, RoleAbove
from servers.toolkit.app import Server
from servers.toolkit.database import Database

AGENT = everyone()
LENA, TOMAS, INGRID, JONAS = (by(f"per_{n}") for n in ("lena", "tomas", "ingrid", "jonas"))
ALL = RoleAbove("APR-ALL", 500, "sales_manager")
FOR_ROLE = RoleAbove("APR-ROLE", 1000, "finance_director", seller_role="sales_manager")
FOR_ANA = RoleAbove("APR-ANA", 2000, "finance_director", person="per_ana")
EVERY = (ALL, FOR_ROLE, FOR_ANA)


@pytest.mark.parametrize(
    ("who", "found"),
    [
        (NOBODY, [ALL]),
        (Requester("per_x", frozenset({"sales"})), [ALL]),
        (Requester("per_x", frozenset({"sales_manager"})), [FOR_ROLE]),
        (Requester("per_ana", frozenset({"sales_manager"})), [FOR_ANA]),
    ],
)
def test_a_persons_limit_stands_before_a_roles_and_that_before_everybodys(
    who: Requester, found: list[RoleAbove]
) -> None:
    assert holding(EVERY, who) == found


def test_the_highest_limit_that_is_passed_decides() -> None:
    limits = (ALL, RoleAbove("APR-MORE", 1500, "finance_director"))
    assert highest(limits, 500) is None, "a limit itself is not above it"
    assert highest(limits, 501) == limits[0]
    assert highest(limits, 1501) == limits[1]


def policies(database: Database, **changes: Any) -> None:
    with database.write() as session:
        row = session.execute(text("SELECT value FROM policy WHERE name = 'policies'")).scalar_one()
        value = json.dumps({**json.loads(row), **changes})
        session.execute(
            text("UPDATE policy SET value = :value WHERE name = 'policies'"), {"value": value}
        )


async def revise(app: Server, quote: dict[str, Any], who: Any = LENA, **more: Any) -> Any:
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"], **more}
    return await call(app, who, "revise_quote", arguments)


def off(value: str, kind: str = "percent", line_id: str | None = "l1") -> dict[str, Any]:
    return {
        "line_id": line_id,
        "kind": kind,
        "value": value,
        "reason_code": "competitive_match",
    }


async def ask(app: Server, quote: dict[str, Any]) -> list[dict[str, Any]]:
    found = await call(app, AGENT, "request_approval", {"quote_id": quote["quote_id"]})
    return list(found["approvals"])


async def decide(app: Server, who: Any, approval: dict[str, Any]) -> dict[str, Any]:
    arguments = {"approval_id": approval["approval_id"], "decision": "approve"}
    return await call(app, who, "decide_approval", arguments)


async def test_everything_that_is_wrong_is_said_at_once(app: Server) -> None:
    first = await drafted(app, claims=["bank"], warnings=["EOL", "EXPORT_LICENCE"])
    made = await revise(
        app,
        first,
        adjustments=[off("30")],
        payment_terms="NET60",
        validity_days=120,
        change_lines=[{"line_id": "l1", "quantity": 100}],
    )
    needed = {need["rule_id"]: need["role"] for need in made["approvals_needed"]}
    assert (
        needed.items()
        >= {
            "APR-DISCOUNT-15": "finance_director",
            "APR-AVERAGE-12": "finance_director",
            "APR-LINE-25": "finance_director",
            "APR-VALIDITY-90": "finance_director",
            "APR-TOTAL-1": "sales_manager",
            "claim:bank": "finance_director",
            "EXPORT_LICENCE": "legal",
            "EOL": "sales_manager",
        }.items()
    )
    assert any(rule.startswith("PAYMENT_TERMS") for rule in needed)
    assert len(made["approvals_needed"]) == len({n["rule_id"] for n in made["approvals_needed"]})


async def test_a_longer_validity_is_in_the_offer(app: Server) -> None:
    made = await revise(app, await drafted(app), validity_days=60)
    assert [n["rule_id"] for n in made["approvals_needed"]] == ["APR-VALIDITY-30"]
    (approval,) = await ask(app, made)
    await decide(app, TOMAS, approval)
    arguments = {"quote_id": made["quote_id"], "digest": made["digest"]}
    issued = await call(app, TOMAS, "issue_quote", arguments)
    assert issued["valid_until"] == "2027-01-22"
    shorter = await revise(app, await drafted(app, opportunity_id="opp_901"), validity_days=7)
    assert shorter["approvals_needed"] == []


async def test_a_price_by_hand_that_sets_a_promotion_aside_needs_a_person(app: Server) -> None:
    first = await drafted(app, lines=[line("l1", "SRV-R1-64", 5)], promo_codes=["EDGE5"])
    made = await revise(app, first, adjustments=[off("5890.00", "override")])
    assert "PROMO_OVERRIDE" in {one["code"] for one in made["findings"]}
    assert "APR-PROMO-OVERRIDE" in {need["rule_id"] for need in made["approvals_needed"]}


async def test_another_currency_than_the_customers_needs_a_person(app: Server) -> None:
    made = await drafted(app, currency="USD")
    needed = {need["rule_id"]: need["role"] for need in made["approvals_needed"]}
    assert needed["APR-CURRENCY"] == "finance_director"
    same = await drafted(app, opportunity_id="opp_901", currency="EUR")
    assert same["approvals_needed"] == []


async def test_the_limits_of_whoever_asks_hold_also_when_another_issues(
    app: Server, database: Database
) -> None:
    policies(
        database,
        discount_limits=[
            {"rule_id": "APR-DISCOUNT-5", "above_bp": 500, "role": "sales_manager"},
            {
                "rule_id": "APR-LENA-8",
                "above_bp": 800,
                "role": "sales_manager",
                "person": "per_lena",
            },
        ],
    )
    mine = await drafted(app, everyone(requester="per_lena"), discount_bp=700)
    assert mine["approvals_needed"] == []
    theirs = await drafted(
        app, everyone(requester="per_jonas"), opportunity_id="opp_901", discount_bp=700
    )
    asked = [n["rule_id"] for n in theirs["approvals_needed"]]
    assert asked == ["APR-DISCOUNT-5", "APR-PRICE"], "judged at the end of the band they are in"
    more = await drafted(
        app, everyone(requester="per_lena"), opportunity_id="opp_902", discount_bp=900
    )
    assert [n["rule_id"] for n in more["approvals_needed"]] == ["APR-LENA-8", "APR-PRICE"]
    arguments = {"quote_id": mine["quote_id"], "digest": mine["digest"]}
    other = everyone(requester="per_jonas")
    assert (await call(app, other, "issue_quote", arguments))["number"] == "Q-2026-000001"


async def test_who_is_to_decide_first_decides_first(app: Server, database: Database) -> None:
    policies(database, sequence={"sales_manager": 1, "finance_director": 2})
    draft = await drafted(app, discount_bp=1000, claims=["bank"])
    approvals = {one["role"]: one for one in await ask(app, draft)}
    assert approvals["finance_director"]["sequence"] == 2
    with pytest.raises(ToolError, match="OUT_OF_TURN: APR-DISCOUNT-5 is decided first"):
        await decide(app, INGRID, approvals["finance_director"])
    await decide(app, TOMAS, approvals["sales_manager"])
    done = await decide(app, INGRID, approvals["finance_director"])
    assert done["quote_status"] == "approved"


async def test_who_changed_a_price_by_hand_cannot_approve_it_however_it_was_asked_for(
    app: Server,
) -> None:
    by_tomas = await revise(app, await drafted(app), TOMAS, adjustments=[off("10")])
    later = await revise(app, by_tomas, LENA, change_lines=[{"line_id": "l1", "quantity": 13}])
    asked = {one["rule_id"]: one for one in await ask(app, later)}
    with pytest.raises(ToolError, match="FORBIDDEN: per_tomas changed a price"):
        await decide(app, TOMAS, asked["APR-DISCOUNT-5"])
    shown = await call(app, AGENT, "get_quote", {"quote_id": later["quote_id"]})
    people = {p["person_id"] for d in shown["next_step"]["decisions"] for p in d["people"]}
    assert people == {"per_ingrid"}
    await decide(app, INGRID, asked["APR-DISCOUNT-5"])
