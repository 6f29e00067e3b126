"""How files fill the CRM's tables; `seed_data/crm` is such a folder.

Mails, notes and papers lie beside the rows that name them. The CRM keeps what it read of a file,
not the file; a row may say that itself instead of naming one, and an export's rows do.
"""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from servers.crm import schemas as s
from servers.crm import tables as m
from servers.crm.load.stories import ACTIVITIES, DOCUMENTS, Day, Moment, RecordedBy, deal_account
from servers.crm.matching import fold
from servers.crm.reading.cleaning import clean_line
from servers.toolkit import fields as f
from servers.toolkit.tables import Around, Table, Values, tables

Name = Annotated[str, Field(min_length=1, max_length=200)]
Lower = Annotated[str, StringConstraints(to_lower=True, max_length=254)]
Lines = Annotated[list[Name], Field(min_length=1, max_length=6)]
Language = Annotated[str, Field(min_length=2, max_length=8)]
Minor = Annotated[int, Field(ge=0, le=10**15, description="in the currency's smallest unit")]
Revision = Annotated[int, Field(ge=1, le=999)]


def _alias(account_id: str, name: str) -> Values:
    return {"account_id": account_id, "name": name, "normalized": fold(name)[:200]}


def _account(row: Any, around: Around) -> Values:
    names = {"name": clean_line(row.name), "legal_name": clean_line(row.legal_name)}
    own = [_alias(row.account_id, name) for name in dict.fromkeys(names.values())]
    around.memory.setdefault("names", []).extend(own)
    return {**ACCOUNTS.plain(row), **names}


def _put_names(around: Around) -> None:
    around.put(ALIASES, around.memory.pop("names", ()))


def _opportunity(row: Any, _around: Around) -> Values:
    return {**OPPORTUNITIES.plain(row), "name": clean_line(row.name)}


def _participant(row: Any, around: Around) -> Values:
    owner = deal_account(row.opportunity_id, around)
    if around.known(m.Contact, "contact_id", "account_id").get(row.contact_id, owner) != owner:
        raise ValueError(f"{row.contact_id} is no contact of {owner}")
    return PARTICIPANTS.plain(row)


def _need(row: Any, around: Around) -> Values:
    key = f"{row.source_id}:{row.start}:{row.end}:{row.quantity or ''}:{row.unit or ''}"
    owner = deal_account(row.opportunity_id, around)
    return {**NEEDS.plain(row), "account_id": owner, "span_key": f"{key}:{int(row.optional)}"}


def _quote(row: Any, around: Around) -> Values:
    if row.opportunity_id and deal_account(row.opportunity_id, around) != row.account_id:
        raise ValueError(f"{row.quote_id}: {row.opportunity_id} is not that account's")
    step = {"outcome": row.outcome, "at": row.at, "actor": "import"}
    quote = (row.account_id, row.quote_id, row.revision)
    around.memory.setdefault("first_steps", {})[quote] = step
    return QUOTES.plain(row)


def _records(around: Around) -> dict[tuple[Any, ...], int]:
    """Return the row of each quote revision in the history."""
    rows = around.session.connection().execute(QUOTES.stored.select()).mappings()
    return {tuple(row[name] for name in QUOTES.key): row["id"] for row in rows}


def _put_steps(around: Around) -> None:
    """Give a quote without steps a first one: its present status."""
    records, known = _records(around), around.known(m.QuoteStep, "quote_record_id")
    steps = around.memory.pop("first_steps", {})
    rows = [{"quote_record_id": records[q], **step} for q, step in steps.items()]
    around.put(STEPS, [row for row in rows if row["quote_record_id"] not in known])
    around.memory["records"] = records


def _step(row: Any, around: Around) -> Values:
    if "records" not in around.memory:
        around.memory["records"] = _records(around)
    record = around.memory["records"].get((row.account_id, row.quote_id, row.revision))
    if record is None:
        raise ValueError(f"there is no {row.quote_id} revision {row.revision} of {row.account_id}")
    return {**STEPS.plain(row), "quote_record_id": record}


