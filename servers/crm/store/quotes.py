"""What was offered and how it went, and whether the records allow another quote."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from servers.crm import readiness
from servers.crm.schemas import OpenQuote, Outcome, QuotePage, QuoteRow, Readiness, Stage
from servers.crm.senders import trust_of
from servers.crm.stages import OPEN_OUTCOMES, check_outcome, closes, stage_after
from servers.crm.store.accounts import records_of
from servers.crm.store.opportunities import contact_ids_of, move_to
from servers.crm.store.rows import (
    all_visible,
    column,
    count_visible,
    now,
    page_of,
    the_account,
    the_row,
    write_for,
    write_once,
)
from servers.crm.store.stories import OLDEST_FIRST, sender_of
from servers.crm.tables import (
    Account,
    Activity,
    Address,
    Opportunity,
    QuoteLine,
    QuoteRecord,
    QuoteStep,
)
from servers.toolkit import scope
from servers.toolkit.errors import ConflictError


def quote_history(
    session: Session, account_id: str, limit: int, cursor: str | None, *, with_lines: bool = False
) -> QuotePage:
    """Return the quotes of an account, newest first, each with the steps of its life."""
    account_id = the_account(session, account_id).account_id

    def told(rows: list[QuoteRecord]) -> list[QuoteRow]:
        ids = [row.id for row in rows]
        events, lines = _events(session, ids), _lines(session, ids if with_lines else [])
        return [_row(row, events[row.id], lines[row.id]) for row in rows]

    order = (column(QuoteRecord, "at").desc(), column(QuoteRecord, "id").desc())
    mine = {"account_id": account_id}
    return page_of(session, QuotePage, QuoteRecord, order, limit, cursor, told=told, **mine)


def _events(session: Session, ids: Sequence[int | None]) -> dict[int | None, list[QuoteStep]]:
    """Return the steps of quotes; that the caller may see those was checked before."""
    found: dict[int | None, list[QuoteStep]] = defaultdict(list)
    mine = column(QuoteStep, "quote_record_id").in_(ids)
    steps = select(QuoteStep).where(mine).order_by(column(QuoteStep, "id"))
    for step in session.execute(steps).scalars():
        found[step.quote_record_id].append(step)
    return found


def _lines(session: Session, ids: Sequence[int | None]) -> dict[int | None, list[QuoteLine]]:
    found: dict[int | None, list[QuoteLine]] = defaultdict(list)
    mine = column(QuoteLine, "quote_record_id").in_(ids)
    lines = select(QuoteLine).where(mine).order_by(column(QuoteLine, "position"))
    for one in session.execute(lines).scalars():
        found[one.quote_record_id].append(one)
    return found


def _row(
    row: QuoteRecord, events: Sequence[QuoteStep], lines: Sequence[QuoteLine] = ()
) -> QuoteRow:
    said = {**row.model_dump(), "events": events, "lines": lines}
    return QuoteRow.model_validate(said, from_attributes=True)


def record_quote_outcome(
    session: Session,
    opportunity_id: str,
    quote: Mapping[str, Any],
    outcome: Outcome,
    said: Mapping[str, Any],
) -> QuoteRow:
    """Record how a quote revision stands; one row per revision, every step kept.

    `quote` is its quote_id and revision, `said` its number, total_minor and currency.
    """

    def make(deal: Opportunity) -> QuoteRow:
        return _record(session, deal.account_id, deal, quote, outcome, said)

    return write_once(session, "record_quote_outcome", opportunity_id, make, QuoteRow)


def record_account_quote(
    session: Session,
    account_id: str,
    quote: Mapping[str, Any],
    outcome: Outcome,
    said: Mapping[str, Any],
) -> QuoteRow:
    """Record how a quote stands that belongs to no opportunity; no stage follows it."""

    def make(account: Account) -> QuoteRow:
        return _record(session, account.account_id, None, quote, outcome, said)

    return write_for(session, "record_account_quote", account_id, make, QuoteRow)


def _record(
    session: Session,
    account_id: str,
    deal: Opportunity | None,
    quote: Mapping[str, Any],
    outcome: Outcome,
    said: Mapping[str, Any],
) -> QuoteRow:
    opportunity_id = deal.opportunity_id if deal else None
    _check_deal(session, quote["quote_id"], account_id, opportunity_id)
    found = all_visible(session, QuoteRecord, **quote, opportunity_id=opportunity_id)
    about: dict[str, Any] = {"account_id": account_id, "opportunity_id": opportunity_id}
    new = QuoteRecord(**quote, **about, outcome=outcome.value)
    row, moved = (found[0], found[0].outcome != outcome.value) if found else (new, True)
    check_outcome(Outcome(row.outcome), outcome)
    row.outcome, row.total_minor, row.currency = (
        outcome.value,
        said["total_minor"],
        said["currency"],
    )
    row.number = said["number"] or row.number
    if moved:
        row.at = now()
    session.add(row)
    session.flush()
    if moved:
        _keep_step(session, row)
        if deal is not None:
            _follow(session, deal, row)
    return _row(row, _events(session, [row.id])[row.id])


def _check_deal(session: Session, quote_id: str, account_id: str, deal: str | None) -> None:
    """Refuse a quote that is on file under another deal, whoever may see that one."""
    on_file = select(QuoteRecord).filter_by(quote_id=quote_id)
    for row in session.execute(on_file).scalars():
        if (row.account_id, row.opportunity_id or deal) != (account_id, deal):
            raise ConflictError(
                f"{quote_id} is on file under another opportunity",
                fix="give the opportunity_id that finance's get_quote names",
            )


def _keep_step(session: Session, row: QuoteRecord) -> None:
    step: dict[str, Any] = {"quote_record_id": row.id, "outcome": row.outcome, "at": row.at}
    session.add(QuoteStep(**step, actor=scope.actor()))
    session.flush()


def _follow(session: Session, deal: Opportunity, row: QuoteRecord) -> None:
    """Close the quotes that gave way to this one, as finance did, and move the deal's stage."""
    outcome = Outcome(row.outcome)
    mine = {"opportunity_id": deal.opportunity_id}
    others = [one for one in all_visible(session, QuoteRecord, **mine) if one.id != row.id]
    for one in others:
        earlier = outcome is Outcome.ACCEPTED or (one.id or 0) < (row.id or 0)
        if earlier and one.outcome in closes(outcome):
            one.outcome, one.at = Outcome.SUPERSEDED.value, row.at
            _keep_step(session, one)
    offered = any(one.outcome in OPEN_OUTCOMES for one in others)
    move_to(session, deal, stage_after(Stage(deal.stage), outcome, offered=offered))


