"""The story of an opportunity: its activities and documents, and the words in them."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from servers.crm.reading.cleaning import redact, tidy
from servers.crm.schemas import (
    ActivityKind,
    ActivityPage,
    DocumentPage,
    DocumentText,
    Interaction,
    InteractionPage,
    LoggedActivity,
    Message,
    TextHit,
    TextHits,
    Trust,
)
from servers.crm.senders import Records, Sender, sender_findings, trust_of
from servers.crm.stages import CLOSED_STAGES
from servers.crm.store.accounts import records_of
from servers.crm.store.rows import (
    all_visible,
    column,
    now,
    page_of,
    slice_of,
    span,
    the_account,
    the_row,
    visible,
    write_once,
)
from servers.crm.store.search import Hit, find_texts, snippet, words_of
from servers.crm.tables import Activity, Document, Opportunity
from servers.toolkit import scope
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.paging import Page
from servers.toolkit.shipped import shipped

Values = dict[str, Any]
PAGE = 20_000
OLDEST_FIRST = (column(Activity, "at"), column(Activity, "activity_id"))
QUOTED = 4_000
"""Characters of what a message quotes; the messages before it hold all of it."""

_PROBLEMS: dict[str, str] = shipped(__package__, "problems")


def sender_of(row: Activity) -> Sender:
    return Sender(
        row.activity_id, row.kind, row.direction, row.from_address, row.reply_to, tuple(row.flags)
    )


def list_activities(
    session: Session,
    opportunity_id: str,
    limit: int,
    cursor: str | None,
    *,
    since: str = "",
    until: str = "",
) -> ActivityPage:
    """Return what happened in an opportunity, oldest first, without the texts."""
    deal = the_row(session, Opportunity, opportunity_id=opportunity_id)
    records = records_of(session, deal.account_id)

    def told(rows: list[Activity]) -> list[Values]:
        attached = attached_to(session, [row.activity_id for row in rows])
        return [
            {
                **row.model_dump(),
                "sender": row.from_name or row.from_address or row.author,
                "trust": trust_of(sender_of(row), records),
                "characters": len(row.text),
                "attachments": len(attached[row.activity_id]),
            }
            for row in rows
        ]

    within = span(column(Activity, "at"), since, until)
    order, mine = OLDEST_FIRST, {"opportunity_id": opportunity_id}
    return page_of(
        session, ActivityPage, Activity, order, limit, cursor, *within, told=told, **mine
    )


def attached_to(session: Session, activity_ids: Sequence[str]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    wanted = column(Document, "activity_id").in_(activity_ids)
    for row in all_visible(session, Document, wanted, order=[column(Document, "document_id")]):
        found[row.activity_id or ""].append(row)
    return found


def read_message(
    session: Session,
    opportunity_id: str,
    activity_id: str,
    offset: int = 0,
    page: int | None = PAGE,
) -> Message:
    """Return one activity with a page of its words; without a page, with all from the offset."""
    deal = the_row(session, Opportunity, opportunity_id=opportunity_id)
    row = the_row(session, Activity, activity_id=activity_id, opportunity_id=opportunity_id)
    attached = attached_to(session, [activity_id])
    whole = message_of(row, records_of(session, deal.account_id), attached)
    quoted = row.quoted_text[: None if page is None else QUOTED]
    part = _part(row.text, offset, page) | {"quoted_text": quoted}
    return whole.model_copy(update=part)


def _part(text: str, offset: int, page: int | None) -> Values:
    """Return a page of a text, or all of it, from an offset, as messages and documents say it."""
    if offset and offset >= len(text):
        raise InvalidInputError(
            f"the text has {len(text)} characters", fix="use next_offset of the page before"
        )
    end = len(text) if page is None else offset + page
    after = end if end < len(text) else None
    return {"text": text[offset:end], "offset": offset, "next_offset": after}


def message_of(row: Activity, records: Records, attached: dict[str, list[Document]]) -> Message:
    sender = sender_of(row)
    said = {
        **row.model_dump(),
        "trust": trust_of(sender, records),
        "sent_at": row.at,
        "from_name": row.from_name or row.author,
        "total_characters": len(row.text),
        "attachments": attached[row.activity_id],
        "findings": sender_findings(sender, records),
    }
    return Message.model_validate(said, from_attributes=True)


def read_document(
    session: Session, opportunity_id: str, document_id: str, offset: int, page: int | None = PAGE
) -> DocumentText:
    """Return a page of a document's text; without a page, all of it from the offset."""
    deal = the_row(session, Opportunity, opportunity_id=opportunity_id)
    row = the_row(session, Document, document_id=document_id, opportunity_id=opportunity_id)
    return DocumentText(
        **row.model_dump(exclude={"text"}),
        **_part(row.text, offset, page),
        trust=_document_trust(session, row, deal.account_id),
        total_characters=len(row.text),
        findings=_document_findings(row),
    )


