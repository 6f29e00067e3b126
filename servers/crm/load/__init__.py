"""How files fill the CRM's tables; `seed_data/crm` is such a folder.

Mails, notes and papers lie beside the rows that name them. The CRM keeps what it read of a file,
not the file; a row may say that itself instead of naming one, and an export's rows do.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from servers.crm import schemas as s
from servers.crm import tables as m
from servers.crm.load.stories import ACTIVITIES, DOCUMENTS, Day, Moment, RecordedBy, deal_account
from servers.crm.reading.cleaning import clean_line, redact
from servers.crm.store.new_accounts import alias_of, person_of
from servers.crm.store.privacy import refuse_erased
from servers.toolkit import fields as f
from servers.toolkit.columns import Micro
from servers.toolkit.privacy import ERASED
from servers.toolkit.tables import Around, Table, Values, tables
from servers.toolkit.tax_ids import tax_id_doubts
from servers.toolkit.units import Unit

Name = Annotated[str, Field(min_length=1, max_length=200)]
Lower = Annotated[str, StringConstraints(to_lower=True, max_length=254)]
Lines = Annotated[list[Name], Field(min_length=1, max_length=6)]
Language = Annotated[str, Field(min_length=2, max_length=8)]
Minor = Annotated[int, Field(ge=0, le=10**15, description="in the currency's smallest unit")]
Revision = Annotated[int, Field(ge=1, le=999)]


def _owner(account_id: str, around: Around) -> str:
    """Return the account that an id means: of one that was merged, where it went."""
    return around.known(m.Account, "account_id", "merged_into").get(account_id) or account_id


def _owned(table: str) -> Callable[[Any, Around], Values]:
    """Return how a row becomes one of its account, also when its file still names a duplicate."""

    def make(row: Any, around: Around) -> Values:
        values = TABLES[table].plain(row)
        return {**values, "account_id": _owner(row.account_id, around)}

    return make


def _account(row: Any, around: Around) -> Values:
    names = {"name": clean_line(row.name), "legal_name": clean_line(row.legal_name)}
    owner = row.merged_into or row.account_id
    own = {(owner, name): alias_of(owner, name) for name in names.values()}
    around.memory.setdefault("names", {}).update(own)
    return {**ACCOUNTS.plain(row), **names}


def _put_names(around: Around) -> None:
    around.put(ALIASES, around.memory.pop("names", {}).values())


def _alias(row: Any, around: Around) -> Values:
    return alias_of(_owner(row.account_id, around), clean_line(row.name))


def _opportunity(row: Any, around: Around) -> Values:
    named = {"name": clean_line(row.name), "account_id": _owner(row.account_id, around)}
    return {**OPPORTUNITIES.plain(row), **named}


def _task(row: Any, around: Around) -> Values:
    owner = _owner(row.account_id, around)
    if row.opportunity_id and deal_account(row.opportunity_id, around) != owner:
        raise ValueError(f"{row.task_id}: {row.opportunity_id} is not that account's")
    return {**TASKS.plain(row), "account_id": owner, "what": redact(clean_line(row.what, 500))}


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
    owner = _owner(row.account_id, around)
    if row.opportunity_id and deal_account(row.opportunity_id, around) != owner:
        raise ValueError(f"{row.quote_id}: {row.opportunity_id} is not that account's")
    step = {"outcome": row.outcome, "at": row.at, "actor": "import"}
    around.memory.setdefault("first_steps", {})[owner, row.quote_id, row.revision] = step
    return {**QUOTES.plain(row), "account_id": owner}


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


def _record(row: Any, around: Around) -> int:
    """Return the quote revision in the history that a row names."""
    if "records" not in around.memory:
        around.memory["records"] = _records(around)
    owner = _owner(row.account_id, around)
    record = around.memory["records"].get((owner, row.quote_id, row.revision))
    if record is None:
        raise ValueError(f"there is no {row.quote_id} revision {row.revision} of {row.account_id}")
    return int(record)


def _contact(row: Any, around: Around) -> Values:
    if not row.name.startswith(ERASED):  # as an export of ours writes whom it erased
        refuse_erased(around, row.contact_id, row.contact_id, row.email)
    mine = {"account_id": _owner(row.account_id, around), **person_of(row.name, row.email)}
    return {**TABLES["contacts"].plain(row), **mine}


def _step(row: Any, around: Around) -> Values:
    return {**STEPS.plain(row), "quote_record_id": _record(row, around)}


def _quote_line(row: Any, around: Around) -> Values:
    told = {"sku": clean_line(row.sku, 40), "description": clean_line(row.description, 400)}
    return {**QUOTE_LINES.plain(row), **told, "quote_record_id": _record(row, around)}


def _told_of_quote(stored: Values, around: Around) -> Values:
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
        "merged_into": "the account that this duplicate is now",
    },
    make=_account,
    after=_put_names,
    ends={"status": "closed"},
)
ALIASES = Table(
    "account_aliases",
    m.AccountAlias,
    "another name an account goes by; its own two are known anyway",
    ("account_id", "name"),
    {"name": Name},
    without=("normalized", "core"),
    make=_alias,
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
        "amount_minor": Minor,
        "currency": (f.CurrencyCode | Literal[""], ""),
    },
    without=("version", "latest"),
    make=_opportunity,
)
TASKS = Table(
    "tasks",
    m.Task,
    "what one of us has to do about an account, or about one of its deals",
    ("task_id",),
    {
        "task_id": s.TaskId,
        "owner": "who of us does it",
        "what": Annotated[str, Field(min_length=1, max_length=500)],
        "due": Day,
        "done_at": Moment,
    },
    without=("version",),
    make=_task,
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
OF_QUOTE = {"account_id": f.AccountId, "quote_id": f.QuoteId, "revision": (Revision, 1)}
STEPS = Table(
    "quote_steps",
    m.QuoteStep,
    "the steps of an offered quote; a file says all steps of each quote it names",
    ("quote_record_id", "outcome", "at"),
    {
        **OF_QUOTE,
        "outcome": s.Outcome,
        "at": Moment,
        "actor": (RecordedBy, "import"),
    },
    without=("quote_record_id",),
    make=_step,
    tell=_told_of_quote,
    whole=("quote_record_id",),
)
QUOTE_LINES = Table(
    "quote_lines",
    m.QuoteLine,
    "what stood in a quote that was made before dealdesk, one row for each position",
    ("quote_record_id", "position"),
    {
        **OF_QUOTE,
        "quantity": Micro,
        "unit": Unit,
        "net_minor": Annotated[int, Field(description="before tax, in the smallest unit")],
    },
    without=("quote_record_id",),
    make=_quote_line,
    tell=_told_of_quote,
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
        doubts=tax_id_doubts,
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
        make=_owned("addresses"),
    ),
    Table(
        "contacts",
        m.Contact,
        "a person at an account",
        ("contact_id",),
        {"contact_id": f.ContactId, "name": Name, "email": (Lower, "")},
        without=("normalized", "domain"),
        make=_contact,
    ),
    OPPORTUNITIES,
    PARTICIPANTS,
    TASKS,
    ACTIVITIES,
    DOCUMENTS,
    NEEDS,
    QUOTES,
    STEPS,
    QUOTE_LINES,
)
