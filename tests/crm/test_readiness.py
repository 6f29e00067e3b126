from dataclasses import replace

import pytest

from servers.crm.readiness import Facts, Heard, judge, judge_account
from servers.crm.schemas import OpenQuote, Outcome, Stage

MAIL = Heard("act_1", "email", "inbound", "customer", 100)
STRANGER = Heard("act_2", "email", "inbound", "unknown", 100)
OURS = Heard("act_3", "email", "outbound", "internal", 100)
CALL = Heard("act_4", "call", "internal", "internal", 80)
EMPTY = Heard("act_5", "note", "internal", "internal", 0)
READY = Facts(
    "opp_1",
    "acc_1",
    "active",
    Stage.QUALIFICATION,
    ("con_1",),
    (MAIL,),
    (),
    has_shipping_address=True,
)
QUOTE = OpenQuote(quote_id="q_1", number="N-1", revision=2, outcome=Outcome.ISSUED)


@pytest.mark.parametrize(
    ("facts", "verdict", "codes"),
    [
        (READY, "quote", []),
        (replace(READY, account_status="prospect"), "quote", []),
        (replace(READY, account_status="on_hold"), "do_not_quote", ["ACCOUNT_ON_HOLD"]),
        (replace(READY, account_status="closed"), "do_not_quote", ["ACCOUNT_CLOSED"]),
        (replace(READY, stage=Stage.CLOSED_LOST), "do_not_quote", ["OPPORTUNITY_CLOSED"]),
        (replace(READY, stage=Stage.CLOSED_WON), "do_not_quote", ["OPPORTUNITY_CLOSED"]),
        (replace(READY, heard=()), "ask", ["NO_MESSAGE"]),
        (replace(READY, heard=(OURS, EMPTY)), "ask", ["NO_MESSAGE"]),
        (replace(READY, heard=(CALL,)), "quote", []),
        (replace(READY, heard=(STRANGER,)), "ask", ["SENDER_UNKNOWN"]),
        (replace(READY, heard=(MAIL, STRANGER)), "quote", ["SENDER_UNKNOWN"]),
        (replace(READY, contact_ids=()), "quote", []),
        (replace(READY, contact_ids=(), heard=(CALL,)), "ask", ["NO_CONTACT"]),
        (replace(READY, has_shipping_address=False), "quote", ["NO_SHIPPING_ADDRESS"]),
        (replace(READY, open_quotes=(QUOTE,)), "quote", ["OPEN_QUOTE"]),
        (
            replace(READY, account_status="on_hold", heard=()),
            "do_not_quote",
            ["ACCOUNT_ON_HOLD", "NO_MESSAGE"],
        ),
    ],
)
def test_the_checklist(facts: Facts, verdict: str, codes: list[str]) -> None:
    found, checks, findings = judge(facts)
    assert found == verdict
    assert [finding.code for finding in findings] == codes
    assert len(checks) == 7
    assert sum(not check.passed for check in checks) == len(codes)


def test_findings_name_their_rule_subject_and_evidence() -> None:
    _, _, findings = judge(replace(READY, open_quotes=(QUOTE,)))
    assert findings[0].rule_id == "crm.readiness.no_open_quote"
    assert findings[0].subject == "opp_1"
    assert findings[0].evidence == ["q_1 r2 issued"]


@pytest.mark.parametrize(
    ("status", "shipping", "verdict", "codes"),
    [
        ("active", True, "quote", []),
        ("prospect", False, "quote", ["NO_SHIPPING_ADDRESS"]),
        ("on_hold", True, "do_not_quote", ["ACCOUNT_ON_HOLD"]),
        ("closed", False, "do_not_quote", ["ACCOUNT_CLOSED", "NO_SHIPPING_ADDRESS"]),
    ],
)
def test_an_account_without_an_opportunity_is_judged_alone(
    status: str, shipping: bool, verdict: str, codes: list[str]
) -> None:
    found, checks, findings = judge_account("acc_1", status, has_shipping_address=shipping)
    assert (found, len(checks)) == (verdict, 2)
    assert [finding.code for finding in findings] == codes
