"""What was offered and how it went, and whether the records allow another quote."""

from collections import defaultdict

from sqlalchemy import select
from sqlmodel import Session

from servers.crm import readiness
from servers.crm.schemas import Outcome, Stage
from servers.crm.schemas_quotes import OpenQuote, QuoteEvent, QuotePage, QuoteRow, Readiness
from servers.crm.senders import trust_of
from servers.crm.stages import OPEN_OUTCOMES, check_outcome
from servers.crm.store.accounts import records_of
from servers.crm.store.opportunities import contact_ids_of
from servers.crm.store.rows import (
    all_visible,
    column,
    count_visible,
    get_account_row,
    get_opportunity_row,
    now,
    page_of,
    write_once,
)
from servers.crm.store.stories import sender_of
from servers.crm.tables import Activity, Address, Opportunity, QuoteRecord, QuoteStep
from servers.toolkit import scope


def quote_history(session: Session, account_id: str, limit: int, cursor: str | None) -> QuotePage:
    """Return the quotes of an account, newest first, each with the steps of its life."""
    get_account_row(session, account_id)
    mine = [column(QuoteRecord, "account_id") == account_id]
    order = (column(QuoteRecord, "at").desc(), column(QuoteRecord, "id").desc())
    rows, total, after = page_of(session, QuoteRecord, mine, order, limit, cursor)
    events = _events(session, [row.id for row in rows])
    items = [_row(row, events[row.id]) for row in rows]
    return QuotePage(items=items, total=total, next_cursor=after)


def _events(session: Session, ids: list[int]) -> dict[int, list[QuoteEvent]]:
    """Return the steps of quotes; that the caller may see those was checked before."""
    found: dict[int, list[QuoteEvent]] = defaultdict(list)
    mine = column(QuoteStep, "quote_record_id").in_(ids)
    for step in session.execute(
        select(QuoteStep).where(mine).order_by(column(QuoteStep, "id"))
    ).scalars():
        event = QuoteEvent(outcome=step.outcome, at=step.at, actor=step.actor)
        found[step.quote_record_id].append(event)
    return found


def _row(row: QuoteRecord, events: list[QuoteEvent]) -> QuoteRow:
    return QuoteRow.model_validate(row.model_dump(exclude={"id"}) | {"events": events})


def record_quote_outcome(
    session: Session,
    opportunity_id: str,
    quote_id: str,
    revision: int,
    outcome: Outcome,
    *,
    number: str | None,
    total_minor: int,
    currency: str,
) -> QuoteRow:
    """Record how a quote revision stands; one row per revision, every step kept."""

    def make(deal: Opportunity) -> QuoteRow:
        found: list[QuoteRecord] = all_visible(
            session,
            QuoteRecord,
            column(QuoteRecord, "opportunity_id") == opportunity_id,
            column(QuoteRecord, "quote_id") == quote_id,
            column(QuoteRecord, "revision") == revision,
        )
        row = found[0] if found else None
        moved = row is None or row.outcome != outcome.value
        if row is None:
            row = QuoteRecord(
                account_id=deal.account_id,
                opportunity_id=opportunity_id,
                quote_id=quote_id,
                revision=revision,
                outcome=outcome.value,
                total_minor=total_minor,
                currency=currency,
                at=now(),
            )
        check_outcome(Outcome(row.outcome), outcome)
        row.outcome, row.total_minor, row.currency = outcome.value, total_minor, currency
        row.number = number or row.number
        if moved:
            row.at = now()
        session.add(row)
        session.flush()
        assert row.id is not None  # noqa: S101 - flushed
        if moved:
            step = QuoteStep(
                quote_record_id=row.id, outcome=outcome.value, at=row.at, actor=scope.actor()
            )
            session.add(step)
            session.flush()
        return _row(row, _events(session, [row.id])[row.id])

    return write_once(session, "record_quote_outcome", opportunity_id, make, QuoteRow)


def quote_readiness(session: Session, opportunity_id: str) -> Readiness:
    deal = get_opportunity_row(session, opportunity_id)
    account = get_account_row(session, deal.account_id)
    records = records_of(session, deal.account_id)
    told = all_visible(session, Activity, column(Activity, "opportunity_id") == opportunity_id)
    shipping = count_visible(
        session,
        Address,
        column(Address, "account_id") == deal.account_id,
        column(Address, "kind") == "shipping",
    )
    facts = readiness.Facts(
        opportunity_id=opportunity_id,
        account_id=deal.account_id,
        account_status=account.status,
        stage=Stage(deal.stage),
        contact_ids=tuple(contact_ids_of(session, opportunity_id)),
        heard=tuple(
            readiness.Heard(
                row.activity_id,
                row.kind,
                row.direction,
                trust_of(sender_of(row), records),
                0 if {"system", "by_agent"} & set(row.flags) else len(row.text),
            )
            for row in sorted(told, key=lambda a: (a.at, a.activity_id))
        ),
        open_quotes=_open_quotes(session, opportunity_id),
        has_shipping_address=bool(shipping),
    )
    verdict, checks, findings = readiness.judge(facts)
    return Readiness(
        opportunity_id=opportunity_id,
        account_id=deal.account_id,
        verdict=verdict,
        checks=checks,
        open_quotes=list(facts.open_quotes),
        findings=findings,
    )


def _open_quotes(session: Session, opportunity_id: str) -> tuple[OpenQuote, ...]:
    """Return the newest revision of each quote, where that one is a draft or issued."""
    rows: list[QuoteRecord] = all_visible(
        session, QuoteRecord, column(QuoteRecord, "opportunity_id") == opportunity_id
    )
    newest = {row.quote_id: row for row in sorted(rows, key=lambda r: r.revision)}
    return tuple(
        OpenQuote(
            quote_id=row.quote_id, number=row.number, revision=row.revision, outcome=row.outcome
        )
        for row in newest.values()
        if row.outcome in OPEN_OUTCOMES
    )
