"""The story of an opportunity: its activities and documents, and the words in them."""

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from servers.crm.reading.cleaning import tidy
from servers.crm.redaction import redact
from servers.crm.schemas import (
    ActivityKind,
    ActivityPage,
    ActivityRow,
    Attachment,
    DocumentPage,
    DocumentRow,
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
    get_account_row,
    get_opportunity_row,
    now,
    page_of,
    slice_of,
    visible,
    write_once,
)
from servers.crm.store.search import find_texts, snippet, words_of
from servers.crm.tables import Activity, Document, Opportunity
from servers.toolkit import scope
from servers.toolkit.errors import InvalidInputError, NotFoundError
from servers.toolkit.findings import Finding, Severity

PAGE = 20_000
QUOTED = 4_000
"""Characters of what a message quotes; the messages before it hold all of it."""

_PROBLEMS = {
    "DOCUMENT_BROKEN": "The file is broken or is not what its name says.",
    "DOCUMENT_TOO_LARGE": "The file is over the limits on size, pages or unpacked size.",
    "DOCUMENT_ENCRYPTED": "The file is protected by a password.",
    "DOCUMENT_FORMAT_UNKNOWN": "Files of this kind are kept by name only.",
    "DOCUMENT_HAS_NO_TEXT": "No text could be read from the file; it may be a scan.",
    "DOCUMENT_CUT": "Only the beginning of the document was read.",
}


def sender_of(row: Activity) -> Sender:
    return Sender(
        row.activity_id,
        row.kind,
        row.direction,
        row.from_address,
        row.reply_to,
        tuple(row.flags),
    )


def list_activities(
    session: Session, opportunity_id: str, limit: int, cursor: str | None
) -> ActivityPage:
    """Return what happened in an opportunity, oldest first, without the texts."""
    deal = get_opportunity_row(session, opportunity_id)
    mine = [column(Activity, "opportunity_id") == opportunity_id]
    order = (column(Activity, "at"), column(Activity, "activity_id"))
    rows, total, after = page_of(session, Activity, mine, order, limit, cursor)
    records = records_of(session, deal.account_id)
    attached = attached_to(session, [row.activity_id for row in rows])
    items = [
        ActivityRow(
            activity_id=row.activity_id,
            opportunity_id=row.opportunity_id,
            kind=row.kind,
            direction=row.direction,
            at=row.at,
            subject=row.subject,
            sender=row.from_name or row.from_address or row.author,
            trust=trust_of(sender_of(row), records),
            characters=len(row.text),
            attachments=len(attached.get(row.activity_id, ())),
        )
        for row in rows
    ]
    return ActivityPage(items=items, total=total, next_cursor=after)


