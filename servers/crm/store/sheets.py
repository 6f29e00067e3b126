"""What the resources show: an account as a sheet, an opportunity with its whole story."""

from pydantic import BaseModel
from sqlmodel import Session

from servers.crm.account_schemas import AccountDetail
from servers.crm.schemas import (
    AddressRow,
    ContactRow,
    DocumentRow,
    Message,
    NeedRow,
    OpportunityDetail,
    OpportunityRow,
)
from servers.crm.store.accounts import get_account, list_addresses, list_contacts, records_of
from servers.crm.store.needs import list_needs
from servers.crm.store.opportunities import get_opportunity, search_opportunities
from servers.crm.store.rows import all_visible
from servers.crm.store.stories import OLDEST_FIRST, attached_to, list_documents, message_of
from servers.crm.tables import Activity

MOST = 100
CHARACTERS = 150_000
"""Characters of text one story may hold; what is beyond is left to read_message."""


class AccountSheet(BaseModel):
    """An account with its people, addresses and opportunities."""

    account: AccountDetail
    contacts: list[ContactRow]
    addresses: list[AddressRow]
    opportunities: list[OpportunityRow]


class Story(BaseModel):
    """An opportunity with its messages in order, its needs and its documents' names."""

    opportunity: OpportunityDetail
    messages: list[Message]
    messages_left_out: int
    needs: list[NeedRow]
    documents: list[DocumentRow]


def account_sheet(session: Session, account_id: str) -> AccountSheet:
    found = search_opportunities(session, "", account_id, open_only=False, limit=MOST, cursor=None)
    return AccountSheet(
        account=get_account(session, account_id),
        contacts=list_contacts(session, account_id, MOST, None).items,
        addresses=list_addresses(session, account_id, MOST, None).items,
        opportunities=found.items,
    )


def story(session: Session, opportunity_id: str) -> Story:
    """Return an opportunity with its story, oldest first, as much as fits."""
    detail = get_opportunity(session, opportunity_id)
    told = all_visible(session, Activity, order=OLDEST_FIRST, opportunity_id=opportunity_id)
    kept, room = [], CHARACTERS
    for row in told[:MOST]:
        room -= len(row.text) + len(row.quoted_text)
        if room < 0:
            break
        kept.append(row)
    records = records_of(session, detail.account_id)
    attached = attached_to(session, [row.activity_id for row in kept])
    papers = list_documents(session, detail.account_id, MOST, None).items
    return Story(
        opportunity=detail,
        messages=[message_of(row, records, attached) for row in kept],
        messages_left_out=len(told) - len(kept),
        needs=list_needs(session, opportunity_id, MOST, None).items,
        documents=[d for d in papers if d.opportunity_id == opportunity_id],
    )
