"""Where a quote run may end, and with which outcome: pure functions of what there is so far."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.workflow import Ending, Gate

Rows = Sequence[Mapping[str, Any]]
_QUESTION_OF = {"no_quantity": "missing_quantity", "unit": "unclear_unit"}


def _ask(reason: str, questions: Rows, **more: Any) -> Ending:
    return {"outcome": "needs_input", "reason": reason, "questions": questions, **more}


def goal_unclear(questions: Rows) -> Ending | None:
    """The goal does not say which deal is meant."""
    return {"outcome": "needs_input", "questions": questions} if questions else None


def held_by_another_run(holder: str | None) -> Ending | None:
    """Another open run has the deal."""
    return {"outcome": "existing", "run_id": holder, "quote_id": None} if holder else None


def quoted_already(quote: Mapping[str, Any], revise: bool | None) -> Ending | None:
    """The deal has an open quote, and nobody asked to revise it."""
    if not quote or revise:
        return None
    return {"outcome": "existing", "quote_id": quote["quote_id"], "number": quote["number"]}


def already_won(number: str | None, opportunity_id: str) -> Ending | None:
    """The deal has an accepted quote: what comes on top is another deal."""
    if not number:
        return None
    asked = {"kind": "already_won", "subject": opportunity_id, "candidates": []}
    return _ask("already_won", [asked], number=number)


def not_to_be_quoted(decision: str, reason: str, evidence: Rows, questions: Rows) -> Ending | None:
    """The customer's words ask for no quote, or leave something open."""
    if decision == "no_quote":
        return {"outcome": "no_quote", "reason": reason, "evidence": evidence}
    if decision == "ask":
        return _ask(reason, questions, evidence=evidence)
    return None


def needs_open(profile_questions: Rows, unmatched: Rows) -> Ending | None:
    """No address to ship to, or a need that no product answers."""
    questions = [*profile_questions] + [
        {
            "kind": _QUESTION_OF.get(left["reason"], "missing_product"),
            "subject": left["need_ref"],
            "candidates": left["candidates"],
        }
        for left in unmatched
    ]
    return _ask(questions[0]["kind"], questions) if questions else None


def not_allowed(ok: bool, findings: Rows, ship_method: str | None) -> Ending | None:
    """The catalog's rules forbid these lines, or every way of shipping them."""
    if not ok or any(finding["severity"] == "blocked" for finding in findings):
        return {"outcome": "blocked", "reason": "blocked by the catalog's rules"}
    if ship_method is None:
        return {"outcome": "blocked", "reason": "no way of shipping is allowed"}
    return None


def no_price(total_minor: int | None) -> Ending | None:
    """Finance names no total; its findings say what is missing."""
    if total_minor is None:
        return {"outcome": "blocked", "reason": "finance cannot price it"}
    return None


def not_approved(approved: bool | None, person: str | None, quote_id: str) -> Ending | None:
    """Nobody decided in time, or a person said no."""
    if approved is None:
        message = "nobody decided in 30 days"
        return {"outcome": "expired", "quote_id": quote_id, "message": message}
    return None if approved else {"outcome": "rejected", "quote_id": quote_id, "by": person}


def issue_refused(refused: str | None, quote_id: str) -> Ending | None:
    """Finance did not issue what was decided."""
    return {"outcome": "failed", "quote_id": quote_id, "message": refused} if refused else None


def issued(quote_id: str, number: str, revision: int, total_minor: int, currency: str) -> Ending:
    return {
        "outcome": "issued",
        "quote_id": quote_id,
        "number": number,
        "revision": revision,
        "total_minor": total_minor,
        "currency": currency,
    }


GATES = (
    Gate("goal_unclear", ("plan.questions",), goal_unclear),
    Gate("held_by_another_run", ("claim.holder",), held_by_another_run),
    Gate("quoted_already", ("facts.open_quote", "run.revise"), quoted_already),
    Gate("already_won", ("facts.won", "plan.opportunity_id"), already_won),
    Gate(
        "not_to_be_quoted",
        ("qualify.decision", "qualify.reason", "qualify.evidence", "qualify.questions"),
        not_to_be_quoted,
    ),
    Gate("needs_open", ("profile.questions", "match.unmatched"), needs_open),
    Gate("not_allowed", ("check.ok", "check.findings", "check.ship_method"), not_allowed),
    Gate("no_price", ("price.total_minor",), no_price),
    Gate(
        "not_approved", ("decision.approved", "decision.person", "decision.quote_id"), not_approved
    ),
    Gate("issue_refused", ("issue.refused", "decision.quote_id"), issue_refused),
)

FINISH = Gate(
    "issued",
    ("decision.quote_id", "issue.number", "issue.revision", "issue.total_minor", "issue.currency"),
    issued,
)