def quote_readiness(session: Session, opportunity_id: str) -> Readiness:
    deal = the_row(session, Opportunity, opportunity_id=opportunity_id)
    account = the_row(session, Account, account_id=deal.account_id)
    records = records_of(session, deal.account_id)
    told = all_visible(session, Activity, order=OLDEST_FIRST, opportunity_id=opportunity_id)
    shipping = count_visible(session, Address, account_id=deal.account_id, kind="shipping")
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
            for row in told
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


def account_readiness(session: Session, account_id: str) -> Readiness:
    account = the_account(session, account_id)
    shipping = count_visible(session, Address, account_id=account.account_id, kind="shipping")
    verdict, checks, findings = readiness.judge_account(
        account.account_id, account.status, has_shipping_address=bool(shipping)
    )
    return Readiness(
        opportunity_id="",
        account_id=account.account_id,
        verdict=verdict,
        checks=checks,
        open_quotes=[],
        findings=findings,
    )


def _open_quotes(session: Session, opportunity_id: str) -> tuple[OpenQuote, ...]:
    """Return the newest revision of each quote, where that one is a draft or issued."""
    order = (column(QuoteRecord, "revision"), column(QuoteRecord, "id"))
    rows = all_visible(session, QuoteRecord, order=order, opportunity_id=opportunity_id)
    newest = {row.quote_id: row for row in rows}.values()
    still_open = [row for row in newest if row.outcome in OPEN_OUTCOMES]
    return tuple(OpenQuote.model_validate(row, from_attributes=True) for row in still_open)
