"""What a person opens in a client: accounts, opportunities, their messages, papers and needs.

Each is JSON that is complete alone, under a URI that can be guessed from the ids.
"""

from servers.crm.store import needs, opportunities, quotes, sheets, stories
from servers.crm.tools.arguments import ACCOUNT, DEAL
from servers.toolkit.components import resource_at
from servers.toolkit.database import Database
from servers.toolkit.declare import resource
from servers.toolkit.fields import AccountId, ActivityId, DocumentId, OpportunityId

MOST = 100


@resource_at(
    "crm://opportunities", resource("Open opportunities", rows="filtered", integrity="untrusted")
)
def open_opportunities(database: Database) -> str:
    """The open opportunities, those with the latest activity first, at most 100."""
    with database.session() as session:
        return opportunities.search_opportunities(
            session, "", None, open_only=True, limit=MOST, cursor=None
        ).model_dump_json()


@resource_at(
    "crm://accounts/{account_id}",
    resource("Account", rows="bound", binds=ACCOUNT, integrity="untrusted"),
)
def account(database: Database, account_id: AccountId) -> str:
    """An account with its people, addresses and opportunities."""
    with database.session() as session:
        return sheets.account_sheet(session, account_id).model_dump_json()


@resource_at(
    "crm://accounts/{account_id}/quotes",
    resource("Quotes of an account", rows="bound", binds=ACCOUNT),
)
def account_quotes(database: Database, account_id: AccountId) -> str:
    """What an account was offered and how it went, newest first, at most 100."""
    with database.session() as session:
        return quotes.quote_history(session, account_id, MOST, None).model_dump_json()


@resource_at(
    "crm://opportunities/{opportunity_id}",
    resource("Opportunity", rows="bound", binds=DEAL, integrity="untrusted"),
)
def opportunity(database: Database, opportunity_id: OpportunityId) -> str:
    """An opportunity with its story: messages in order, needs, documents."""
    with database.session() as session:
        return sheets.story(session, opportunity_id).model_dump_json()


@resource_at(
    "crm://opportunities/{opportunity_id}/needs",
    resource("Needs", rows="bound", binds=DEAL, integrity="untrusted"),
)
def deal_needs(database: Database, opportunity_id: OpportunityId) -> str:
    """What the customer wants, each with the customer's words, at most 100."""
    with database.session() as session:
        return needs.list_needs(session, opportunity_id, MOST, None).model_dump_json()


@resource_at(
    "crm://opportunities/{opportunity_id}/messages/{activity_id}",
    resource("Message", rows="bound", binds=DEAL, integrity="untrusted"),
)
def message(database: Database, opportunity_id: OpportunityId, activity_id: ActivityId) -> str:
    """One e-mail, note, call or meeting, with all its words."""
    with database.session() as session:
        return stories.read_message(
            session, opportunity_id, activity_id, page=None
        ).model_dump_json()


@resource_at(
    "crm://opportunities/{opportunity_id}/documents/{document_id}",
    resource("Document", rows="bound", binds=DEAL, integrity="untrusted"),
)
def document(database: Database, opportunity_id: OpportunityId, document_id: DocumentId) -> str:
    """A document's whole text, with what was wrong with the file; the file is not kept."""
    with database.session() as session:
        return stories.read_document(
            session, opportunity_id, document_id, 0, page=None
        ).model_dump_json()
