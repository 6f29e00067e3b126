"""What a quote waits for and who may decide; what a person types for it, the command alone says."""

from typing import Any

from dealdesk.people import advice
from servers.finance.facts.blocks import ApprovalBlock, ApprovalNeed, NextStep
from servers.finance.facts.policy import Approver
from servers.finance.waiting import Waiter, next_step

TOMAS = Approver("per_tomas", "Tomas Rehn", frozenset({"sales_manager"}), 1500, {"EUR": 10_000_00})
INGRID = Approver(
    "per_ingrid", "Ingrid Maas", frozenset({"finance_director", "sales_manager"}), None, None
)
JONAS = Approver("per_jonas", "Jonas Keller", frozenset({"legal"}), None, None)
PEOPLE = (INGRID, JONAS, TOMAS)
DISCOUNT = ApprovalNeed(rule_id="APR-DISC", role="sales_manager", reason="8% off")
MARGIN = ApprovalNeed(rule_id="APR-MARGIN", role="finance_director", reason="too thin")
CLAIM = ApprovalNeed(rule_id="claim:ship_to", role="legal", reason="another address")


def quote(*needs: ApprovalNeed, **changes: Any) -> Waiter:
    facts: dict[str, Any] = {
        "quote_id": "q_1",
        "number": None,
        "status": "draft",
        "currency": "EUR",
        "total_minor": 5_000_00,
        "discount_bp": 800,
        "requested_by": "per_lena",
        "needs": needs,
        "approvals": (),
    }
    return Waiter(**{**facts, **changes})


def asked(need: ApprovalNeed, status: str = "pending", by: str = "per_lena") -> ApprovalBlock:
    return ApprovalBlock.model_validate(
        {
            **need.model_dump(),
            "approval_id": f"apr_{need.role}",
            "status": status,
            "requested_by": by,
            "requested_at": "2026-11-23",
            "expires_at": "2026-12-23",
        }
    )


def typed(step: NextStep) -> str:
    """What the command adds to the words of a next step for a person to type."""
    assert "dealdesk quote" not in step.say
    return advice("q_1", step.model_dump()).removeprefix(step.say).removeprefix(" Command: ")


def test_a_draft_says_to_ask_first_and_who_will_decide() -> None:
    step = next_step(quote(DISCOUNT), PEOPLE)
    assert step.waits_for == "request_approval"
    assert "request_approval for q_1" in step.say
    assert [p.person_id for p in step.decisions[0].people] == ["per_tomas", "per_ingrid"]
    assert typed(step) == "dealdesk quote approve q_1 --as per_tomas", "not the boss"


def test_a_waiting_quote_names_people_in_whose_limits_it_lies() -> None:
    large = quote(DISCOUNT, approvals=(asked(DISCOUNT),), status="waiting", total_minor=20_000_00)
    step = next_step(large, PEOPLE)
    assert step.waits_for == "decision"
    assert [p.person_id for p in step.decisions[0].people] == ["per_ingrid"]
    assert "Tomas" not in step.say
    assert "Ingrid Maas (per_ingrid)" in step.say


def test_whoever_asked_is_not_among_them() -> None:
    mine = quote(DISCOUNT, requested_by="per_ingrid", approvals=(asked(DISCOUNT),))
    (open_,) = next_step(mine, PEOPLE).decisions
    assert [p.person_id for p in open_.people] == ["per_tomas"]
    theirs = quote(DISCOUNT, approvals=(asked(DISCOUNT, by="per_tomas"),))
    (open_,) = next_step(theirs, PEOPLE).decisions
    assert [p.person_id for p in open_.people] == ["per_ingrid"]


def test_as_few_people_as_can_decide_everything_are_asked() -> None:
    step = next_step(quote(DISCOUNT, MARGIN, CLAIM), PEOPLE)
    assert typed(step) == (
        "dealdesk quote approve q_1 --as per_ingrid and dealdesk quote approve q_1 --as per_jonas"
    )


def test_a_role_that_nobody_has_is_said() -> None:
    step = next_step(quote(CLAIM), (INGRID, TOMAS))
    assert typed(step) == ""
    assert "nobody on file may decide this" in step.say


def test_what_is_approved_is_no_longer_open_and_what_lapsed_is_to_be_asked_again() -> None:
    half = quote(DISCOUNT, MARGIN, approvals=(asked(DISCOUNT, "approved"), asked(MARGIN)))
    assert [one.rule_id for one in next_step(half, PEOPLE).decisions] == ["APR-MARGIN"]
    lapsed = quote(DISCOUNT, approvals=(asked(DISCOUNT, "expired"),), status="waiting")
    assert next_step(lapsed, PEOPLE).waits_for == "request_approval"


def test_a_quote_with_nothing_open_waits_for_a_person_to_issue_it() -> None:
    step = next_step(quote(requested_by="per_tomas"), PEOPLE)
    assert step.waits_for == "issue"
    assert typed(step) == "dealdesk quote issue q_1 --as per_tomas"
    assert {p.person_id for p in step.people} == {"per_ingrid", "per_jonas", "per_tomas"}
    anybody = next_step(quote(requested_by="local-user"), PEOPLE)
    assert typed(anybody) == "dealdesk quote issue q_1 --as per_tomas"


def test_an_issued_or_closed_quote_waits_for_nothing() -> None:
    done = quote(status="issued", number="Q-2026-000001", valid_until="2026-12-23")
    step = next_step(done, PEOPLE)
    assert (step.waits_for, typed(step)) == ("nothing", "")
    assert "Q-2026-000001" in step.say
    closed = next_step(quote(DISCOUNT, status="withdrawn"), PEOPLE)
    assert "revises=q_1" in closed.say