def attached_to(session: Session, activity_ids: Sequence[str]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    wanted = column(Document, "activity_id").in_(activity_ids)
    for row in sorted(all_visible(session, Document, wanted), key=lambda d: d.document_id):
        found.setdefault(row.activity_id or "", []).append(row)
    return found


def read_message(
    session: Session,
    opportunity_id: str,
    activity_id: str,
    offset: int = 0,
    page: int | None = PAGE,
) -> Message:
    """Return one activity with a page of its words; without a page, with all from the offset."""
    deal = get_opportunity_row(session, opportunity_id)
    row = get_activity_row(session, opportunity_id, activity_id)
    whole = message_of(
        row, records_of(session, deal.account_id), attached_to(session, [activity_id])
    )
    _check_offset(offset, len(row.text))
    end = len(row.text) if page is None else offset + page
    return whole.model_copy(
        update={
            "text": row.text[offset:end],
            "quoted_text": row.quoted_text[: None if page is None else QUOTED],
            "offset": offset,
            "next_offset": end if end < len(row.text) else None,
        }
    )


def _check_offset(offset: int, length: int) -> None:
    if offset and offset >= length:
        raise InvalidInputError(
            f"the text has {length} characters", fix="use next_offset of the page before"
        )


def message_of(row: Activity, records: Records, attached: dict[str, list[Document]]) -> Message:
    sender = sender_of(row)
    return Message(
        activity_id=row.activity_id,
        opportunity_id=row.opportunity_id,
        kind=row.kind,
        direction=row.direction,
        trust=trust_of(sender, records),
        sent_at=row.at,
        subject=row.subject,
        from_name=row.from_name or row.author,
        from_address=row.from_address,
        to=row.to,
        cc=row.cc,
        text=row.text,
        quoted_text=row.quoted_text,
        total_characters=len(row.text),
        attachments=[
            Attachment(document_id=d.document_id, filename=d.filename, mime=d.mime)
            for d in attached.get(row.activity_id, ())
        ],
        findings=sender_findings(sender, records),
    )


def get_activity_row(session: Session, opportunity_id: str, activity_id: str) -> Activity:
    """Return an activity of a visible opportunity.

    Raises:
        NotFoundError: that opportunity has none of this id.
    """
    found: list[Activity] = all_visible(
        session,
        Activity,
        column(Activity, "activity_id") == activity_id,
        column(Activity, "opportunity_id") == opportunity_id,
    )
    if not found:
        raise NotFoundError(
            f"no activity_id {activity_id[:60]!r}", fix="list_activities lists the ids"
        )
    return found[0]


def get_document_row(session: Session, opportunity_id: str, document_id: str) -> Document:
    """Return a document of a visible opportunity.

    Raises:
        NotFoundError: that opportunity has none of this id.
    """
    found: list[Document] = all_visible(
        session,
        Document,
        column(Document, "document_id") == document_id,
        column(Document, "opportunity_id") == opportunity_id,
    )
    if not found:
        raise NotFoundError(
            f"no document_id {document_id[:60]!r}",
            fix="read_message names the attachments of a message",
        )
    return found[0]


def read_document(
    session: Session,
    opportunity_id: str,
    document_id: str,
    offset: int,
    page: int | None = PAGE,
) -> DocumentText:
    """Return a page of a document's text; without a page, all of it from the offset."""
    deal = get_opportunity_row(session, opportunity_id)
    row = get_document_row(session, opportunity_id, document_id)
    _check_offset(offset, len(row.text))
    end = len(row.text) if page is None else offset + page
    return DocumentText(
        document_id=row.document_id,
        opportunity_id=row.opportunity_id,
        filename=row.filename,
        mime=row.mime,
        title=row.title,
        trust=_document_trust(session, row, deal.account_id),
        text=row.text[offset:end],
        offset=offset,
        next_offset=end if end < len(row.text) else None,
        total_characters=len(row.text),
        findings=_document_findings(row),
    )


def _document_trust(session: Session, row: Document, account_id: str) -> Trust:
    """A document is trusted as the message it came with; without a message it is not trusted."""
    if row.activity_id is None:
        return "unknown"
    activity = get_activity_row(session, row.opportunity_id, row.activity_id)
    return trust_of(sender_of(activity), records_of(session, account_id))


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
    get_account_row(session, account_id)
    mine = [column(Document, "account_id") == account_id]
    order = (column(Document, "document_id"),)
    rows, total, after = page_of(session, Document, mine, order, limit, cursor)
    items = [
        DocumentRow.model_validate(row.model_dump(exclude={"text"}) | {"characters": len(row.text)})
        for row in rows
    ]
    return DocumentPage(items=items, total=total, next_cursor=after)


def list_interactions(
    session: Session, account_id: str, limit: int, cursor: str | None
) -> InteractionPage:
    """Return when and how an account was spoken with, newest first; not a word of what was said."""
    get_account_row(session, account_id)
    mine = column(Activity, "account_id") == account_id
    order = (column(Activity, "at").desc(), column(Activity, "activity_id").desc())
    rows, total, after = page_of(session, Activity, [mine], order, limit, cursor)
    deals = all_visible(session, Opportunity, column(Opportunity, "account_id") == account_id)
    stages = {deal.opportunity_id: deal.stage for deal in deals}
    kinds = visible(select(column(Activity, "kind")).where(mine), Activity)
    inbound = column(Activity, "direction") == "inbound"
    last = visible(select(func.max(column(Activity, "at"))).where(mine, inbound), Activity)
    last_at: str | None = session.execute(last).scalar()
    return InteractionPage(
        items=[
            Interaction(
                activity_id=row.activity_id,
                opportunity_id=row.opportunity_id,
                kind=row.kind,
                direction=row.direction,
                at=row.at,
                stage=stages[row.opportunity_id],
            )
            for row in rows
        ],
        total=total,
        next_cursor=after,
        last_inbound_at=datetime.fromisoformat(last_at) if last_at else None,
        open_opportunities=sum(stage not in CLOSED_STAGES for stage in stages.values()),
        by_kind=dict(sorted(Counter(session.execute(kinds).scalars()).items())),
    )


def search_text(
    session: Session, opportunity_id: str, query: str, limit: int, cursor: str | None
) -> TextHits:
    """Return the places of words in the messages and documents of an opportunity.

    Texts that hold every word come first; when none does, those that hold any of them.
    """
    get_opportunity_row(session, opportunity_id)
    words = words_of(query)
    hits = find_texts(session, words, opportunity_id=opportunity_id) or find_texts(
        session, words, opportunity_id=opportunity_id, any_word=True
    )
    part, total, after = slice_of(hits, limit, cursor)
    items = [_hit(session, opportunity_id, hit.source_id, words) for hit in part]
    return TextHits(items=items, total=total, next_cursor=after)


def _hit(session: Session, opportunity_id: str, source_id: str, words: Sequence[str]) -> TextHit:
    if source_id.startswith("doc_"):
        document = get_document_row(session, opportunity_id, source_id)
        found, start = snippet(document.text, words)
        title = document.title or document.filename
        return TextHit(
            source_id=source_id, kind="document", title=title, at=None, snippet=found, start=start
        )
    activity = get_activity_row(session, opportunity_id, source_id)
    found, start = snippet(activity.text, words)
    return TextHit(
        source_id=source_id,
        kind="message",
        title=activity.subject,
        at=activity.at,
        snippet=found,
        start=start,
    )


def source_text(session: Session, opportunity_id: str, source_id: str) -> str:
    """Return the text that spans of a source point into."""
    if source_id.startswith("doc_"):
        return get_document_row(session, opportunity_id, source_id).text
    return get_activity_row(session, opportunity_id, source_id).text


def log_activity(
    session: Session, opportunity_id: str, kind: ActivityKind, body: str
) -> LoggedActivity:
    """Add an activity of our own to the story; nothing in it is ever changed."""

    def make(deal: Opportunity) -> LoggedActivity:
        row = add_note(session, deal, kind, body)
        return LoggedActivity(
            activity_id=row.activity_id, opportunity_id=opportunity_id, kind=kind, at=row.at
        )

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
