"""Tools about accounts: who they are, who works there, where they are."""

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
from servers.crm.tools.arguments import ACCOUNT, SomeText
from servers.toolkit.components import tool
from servers.toolkit.database import Database
from servers.toolkit.declare import reads
from servers.toolkit.fields import AccountId, Country, Cursor, Limit, Query


@tool(reads("Resolve an account", rows="filtered", integrity="untrusted"))
def resolve_account(database: Database, text: SomeText) -> Resolution:
    """Find out which account a text means. Use it first, whenever a person names a company.

    Understands names, short names, typing mistakes, legal forms, a contact's first or full
    name, a mail address or domain. `resolved` is an account_id only when one account is
    clearly ahead; otherwise it is null, and AMBIGUOUS_ACCOUNT lists the candidates or
    UNKNOWN_ACCOUNT says there are none. Never choose among candidates yourself: ask.
    """
    with database.session() as session:
        return accounts.resolve_account(session, text)


@tool(reads("Search accounts", rows="filtered", integrity="untrusted"))
def search_accounts(
    database: Database,
    query: Query,
    country: Country | None = None,
    limit: Limit = 20,
    cursor: Cursor = "",
) -> AccountPage:
    """List accounts whose names hold the words of the query, or are like them.

    For browsing; to turn what somebody said into one account_id use resolve_account.
    """
    with database.session() as session:
        return accounts.search_accounts(session, query, country, limit, cursor)


@tool(reads("Get an account", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def get_account(database: Database, account_id: AccountId) -> AccountDetail:
    """Get what is on file about an account: kind, status, currency, tax numbers, terms.

    A tax number counts only when `verified_at` is set. account_id comes from
    resolve_account.
    """
    with database.session() as session:
        return accounts.get_account(session, account_id)


@tool(reads("List contacts", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def list_contacts(
    database: Database, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> ContactPage:
    """List the people at an account, those who may sign first."""
    with database.session() as session:
        return accounts.list_contacts(session, account_id, limit, cursor)


@tool(reads("List addresses", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def list_addresses(
    database: Database, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> AddressPage:
    """List the addresses on file: billing, registered and shipping, defaults first.

    Only these can be quoted to. An address that stands in a message is a claim until a
    person puts it on file.
    """
    with database.session() as session:
        return accounts.list_addresses(session, account_id, limit, cursor)


@tool(reads("List documents", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def list_documents(
    database: Database, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> DocumentPage:
    """List an account's documents by name, without their texts; read_document gives those."""
    with database.session() as session:
        return stories.list_documents(session, account_id, limit, cursor)


@tool(reads("List interactions", rows="bound", binds=ACCOUNT))
def list_interactions(
    database: Database, account_id: AccountId, limit: Limit = 20, cursor: Cursor = ""
) -> InteractionPage:
    """List when and how an account was spoken with, newest first.

    Dates, kinds and stages only, not a word of what was said; read_message gives the words.
    """
    with database.session() as session:
        return stories.list_interactions(session, account_id, limit, cursor)
