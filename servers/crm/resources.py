"""What a person opens in a client: accounts, opportunities, their messages, papers and needs.

Each is JSON that is complete alone, under a URI that can be guessed from the ids.
"""

# mypy: disable-error-code="untyped-decorator"
# app.resource is overloaded, and mypy cannot choose an overload for `**resource(...)`

from servers.crm.repository import needs, opportunities, quotes, stories, views
from servers.crm.tools.arguments import ACCOUNT, DEAL
from servers.toolkit.app import Server
from servers.toolkit.declare import resource
from servers.toolkit.fields import AccountId, ActivityId, DocumentId, OpportunityId

MOST = 100


def register(app: Server) -> None:
    """Add the resources to the app."""
    _overviews(app)
    _of_accounts(app)
    _of_opportunities(app)


def _overviews(app: Server) -> None:
    @app.resource(
        "crm://opportunities",
        **resource("Open opportunities", rows="filtered", integrity="untrusted"),
    )
    def open_opportunities() -> str:
        """The open opportunities, those with the latest activity first, at most 100."""
        with app.database.session() as session:
            return opportunities.search_opportunities(
                session, "", None, open_only=True, limit=MOST, cursor=None
            ).model_dump_json()


def _of_accounts(app: Server) -> None:
    database = app.database

    @app.resource(
        "crm://accounts/{account_id}",
        **resource("Account", rows="bound", binds=ACCOUNT, integrity="untrusted"),
    )
    def account(account_id: AccountId) -> str:
        """An account with its people, addresses and opportunities."""
        with database.session() as session:
            return views.account_sheet(session, account_id).model_dump_json()

    @app.resource(
        "crm://accounts/{account_id}/quotes",
        **resource("Quotes of an account", rows="bound", binds=ACCOUNT),
    )
    def account_quotes(account_id: AccountId) -> str:
        """What an account was offered and how it went, newest first, at most 100."""
        with database.session() as session:
            return quotes.quote_history(session, account_id, MOST, None).model_dump_json()


def _of_opportunities(app: Server) -> None:
    database = app.database

    @app.resource(
        "crm://opportunities/{opportunity_id}",
        **resource("Opportunity", rows="bound", binds=DEAL, integrity="untrusted"),
    )
    def opportunity(opportunity_id: OpportunityId) -> str:
        """An opportunity with its story: messages in order, needs, documents."""
        with database.session() as session:
            return views.story(session, opportunity_id).model_dump_json()

    @app.resource(
        "crm://opportunities/{opportunity_id}/needs",
        **resource("Needs", rows="bound", binds=DEAL, integrity="untrusted"),
    )
    def deal_needs(opportunity_id: OpportunityId) -> str:
        """What the customer wants, each with the customer's words, at most 100."""
        with database.session() as session:
            return needs.list_needs(session, opportunity_id, MOST, None).model_dump_json()

    @app.resource(
        "crm://opportunities/{opportunity_id}/messages/{activity_id}",
        **resource("Message", rows="bound", binds=DEAL, integrity="untrusted"),
    )
    def message(opportunity_id: OpportunityId, activity_id: ActivityId) -> str:
        """One e-mail, note, call or meeting, with all its words."""
        with database.session() as session:
            return stories.read_message(
                session, opportunity_id, activity_id, page=None
            ).model_dump_json()

    @app.resource(
        "crm://opportunities/{opportunity_id}/documents/{document_id}",
        **resource("Document", rows="bound", binds=DEAL, integrity="untrusted"),
    )
    def document(opportunity_id: OpportunityId, document_id: DocumentId) -> str:
        """A document's whole text, with what was wrong with the file; the file is not kept."""
        with database.session() as session:
            return stories.read_document(
                session, opportunity_id, document_id, 0, page=None
            ).model_dump_json()
