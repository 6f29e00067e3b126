"""Issue a quote: work it out again, spend its approvals, give it the next number of the year."""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from servers.finance import digests
from servers.finance.approvals import check_approver
from servers.finance.assembly import UNCHECKED, Assembled, assemble
from servers.finance.documents import QuoteSnapshot
from servers.finance.facts.copies import block
from servers.finance.facts.pricing import QuoteFacts
from servers.finance.law.ageing import late_tables
from servers.finance.law.screening import screen
from servers.finance.schemas_quotes import Issued
from servers.finance.store import stored_quotes
from servers.finance.store.checks import Statements
from servers.finance.store.clock import stamp
from servers.finance.store.collect import collect
from servers.finance.store.drafts import digest_of, hold, lock, numbers_of, supersede
from servers.finance.store.policy import approver_of, entity_of, our_day
from servers.finance.tables.house import Seller
from servers.finance.tables.quotes import Approval, Quote, QuoteNumber
from servers.toolkit import scope
from servers.toolkit.errors import ConflictError, ForbiddenError, RuleViolationError
from servers.toolkit.findings import Severity, at_least

STALE = "the checks of the catalog and the CRM are older than a day"


def issue(
    session: Session, quote_id: str, digest: str, statements: Statements, now: datetime
) -> Issued:
    """Issue a quote: recompute it, check its approvals, give it its number. Once."""
    if scope.grant().person:
        approver_of(session, scope.grant().person)  # a person who issues is one of the seller
    quote = hold(session, stored_quotes.find_quote(session, quote_id))
    if quote.status in ("issued", "accepted"):
        raise ConflictError(f"{quote_id} was issued as {quote.number}", fix="get_quote shows it")
    stored_quotes.check_digest(quote, digest)
    if quote.status not in stored_quotes.WORKING:
        raise RuleViolationError(
            f"{quote_id} is {quote.status}", fix="make a new revision with create_quote"
        )
    facts, again = _recomputed(session, quote)
    snapshot = again.snapshot
    _refuse_late(facts, snapshot, our_day(session, now))
    if not snapshot.clauses:
        raise RuleViolationError(
            f"{quote_id} has no clauses: nothing is issued without terms",
            fix="make a new revision with the clause_ids of select_terms",
            code="NO_TERMS",
        )
    stale = _stale(quote, snapshot, facts, again.controlled, statements)
    _refuse_unchecked(session, quote, snapshot, now, stale=stale)
    _use_approvals(session, quote, snapshot, now)
    entity = entity_of(session, quote)
    day = now.astimezone(ZoneInfo(entity.time_zone)).date()
    _supersede_issued(session, quote)
    quote.number = _number(session, quote, entity, day)
    quote.issued_at = stamp(now)
    quote.valid_until = day + timedelta(days=snapshot.validity_days or 0)
    quote.price_lock_until = _price_lock(quote, snapshot, day)
    quote.status = "issued"
    try:
        session.flush()
    except IntegrityError as problem:
        raise ConflictError(
            f"{quote.opportunity_id} got another issued quote meanwhile", fix="list_quotes"
        ) from problem
    return block(Issued, quote, next_step=stored_quotes.next_step_of(session, quote, now))


def _refuse_late(facts: QuoteFacts, snapshot: QuoteSnapshot, day: date) -> None:
    """Refuse a draft when a table it relies on became too old since: nobody was asked about it."""
    known = {found.code for found in snapshot.findings}
    late = [*late_tables(facts.checked, day), *screen((), facts.screening, day)]
    late = [found for found in late if at_least(found, Severity.WARNING)]
    if news := [found for found in late if found.code not in known]:
        raise RuleViolationError(
            f"{news[0].code}: {news[0].message}",
            fix="make a new revision with create_quote, which asks whoever decides it",
            code="CHANGED",
        )


def _stale(
    quote: Quote,
    snapshot: QuoteSnapshot,
    facts: QuoteFacts,
    controlled: Sequence[str],
    statements: Statements,
) -> bool:
    """Say whether a check of the draft is too old and no fresh one was given.

    Raises:
        RuleViolationError: a fresh check finds what the draft does not say, or an item under
            export control has no check that holds today.
    """
    inputs = stored_quotes.inputs_of(quote)
    lines = statements.lines(inputs.request, facts)
    deal = statements.deal(quote.account_id, inputs.opportunity_id)
    pairs = ((lines, inputs.lines_checked), (deal, inputs.deal_checked))
    for fresh, stored in pairs:
        news = () if fresh is None else sorted({*fresh.codes} - {*snapshot.warnings})
        if fresh is not None and (news or (stored is not None and fresh.ok < stored.ok)):
            raise RuleViolationError(
                f"a check says something else than for the draft: {', '.join(news) or 'not ok'}",
                fix="make a new revision with create_quote",
                code="CHANGED",
            )
    holds = lines or inputs.lines_checked
    if controlled and (holds is None or not holds.ok or holds.until <= statements.now):
        raise RuleViolationError(
            f"{', '.join(controlled)} is under export control and no check of today is given",
            fix="check_configuration with the same lines, and give its statement",
            code="EXPORT_UNCHECKED",
        )
    return any(
        fresh is None and stored is not None and stored.until <= statements.now
        for fresh, stored in pairs
    )


