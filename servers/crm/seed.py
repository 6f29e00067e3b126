"""Load a folder of seed files: accounts, opportunities with their real mails and documents.

`company.json`, `accounts.json`, `quote_history.json`, and per opportunity a folder with
`opportunity.json` and the files it names. Everything goes in one transaction or not at all, and
an error names the file and the row.
"""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlmodel import Session

from servers.crm.documents import Extracted, extract
from servers.crm.mails import Mail, Part, read_mail
from servers.crm.matching import fold
from servers.crm.models import (
    Account,
    AccountAlias,
    AccountTaxId,
    Activity,
    Address,
    Contact,
    CrmTable,
    Document,
    Opportunity,
    OpportunityContact,
    QuoteRecord,
    QuoteStep,
    SellerDomain,
)
from servers.crm.repository.base import stamp
from servers.crm.rules import redact
from servers.crm.seed_rows import (
    AccountSeed,
    ActivitySeed,
    CompanySeed,
    DocumentSeed,
    OpportunitySeed,
    QuoteSeed,
    Row,
)
from servers.crm.texts import MAX_TEXT, clean_line, tidy
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.table_files import read_json

Shape = TypeVar("Shape", bound=Row)
SOURCE = "seed"


def load(session: Session, folder: Path) -> dict[str, int]:
    """Load a seed folder and return how many rows went into each table.

    Raises:
        InvalidInputError: a file is missing or wrong; it says which, and which row.
    """
    loader = _Loader(session)
    company = folder / "company.json"
    if company.exists():
        for domain in _rows(company, CompanySeed)[0].domains:
            loader.add(SellerDomain(domain=domain.lower()))
    for account in _rows(folder / "accounts.json", AccountSeed):
        loader.account(account)
    session.flush()
    for path in sorted((folder / "opportunities").glob("*/opportunity.json")):
        loader.opportunity(_rows(path, OpportunitySeed)[0], path.parent)
        session.flush()
    history = folder / "quote_history.json"
    if history.exists():
        for quote in _rows(history, QuoteSeed):
            loader.quote(quote)
    session.flush()
    return dict(loader.counts)


def _rows(path: Path, shape: type[Shape]) -> list[Shape]:
    """Read a file of rows (or of one object) and check each."""
    data: Any = read_json(path)
    where = f"{path.parent.name}/{path.name}"
    found = []
    for number, row in enumerate(data if isinstance(data, list) else [data], start=1):
        try:
            found.append(shape.model_validate(row))
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(step) for step in first["loc"]) or "row"
            raise _wrong(where, f"row {number}, {field}: {first['msg']}") from problem
    return found


def _wrong(where: str, what: str) -> InvalidInputError:
    return InvalidInputError(f"{where}: {what}", fix="mend the file and load it again")