def _told_step(stored: Values, around: Around) -> Values:
    record = stored["quote_record_id"]
    quote = {name: around.known(m.QuoteRecord, "id", name)[record] for name in QUOTES.key}
    return {**quote, **stored}


ACCOUNTS = Table(
    "accounts",
    m.Account,
    "a company, person or office that buys, or may",
    ("account_id",),
    {
        "account_id": f.AccountId,
        "name": Name,
        "legal_name": Name,
        "kind": s.Kind,
        "country": f.Country,
        "currency": f.CurrencyCode,
        "language": Language,
        "status": s.Status,
        "payment_terms_code": "a payment term of finance",
    },
    make=_account,
    after=_put_names,
)
ALIASES = Table(
    "account_aliases",
    m.AccountAlias,
    "another name an account goes by; its own two are known anyway",
    ("account_id", "name"),
    {"name": Name},
    without=("normalized",),
    make=lambda row, _: _alias(row.account_id, clean_line(row.name)),
)
OPPORTUNITIES = Table(
    "opportunities",
    m.Opportunity,
    "a deal that may come",
    ("opportunity_id",),
    {
        "opportunity_id": f.OpportunityId,
        "name": Name,
        "stage": s.Stage,
        "owner": "who of us looks after it",
        "created": Day,
        "close_date": Day,
    },
    without=("version",),
    make=_opportunity,
)
PARTICIPANTS = Table(
    "opportunity_contacts",
    m.OpportunityContact,
    "who takes part in a deal, the one addressed first; a file says all of each deal it names",
    ("opportunity_id", "contact_id"),
    make=_participant,
    whole=("opportunity_id",),
)
NEEDS = Table(
    "needs",
    m.Need,
    "what a customer wants, with the place of its words in a message or a paper",
    ("need_id",),
    {
        "need_id": f.NeedId,
        "source_id": s.SourceId,
        "start": s.Offset,
        "end": s.Offset,
        "status": s.NeedStatus,
        "recorded_at": Moment,
        "recorded_by": (RecordedBy, "import"),
    },
    without=("account_id", "span_key", "version"),
    make=_need,
)
QUOTES = Table(
    "quote_records",
    m.QuoteRecord,
    "what was offered before, one row for each revision of a quote",
    ("account_id", "quote_id", "revision"),
    {
        "quote_id": f.QuoteId,
        "revision": Revision,
        "outcome": s.Outcome,
        "total_minor": Minor,
        "currency": f.CurrencyCode,
        "at": Moment,
    },
    make=_quote,
    after=_put_steps,
)
STEPS = Table(
    "quote_steps",
    m.QuoteStep,
    "the steps of an offered quote; a file says all steps of each quote it names",
    ("quote_record_id", "outcome", "at"),
    {
        "account_id": f.AccountId,
        "quote_id": f.QuoteId,
        "revision": (Revision, 1),
        "outcome": s.Outcome,
        "at": Moment,
        "actor": (RecordedBy, "import"),
    },
    without=("quote_record_id",),
    make=_step,
    tell=_told_step,
    whole=("quote_record_id",),
)
TABLES = tables(
    Table(
        "seller_domains",
        m.SellerDomain,
        "a mail domain of our own; only mail from it can be internal",
        ("domain",),
        {"domain": Lower},
    ),
    ACCOUNTS,
    ALIASES,
    Table(
        "account_tax_ids",
        m.AccountTaxId,
        "a tax number, and the day it was verified, if it was",
        ("account_id", "scheme", "value"),
        {"scheme": Name, "country": f.Country, "value": Name, "verified_at": Day},
    ),
    Table(
        "addresses",
        m.Address,
        "a postal address; the ship-to is what tax and export control go by",
        ("address_id",),
        {
            "address_id": f.AddressId,
            "kind": s.AddressKind,
            "lines": Lines,
            "city": Name,
            "country": f.Country,
        },
    ),
    Table(
        "contacts",
        m.Contact,
        "a person at an account",
        ("contact_id",),
        {"contact_id": f.ContactId, "name": Name, "email": (Lower, "")},
    ),
    OPPORTUNITIES,
    PARTICIPANTS,
    ACTIVITIES,
    DOCUMENTS,
    NEEDS,
    QUOTES,
    STEPS,
)