def _refuse_unchecked(
    session: Session, quote: Quote, snapshot: QuoteSnapshot, now: datetime, *, stale: bool
) -> None:
    """Leave a draft that no run made, or whose checks are old, to a person who may decide it."""
    roles = stored_quotes.issuing_roles(session, quote, snapshot, stale=stale)
    if not roles:
        return
    if not scope.grant().person:
        raise ForbiddenError(
            f"{STALE if stale else UNCHECKED}: a person who may decide issues it",
            fix="check_configuration and quote_readiness again and give their statements, or let "
            "a person issue it; get_quote's next_step says who",
            code="UNCHECKED" if stale else "FORBIDDEN",
        )
    person = approver_of(session, scope.person(), our_day(session, now))
    check_approver(
        person,
        role=min(roles & person.every_role or roles),
        requested_by=(),
        discount_bp=snapshot.most_discount_bp,
        total_minor=quote.total_minor,
        currency=quote.currency,
    )


def _price_lock(quote: Quote, snapshot: QuoteSnapshot, day: date) -> date | None:
    """Return until when a revision may keep these prices; an old promise is not made longer."""
    promised = stored_quotes.inputs_of(quote).locked_until
    if promised is not None or snapshot.price_lock_days is None:
        return promised
    return day + timedelta(days=snapshot.price_lock_days)


def _recomputed(session: Session, quote: Quote) -> tuple[QuoteFacts, Assembled]:
    """Work the quote out again from its inputs; refuse it when anything came out different."""
    inputs = stored_quotes.inputs_of(quote)
    stored = json.loads(quote.snapshot)
    facts = collect(session, inputs.request, quote.requested_by)
    again = assemble(facts, inputs, quote.quote_id, quote.revision, stored["replaces"])
    moved = stored_quotes.approval_text(again) != quote.price_approval
    if again.digest != quote.digest or digest_of(quote) != quote.digest or moved:
        changed = digests.changes(stored, again.snapshot.model_dump(mode="json"))
        raise RuleViolationError(
            f"the quote would come out different now: {', '.join(changed) or 'stored text'}",
            fix="make a new revision with create_quote",
            code="CHANGED",
        )
    return facts, again


def _use_approvals(session: Session, quote: Quote, snapshot: QuoteSnapshot, now: datetime) -> None:
    """Spend an approval for every failing rule; each is good for this digest, once, in time."""
    rows = stored_quotes.find_approvals(session, quote.quote_id)
    missing = []
    for need in stored_quotes.every_need(quote, snapshot):
        good = [
            row
            for row in rows
            if (row.rule_id, row.role) == (need.rule_id, need.role)
            and row.status == "approved"
            and row.digest == quote.digest
            and row.used_at is None
            and row.expires_at > stamp(now)
        ]
        if not good:
            missing.append(f"{need.rule_id} by a {need.role}")
            continue
        used = session.connection().execute(
            update(Approval)
            .where(
                col(Approval.approval_id) == good[0].approval_id, col(Approval.used_at).is_(None)
            )
            .values(used_at=stamp(now))
        )
        if used.rowcount != 1:
            raise ConflictError("an approval was used meanwhile", fix="get_quote shows it")
    if missing:
        raise RuleViolationError(
            f"approval is missing or expired: {'; '.join(missing)}",
            fix="request_approval; its next_step says who decides",
            code="APPROVAL_REQUIRED",
        )


def _supersede_issued(session: Session, quote: Quote) -> None:
    mine = select(Quote).where(col(Quote.opportunity_id) == quote.opportunity_id)
    for other in session.scalars(mine.where(col(Quote.status) == "issued")):
        supersede(session, other, quote.quote_id)


def _number(session: Session, quote: Quote, entity: Seller, day: date) -> str:
    """Give the next number of the year, or the first revision's number with a suffix."""
    if numbers := numbers_of(session, quote.chain):
        return f"{re.sub(r'-r[0-9]+$', '', numbers[0])}-r{quote.revision}"
    lock(session, f"number/{entity.entity_id}/{day.year}")
    counter = session.get(QuoteNumber, (entity.entity_id, day.year), populate_existing=True)
    if counter is None:
        counter = QuoteNumber(entity_id=entity.entity_id, year=day.year, last=0)
        session.add(counter)
    counter.last += 1
    return entity.number_format.format(year=day.year, n=counter.last)
