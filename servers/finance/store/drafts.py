"""Make drafts, and hold or close quotes for others to change."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from servers.finance import digests
from servers.finance.assembly import Assembled, QuoteInputs, assemble
from servers.finance.facts.copies import block
from servers.finance.facts.pricing import QuoteFacts
from servers.finance.law.select import select_for
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.schemas_quotes import QuoteDraft
from servers.finance.store import stored_quotes
from servers.finance.store.checks import Statements
from servers.finance.store.clock import stamp
from servers.finance.store.collect import collect
from servers.finance.tables.quotes import Quote
from servers.toolkit import scope
from servers.toolkit.errors import ConflictError

REVISABLE = (*stored_quotes.OPEN, "rejected", "withdrawn", "expired")


@dataclass(frozen=True)
class Prepared:
    """A draft that is worked out and not stored yet."""

    inputs: QuoteInputs
    made: Assembled
    chain: str
    deal: str
    previous: Quote | None


def lock(session: Session, name: str) -> None:
    """Let one transaction at a time pass with this name; SQLite's write lock does that anyway."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", (name,))


def hold(session: Session, quote: Quote) -> Quote:
    """Keep other writers off a quote until the end of the transaction, and read it afresh."""
    lock(session, f"quote/{quote.opportunity_id}")
    session.refresh(quote)
    return quote


def digest_of(quote: Quote) -> str:
    """Return the digest of what is stored, which a change behind our back would move."""
    return hashlib.sha256(quote.snapshot.encode()).hexdigest()


def create(
    session: Session, inputs: QuoteInputs, statements: Statements, now: datetime
) -> QuoteDraft:
    return store(session, prepare(session, inputs, statements), now)


def prepare(session: Session, inputs: QuoteInputs, statements: Statements) -> Prepared:
    """Work a draft out from inputs, as a new quote or as the next revision of one."""
    quote_id = "q_" + secrets.token_hex(6)
    deal = _deal_of(session, inputs, quote_id)
    lock(session, f"quote/{deal}")
    facts = collect(session, inputs.request)
    previous = _previous(session, inputs, deal)
    before = previous or _last(session, deal)
    if before is not None:
        inputs = _inherited(session, inputs, stored_quotes.inputs_of(before))
    lines = statements.lines(inputs.request, facts)
    story = statements.deal(inputs.request.account_id, inputs.opportunity_id)
    codes = [code for said in (lines, story) if said is not None for code in said.codes]
    inputs = inputs.model_copy(
        update={
            "locked_until": _lock_of(previous, inputs),
            "run": scope.grant().run,
            "price_told": bool(scope.grant().run) or stored_quotes.is_ours(session),
            "lines_checked": lines,
            "deal_checked": story,
            "warnings": tuple(sorted({*inputs.warnings, *codes})),
        }
    )
    chain = previous.chain if previous else quote_id
    last = select(func.max(col(Quote.revision))).where(col(Quote.chain) == chain)
    revision = int(session.scalar(last) or 0) + 1
    replaces = next(reversed(numbers_of(session, chain)), None)
    made = assemble(facts, inputs, quote_id, revision, replaces)
    return Prepared(inputs, made, chain, deal, previous)


def _deal_of(session: Session, inputs: QuoteInputs, quote_id: str) -> str:
    """Return what a quote shares with its revisions: the opportunity, or else its chain."""
    if inputs.opportunity_id or inputs.revises is None:
        return inputs.opportunity_id or quote_id
    return stored_quotes.find_quote(session, inputs.revises).chain


def _last(session: Session, opportunity_id: str) -> Quote | None:
    """Return the newest quote of a deal; a new chain forgets nothing of one that was closed."""
    mine = col(Quote.opportunity_id) == opportunity_id
    newest = select(Quote).where(mine, col(Quote.status) != "accepted")
    found: Quote | None = session.scalars(newest.order_by(col(Quote.created_at).desc())).first()
    return found


def _inherited(session: Session, inputs: QuoteInputs, before: QuoteInputs) -> QuoteInputs:
    """Return inputs with what a person has to see of the quote before.

    Its claims and warnings stay unless a person dropped them now, and so do clauses that were
    added to what the rules select. What the price needs is worked out anew.
    """
    gone = {one.code for one in inputs.dropped}
    kept: list[str] = []
    if missing := [one for one in before.clause_ids if one not in inputs.clause_ids]:
        facts = collect(session, before.request)
        selected = clauses_selected(facts, before.request, before.payment_terms)
        kept = [one for one in missing if one not in selected]
    return inputs.model_copy(
        update={
            "claims": tuple(sorted({*inputs.claims, *before.claims} - gone)),
            "warnings": tuple(sorted({*inputs.warnings, *before.warnings} - gone)),
            "clause_ids": (*inputs.clause_ids, *kept),
            "deviations": inputs.deviations or before.deviations,
        }
    )


