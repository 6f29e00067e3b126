"""Opportunities: finding them by topic, reading them, and moving them on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from servers.crm.schemas import (
    OpportunityDetail,
    OpportunityPage,
    OpportunityRow,
    Outcome,
    Stage,
)
from servers.crm.stages import CLOSED_STAGES, check_stage, check_version, next_stages
from servers.crm.store.accounts import words_of_account
from servers.crm.store.rows import (
    all_visible,
    column,
    count_visible,
    get_account_row,
    get_opportunity_row,
    slice_of,
    visible,
    write_once,
)
from servers.crm.store.search import find_texts
from servers.crm.store.stories import add_note
from servers.crm.tables import (
    Account,
    Activity,
    Document,
    Need,
    Opportunity,
    OpportunityContact,
    QuoteRecord,
)
from servers.crm.topics import Topic, query_words, score, stem_of

NEWEST = 1000
_CLOSED = [stage.value for stage in CLOSED_STAGES]


def search_opportunities(
    session: Session,
    query: str,
    account_id: str | None,
    *,
    open_only: bool,
    limit: int,
    cursor: str | None,
) -> OpportunityPage:
    """Return opportunities, the best answer to the query first, then the latest activity."""
    conditions: list[Any] = []
    if account_id is not None:
        get_account_row(session, account_id)
        conditions.append(column(Opportunity, "account_id") == account_id)
    if open_only:
        conditions.append(column(Opportunity, "stage").notin_(_CLOSED))
    words = query_words(query)
    if account_id is not None:  # the customer's own names tell none of its deals from another
        theirs = words_of_account(session, account_id)
        words = [word for word in words if word not in theirs]
    spoken = {word: _spoken_of(session, word) for word in words}
    rows = _newest(session, conditions)
    if len(rows) == NEWEST:  # more may exist; those whose texts hold a word must not be missed
        known = {row.opportunity_id for row in rows}
        more = sorted({i for ids in spoken.values() for i in ids} - known)[:NEWEST]
        wanted = column(Opportunity, "opportunity_id").in_(more)
        rows += all_visible(session, Opportunity, *conditions, wanted)
    items = _scored(session, rows, words, spoken)
    part, total, after = slice_of(items, limit, cursor)
    return OpportunityPage(items=part, total=total, next_cursor=after)


def _spoken_of(session: Session, word: str) -> frozenset[str]:
    """Return the opportunities with a message or document that has the word."""
    return frozenset(hit.opportunity_id for hit in find_texts(session, [stem_of(word)]))


def _newest(session: Session, conditions: Sequence[Any]) -> list[Opportunity]:
    last = func.max(column(Activity, "at"))
    latest = (
        select(column(Activity, "opportunity_id"), last.label("at"))
        .group_by(column(Activity, "opportunity_id"))
        .subquery()
    )
    statement = (
        visible(select(Opportunity).where(*conditions), Opportunity)
        .outerjoin(latest, latest.c.opportunity_id == column(Opportunity, "opportunity_id"))
        .order_by(
            func.coalesce(latest.c.at, column(Opportunity, "created")).desc(),
            column(Opportunity, "opportunity_id"),
        )
        .limit(NEWEST)
    )
    return list(session.execute(statement).scalars())


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
        stage = Stage(row.stage)
        items.append(
            OpportunityRow(
                opportunity_id=row.opportunity_id,
                account_id=row.account_id,
                account_name=names[row.account_id],
                name=row.name,
                stage=stage,
                open=stage not in CLOSED_STAGES,
                close_date=row.close_date,
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
    return detail_of(session, get_opportunity_row(session, opportunity_id))


def detail_of(session: Session, row: Opportunity) -> OpportunityDetail:
    """Return an opportunity's row with everything that is counted around it."""
    counts = {
        name: count_visible(session, table, column(table, "opportunity_id") == row.opportunity_id)
        for name, table in (("activities", Activity), ("documents", Document), ("needs", Need))
    }
    stage = Stage(row.stage)
    return OpportunityDetail(
        opportunity_id=row.opportunity_id,
        account_id=row.account_id,
        account_name=_account_names(session, [row.account_id])[row.account_id],
        name=row.name,
        stage=stage,
        open=stage not in CLOSED_STAGES,
        owner=row.owner,
        created=row.created,
        close_date=row.close_date,
        contact_ids=contact_ids_of(session, row.opportunity_id),
        last_activity_at=last_activity(session, [row.opportunity_id]).get(row.opportunity_id),
        next_stages=next_stages(stage),
        version=row.version,
        **counts,
    )


def contact_ids_of(session: Session, opportunity_id: str) -> list[str]:
    """Return an opportunity's contacts; that the caller may see it was checked before."""
    statement = (
        select(column(OpportunityContact, "contact_id"))
        .where(column(OpportunityContact, "opportunity_id") == opportunity_id)
        .order_by(column(OpportunityContact, "place"))
    )
    return list(session.execute(statement).scalars())


def update_stage(
    session: Session, opportunity_id: str, stage: Stage, expected_version: int
) -> OpportunityDetail:
    """Move an opportunity to another stage and leave a note of it."""

    def make(row: Opportunity) -> OpportunityDetail:
        check_version(expected_version, row.version)
        mine = column(QuoteRecord, "opportunity_id") == opportunity_id
        outcomes = frozenset(Outcome(q.outcome) for q in all_visible(session, QuoteRecord, mine))
        before = Stage(row.stage)
        check_stage(before, stage, outcomes)
        row.stage, row.version = stage.value, row.version + 1
        session.add(row)
        words = f"Stage moved from {before.value} to {stage.value}."
        add_note(session, row, "note", words, flags=["system"])
        session.flush()
        return detail_of(session, row)

    return write_once(session, "update_stage", opportunity_id, make, OpportunityDetail)
