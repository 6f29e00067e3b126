"""Every number on a quote has a step that says where it comes from, by which row and version."""

from decimal import Decimal
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import by, call, drafted, everyone, line
from sqlalchemy import text

from servers.finance.explain import said
from servers.finance.facts.blocks import TraceStep
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.money import from_minor

AGENT = everyone()
LINES = [
    line("l1", "SW-P8-120", 12),
    line("l2", "SRV-R1-64", 1, optional=True),
    line("l3", "SUB-DM-STD", 2, unit="license", term_months=24),
]


async def quote_of(app: Server, quote_id: str) -> dict[str, Any]:
    return await call(app, AGENT, "get_quote", {"quote_id": quote_id, "whole": True})


def numbers(steps: list[dict[str, Any]]) -> set[Decimal]:
    """What steps give as their result, and what each takes off."""
    found = set()
    for one in steps:
        after = None if one["after"] is None else Decimal(one["after"])
        if after is not None:
            found.add(after)
            if one["before"] is not None:
                found.add(Decimal(one["before"]) - after)
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"discount_bp": 700, "promo_codes": ["EDGE5"], "lines": [line("l1", "SRV-R1-64", 4)]},
        {"account_id": "acc_001", "ship_to_address_id": "adr_001", "lines": LINES[:1]},
    ],
)
async def test_every_printed_number_has_a_step(app: Server, changes: dict[str, Any]) -> None:
    draft = await drafted(app, **{"lines": LINES, **changes})
    quote = await quote_of(app, draft["quote_id"])
    currency = quote["currency"]

    def amounts(part: dict[str, Any], *names: str) -> list[Decimal]:
        return [from_minor(part[name], currency) for name in names if part.get(name) is not None]

    for one in quote["lines"]:
        mine = [step for step in quote["trace"] if step["line_id"] == one["line_id"]]
        known = numbers(mine)
        assert Decimal(one["unit_price"]) in known
        assert set(amounts(one, "gross_minor", "net_minor")) <= known
        for allowance in one["allowances"]:
            assert from_minor(allowance["amount_minor"], currency) in known, allowance
        assert any(f"{one['tax_rate']}%" in s["note"] for s in mine if s["step"] == "tax")
    whole = [step for step in quote["trace"] if step["line_id"] == ""]
    known = numbers(whole)
    freight = quote["freight"]
    assert set(amounts(freight, "gross_minor", "net_minor")) <= known
    for allowance in freight["allowances"]:
        assert from_minor(allowance["amount_minor"], currency) in known
    totals = [name for name in quote["totals"] if name.endswith("_minor")]
    wanted = set(amounts(quote["totals"], *totals)) - {Decimal(0)}
    assert wanted <= known
    for tax in quote["taxes"]:
        (step,) = (s for s in whole if s["rule_id"] == f"TAX-GROUP-{tax['category']}")
        assert Decimal(step["after"]) == from_minor(tax["tax_minor"], currency)
        assert str(from_minor(tax["taxable_minor"], currency)) in step["note"]


async def test_a_stored_quote_is_explained_as_it_was_priced(
    app: Server, database: Database
) -> None:
    draft = await drafted(app)
    asked = {"quote_id": draft["quote_id"], "line_id": "l1"}
    before = await call(app, AGENT, "explain_quote", asked)
    assert {step["line_id"] for step in before["steps"]} == {"l1"}
    price = before["steps"][0]
    assert (price["step"], price["after"]) == ("list", "389.00")
    assert price["version"].startswith("2026-01-01 ")
    assert price["version"] in price["said"]
    assert price["source"] in price["said"]
    with database.write() as session:
        session.execute(text("UPDATE price_entry SET amount = amount + 10000000"))
    assert await call(app, AGENT, "explain_quote", asked) == before, "the stored trace"
    fresh = await drafted(app, opportunity_id="opp_901")
    again = await call(app, AGENT, "explain_quote", {**asked, "quote_id": fresh["quote_id"]})
    assert again["steps"][0]["after"] == "399.00"
    assert again["steps"][0]["version"] != price["version"], "another state of the row"


async def test_a_line_that_is_not_there_is_not_explained(app: Server) -> None:
    draft = await drafted(app)
    asked = {"quote_id": draft["quote_id"], "line_id": "l9"}
    with pytest.raises(ToolError, match="no line l9"):
        await call(app, AGENT, "explain_quote", asked)


async def test_a_large_quote_is_explained_in_parts(app: Server) -> None:
    lines = [line(f"l{n}", "SW-P8-120", n) for n in range(1, 121)]
    draft = await drafted(app, lines=lines)
    whole = (await quote_of(app, draft["quote_id"]))["trace"]
    steps, start = [], 1
    while start is not None:
        asked = {"quote_id": draft["quote_id"], "from_step": start}
        part = await call(app, AGENT, "explain_quote", asked)
        steps += part["steps"]
        start = part["next_from"]
    assert [{k: v for k, v in s.items() if k != "said"} for s in steps] == whole


async def test_no_step_tells_cost_or_margin(app: Server) -> None:
    draft = await drafted(app, lines=LINES, discount_bp=4000)
    shown = await call(app, by("per_ingrid"), "get_quote", {"quote_id": draft["quote_id"]})
    assert shown["margin"] is not None
    asked = {"quote_id": draft["quote_id"]}
    steps = (await call(app, AGENT, "explain_quote", asked))["steps"]
    secret = {str(from_minor(shown["margin"]["cost_minor"], "EUR"))}
    assert not any(number in step["said"] for step in steps for number in secret)


def test_the_words_say_rule_row_version_change_and_what_lost() -> None:
    step = TraceStep(
        line_id="l1",
        step="contract",
        rule_id="CONTRACT",
        source="ct_1",
        version="2026-01-01 abcd1234",
        before="10.00",
        after="9.00",
        note="agreed",
        lost=["ct_0: ended on 2025-12-31"],
    )
    assert said(step) == (
        "Contract price: 10.00 becomes 9.00 (agreed). Rule CONTRACT, row ct_1, version "
        "2026-01-01 abcd1234. Not used: ct_0: ended on 2025-12-31."
    )
    assert said(TraceStep(step="odd_step", rule_id="R")) == "Odd step. Rule R."
