"""What a person opens in a client: accounts, opportunities, their messages, papers and needs.

Each is JSON that is complete alone, under a URI that can be guessed from the ids.
"""

from sqlmodel import Session

from servers.crm.schemas import DocumentText, Message, NeedPage, OpportunityPage, QuotePage
from servers.crm.store import needs, opportunities, quotes, sheets, stories
from servers.crm.tools.arguments import ACCOUNT, DEAL
from servers.toolkit.components import resource_at
from servers.toolkit.declare import resource
from servers.toolkit.fields import AccountId, ActivityId, DocumentId, OpportunityId

MOST = sheets.MOST


@resource_at(
    "crm://opportunities", resource("Open opportunities", rows="filtered", integrity="untrusted")
)
def open_opportunities(session: Session) -> OpportunityPage:
    """The open opportunities, those with the latest activity first, at most 100."""
    return opportunities.search_opportunities(
        session, "", None, open_only=True, limit=MOST, cursor=None
    )


@resource_at(
    "crm://accounts/{account_id}",
    resource("Account", rows="bound", binds=ACCOUNT, narrowed=DEAL, integrity="untrusted"),
)
def account(session: Session, account_id: AccountId) -> sheets.AccountSheet:
    """An account with its people, addresses and opportunities."""
    return sheets.account_sheet(session, account_id)


@resource_at(
    "crm://accounts/{account_id}/quotes",
    resource("Quotes of an account", rows="bound", binds=ACCOUNT, narrowed=DEAL),
)
def account_quotes(session: Session, account_id: AccountId) -> QuotePage:
    """What an account was offered and how it went, newest first, at most 100."""
    return quotes.quote_history(session, account_id, MOST, None)


@resource_at(
    "crm://opportunities/{opportunity_id}",
    resource("Opportunity", rows="bound", binds=DEAL, integrity="untrusted"),
)
def opportunity(session: Session, opportunity_id: OpportunityId) -> sheets.Story:
    """An opportunity with its story: messages in order, needs, documents."""
    return sheets.story(session, opportunity_id)


@resource_at(
    "crm://opportunities/{opportunity_id}/needs",
    resource("Needs", rows="bound", binds=DEAL, integrity="untrusted"),
)
def deal_needs(session: Session, opportunity_id: OpportunityId) -> NeedPage:
    """What the customer wants, each with the customer's words, at most 100."""
    return needs.list_needs(session, opportunity_id, MOST, None)


@resource_at(
    "crm://opportunities/{opportunity_id}/messages/{activity_id}",
    resource("Message", rows="bound", binds=DEAL, integrity="untrusted"),
)
def message(session: Session, opportunity_id: OpportunityId, activity_id: ActivityId) -> Message:
    """One e-mail, note, call or meeting, with all its words."""
    return stories.read_message(session, opportunity_id, activity_id, page=None)


@resource_at(
    "crm://opportunities/{opportunity_id}/documents/{document_id}",
    resource("Document", rows="bound", binds=DEAL, integrity="untrusted"),
)
def document(
    session: Session, opportunity_id: OpportunityId, document_id: DocumentId
) -> DocumentText:
    """A document's whole text, with what was wrong with the file; the file is not kept."""
    return stories.read_document(session, opportunity_id, document_id, 0, page=None)
