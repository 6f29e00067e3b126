"""The tool that advises a person on a price."""

from servers.finance.schemas import FromLine
from servers.finance.schemas_guidance import PriceGuidance
from servers.finance.store.database import FinanceDatabase
from servers.finance.store.guidance import guidance
from servers.finance.tools.pricing import ROOM
from servers.toolkit.components import tool
from servers.toolkit.declare import reads
from servers.toolkit.fields import LineId, QuoteId
from servers.toolkit.linking import first_that_fit


@tool(reads("Guide a price", rows="bound", binds=("quote_id",), person_only=True))
def guide_price(
    finance: FinanceDatabase,
    quote_id: QuoteId,
    line_id: LineId | None = None,
    from_line: FromLine = 1,
) -> PriceGuidance:
    """Propose floor, target and stretch for the lines of a stored quote; set nothing.

    quote_id comes from list_quotes. The floor earns the house's margin floor; target and
    stretch come from quotes of ours that comparable customers accepted for about as much, and
    those quotes are named with their outcome. All stay inside the policy band. Without
    comparable quotes it says so and proposes nothing. Only a named person can call this. With
    next_line, ask again from there for the other lines.
    """
    with finance.session() as session:
        found = guidance(session, quote_id, line_id)
    lines, after = first_that_fit(found.lines, from_line, ROOM)
    return found.model_copy(update={"lines": lines, "next_line": after})
