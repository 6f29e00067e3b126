"""Opportunities: finding them by topic, reading them, and moving them on."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from servers.crm.schemas import OpportunityDetail, OpportunityPage, OpportunityRow, Outcome, Stage
from servers.crm.stages import CLOSED_STAGES, check_open, check_stage, check_version, next_stages
from servers.crm.store.accounts import words_of_account
from servers.crm.store.new_accounts import line
from servers.crm.store.rows import (
    all_visible,
    column,
    count_visible,
    now,
    slice_of,
    span,
    the_account,
    the_row,
    visible,
    write_for,
    write_once,
)
from servers.crm.store.search import deals_with
from servers.crm.store.stories import add_note
from servers.crm.tables import (
    Account,
    Activity,
    Contact,
    Document,
    Need,
    Opportunity,
    OpportunityContact,
    QuoteRecord,
)
from servers.crm.topics import Topic, query_words, score
from servers.toolkit import scope
from servers.toolkit.errors import RuleViolationError
from servers.toolkit.paging import Page

NEWEST = 1000


def search_opportunities(
    session: Session,
    query: str,
    account_id: str | None,
    *,
    open_only: bool,
    limit: int,
    cursor: str | None,
    stage: str = "",
    owner: str = "",
    closes_from: str = "",
    closes_to: str = "",
) -> OpportunityPage:
    """Return opportunities, the best answer to the query first, then the latest activity."""
    conditions = span(column(Opportunity, "close_date"), closes_from, closes_to)
    words = query_words(query)
    for name, value in (("stage", stage), ("owner", owner)):
        conditions += [column(Opportunity, name) == value] if value else []
    if open_only:
        conditions.append(column(Opportunity, "stage").notin_(CLOSED_STAGES))
    if account_id is not None:
        account_id = the_account(session, account_id).account_id
        conditions.append(column(Opportunity, "account_id") == account_id)
        # the customer's own names tell none of its deals from another
        theirs = words_of_account(session, account_id)
        words = [word for word in words if word not in theirs]
    within = {} if account_id is None else {"account_id": account_id}
    spoken = deals_with(session, words, **within)
    ids = _newest(session, conditions)
    if not words:
        part = slice_of(Page[str], ids, limit, cursor)
        items = _scored(session, _in_order(session, part.items), words, spoken)
        return OpportunityPage(**dict(part) | {"items": items})
    if len(ids) == NEWEST:  # more may exist; those whose texts hold a word must not be missed
        ids += sorted({one for found in spoken.values() for one in found} - {*ids})[:NEWEST]
    rows = _in_order(session, ids, *conditions)
    return slice_of(OpportunityPage, _scored(session, rows, words, spoken), limit, cursor)


def _newest(session: Session, conditions: Sequence[Any]) -> list[str]:
    mine = column(Opportunity, "opportunity_id")
    found = visible(select(mine).where(*conditions), Opportunity)
    order = (column(Opportunity, "latest").desc(), mine)
    return list(session.execute(found.order_by(*order).limit(NEWEST)).scalars())


def _in_order(session: Session, ids: Sequence[str], *conditions: Any) -> list[Opportunity]:
    mine = column(Opportunity, "opportunity_id").in_(ids)
    found = {
        row.opportunity_id: row for row in all_visible(session, Opportunity, mine, *conditions)
    }
    return [found[one] for one in ids if one in found]


def _scored(
    session: Session,
    rows: Sequence[Opportunity],
    words: Sequence[str],
    spoken: dict[str, frozenset[str]],
) -> list[OpportunityRow]:
    ids = [row.opportunity_id for row in rows]
    names = _account_names(session, {row.account_id for row in rows})
    subjects = _texts_by_deal(session, Activity, "subject", ids) if words else {}
    needs = _texts_by_deal(session, Need, "statement", ids) if words else {}
    latest = last_activity(session, ids)
    items = []
    for row in rows:
        topic = Topic(
            row.name,
            names[row.account_id],
            tuple(needs.get(row.opportunity_id, ())),
            tuple(subjects.get(row.opportunity_id, ())),
            frozenset(word for word in words if row.opportunity_id in spoken[word]),
        )
        fit, reasons = score(words, topic)
        if words and not fit:
            continue
        items.append(
            OpportunityRow(
                **row.model_dump(),
                account_name=names[row.account_id],
                open=row.stage not in CLOSED_STAGES,
                last_activity_at=latest.get(row.opportunity_id),
                score=fit,
                reasons=reasons,
            )
        )
    return sorted(items, key=lambda item: -item.score)  # stable: the newest stay first


def _account_names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    found = all_visible(session, Account, column(Account, "account_id").in_(sorted(ids)))
    return {row.account_id: row.name for row in found}


def _texts_by_deal(
    session: Session, table: type[Activity] | type[Need], name: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    deal = column(table, "opportunity_id")
    statement = visible(select(deal, column(table, name)).where(deal.in_(ids)), table)
    found: dict[str, list[str]] = defaultdict(list)
    for opportunity_id, said in session.execute(statement):
        found[opportunity_id].append(said)
    return found


def last_activity(session: Session, ids: Sequence[str]) -> dict[str, datetime]:
    deal = column(Activity, "opportunity_id")
    statement = visible(
        select(deal, func.max(column(Activity, "at"))).where(deal.in_(ids)).group_by(deal), Activity
    )
    return {found: datetime.fromisoformat(at) for found, at in session.execute(statement)}


def get_opportunity(session: Session, opportunity_id: str) -> OpportunityDetail:
    return detail_of(session, the_row(session, Opportunity, opportunity_id=opportunity_id))


def detail_of(session: Session, row: Opportunity) -> OpportunityDetail:
    """Return an opportunity's row with everything that is counted around it."""
    deal = row.opportunity_id
    return OpportunityDetail(
        **row.model_dump(),
        account_name=_account_names(session, [row.account_id])[row.account_id],
        open=row.stage not in CLOSED_STAGES,
        contact_ids=contact_ids_of(session, deal),
        last_activity_at=last_activity(session, [deal]).get(deal),
        next_stages=next_stages(Stage(row.stage)),
        activities=count_visible(session, Activity, opportunity_id=deal),
        documents=count_visible(session, Document, opportunity_id=deal),
        needs=count_visible(session, Need, opportunity_id=deal),
    )


