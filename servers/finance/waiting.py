"""What a stored quote waits for: who may decide, and where.

A pure function. The answer stands in the result of every step with consequences, so that a person
in any MCP client knows what comes next without asking a second question. It names no command:
agents read it, and what decides is typed by people.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from servers.finance.approvals import check_approver
from servers.finance.facts.blocks import (
    ApprovalBlock,
    ApprovalNeed,
    Decider,
    NextStep,
    OpenDecision,
    Status,
)
from servers.finance.facts.copies import block
from servers.finance.facts.policy import Approver
from servers.toolkit.errors import ForbiddenError

WHERE = "with dealdesk at a terminal of the seller, under a token of their own"


@dataclass(frozen=True)
class Waiter:
    """The facts of a quote that decide what it waits for."""

    quote_id: str
    number: str | None
    status: Status
    currency: str
    total_minor: int
    discount_bp: int
    requested_by: str
    needs: Sequence[ApprovalNeed]
    approvals: Sequence[ApprovalBlock]
    valid_until: str = ""
    adjusted_by: Collection[str] = ()
    digest: str = ""
    superseded_by: str = ""
    issuing_roles: Collection[str] = ()
    """The roles of who may issue it; empty when anybody of the seller may, and programs."""


def next_step(quote: Waiter, people: Sequence[Approver]) -> NextStep:
    if quote.status == "issued":
        return NextStep(
            waits_for="nothing",
            say=f"{quote.number} is issued and binding until {quote.valid_until}. Send the "
            "customer what render_quote gives for the customer's view. When the customer has "
            f"accepted, a person records it {WHERE}.",
        )
    if quote.status not in ("draft", "waiting", "approved"):
        return NextStep(waits_for="nothing", say=_closed(quote))
    people = sorted(people, key=lambda one: (one.max_total is None, one.person_id))
    decisions = [_open_decision(quote, need, people) for need in _undecided(quote)]
    if not decisions:
        return _to_issue(quote, people)
    asked = all(one.approval_id is not None for one in decisions)
    return NextStep(
        waits_for="decision" if asked else "request_approval",
        say=("" if asked else f"First call request_approval for {quote.quote_id}. ")
        + f"Decisions are for people, {WHERE}; no agent and no profile can give them. Open: "
        + "; ".join(_who(one) for one in decisions)
        + ". After that a person issues the quote.",
        decisions=decisions,
    )


def _closed(quote: Waiter) -> str:
    name = quote.number or quote.quote_id
    if quote.status == "accepted":
        return f"{name} is accepted: a deal. Nothing about it changes any more."
    if quote.status == "superseded" and quote.superseded_by:
        return f"{name} is superseded by {quote.superseded_by}; get_quote shows that one."
    over = f" (it was valid until {quote.valid_until})" if quote.status == "expired" else ""
    return (
        f"{name} is {quote.status}{over}; nobody can decide, issue or accept it any more. A person "
        f"makes its next revision {WHERE}, a program with create_quote and "
        f"revises={quote.quote_id}."
    )


def _undecided(quote: Waiter) -> list[ApprovalNeed]:
    done = {(a.rule_id, a.role) for a in quote.approvals if a.status == "approved"}
    left = [need for need in quote.needs if (need.rule_id, need.role) not in done]
    return sorted(left, key=lambda need: need.sequence)


def _open_decision(quote: Waiter, need: ApprovalNeed, people: Iterable[Approver]) -> OpenDecision:
    mine = (need.rule_id, need.role, "pending")
    asked = [a for a in quote.approvals if (a.rule_id, a.role, a.status) == mine]
    requesters = {quote.requested_by, *(a.requested_by for a in asked)}
    return block(
        OpenDecision,
        need,
        approval_id=asked[-1].approval_id if asked else None,
        people=[block(Decider, p) for p in people if _may(p, need.role, requesters, quote)],
    )


def _may(person: Approver, role: str, requesters: Iterable[str], quote: Waiter) -> bool:
    try:
        check_approver(
            person,
            role=role,
            requested_by=requesters,
            discount_bp=quote.discount_bp,
            total_minor=quote.total_minor,
            currency=quote.currency,
            adjusted_by=quote.adjusted_by,
        )
    except ForbiddenError:
        return False
    return True


def _who(one: OpenDecision) -> str:
    people = " or ".join(f"{p.name} ({p.person_id})" for p in one.people)
    return f"{one.rule_id}, by a {one.role}: {people or 'nobody on file may decide this'}"


def _to_issue(quote: Waiter, people: Sequence[Approver]) -> NextStep:
    roles = quote.issuing_roles
    free = replace(quote, adjusted_by=())
    people = [p for p in people if not roles or any(_may(p, role, (), free) for role in roles)]
    people = sorted(people, key=lambda one: one.person_id != quote.requested_by)
    ids = ", ".join(person.person_id for person in people) or "nobody on file may"
    may = "A program whose grant or profile has issue_quote may call it with this quote's digest."
    if roles:
        may = f"No run of the desk made it: only a {' or '.join(sorted(roles))} may issue it."
    return NextStep(
        waits_for="issue",
        say=f"Nothing is left to decide. It binds nobody until it is issued: a person does that "
        f"{WHERE}: {ids}. {may}",
        people=[block(Decider, person) for person in people],
    )
