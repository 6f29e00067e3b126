"""Tools about accounts: who they are, who works there, where they are."""

from sqlmodel import Session

from servers.crm.schemas import (
    AccountDetail,
    AccountPage,
    AddressPage,
    ContactPage,
    DocumentPage,
    InteractionPage,
    Resolution,
)
from servers.crm.store import accounts, stories
from servers.crm.tools.arguments import ACCOUNT, DEAL, SomeText
from servers.toolkit.components import tool
from servers.toolkit.declare import reads
from servers.toolkit.fields import AccountId, Country, Cursor, Limit, Query


@tool(reads("Resolve an account", rows="filtered", integrity="untrusted"))
def resolve_account(session: Session, text: SomeText) -> Resolution:
    """Find out which account a text means. Use it first, whenever a person names a company.

    Understands names, short names, typing mistakes, legal forms, a contact's first or full
    name, a mail address or domain, another program's id. `resolved` is an account_id only when
    one account is clearly ahead; otherwise it is null, and AMBIGUOUS_ACCOUNT lists the candidates
    or UNKNOWN_ACCOUNT says there are none. Never choose among candidates yourself: ask.
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
    """Get what is on file about an account: kind, status, currency, tax numbers, terms.

    A tax number counts only when `verified_at` is set. account_id comes from
    resolve_account.
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