def clauses_selected(facts: QuoteFacts, request: PriceRequest, payment_terms: str) -> list[str]:
    priced = price(facts.pricing, request)
    money = (priced.totals.total_minor or 0, priced.currency)
    return select_for(facts, request, money, chosen=payment_terms).clause_ids


def _lock_of(previous: Quote | None, inputs: QuoteInputs) -> date | None:
    """Return until when the order date of the revision before keeps its prices."""
    if previous is None or previous.order_date != inputs.request.order_date:
        return None
    return previous.price_lock_until or stored_quotes.inputs_of(previous).locked_until


def store(session: Session, prepared: Prepared, now: datetime) -> QuoteDraft:
    """Store a draft; a revision takes the place of one that is still in work."""
    snapshot, previous = prepared.made.snapshot, prepared.previous
    if previous is not None and previous.status in stored_quotes.WORKING:
        supersede(session, previous, snapshot.quote_id)
    row = _row(prepared, now)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as problem:
        raise ConflictError(
            f"{snapshot.opportunity_id} got another quote meanwhile",
            fix="list_quotes shows it; give its id as revises",
        ) from problem
    return block(
        QuoteDraft,
        snapshot,
        status="draft",
        digest=row.digest,
        total_minor=row.total_minor,
        next_step=stored_quotes.next_step_of(session, row, now),
    )


def _row(prepared: Prepared, now: datetime) -> Quote:
    inputs, made = prepared.inputs, prepared.made
    snapshot = made.snapshot
    return block(
        Quote,
        snapshot,
        chain=prepared.chain,
        opportunity_id=prepared.deal,
        status="draft",
        total_minor=made.total_minor,
        entity_id=snapshot.seller.entity_id,
        digest=made.digest,
        inputs=digests.text(inputs),
        snapshot=digests.text(snapshot),
        margin=None if made.margin is None else digests.text(made.margin),
        price_approval=stored_quotes.approval_text(made),
        created_at=stamp(now),
        created_by=scope.actor(),
        requested_by=scope.requester(),
    )


def _previous(session: Session, inputs: QuoteInputs, deal: str) -> Quote | None:
    """Return the quote that is revised; refuse a second beside an open one or after a deal."""
    mine = col(Quote.opportunity_id) == deal
    of_opportunity: Sequence[Quote] = session.scalars(select(Quote).where(mine)).all()
    if any(quote.account_id != inputs.request.account_id for quote in of_opportunity):
        raise ConflictError(
            f"{inputs.opportunity_id} belongs to another account", fix="check the opportunity_id"
        )
    won = next((quote.number for quote in of_opportunity if quote.status == "accepted"), None)
    if won is not None and not scope.grant().person:
        raise ConflictError(
            f"{inputs.opportunity_id} is won already: {won} is accepted",
            fix="open a new opportunity in the CRM for what comes on top, and quote that",
            code="ALREADY_WON",
        )
    open_ = [quote for quote in of_opportunity if quote.status in stored_quotes.OPEN]
    newest = max(open_, key=lambda quote: quote.revision, default=None)
    if inputs.revises is None:
        if newest is not None:
            name = newest.number or newest.quote_id
            raise ConflictError(
                f"{inputs.opportunity_id} has the {newest.status} quote {newest.quote_id}"
                + (f" ({name})" if newest.number else ""),
                fix=f"give revises={newest.quote_id} to make its next revision",
            )
        return None
    previous = stored_quotes.find_quote(session, inputs.revises)
    if previous.opportunity_id != deal or previous.status not in REVISABLE:
        raise ConflictError(
            f"{inputs.revises} ({previous.status}) cannot be revised for {inputs.opportunity_id}",
            fix="give the newest quote of this opportunity",
        )
    if newest is not None and newest.quote_id != previous.quote_id:
        raise ConflictError(
            f"{newest.quote_id} is newer than {previous.quote_id}",
            fix=f"give revises={newest.quote_id}",
        )
    return previous


def numbers_of(session: Session, chain: str) -> list[str]:
    """Return the numbers of the revisions that were issued, the newest last."""
    numbers = select(col(Quote.number)).where(col(Quote.chain) == chain)
    numbered = numbers.where(col(Quote.number).is_not(None)).order_by(col(Quote.revision))
    return list(session.scalars(numbered))


def supersede(session: Session, quote: Quote, by: str) -> None:
    quote.status, quote.superseded_by = "superseded", by
    close_approvals(session, quote.quote_id)
    session.flush()


def close_approvals(session: Session, quote_id: str) -> None:
    for approval in stored_quotes.find_approvals(session, quote_id):
        if approval.status == "pending":
            approval.status = "cancelled"
