"""Values that several steps need, worked out of outputs by plain code."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.workflow import Fact
from orchestrator.workflows.quote.contracts import Line
from orchestrator.workflows.quote.verify import same_lines

OPEN_STATUSES = ("draft", "waiting", "approved", "issued")

Rows = Sequence[Mapping[str, Any]]


def newest_open(quotes: Rows | None) -> Mapping[str, Any]:
    """Return the newest revision of the deal's open quote; empty when there is none."""
    open_ = [row for row in quotes or () if row["status"] in OPEN_STATUSES]
    return max(open_, key=lambda row: int(row["revision"]), default={})


def number_accepted(quotes: Rows | None) -> str | None:
    """Return the number of the quote that the customer accepted."""
    return next((str(row["number"]) for row in quotes or () if row["status"] == "accepted"), None)


def wire_lines(lines: Rows | None) -> list[dict[str, Any]]:
    """Return the matched lines in the shape every server takes."""
    return same_lines([Line.model_validate(line) for line in lines or ()])


def listed(rows: Rows | None) -> list[Any]:
    """Return rows, none where they are not there yet."""
    return list(rows or ())


def needs_given(needs: Rows | None) -> list[dict[str, Any]]:
    """Return the needs as the matching agent sees them: no source, no span."""
    return [
        {key: value for key, value in need.items() if key not in ("span", "needed_by")}
        for need in needs or ()
    ]


def warning_codes(*found: Rows | None) -> list[str]:
    """Return the codes of the servers' findings that a person should see before issue."""
    serious = ("warning", "needs_human")
    return sorted({f["code"] for one in found for f in one or () if f["severity"] in serious})


def claim_kinds(claims: Rows | None, discount_bp: int | None, terms: str | None) -> list[str]:
    """Return what the customer's texts assert that only a person can make true.

    A discount or terms the customer asks for are requests to a person, like any claim.
    """
    asked = {"discount"} if discount_bp else set()
    asked |= {"payment_terms"} if terms else set()
    return sorted({claim["kind"] for claim in claims or ()} | asked)


def renews(lines: Rows | None) -> bool:
    return any(line.get("change") == "renew" for line in lines or ())


def first(*values: Any) -> Any:
    """Return the first value that says something: the goal's own wish before the customer's."""
    return next((value for value in values if value), None)


def issue_note(number: str | None, run_id: str) -> str:
    return f"Quote {number} issued by run {run_id}."


FACTS = {
    "open_quote": Fact(("find_open_quote.quotes",), newest_open),
    "won": Fact(("find_open_quote.quotes",), number_accepted),
    "lines": Fact(("match.lines",), wire_lines),
    "decided_lines": Fact(("match.lines", "decision.quote_id"), lambda lines, _: wire_lines(lines)),
    "decided_deal": Fact(("claim.opportunity_id", "decision.quote_id"), lambda deal, _: deal),
    "lines_so_far": Fact(("match.lines",), listed),
    "needs": Fact(("qualify.needs",), needs_given),
    "warnings": Fact(
        ("findings.qualify", "findings.profile", "findings.match", "findings.check"), warning_codes
    ),
    "claims": Fact(
        ("qualify.claims", "qualify.discount_asked_bp", "qualify.payment_terms_asked"), claim_kinds
    ),
    "renews": Fact(("match.lines",), renews),
    "mode": Fact(("plan.constraints.mode", "qualify.mode"), first),
    "needed_by": Fact(("plan.constraints.needed_by", "qualify.needed_by"), first),
    "ship_to_country": Fact(("previous.ship_to_country", "qualify.ship_to_country"), first),
    "issue_note": Fact(("issue.number", "run.id"), issue_note),
}
