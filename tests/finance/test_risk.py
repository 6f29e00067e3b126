"""The risk summary: one row per rule that fired, with its fact, and nothing made up."""

from dataclasses import replace

import pytest
from finance_support import call, drafted, everyone, line
from hypothesis import given
from hypothesis import strategies as st

from servers.finance.facts.blocks import ApprovalNeed
from servers.finance.facts.legal import PaymentTerms
from servers.finance.findings import finding
from servers.finance.law.risk import AREAS, RiskFacts, area_of, summary
from servers.toolkit.app import Server
from servers.toolkit.findings import Finding, Severity

NET30 = PaymentTerms("NET30", "", 30, prepaid=False)
NOTHING = RiskFacts((), "DE", "HOME", NET30, NET30, ())


@pytest.mark.parametrize(
    ("code", "area"),
    [
        ("CREDIT_LIMIT", "credit"),
        ("SCREENING_HIT", "screening"),
        ("EXPORT_LICENCE", "export"),
        ("PAYMENT_TERMS_NONSTANDARD", "payment"),
        ("CLAIM_BANK", "payment"),
        ("CLAUSE_DEVIATION", "deviation"),
        ("MISSING_CLAUSE", "deviation"),
        ("TAX_ID_UNVERIFIED", "tax"),
        ("CLAIM_EXEMPTION", "tax"),
        ("DISCOUNT_LIMIT", "pricing"),
        ("CLAIM_DISCOUNT", "pricing"),
        ("PRICE_APPROVAL", "pricing"),
    ],
)
def test_a_finding_is_a_row_of_its_area(code: str, area: str) -> None:
    (row,) = summary([finding(code, Severity.WARNING, "a fact", rule_id="R-1")], NOTHING)
    assert (row.area, row.rule_id, row.severity, row.fact) == (area, "R-1", "warning", "A fact.")


def test_no_rule_no_row() -> None:
    assert summary([], NOTHING) == []
    assert summary([finding("TIER_HINT", Severity.INFO, "one more is cheaper")], NOTHING) == []


def test_a_reviewed_hit_is_a_row_though_nobody_needs_to_decide() -> None:
    (row,) = summary([finding("SCREENING_REVIEWED", Severity.INFO, "seen")], NOTHING)
    assert (row.area, row.severity) == ("screening", "info")


def test_facts_that_ask_nobody_are_rows_too() -> None:
    facts = replace(
        NOTHING,
        export_lines=tuple(f"l{n} RT-E4" for n in range(1, 8)),
        destination="AE",
        destination_zone="OUTSIDE",
        payment=replace(NET30, code="NET60", days=60),
        approvals=(
            ApprovalNeed(rule_id="APR-TOTAL-1", role="sales_manager", reason="it is large"),
            ApprovalNeed(rule_id="OTHER", role="legal", reason="no"),
        ),
    )
    rows = summary([], facts)
    assert [(row.area, row.rule_id, row.severity) for row in rows] == [
        ("export", "RISK-EXPORT-OUTSIDE", "warning"),
        ("payment", "RISK-PAYMENT-LATER", "info"),
        ("pricing", "APR-TOTAL-1", "needs_human"),
    ]
    assert rows[0].fact.endswith("l5 RT-E4 and 2 more.")
    inside = summary([], replace(facts, destination_zone="HOME"))
    assert inside[0].rule_id == "RISK-EXPORT-INSIDE"


FOUND = st.builds(
    finding,
    st.sampled_from(["CREDIT_HOLD", "TAX_X", "CLAUSE_DEVIATION", "NOBODY_KNOWS", "PROMO_EXPIRED"]),
    st.sampled_from(Severity),
    st.sampled_from(["one", "two"]),
    rule_id=st.sampled_from(["A", "B", ""]),
)


@given(found=st.lists(FOUND, max_size=12), order=st.randoms(use_true_random=False))
def test_every_rule_that_fired_is_there_once_in_a_fixed_order(
    found: list[Finding], order: object
) -> None:
    rows = summary(found, NOTHING)
    shuffled = list(found)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert {(r.area, r.rule_id, r.fact) for r in summary(shuffled, NOTHING)} == {
        (r.area, r.rule_id, r.fact) for r in rows
    }
    fired = {
        (area_of(f.code), f.rule_id or f.code, f.message) for f in found if f.severity != "info"
    }
    assert {(r.area, r.rule_id, r.fact) for r in rows} == fired
    assert [AREAS.index(r.area) for r in rows] == sorted(AREAS.index(r.area) for r in rows)


async def test_a_quote_carries_its_summary(app: Server) -> None:
    plain = await drafted(app)
    shown = await call(app, everyone(), "get_quote", {"quote_id": plain["quote_id"]})
    assert shown["risks"] == []
    assert "compliant" not in str(shown).lower()
    draft = await drafted(
        app, opportunity_id="opp_901", claims=["bank"], payment_terms="NET60", discount_bp=600
    )
    shown = await call(app, everyone(), "get_quote", {"quote_id": draft["quote_id"]})
    assert [(row["area"], row["rule_id"]) for row in shown["risks"]] == [
        ("payment", "RISK-PAYMENT-LATER"),
        ("payment", "TERMS"),
        ("payment", "claim:bank"),
        ("pricing", "APR-DISCOUNT-5"),
    ]
    customer = await call(
        app, everyone(), "get_quote", {"quote_id": draft["quote_id"], "view": "customer"}
    )
    assert "risks" not in customer


async def test_controlled_goods_are_named_with_where_they_go(app: Server) -> None:
    draft = await drafted(app, lines=[line("l1", "RT-E4-LTE")])
    shown = await call(app, everyone(), "get_quote", {"quote_id": draft["quote_id"]})
    (row,) = [row for row in shown["risks"] if row["area"] == "export"]
    assert row["fact"] == "Goods under export control go to DE: l1 RT-E4-LTE."
