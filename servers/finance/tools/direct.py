"""The reading tools that `servers.toolkit.direct` may ask: session in, answer out."""

from sqlmodel import Session

from servers.finance.facts.blocks import Status
from servers.finance.schemas_quotes import QuoteNumber, QuotePage, Within
from servers.finance.store import listed_quotes
from servers.finance.store.clock import now
from servers.toolkit.fields import AccountId, Cursor, Limit, OpportunityId


def list_quotes(
    session: Session,
    *,
    account_id: AccountId | None = None,
    opportunity_id: OpportunityId | None = None,
    status: Status | None = None,
    expiring_within_days: Within = None,
    number: QuoteNumber | None = None,
    limit: Limit = 20,
    cursor: Cursor = "",
) -> QuotePage:
    """Answer as the tool of this name does."""
    return listed_quotes.page(
        session,
        now(),
        account_id=account_id,
        opportunity_id=opportunity_id,
        status=status,
        expiring_within_days=expiring_within_days,
        number=number,
        limit=limit,
        cursor=cursor,
    )


READS = {"list_quotes": list_quotes}
