"""What is going on with an account: what is open, who decides, what was said and offered last."""

from typing import Any

from sqlalchemy import or_
from sqlmodel import Session

from servers.crm.stages import CLOSED_STAGES
from servers.crm.store.rows import column, count_visible, first_visible, the_row
from servers.crm.store.tasks import FIRST_DUE
from servers.crm.tables import Activity, Contact, Opportunity, QuoteRecord, Task

MOST, QUOTES = 10, 3


def overview(session: Session, account_id: str) -> dict[str, Any]:
    """Return rows of an account, few of each kind, as AccountDetail has them."""
    mine: dict[str, Any] = {"account_id": account_id}
    still_open = column(Opportunity, "stage").notin_(CLOSED_STAGES)
    latest = (column(Opportunity, "created").desc(), column(Opportunity, "opportunity_id"))
    decides = or_(column(Contact, "is_decision_maker"), column(Contact, "is_signatory"))
    first = (column(Contact, "is_decision_maker").desc(), column(Contact, "contact_id"))
    undone = column(Task, "done_at").is_(None)
    newest = (column(QuoteRecord, "at").desc(), column(QuoteRecord, "id").desc())
    return {
        "open_opportunities": count_visible(session, Opportunity, still_open, **mine),
        "opportunities": first_visible(session, Opportunity, MOST, latest, still_open, **mine),
        "tasks": first_visible(session, Task, MOST, FIRST_DUE, undone, **mine),
        "deciders": first_visible(session, Contact, MOST, first, decides, **mine),
        "last_interaction": _last_interaction(session, mine),
        "last_quotes": first_visible(session, QuoteRecord, QUOTES, newest, **mine),
    }


def _last_interaction(session: Session, mine: dict[str, Any]) -> dict[str, Any] | None:
    newest = (column(Activity, "at").desc(), column(Activity, "activity_id").desc())
    for row in first_visible(session, Activity, 1, newest, **mine):
        deal = the_row(session, Opportunity, opportunity_id=row.opportunity_id)
        return {**row.model_dump(), "stage": deal.stage}
    return None