def contact_ids_of(session: Session, opportunity_id: str) -> list[str]:
    """Return an opportunity's contacts; that the caller may see it was checked before."""
    chosen = select(column(OpportunityContact, "contact_id")).filter_by(
        opportunity_id=opportunity_id
    )
    return list(session.execute(chosen.order_by(column(OpportunityContact, "place"))).scalars())


def open_opportunity(
    session: Session,
    account_id: str,
    *,
    name: str,
    stage: Stage,
    owner: str,
    close_date: date | None,
    amount: tuple[int | None, str],
    contact_ids: Sequence[str],
) -> OpportunityDetail:
    """Put a deal that may come on file, with the contacts who take part, the one addressed first.

    An amount is in minor units and a currency; without one in the account's own.
    """

    def make(account: Account) -> OpportunityDetail:
        check_open(stage)
        if account.status == "closed":
            raise RuleViolationError(f"{account.account_id} is closed", fix="use another account")
        minor, currency = amount
        row = Opportunity(
            opportunity_id=f"opp_{secrets.token_hex(8)}",
            account_id=account.account_id,
            name=line(name, "name"),
            stage=stage.value,
            owner=owner or scope.requester(),
            created=now()[:10],
            close_date=None if close_date is None else close_date.isoformat(),
            amount_minor=minor,
            currency="" if minor is None else currency or account.currency,
        )
        session.add(row)
        session.flush()
        for place, one in enumerate(dict.fromkeys(contact_ids)):
            the_row(session, Contact, contact_id=one, account_id=account.account_id)
            who = {"opportunity_id": row.opportunity_id, "contact_id": one}
            session.add(OpportunityContact(**who, place=place))
        session.flush()
        return detail_of(session, row)

    return write_for(session, "open_opportunity", account_id, make, OpportunityDetail)


def update_stage(
    session: Session, opportunity_id: str, stage: Stage, expected_version: int
) -> OpportunityDetail:
    """Move an opportunity to another stage and leave a note of it."""

    def make(row: Opportunity) -> OpportunityDetail:
        check_version(expected_version, row.version)
        quotes = all_visible(session, QuoteRecord, opportunity_id=opportunity_id)
        outcomes = frozenset(Outcome(quote.outcome) for quote in quotes)
        check_stage(Stage(row.stage), stage, outcomes)
        move_to(session, row, stage)
        return detail_of(session, row)

    return write_once(session, "update_stage", opportunity_id, make, OpportunityDetail)


def move_to(session: Session, row: Opportunity, stage: Stage) -> None:
    """Store another stage with a note of it; that it may follow was checked before."""
    if row.stage == stage.value:
        return
    words = f"Stage moved from {row.stage} to {stage.value}."
    row.stage, row.version = stage.value, row.version + 1
    session.add(row)
    add_note(session, row, "note", words, flags=["system"])
    session.flush()
