"""Read stored quotes, narrowed by the caller's grant."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance import digests
from servers.finance.assembly import Assembled, QuoteInputs
from servers.finance.documents import QuoteDocument, QuoteSnapshot
from servers.finance.facts.blocks import (
    ApprovalBlock,
    ApprovalNeed,
    MarginBlock,
    NextStep,
    Status,
    ToCheck,
)
from servers.finance.facts.copies import block, fact
from servers.finance.store import expiry
from servers.finance.store.listed_quotes import approval_block, visible
from servers.finance.store.policy import everyone, our_day, setting
from servers.finance.tables.house import Person
from servers.finance.tables.quotes import Approval, Quote
from servers.finance.waiting import Waiter, next_step
from servers.toolkit import scope
from servers.toolkit.errors import ConflictError, NotFoundError

OPEN = ("draft", "waiting", "approved", "issued")
WORKING = ("draft", "waiting", "approved")


def find_quote(session: Session, quote_id: str) -> Quote:
    """Return a quote, unless there is none or the caller may not see it."""
    statement = visible(select(Quote).where(col(Quote.quote_id) == quote_id))
    found: Quote | None = session.scalars(statement).first()
    if found is None:
        raise NotFoundError(f"no quote {quote_id!r}", fix="list_quotes lists the ids")
    return found


def snapshot_of(quote: Quote) -> QuoteSnapshot:
    return QuoteSnapshot.model_validate_json(quote.snapshot)


def inputs_of(quote: Quote) -> QuoteInputs:
    return QuoteInputs.model_validate_json(quote.inputs)


def status_of(quote: Quote) -> Status:
    return cast(Status, quote.status)  # the table's CHECK keeps the words


def check_digest(quote: Quote, digest: str) -> None:
    if digest != quote.digest:
        raise ConflictError(
            f"the digest is not that of {quote.quote_id}", fix="get_quote gives it", code="CHANGED"
        )


def status_now(session: Session, quote: Quote, now: datetime) -> Status:
    """Return a quote's status now: an issued one whose validity is over reads as expired."""
    over = quote.status == "issued" and expiry.is_over(quote, expiry.today(session, now), now)
    return "expired" if over else status_of(quote)


def authors_of(quote: Quote) -> frozenset[str]:
    """Return who took something off by hand; they may not approve it."""
    adjusted = inputs_of(quote).request.adjustments
    return frozenset(one.author for one in adjusted if one.author)


def issuing_roles(
    session: Session, quote: Quote, snapshot: QuoteSnapshot, *, stale: bool = False
) -> frozenset[str]:
    """Return the roles of who may issue a draft that no run made; empty when a run made it.

    So is one whose checks are `stale`.
    """
    if inputs_of(quote).run and not stale:
        return frozenset()
    usual = str(setting(session, "policies")["default_role"])
    return frozenset((usual, *(one.role for one in needs_told(session, quote, snapshot))))


def approval_text(made: Assembled) -> str | None:
    return None if made.price_approval is None else digests.text(made.price_approval)


def every_need(quote: Quote, snapshot: QuoteSnapshot) -> list[ApprovalNeed]:
    """Return every approval that a quote needs, told or not."""
    untold = quote.price_approval
    more = [] if untold is None else [ApprovalNeed.model_validate_json(untold)]
    return [*snapshot.approvals_needed, *more]


def needs_told(session: Session, quote: Quote, snapshot: QuoteSnapshot) -> list[ApprovalNeed]:
    """Return the approvals a quote needs that the caller may know of.

    Those that depend on cost are told to persons of the seller, and to all once one asked for them.
    """
    needs, told = every_need(quote, snapshot), snapshot.approvals_needed
    if quote.price_approval is None or is_ours(session):
        return needs
    asked = {one.rule_id for one in find_approvals(session, quote.quote_id)}
    return [need for need in needs if need in told or need.rule_id in asked]


def to_check(country: str, inputs: QuoteInputs) -> ToCheck:
    request = inputs.request
    lines = [line.model_dump(mode="json") for line in request.lines]
    return ToCheck(lines=lines, ship_to_country=country, order_date=request.order_date)


def find_approvals(session: Session, quote_id: str) -> list[Approval]:
    statement = (
        select(Approval)
        .where(col(Approval.quote_id) == quote_id)
        .order_by(col(Approval.requested_at), col(Approval.rule_id), col(Approval.approval_id))
    )
    return list(session.scalars(statement))


def document(
    session: Session, quote_id: str, now: datetime, *, checkable: bool = False
) -> QuoteDocument:
    """Return the whole stored quote; the margin only to a named person.

    A `checkable` one says what the catalog has to be asked about it.
    """
    quote = find_quote(session, quote_id)
    approvals = [approval_block(row, now) for row in find_approvals(session, quote_id)]
    snapshot = snapshot_of(quote)
    issued_on = None
    if quote.valid_until is not None:  # the seller's day, which may not be the UTC one
        issued_on = quote.valid_until - timedelta(days=snapshot.validity_days or 0)
    margin = None
    if quote.margin is not None and is_ours(session):
        margin = MarginBlock.model_validate_json(quote.margin)
    return block(
        QuoteDocument,
        quote,
        **dict(snapshot) | {"approvals_needed": needs_told(session, quote, snapshot)},
        status=status_now(session, quote, now),
        issued_on=issued_on,
        approvals=approvals,
        margin=margin,
        to_check=to_check(snapshot.ship_to.country, inputs_of(quote)) if checkable else None,
        next_step=_next_step(session, quote, snapshot, approvals, now),
    )


def next_step_of(session: Session, quote: Quote, now: datetime) -> NextStep:
    approvals = [approval_block(row, now) for row in find_approvals(session, quote.quote_id)]
    return _next_step(session, quote, snapshot_of(quote), approvals, now)


def _next_step(
    session: Session,
    quote: Quote,
    snapshot: QuoteSnapshot,
    approvals: list[ApprovalBlock],
    now: datetime,
) -> NextStep:
    facts = fact(
        Waiter,
        quote,
        status=status_now(session, quote, now),
        discount_bp=snapshot.most_discount_bp,
        needs=needs_told(session, quote, snapshot),
        approvals=approvals,
        valid_until=str(quote.valid_until or ""),
        adjusted_by=authors_of(quote),
        superseded_by=quote.superseded_by or "",
        issuing_roles=issuing_roles(session, quote, snapshot),
    )
    return next_step(facts, everyone(session, our_day(session, now)))


def is_ours(session: Session) -> bool:
    """Say whether a named person of the seller asks: no agent, no local profile."""
    person = scope.grant().person
    return bool(person) and session.get(Person, person) is not None