class _Loader:
    """Adds rows and counts them; remembers ids, so that a reference to nothing is an error."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.counts: Counter[str] = Counter()
        self.contacts: dict[str, str] = {}
        self.deals: dict[str, str] = {}
        self.accounts: set[str] = set()
        self.taken: set[str] = set()

    def add(self, row: CrmTable) -> None:
        self.session.add(row)
        self.counts[str(row.__tablename__)] += 1

    def take(self, where: str, key: str) -> str:
        if key in self.taken:
            raise _wrong(where, f"{key} is there twice")
        self.taken.add(key)
        return key

    def account(self, row: AccountSeed) -> None:
        where = "accounts.json"
        self.accounts.add(self.take(where, row.account_id))
        plain = row.model_dump(exclude={"aliases", "tax_ids", "addresses", "contacts"})
        plain["name"], plain["legal_name"] = clean_line(row.name), clean_line(row.legal_name)
        self.add(Account(**plain))
        self.session.flush()
        names = [plain["name"], plain["legal_name"], *(clean_line(a) for a in row.aliases)]
        for name in dict.fromkeys(names):
            self.add(
                AccountAlias(account_id=row.account_id, name=name, normalized=fold(name)[:200])
            )
        for tax_id in row.tax_ids:
            verified = tax_id.verified_at.isoformat() if tax_id.verified_at else None
            values = tax_id.model_dump(exclude={"verified_at"})
            self.add(AccountTaxId(account_id=row.account_id, verified_at=verified, **values))
        for address in row.addresses:
            self.take(where, address.address_id)
            self.add(Address(account_id=row.account_id, **address.model_dump()))
        for contact in row.contacts:
            self.contacts[self.take(where, contact.contact_id)] = row.account_id
            values = contact.model_dump() | {"email": contact.email.lower()}
            self.add(Contact(account_id=row.account_id, **values))

    def opportunity(self, row: OpportunitySeed, folder: Path) -> None:
        where = f"{folder.name}/opportunity.json"
        if row.account_id not in self.accounts:
            raise _wrong(where, f"account {row.account_id} is in no row of accounts.json")
        self.deals[self.take(where, row.opportunity_id)] = row.account_id
        self.add(
            Opportunity(
                opportunity_id=row.opportunity_id,
                account_id=row.account_id,
                name=clean_line(row.name),
                stage=row.stage.value,
                owner=row.owner,
                created=_day(row.created),
                close_date=row.close_date.isoformat() if row.close_date else None,
            )
        )
        self.session.flush()
        for place, contact_id in enumerate(row.contact_ids):
            if self.contacts.get(contact_id) != row.account_id:
                raise _wrong(where, f"{contact_id} is no contact of {row.account_id}")
            self.add(
                OpportunityContact(
                    opportunity_id=row.opportunity_id, contact_id=contact_id, place=place
                )
            )
        inside: dict[str, tuple[Part, ...]] = {}
        for activity in row.activities:
            self.take(where, activity.activity_id)
            made, parts = _activity(row, activity, folder, where)
            inside[activity.activity_id] = parts
            self.add(made)
        self.session.flush()
        self._documents(row, folder, where, inside)

    def _documents(
        self, row: OpportunitySeed, folder: Path, where: str, inside: dict[str, tuple[Part, ...]]
    ) -> None:
        listed = set()
        for document in row.documents:
            self.take(where, document.document_id)
            if document.attached_to is not None and document.attached_to not in inside:
                raise _wrong(where, f"{document.document_id} is attached to no activity here")
            listed.add((document.attached_to, document.filename))
            self.add(_document(row, document, _read(folder / document.file, where)))
        for activity_id, parts in inside.items():
            rest = [part for part in parts if (activity_id, part.filename) not in listed]
            for number, part in enumerate(rest, start=1):
                document = DocumentSeed(
                    document_id=f"doc_{activity_id.removeprefix('act_')[:36]}_{number}",
                    file="inside",
                    filename=part.filename,
                    mime=part.mime[:120],
                    attached_to=activity_id,
                )
                self.take(where, document.document_id)
                self.add(_document(row, document, part.data))

    def quote(self, row: QuoteSeed) -> None:
        where = "quote_history.json"
        self.take(where, f"{row.quote_id} revision {row.revision}")
        if row.account_id not in self.accounts:
            raise _wrong(where, f"{row.quote_id}: account {row.account_id} is not there")
        if row.opportunity_id and self.deals.get(row.opportunity_id) != row.account_id:
            raise _wrong(where, f"{row.quote_id}: {row.opportunity_id} is not that account's")
        values = row.model_dump(exclude={"steps", "at", "outcome"})
        record = QuoteRecord(**values, outcome=row.outcome.value, at=_time(row.at))
        self.add(record)
        self.session.flush()
        steps = [(step.outcome, step.at) for step in row.steps] or [(row.outcome, row.at)]
        for outcome, at in steps:
            self.add(
                QuoteStep(
                    quote_record_id=record.id or 0,
                    outcome=outcome.value,
                    at=_time(at),
                    actor=SOURCE,
                )
            )


def _activity(
    deal: OpportunitySeed, row: ActivitySeed, folder: Path, where: str
) -> tuple[Activity, tuple[Part, ...]]:
    data = _read(folder / row.file, where)
    values: dict[str, Any] = {
        "activity_id": row.activity_id,
        "opportunity_id": deal.opportunity_id,
        "account_id": deal.account_id,
        "kind": row.kind,
        "direction": row.direction,
        "author": clean_line(row.author),
        "recorded_by": SOURCE,
    }
    if row.file.lower().endswith(".eml"):
        mail = read_mail(data)
        at = row.at or mail.sent_at
        parts = mail.attachments
        values |= _mail_values(mail, row)
    else:
        at, parts = row.at, ()
        values |= _note_values(data, row, where)
    if at is None:
        raise _wrong(where, f"{row.activity_id} has no date, neither here nor in {row.file}")
    return Activity(at=_time(at), **values), parts


def _mail_values(mail: Mail, row: ActivitySeed) -> dict[str, Any]:
    return {
        "subject": mail.subject or row.subject,
        "from_name": mail.from_name,
        "from_address": mail.from_address,
        "reply_to": mail.reply_to,
        "to": list(mail.to),
        "cc": list(mail.cc),
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "text": redact(mail.text),
        "quoted_text": redact(mail.quoted_text),
        "flags": list(mail.flags),
        "sha256": mail.sha256,
    }


def _note_values(data: bytes, row: ActivitySeed, where: str) -> dict[str, Any]:
    """Take a note as it is; its first heading is its subject, and stays in the text."""
    try:
        text = redact(tidy(data.decode("utf-8-sig")))[:MAX_TEXT]
    except (UnicodeDecodeError, InvalidInputError) as problem:
        raise _wrong(where, f"{row.file} is not UTF-8 text") from problem
    first = text.partition("\n")[0]
    heading = first.lstrip("# ").strip() if first.startswith("#") else ""
    return {"subject": clean_line(row.subject or heading, 400), "text": text}


def _document(deal: OpportunitySeed, row: DocumentSeed, data: bytes) -> Document:
    found: Extracted = extract(data, row.filename)
    return Document(
        document_id=row.document_id,
        opportunity_id=deal.opportunity_id,
        account_id=deal.account_id,
        activity_id=row.attached_to,
        filename=clean_line(row.filename),
        mime=row.mime,
        title=clean_line(row.title),
        size=found.size,
        sha256=found.sha256,
        text=redact(found.text),
        method=found.method,
        pages=found.pages,
        problems=list(found.problems),
    )


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise _wrong(where, f"{path.name} cannot be read") from problem


def _day(value: date | datetime) -> str:
    return value.date().isoformat() if isinstance(value, datetime) else value.isoformat()


def _time(value: datetime) -> str:
    return stamp(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
