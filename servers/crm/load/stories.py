"""How the story of a deal comes in: activities and documents, told by the files beside the rows."""

import mimetypes
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from servers.crm import schemas as s
from servers.crm import tables as m
from servers.crm.reading.cleaning import clean_line, clean_text, redact, tidy
from servers.crm.reading.documents import Extracted, extract
from servers.crm.reading.mails import Part, read_mail
from servers.crm.reading.replies import MAX_TEXT
from servers.crm.store.privacy import refuse_erased
from servers.crm.store.rows import stamp
from servers.toolkit import fields as f
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.tables import Around, Table, Values


def _moment(value: datetime) -> str:
    return stamp(value if value.tzinfo is not None else value.replace(tzinfo=UTC))


Moment = Annotated[datetime, AfterValidator(_moment)]
Day = Annotated[date, BeforeValidator(lambda v: str(v)[:10]), AfterValidator(date.isoformat)]
File = Annotated[str, Field(max_length=121, description="a file beside this one that tells it")]
RecordedBy = Annotated[str, Field(max_length=120, description="who wrote it down")]
READ_FROM_FILE = "read from the file, or said here when there is none"


def deal_account(opportunity_id: str, around: Around) -> str:
    """Return the account of an opportunity.

    Raises:
        ValueError: there is no such opportunity.
    """
    around.must_know(m.Opportunity, "opportunity_id", [opportunity_id])
    return str(around.known(m.Opportunity, "opportunity_id", "account_id").get(opportunity_id, ""))


def _activity(row: Any, around: Around) -> Values:
    values = ACTIVITIES.plain(row)
    values["account_id"] = deal_account(row.opportunity_id, around)
    values["author"], values["subject"] = clean_line(row.author), clean_line(row.subject, 400)
    if not row.file:
        values["text"] = redact(clean_text(row.text))[:MAX_TEXT]
        values["quoted_text"] = redact(clean_text(row.quoted_text))
    elif row.file.lower().endswith(".eml"):
        mail = read_mail(around.beside(row.file))
        values["at"] = row.at or (mail.sent_at and stamp(mail.sent_at))
        names = ("from_name", "from_address", "reply_to", "message_id", "in_reply_to", "sha256")
        values |= {name: getattr(mail, name) for name in names}
        values |= {"to": list(mail.to), "cc": list(mail.cc), "flags": list(mail.flags)}
        values |= {"text": redact(mail.text), "quoted_text": redact(mail.quoted_text)}
        values["subject"] = mail.subject or row.subject
        _remember(values, mail.attachments, around)
    else:
        text = _note(row.file, around.beside(row.file))
        first = text.partition("\n")[0]
        heading = first.lstrip("# ").strip() if first.startswith("#") else ""
        values |= {"subject": clean_line(row.subject or heading, 400), "text": text}
    refuse_erased(around, row.activity_id, values["from_address"])
    if not values["at"]:
        raise ValueError(f"{row.activity_id} has no date, neither here nor in its file")
    return values


def _note(name: str, data: bytes) -> str:
    try:
        return redact(tidy(data.decode("utf-8-sig")))[:MAX_TEXT]
    except (UnicodeDecodeError, InvalidInputError):
        raise ValueError(f"{name} is not UTF-8 text") from None


def _remember(mail: Values, parts: Iterable[Part], around: Around) -> None:
    """Keep attachments that no row of `documents` names, to store them after their mail."""
    if "listed" not in around.memory:
        listed = {(row.get("activity_id"), _name(row)) for row in around.rows_beside("documents")}
        names = around.session.connection().execute(DOCUMENTS.stored.select()).mappings()
        around.memory["listed"] = listed | {(one["activity_id"], one["filename"]) for one in names}
    owner = mail["activity_id"]
    rest = [part for part in parts if (owner, part.filename) not in around.memory["listed"]]
    for number, part in enumerate(rest, start=1):
        document = {
            "document_id": f"doc_{owner.removeprefix('act_')[:36]}_{number}",
            "opportunity_id": mail["opportunity_id"],
            "account_id": mail["account_id"],
            "activity_id": owner,
            "filename": clean_line(part.filename),
            "mime": part.mime[:120],
            "title": "",
            **_read(extract(part.data, part.filename)),
        }
        around.memory.setdefault("attached", []).append(document)


def _attach(around: Around) -> None:
    around.put(DOCUMENTS, around.memory.pop("attached", ()))


def _name(row: Values) -> str:
    return str(row.get("filename") or row.get("file", "").rpartition("/")[2])


def _document(row: Any, around: Around) -> Values:
    values = DOCUMENTS.plain(row)
    values["account_id"] = deal_account(row.opportunity_id, around)
    named = _name({"filename": row.filename, "file": row.file})
    deals = around.known(m.Activity, "activity_id", "opportunity_id")
    if row.activity_id and deals.get(row.activity_id) != row.opportunity_id:
        raise ValueError(f"{row.document_id} is attached to no activity of {row.opportunity_id}")
    mime = row.mime or mimetypes.guess_type(named)[0] or "application/octet-stream"
    values |= {"filename": clean_line(named), "mime": mime, "title": clean_line(row.title)}
    if row.file:
        return {**values, **_read(extract(around.beside(row.file), named))}
    return {**values, "text": redact(clean_text(row.text))}


def _read(found: Extracted) -> Values:
    return {
        "size": found.size,
        "sha256": found.sha256,
        "text": redact(found.text),
        "method": found.method,
        "pages": found.pages,
        "problems": list(found.problems),
    }


ACTIVITIES = Table(
    "activities",
    m.Activity,
    "an e-mail, call, meeting or note of a deal; a mail names its .eml, which says the rest",
    ("activity_id",),
    {
        "activity_id": f.ActivityId,
        "file": (File, ""),
        "kind": s.ActivityKind,
        "direction": s.Direction,
        "at": (Moment | None, None),
        "text": READ_FROM_FILE,
        "quoted_text": READ_FROM_FILE,
        "recorded_by": (RecordedBy, "import"),
    },
    without=("account_id",),
    make=_activity,
    after=_attach,
    as_json=True,
)
DOCUMENTS = Table(
    "documents",
    m.Document,
    "a paper of a deal; what a mail carries and no row names comes in with the mail",
    ("document_id",),
    {
        "document_id": f.DocumentId,
        "file": (File, ""),
        "activity_id": "the mail it came with",
        "filename": (Annotated[str, Field(max_length=200)], ""),
        "mime": (Annotated[str, Field(max_length=120)], ""),
        "text": READ_FROM_FILE,
    },
    without=("account_id",),
    make=_document,
    as_json=True,
)
