"""Make the next revision of a quote by hand: a person changes its inputs, finance does the rest."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from servers.finance.assembly import Dropped, QuoteInputs
from servers.finance.diff import diff, part_of_diff
from servers.finance.facts.copies import block
from servers.finance.quote_changes import Changes, clauses_after, revised
from servers.finance.schemas_quotes import QuoteDiff, Revised
from servers.finance.store import drafts, stored_quotes
from servers.finance.store.checks import Statements
from servers.finance.store.collect import collect
from servers.finance.store.policy import approver_of, entity_of
from servers.finance.store.stored_quotes import to_check
from servers.toolkit import scope
from servers.toolkit.errors import InvalidInputError

HALF = 12_000
"""Bytes for what differs; findings and approvals come on top."""


def revise(
    session: Session,
    quote_id: str,
    digest: str,
    changes: Changes,
    statements: Statements,
    now: datetime,
    *,
    store: bool,
) -> Revised:
    """Work out the next revision, and store it unless it is only a preview."""
    person = approver_of(session, scope.person()).person_id
    quote = stored_quotes.find_quote(session, quote_id)
    stored_quotes.check_digest(quote, digest)
    before = stored_quotes.snapshot_of(quote)
    day = now.astimezone(ZoneInfo(entity_of(session, quote).time_zone)).date()
    stored = stored_quotes.inputs_of(quote)
    inputs = _inputs(session, stored, changes, person).model_copy(
        update={
            "drafted_on": day,
            "revises": quote_id,
            "generated_by": "",
            "cover": "revision" if before.replaces or quote.number else stored.cover,
        }
    )
    prepared = drafts.prepare(session, inputs, statements)
    draft = drafts.store(session, prepared, now) if store else None
    made = prepared.made
    return block(
        Revised,
        made.snapshot,
        stored=store,
        to_check=None if store else to_check(made.snapshot.ship_to.country, inputs),
        quote_id=draft.quote_id if draft else None,
        status=draft.status if draft else None,
        digest=draft.digest if draft else None,
        total_minor=made.total_minor,
        diff=part_of_diff(diff(before, made.snapshot), 1, HALF),
        next_step=draft.next_step if draft else None,
    )


def _inputs(session: Session, stored: QuoteInputs, changes: Changes, person: str) -> QuoteInputs:
    request = revised(stored.request, changes, person)
    terms = changes.payment_terms or stored.payment_terms
    of, selected = stored.request, drafts.clauses_selected
    clauses = clauses_after(
        stored.clause_ids,
        selected(collect(session, of), of, stored.payment_terms),
        selected(collect(session, request), request, terms),
    )
    return stored.model_copy(
        update={
            "request": request,
            "payment_terms": terms,
            "validity_days": changes.validity_days or stored.validity_days,
            "clause_ids": clauses,
            "claims": tuple(one for one in stored.claims if one not in changes.drop),
            "warnings": tuple(one for one in stored.warnings if one not in changes.drop),
            "dropped": tuple(
                Dropped(code=one, reason=changes.drop_reason, person=person)
                for one in _droppable(stored, changes)
            ),
        }
    )


def _droppable(stored: QuoteInputs, changes: Changes) -> tuple[str, ...]:
    """Return what a person drops; nothing goes without a reason, and only what is there."""
    there = {*stored.claims, *stored.warnings}
    if unknown := sorted({*changes.drop} - there):
        fix = f"one of: {', '.join(sorted(there)) or 'none'}"
        raise InvalidInputError(f"the quote has no claim or warning {unknown[0]}", fix=fix)
    if changes.drop and not changes.drop_reason.strip():
        raise InvalidInputError("nothing is dropped without a reason", fix="give drop_reason")
    return changes.drop


def compare(session: Session, before_id: str, after_id: str) -> QuoteDiff:
    before, after = (stored_quotes.find_quote(session, one) for one in (before_id, after_id))
    found = diff(stored_quotes.snapshot_of(before), stored_quotes.snapshot_of(after))
    return found.model_copy(update={"before_number": before.number, "after_number": after.number})