def _document_trust(session: Session, row: Document, account_id: str) -> Trust:
    """A document is trusted as the message it came with; without a message it is not trusted."""
    if row.activity_id is None:
        return "unknown"
    ids = {"activity_id": row.activity_id, "opportunity_id": row.opportunity_id}
    return trust_of(sender_of(the_row(session, Activity, **ids)), records_of(session, account_id))


def _document_findings(row: Document) -> list[Finding]:
    return [
        Finding(
            code=code,
            severity=Severity.WARNING,
            message=_PROBLEMS.get(code, "The file could not be read."),
            subject=row.document_id,
            rule_id="crm.document.readable",
            fix="Ask for the file again, as PDF or Word with text in it.",
        )
        for code in row.problems
    ]


def list_documents(
    session: Session, account_id: str, limit: int, cursor: str | None
) -> DocumentPage:
    """Return the documents of an account without their texts, newest id last."""
    account_id = the_account(session, account_id).account_id

    def told(rows: list[Document]) -> list[Values]:
        return [{**row.model_dump(), "characters": len(row.text)} for row in rows]

    order, mine = [column(Document, "document_id")], {"account_id": account_id}
    return page_of(session, DocumentPage, Document, order, limit, cursor, told=told, **mine)


def list_interactions(
    session: Session, account_id: str, limit: int, cursor: str | None
) -> InteractionPage:
    """Return when and how an account was spoken with, newest first; not a word of what was said."""
    account_id = the_account(session, account_id).account_id
    deals = all_visible(session, Opportunity, account_id=account_id)
    stages = {deal.opportunity_id: deal.stage for deal in deals}

    def told(rows: list[Activity]) -> list[Values]:
        return [{**row.model_dump(), "stage": stages[row.opportunity_id]} for row in rows]

    newest, mine = [one.desc() for one in OLDEST_FIRST], {"account_id": account_id}
    page = page_of(session, Page[Interaction], Activity, newest, limit, cursor, told=told, **mine)
    told_of = select(*(column(Activity, name) for name in ("kind", "direction", "at")))
    known = visible(told_of.filter_by(account_id=account_id), Activity)
    every = session.execute(known).all()
    return InteractionPage(
        **dict(page),
        last_inbound_at=max((row.at for row in every if row.direction == "inbound"), default=None),
        open_opportunities=sum(stage not in CLOSED_STAGES for stage in stages.values()),
        by_kind=dict(sorted(Counter(row.kind for row in every).items())),
    )


def search_text(
    session: Session, opportunity_id: str, query: str, limit: int, cursor: str | None
) -> TextHits:
    """Return the places of words in the messages and documents of an opportunity.

    Texts that hold every word come first; when none does, those that hold any of them.
    """
    the_row(session, Opportunity, opportunity_id=opportunity_id)
    words = words_of(query)
    hits = find_texts(session, words, opportunity_id=opportunity_id) or find_texts(
        session, words, opportunity_id=opportunity_id, any_word=True
    )
    part = slice_of(Page[Hit], hits, limit, cursor)
    found = [_hit(source_of(session, opportunity_id, hit.source_id), words) for hit in part.items]
    return TextHits(**dict(part) | {"items": found})


def _hit(source: Activity | Document, words: Sequence[str]) -> TextHit:
    found, start = snippet(source.text, words)
    if isinstance(source, Document):
        named = {"source_id": source.document_id, "title": source.title or source.filename}
        return TextHit(**named, kind="document", at=None, snippet=found, start=start)
    named = {"source_id": source.activity_id, "title": source.subject}
    return TextHit(**named, kind="message", at=source.at, snippet=found, start=start)


def source_of(session: Session, opportunity_id: str, source_id: str) -> Activity | Document:
    """Return the message or document whose text spans of a source point into."""
    if source_id.startswith("doc_"):
        return the_row(session, Document, document_id=source_id, opportunity_id=opportunity_id)
    return the_row(session, Activity, activity_id=source_id, opportunity_id=opportunity_id)


def log_activity(
    session: Session, opportunity_id: str, kind: ActivityKind, body: str
) -> LoggedActivity:
    """Add an activity of our own to the story; nothing in it is ever changed."""

    def make(deal: Opportunity) -> LoggedActivity:
        row = add_note(session, deal, kind, body)
        return LoggedActivity.model_validate(row, from_attributes=True)

    return write_once(session, "log_activity", opportunity_id, make, LoggedActivity)


def add_note(
    session: Session, deal: Opportunity, kind: ActivityKind, body: str, *, flags: Sequence[str] = ()
) -> Activity:
    """Append an activity, cleaned and with secrets masked; an agent's note says that it is one."""
    cleaned = redact(tidy(body))
    if not cleaned:
        raise InvalidInputError("the body holds no text", fix="say what happened")
    actor = scope.actor()
    row = Activity(
        activity_id=f"act_{secrets.token_hex(8)}",
        opportunity_id=deal.opportunity_id,
        account_id=deal.account_id,
        kind=kind,
        direction="internal",
        at=now(),
        author=scope.requester(),
        text=cleaned,
        flags=[*flags, *(["by_agent"] if actor.startswith("agent:") else [])],
        recorded_by=actor,
    )
    session.add(row)
    session.flush()
    return row
