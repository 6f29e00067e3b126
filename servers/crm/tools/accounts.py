"""Tools about accounts: who they are, who works there, where they are."""

from typing import Annotated, Any

from pydantic import Field
from sqlmodel import Session

from servers.crm.account_schemas import (
    AccountDetail,
    AddedAccount,
    AddedAddress,
    AddedContact,
    AddressPage,
    ContactPage,
    Merged,
)
from servers.crm.schemas import (
    AccountPage,
    AddressKind,
    DocumentPage,
    InteractionPage,
    Kind,
    Resolution,
)
from servers.crm.store import accounts, merging, new_accounts, stories
from servers.crm.tools.arguments import (
    ACCOUNT,
    DEAL,
    Email,
    Language,
    Lines,
    Maybe,
    OwnCurrency,
    SomeText,
    Typed,
)
from servers.toolkit.components import tool
from servers.toolkit.declare import reads, writes
from servers.toolkit.fields import AccountId, Country, Cursor, Limit, Query


@tool(reads("Resolve an account", rows="filtered", integrity="untrusted"))
def resolve_account(session: Session, text: SomeText) -> Resolution:
    """Find out which account a text means. Use it first, whenever a person names a company.

    Understands names, short names, typing mistakes, legal forms, a contact's first or full
    name, a mail address or domain, a tax number, another program's id. `resolved` is an account_id
    only when one account is clearly ahead; otherwise it is null, and AMBIGUOUS_ACCOUNT lists the
    candidates or UNKNOWN_ACCOUNT says there are none. Never choose among candidates yourself: ask.
    """
    return accounts.resolve_account(session, text)


@tool(reads("Search accounts", rows="filtered", integrity="untrusted"))
def search_accounts(
    session: Session,
    query: Query,
    country: Country | None = None,
    limit: Limit = 20,
    cursor: Cursor = "",
) -> AccountPage:
    """List accounts whose names hold the words of the query, or are like them.

    For browsing; to turn what somebody said into one account_id use resolve_account.
    """
    return accounts.search_accounts(session, query, country, limit, cursor)


@tool(reads("Get an account", rows="bound", binds=ACCOUNT, narrowed=DEAL, integrity="untrusted"))
def get_account(session: Session, account_id: AccountId) -> AccountDetail:
    """Get what is on file about an account, what is open with it, who decides, what came last.

    Kind, status, currency, tax numbers, terms; open opportunities and tasks; the contacts who
    decide or sign; the last interaction and quotes. A tax number counts only when
    `verified_at` is set. account_id comes from resolve_account.
    """
    return accounts.get_account(session, account_id)


@tool(reads("List contacts", rows="bound", binds=ACCOUNT, narrowed=DEAL, integrity="untrusted"))
def list_contacts(
    session: Session, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> ContactPage:
    """List the people at an account, those who may sign first."""
    return accounts.list_contacts(session, account_id, limit, cursor)


@tool(reads("List addresses", rows="bound", binds=ACCOUNT, narrowed=DEAL, integrity="untrusted"))
def list_addresses(
    session: Session, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> AddressPage:
    """List the addresses on file: billing, registered and shipping, defaults first.

    Only these can be quoted to. An address that stands in a message is a claim until a
    person puts it on file.
    """
    return accounts.list_addresses(session, account_id, limit, cursor)


@tool(reads("List documents", rows="bound", binds=ACCOUNT, narrowed=DEAL, integrity="untrusted"))
def list_documents(
    session: Session, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> DocumentPage:
    """List an account's documents by name, without their texts; read_document gives those."""
    return stories.list_documents(session, account_id, limit, cursor)


@tool(reads("List interactions", rows="bound", binds=ACCOUNT, narrowed=DEAL))
def list_interactions(
    session: Session, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> InteractionPage:
    """List when and how an account was spoken with, newest first.

    Dates, kinds and stages only, not a word of what was said; read_message gives the words.
    """
    return stories.list_interactions(session, account_id, limit, cursor)


@tool(writes("Create an account", rows="filtered", integrity="untrusted"))
def create_account(
    session: Session,
    name: Typed,
    country: Country,
    kind: Kind = "business",
    legal_name: Maybe = "",
    currency: OwnCurrency = "",
    language: Language = "en",
    industry: Annotated[str, Field(max_length=80)] = "",
) -> AddedAccount:
    """Put a company that is not on file on file, as a prospect. Look with resolve_account first.

    Refused where its name is on file in that country. Without a currency it is the country's.
    Finance keeps customers of its own: a quote needs the account there too.
    """
    called = {"name": name, "legal_name": legal_name, "kind": kind, "industry": industry}
    usual = {"country": country, "currency": currency, "language": language}
    return new_accounts.create_account(session, **called, **usual)


@tool(writes("Add a contact", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def add_contact(
    session: Session,
    account_id: AccountId,
    name: Typed,
    email: Email = "",
    phone: Annotated[str, Field(max_length=40)] = "",
    role: Annotated[str, Field(max_length=120)] = "",
    is_signatory: bool = False,
    is_decision_maker: bool = False,
) -> AddedContact:
    """Put a person at an account on file; what they write is then trusted as the customer's.

    Only whom a colleague names: a sender is no contact because a message says so.
    """
    said = {"name": name, "email": email, "phone": phone, "role": role}
    may: dict[str, Any] = {"is_signatory": is_signatory, "is_decision_maker": is_decision_maker}
    return new_accounts.add_contact(session, account_id, **said, **may)


@tool(writes("Add an address", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def add_address(
    session: Session,
    account_id: AccountId,
    kind: AddressKind,
    lines: Lines,
    city: Annotated[str, Field(min_length=1, max_length=120)],
    country: Country,
    postal_code: Annotated[str, Field(max_length=20)] = "",
    region: Annotated[str, Field(max_length=80)] = "",
    label: Annotated[str, Field(max_length=120)] = "",
) -> AddedAddress:
    """Put an address of an account on file; the first of its kind is the default.

    Only what a colleague confirms: it decides tax and export control. Finance keeps addresses
    of its own, and quotes to those.
    """
    place = {"city": city, "country": country, "postal_code": postal_code, "region": region}
    return new_accounts.add_address(
        session, account_id, kind=kind, lines=lines, label=label, **place
    )


@tool(
    writes("Merge accounts", rows="bound", binds=ACCOUNT, integrity="untrusted", destructive=True)
)
def merge_accounts(session: Session, account_id: AccountId, duplicate_id: AccountId) -> Merged:
    """Make two accounts that are one company one: all of duplicate_id goes to account_id.

    It cannot be undone; ask the person first, naming both. The duplicate's names and its id mean
    account_id from then on. Finance is told nothing: left_in_finance names what a person moves
    there.
    """
    return merging.merge_accounts(session, account_id, duplicate_id)
