"""Collect what law, credit and screening need, and record reviews of hits."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from servers.finance import models as m
from servers.finance import models_legal as ml
from servers.finance.facts.clauses import Clause
from servers.finance.facts.credit import (
    CreditFacts,
    CreditLine,
    CreditPolicy,
    PolicyRow,
    Receivable,
    Unbilled,
)
from servers.finance.facts.customers import Customer
from servers.finance.facts.payment import PaymentTerms, TermLine
from servers.finance.facts.screening import Listed, Party, Review, ScreeningList
from servers.finance.facts.windows import Window
from servers.finance.law.credit import merged
from servers.finance.law.screening import Hit, hits
from servers.finance.law.select import parties_of
from servers.finance.models_quotes import Quote
from servers.finance.repository.people import approver_of
from servers.finance.schemas import ReviewDecision, ScreeningReviewed
from servers.toolkit.errors import ForbiddenError, NotFoundError, StorageError

MAX_FAMILY = 6
"""How many levels of a family share a limit."""


def clause(row: ml.ClauseRow) -> Clause:
    """Return a clause."""
    return Clause(
        clause_id=row.clause_id,
        version=row.version,
        topic=row.topic,
        title=row.title,
        text=row.text,
        sha256=row.sha256,
        window=Window(row.valid_from, row.valid_to),
        when={key: tuple(values) for key, values in row.conditions.items()},
        language=row.language,
        jurisdiction=row.jurisdiction,
        status=row.status,
        mandatory=row.mandatory,
        conflicts_with=tuple(row.conflicts_with),
        owner=row.owner,
        approved_by=row.approved_by,
        approved_on=row.approved_on,
    )


def find_clauses(session: Session) -> tuple[Clause, ...]:
    """Return the whole library, in a fixed order."""
    order = (col(ml.ClauseRow.clause_id), col(ml.ClauseRow.version), col(ml.ClauseRow.language))
    return tuple(clause(row) for row in session.scalars(select(ml.ClauseRow).order_by(*order)))


def payment_terms(row: ml.PaymentTerm) -> PaymentTerms:
    """Return payment terms."""
    lines = tuple(term_line(line) for line in row.lines)
    return PaymentTerms(row.code, row.description, row.days, row.prepaid, lines)


def term_line(said: Mapping[str, Any]) -> TermLine:
    """Return an instalment; percentages are stored as text."""
    percent = said.get("percent")
    return TermLine(
        percent=None if percent is None else Decimal(percent),
        due=said["due"],
        days=int(said.get("days", 0)),
        discount_percent=Decimal(said.get("discount_percent") or 0),
        discount_days=int(said.get("discount_days") or 0),
    )


def find_payment_terms(session: Session) -> dict[str, PaymentTerms]:
    """Return every payment term by its code."""
    return {row.code: payment_terms(row) for row in session.scalars(select(ml.PaymentTerm))}


def credit_policy(settings: Mapping[str, Any]) -> CreditPolicy:
    """Return the credit policy; a house without one goes by hold and limit only."""
    said = settings.get("credit", {})
    return CreditPolicy(
        rows=tuple(
            PolicyRow(
                rule_id=row["rule_id"],
                ratings=tuple(row["ratings"]),
                use_bp=int(row["use_up_to_bp"]),
                overdue_days=int(row["overdue_up_to_days"]),
                max_days=int(row["max_days"]),
                in_advance=Decimal(row["in_advance_percent"]),
                approval=bool(row["approval"]),
            )
            for row in said.get("rows", ())
        ),
        share_parent_limit=bool(said.get("share_parent_limit", False)),
    )


def credit_facts(
    session: Session, row: m.CustomerRow, tree: Sequence[str], policy: CreditPolicy
) -> CreditFacts:
    """Return a customer's credit line, and that of the family whose limit it shares."""
    holder = _holder(session, tree[1:]) if policy.share_parent_limit else None
    members = [row] if holder is None else _members(session, holder.account_id)
    ids = [member.account_id for member in members]
    bills, quotes = _receivables(session, ids), _unbilled(session, ids)
    lines = {
        member.account_id: CreditLine(
            limit_minor=member.credit_limit_minor,
            currency=member.credit_currency,
            rating=member.credit_rating,
            hold=member.credit_hold,
            open_minor=member.open_minor,
            receivables=tuple(bills.get(member.account_id, ())),
            unbilled=tuple(quotes.get(member.account_id, ())),
        )
        for member in members
    }
    own = lines[row.account_id]
    if holder is None:
        return CreditFacts(own, None, policy)
    family = merged(list(lines.values()), lines[holder.account_id])
    return CreditFacts(own, family, policy)


def _holder(session: Session, parents: Sequence[str]) -> m.CustomerRow | None:
    """Return the topmost parent that has a limit; its children share it."""
    if not parents:
        return None
    mine = select(m.CustomerRow).where(col(m.CustomerRow.account_id).in_(parents))
    found = {one.account_id: one for one in session.scalars(mine)}
    above = [found[one] for one in reversed(parents) if one in found]
    return next((one for one in above if one.credit_limit_minor is not None), None)


def _members(session: Session, root: str) -> list[m.CustomerRow]:
    """Return an account and everybody below it, in one query."""
    account = col(m.CustomerRow.account_id)
    tree = select(account, func.abs(0).label("depth")).where(account == root)
    family = tree.cte("below", recursive=True)
    child = aliased(m.CustomerRow)
    family = family.union_all(
        select(col(child.account_id), (family.c.depth + 1).label("depth"))
        .join(family, family.c.account_id == child.parent_account_id)
        .where(family.c.depth < MAX_FAMILY)
    )
    statement = select(m.CustomerRow).where(account.in_(select(family.c.account_id)))
    return list(session.scalars(statement.order_by(account)))


