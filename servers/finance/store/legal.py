"""What law and screening need, and the reviews of hits."""

import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.copies import block, fact
from servers.finance.facts.legal import Clause, Listed, Party, PaymentTerms, Review, ScreeningList
from servers.finance.facts.windows import Window
from servers.finance.law.screening import hits
from servers.finance.law.select import parties_of
from servers.finance.schemas import ReviewDecision, ScreeningReviewed
from servers.finance.store.customers import find_customer
from servers.finance.store.policy import approver_of, our_day, setting
from servers.finance.store.rows import facts, kept
from servers.finance.tables.customers import RelatedParty, ScreeningReview
from servers.finance.tables.legal import ClauseRow, EmbargoedCountry, PaymentTerm, ScreeningEntry
from servers.toolkit import scope
from servers.toolkit.errors import ForbiddenError, NotFoundError


@kept
def find_clauses(session: Session) -> tuple[Clause, ...]:
    order = (col(ClauseRow.clause_id), col(ClauseRow.version), col(ClauseRow.language))
    rows = session.scalars(select(ClauseRow).order_by(*order))
    return tuple(fact(Clause, row, when=row.conditions) for row in rows)


@kept
def find_payment_terms(session: Session) -> dict[str, PaymentTerms]:
    return {one.code: one for one in facts(session, PaymentTerms, select(PaymentTerm))}


@kept
def find_screening(session: Session) -> ScreeningList:
    about = setting(session, "screening")
    entries = select(ScreeningEntry).order_by(col(ScreeningEntry.entry_id))
    return ScreeningList(
        name=str(about["list_name"]),
        as_of=date.fromisoformat(about["as_of"]),
        threshold=Decimal(str(about["threshold"])),
        max_age_days=int(about["max_age_days"]),
        entries=facts(session, Listed, entries),
        off=bool(about.get("off", False)),
    )


@kept
def find_embargoed(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(select(col(EmbargoedCountry.country))))


@kept
def find_parties(session: Session, account_id: str) -> tuple[Party, ...]:
    mine = select(RelatedParty).where(col(RelatedParty.account_id) == account_id)
    return facts(session, Party, mine.order_by(col(RelatedParty.party_id)))


@kept
def find_reviews(session: Session, account_id: str) -> tuple[Review, ...]:
    mine = select(ScreeningReview).where(col(ScreeningReview.account_id) == account_id)
    return tuple(
        fact(Review, one, window=Window(one.decided_on, one.expires_on))
        for one in session.scalars(mine.order_by(col(ScreeningReview.review_id)))
    )


def review(
    session: Session,
    account_id: str,
    entry_id: str,
    decision: ReviewDecision,
    note: str,
    valid_days: int,
    now: datetime,
) -> ScreeningReviewed:
    """Record what a person of legal decides about the hits of a customer on one entry."""
    _, customer = find_customer(session, account_id)
    approver = approver_of(session, scope.person(), our_day(session, now))
    if "legal" not in approver.every_role:
        raise ForbiddenError(
            f"{approver.person_id} is not of legal", fix="ask legal to review the hit"
        )
    parties = parties_of(customer, find_parties(session, account_id))
    found = [
        hit for hit in hits(parties, find_screening(session)) if hit.entry.entry_id == entry_id
    ]
    if not found:
        raise NotFoundError(
            f"no name of {account_id} is like entry {entry_id!r}",
            fix="screen_party lists the hits",
        )
    day = now.date()
    made = [
        ScreeningReview(
            review_id="rev_" + secrets.token_hex(6),
            account_id=account_id,
            entry_id=entry_id,
            party_name=hit.party.name,
            listed_name=hit.matched,
            decision=decision,
            note=note,
            decided_by=approver.person_id,
            decided_on=day,
            expires_on=day + timedelta(days=valid_days),
        )
        for hit in found
    ]
    session.add_all(made)
    session.flush()
    return block(ScreeningReviewed, made[0], review_ids=[row.review_id for row in made])
