"""Tools about needs: what the customer wants, in the customer's words."""

from sqlmodel import Session

from servers.crm.schemas import NeedPage, NeedRow, Offset, SourceId, Version
from servers.crm.store import needs
from servers.crm.tools.arguments import DEAL
from servers.toolkit.components import tool
from servers.toolkit.declare import reads, writes
from servers.toolkit.fields import Cursor, Limit, NeedId, OpportunityId, Quantity
from servers.toolkit.units import Unit


@tool(reads("List needs", rows="bound", binds=DEAL, integrity="untrusted"))
def list_needs(
    session: Session, opportunity_id: OpportunityId, limit: Limit = 20, cursor: Cursor = ""
) -> NeedPage:
    """List the needs on record, each with the customer's words and where they stand."""
    return needs.list_needs(session, opportunity_id, limit, cursor)


@tool(writes("Record a need", rows="bound", binds=DEAL, integrity="untrusted"))
def record_need(
    session: Session,
    opportunity_id: OpportunityId,
    source_id: SourceId,
    start: Offset,
    end: Offset,
    quantity: Quantity | None = None,
    unit: Unit | None = None,
    optional: bool = False,
) -> NeedRow:
    """Record something the customer wants, by where it was said.

    The words are read again from the source between `start` and `end` (characters of the
    text that read_message or read_document gives); they cannot be supplied. Leave quantity
    out when the customer names none. It starts as `proposed`.
    """
    return needs.record_need(
        session,
        opportunity_id,
        source_id,
        start,
        end,
        quantity=quantity,
        unit=unit,
        optional=optional,
    )


@tool(writes("Confirm a need", rows="bound", binds=DEAL, integrity="untrusted"))
def confirm_need(
    session: Session, opportunity_id: OpportunityId, need_id: NeedId, expected_version: Version
) -> NeedRow:
    """Confirm a proposed need after checking it against its source.

    need_id and version come from list_needs; refused when it changed in between.
    """
    return needs.confirm_need(session, opportunity_id, need_id, expected_version)