def _receivables(session: Session, accounts: Sequence[str]) -> dict[str, list[Receivable]]:
    statement = (
        select(ml.ReceivableRow)
        .where(col(ml.ReceivableRow.account_id).in_(accounts), col(ml.ReceivableRow.open_minor) > 0)
        .order_by(col(ml.ReceivableRow.due), col(ml.ReceivableRow.invoice_no))
    )
    found: dict[str, list[Receivable]] = {}
    for one in session.scalars(statement):
        bill = Receivable(one.invoice_no, one.issued, one.due, one.open_minor, one.currency)
        found.setdefault(one.account_id, []).append(bill)
    return found


def _unbilled(session: Session, accounts: Sequence[str]) -> dict[str, list[Unbilled]]:
    """Return accepted quotes less what was invoiced for them, paid or not."""
    billed = func.coalesce(func.sum(col(ml.ReceivableRow.total_minor)), 0)
    statement = (
        select(
            col(Quote.account_id),
            col(Quote.quote_id),
            col(Quote.currency),
            col(Quote.total_minor),
            billed,
        )
        .outerjoin(ml.ReceivableRow, col(ml.ReceivableRow.quote_id) == col(Quote.quote_id))
        .where(col(Quote.account_id).in_(accounts), col(Quote.status) == "accepted")
        .group_by(
            col(Quote.account_id),
            col(Quote.quote_id),
            col(Quote.currency),
            col(Quote.total_minor),
        )
        .order_by(col(Quote.quote_id))
    )
    found: dict[str, list[Unbilled]] = {}
    for account_id, quote_id, currency, total, invoiced in session.execute(statement):
        if total > invoiced:
            quote = Unbilled(quote_id, int(total - invoiced), currency)
            found.setdefault(account_id, []).append(quote)
    return found


def screening_list(about: Mapping[str, Any], entries: Iterable[ml.ScreeningEntry]) -> ScreeningList:
    """Return the screening list with its date."""
    return ScreeningList(
        name=str(about["list_name"]),
        as_of=date.fromisoformat(about["as_of"]),
        threshold=Decimal(str(about["threshold"])),
        max_age_days=int(about["max_age_days"]),
        entries=tuple(Listed(e.entry_id, e.name, e.country, tuple(e.aliases)) for e in entries),
    )


def find_screening(session: Session) -> ScreeningList:
    """Return the screening list.

    Raises:
        StorageError: finance was never filled.
    """
    about = session.get(m.Setting, "screening")
    if about is None:
        raise StorageError("finance has no screening list", fix="load the master data first")
    order = col(ml.ScreeningEntry.entry_id)
    return screening_list(about.value, session.scalars(select(ml.ScreeningEntry).order_by(order)))


def find_parties(session: Session, account_id: str) -> tuple[Party, ...]:
    """Return whom finance knows to go with a customer."""
    statement = (
        select(ml.RelatedParty)
        .where(col(ml.RelatedParty.account_id) == account_id)
        .order_by(col(ml.RelatedParty.party_id))
    )
    return tuple(Party(one.role, one.name, one.country) for one in session.scalars(statement))


def find_reviews(session: Session, account_id: str) -> tuple[Review, ...]:
    """Return what named persons decided about the hits of a customer."""
    statement = (
        select(ml.ScreeningReview)
        .where(col(ml.ScreeningReview.account_id) == account_id)
        .order_by(col(ml.ScreeningReview.review_id))
    )
    return tuple(
        Review(
            review_id=one.review_id,
            entry_id=one.entry_id,
            party_name=one.party_name,
            listed_name=one.listed_name,
            decision=one.decision,
            decided_by=one.decided_by,
            window=Window(one.decided_on, one.expires_on),
        )
        for one in session.scalars(statement)
    )


def review(
    session: Session,
    customer: Customer,
    entry_id: str,
    decision: ReviewDecision,
    note: str,
    valid_days: int,
    person_id: str,
    day: date,
) -> ScreeningReviewed:
    """Record what a person of legal decides about the hits of a customer on one entry.

    Raises:
        ForbiddenError: the person is not of legal.
        NotFoundError: no name of this customer is like that entry.
    """
    approver = approver_of(session, person_id)
    if "legal" not in approver.roles:
        raise ForbiddenError(f"{person_id} is not of legal", fix="ask legal to review the hit")
    parties = parties_of(customer, find_parties(session, customer.account_id))
    found = [
        hit for hit in hits(parties, find_screening(session)) if hit.entry.entry_id == entry_id
    ]
    if not found:
        raise NotFoundError(
            f"no name of {customer.account_id} is like entry {entry_id!r}",
            fix="screen_party lists the hits",
        )
    expires = day + timedelta(days=valid_days)
    made = [_reviewed(customer, hit, decision, note, person_id, (day, expires)) for hit in found]
    session.add_all(made)
    session.flush()
    return ScreeningReviewed(
        account_id=customer.account_id,
        entry_id=entry_id,
        review_ids=[row.review_id for row in made],
        decision=decision,
        decided_by=person_id,
        decided_on=day,
        expires_on=expires,
    )


def _reviewed(
    customer: Customer,
    hit: Hit,
    decision: ReviewDecision,
    note: str,
    person_id: str,
    span: tuple[date, date],
) -> ml.ScreeningReview:
    return ml.ScreeningReview(
        review_id="rev_" + secrets.token_hex(6),
        account_id=customer.account_id,
        entry_id=hit.entry.entry_id,
        party_name=hit.party.name,
        listed_name=hit.matched,
        decision=decision,
        note=note,
        decided_by=person_id,
        decided_on=span[0],
        expires_on=span[1],
    )
