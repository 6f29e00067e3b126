"""How a quote ends: accepted, taken back, or closed in favour of another."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.documents import QuoteSnapshot
from servers.finance.facts.copies import block
from servers.finance.facts.legal import PaymentTerms
from servers.finance.law import credit, screening
from servers.finance.law.select import parties_of
from servers.finance.schemas_quotes import Accepted, Superseded, Withdrawn
from servers.finance.store import expiry, purchases, stored_quotes
from servers.finance.store.clock import stamp
from servers.finance.store.collect import collect
from servers.finance.store.drafts import close_approvals, digest_of, hold
from servers.finance.store.drafts import supersede as close_for
from servers.finance.store.policy import approver_of
from servers.finance.store.promotions import promotion_uses
from servers.finance.tables.quotes import Quote
from servers.toolkit import scope
from servers.toolkit.errors import ConflictError, RuleViolationError
from servers.toolkit.findings import Severity, at_least


def accept(session: Session, quote_id: str, digest: str, reference: str, now: datetime) -> Accepted:
    """Record that the customer accepted an issued quote, once."""
    person = approver_of(session, scope.person()).person_id
    quote = hold(session, stored_quotes.find_quote(session, quote_id))
    _check_acceptable(session, quote, digest, now)
    snapshot = stored_quotes.snapshot_of(quote)
    _check_approvals(session, quote, snapshot)
    _check_party(session, quote, snapshot, now)
    quote.status = "accepted"
    quote.accepted_at, quote.accepted_by = stamp(now), person
    quote.acceptance_reference = reference
    session.add_all(promotion_uses(snapshot))
    purchases.record(session, quote, snapshot)
    closed = _close_rest(session, quote)
    session.flush()
    next_step = stored_quotes.next_step_of(session, quote, now)
    return block(Accepted, quote, closed=closed, next_step=next_step)


def _close_rest(session: Session, quote: Quote) -> list[str]:
    """Close what is still in work for the same opportunity: the deal is made without it."""
    others = select(Quote).where(
        col(Quote.opportunity_id) == quote.opportunity_id,
        col(Quote.quote_id) != quote.quote_id,
        col(Quote.status).in_(stored_quotes.WORKING),
    )
    closed = list(session.scalars(others))
    for other in closed:
        close_for(session, other, quote.quote_id)
    return [other.quote_id for other in closed]


def _check_acceptable(session: Session, quote: Quote, digest: str, now: datetime) -> None:
    status = stored_quotes.status_now(session, quote, now)
    if status == "accepted":
        raise ConflictError(
            f"{quote.number} was accepted on {quote.accepted_at}", fix="get_quote shows it"
        )
    if status == "expired":
        raise RuleViolationError(
            f"{quote.number} was valid until {quote.valid_until}",
            fix="make the next revision with revise_quote, and issue that",
            code="EXPIRED",
        )
    if status != "issued":
        raise RuleViolationError(
            f"{quote.quote_id} is {status}; only an issued quote is accepted",
            fix="get_quote shows what it waits for",
        )
    stored_quotes.check_digest(quote, digest)
    stored_quotes.check_digest(quote, digest_of(quote))


def _check_approvals(session: Session, quote: Quote, snapshot: QuoteSnapshot) -> None:
    """Refuse a quote that went out without what it needs, whoever wrote that to the database."""
    spent = {
        (row.rule_id, row.role)
        for row in stored_quotes.find_approvals(session, quote.quote_id)
        if row.status == "approved" and row.digest == quote.digest and row.used_at is not None
    }
    for need in snapshot.approvals_needed:
        if (need.rule_id, need.role) not in spent:
            raise RuleViolationError(
                f"approval is missing: {need.rule_id} by a {need.role}",
                fix="withdraw it and make the next revision",
                code="APPROVAL_REQUIRED",
            )


def _check_party(session: Session, quote: Quote, snapshot: QuoteSnapshot, now: datetime) -> None:
    """Look at credit and screening again; what a person let pass at issue may stay."""
    facts = collect(session, stored_quotes.inputs_of(quote).request)
    day = expiry.today(session, now).get(quote.entity_id, now.date())
    said = snapshot.payment_terms
    gone = PaymentTerms(said.code, "", said.days, prepaid=False)
    terms = facts.payment_terms.get(said.code, gone)
    judged = credit.judge(facts.credit, quote.total_minor, quote.currency, terms, day)
    parties = parties_of(facts.pricing.customer, facts.parties)
    screened = screening.screen(parties, facts.screening, day, facts.reviews)
    approved = {one.code for one in snapshot.findings}
    for one in (*judged.findings, *screened):
        if at_least(one, Severity.WARNING) and one.code not in approved:
            raise RuleViolationError(
                f"{one.code} since the quote was issued: {one.message}",
                fix="make the next revision with revise_quote, which asks a person about it",
                code="RECHECK",
            )


def withdraw(session: Session, quote_id: str, reason: str, now: datetime) -> Withdrawn:
    """Take a quote back; a person of the seller decides that."""
    approver_of(session, scope.person())
    quote = hold(session, stored_quotes.find_quote(session, quote_id))
    _refuse_closed(session, quote, now)
    quote.status, quote.withdrawn_reason = "withdrawn", reason
    close_approvals(session, quote_id)
    session.flush()
    return block(Withdrawn, quote)


def supersede(session: Session, quote_id: str, by_quote_id: str, now: datetime) -> Superseded:
    """Close a quote in favour of another of the same account."""
    approver_of(session, scope.person())
    quote, by = (stored_quotes.find_quote(session, one) for one in (quote_id, by_quote_id))
    if quote.quote_id == by.quote_id or quote.account_id != by.account_id:
        raise ConflictError(
            f"{by_quote_id} is not another quote of the same account",
            fix="list_quotes with the account_id shows them",
        )
    for one in sorted((quote, by), key=lambda one: (one.opportunity_id, one.quote_id)):
        hold(session, one)
    _refuse_closed(session, quote, now)
    if stored_quotes.status_now(session, by, now) != "accepted":
        _refuse_closed(session, by, now)
    close_for(session, quote, by.quote_id)
    return block(Superseded, quote, superseded_by_number=by.number)


def _refuse_closed(session: Session, quote: Quote, now: datetime) -> None:
    status = stored_quotes.status_now(session, quote, now)
    if status not in stored_quotes.OPEN:
        raise RuleViolationError(f"{quote.quote_id} is {status}", fix="get_quote shows it")
