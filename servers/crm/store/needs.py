"""Needs: the words of the customer, re-read from their source, with what they ask for."""

import secrets
from decimal import Decimal

from sqlmodel import Session

from servers.crm.schemas import NeedPage, NeedRow, Stage
from servers.crm.stages import check_open, check_version
from servers.crm.store.rows import all_visible, column, now, page_of, the_row, write_once
from servers.crm.store.stories import source_of
from servers.crm.tables import Need, Opportunity
from servers.toolkit import scope
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.units import Unit

MAX_STATEMENT = 1000


def list_needs(session: Session, opportunity_id: str, limit: int, cursor: str | None) -> NeedPage:
    """Return the needs on record, oldest first."""
    the_row(session, Opportunity, opportunity_id=opportunity_id)
    order = [column(Need, name) for name in ("recorded_at", "source_id", "start")]
    return page_of(session, NeedPage, Need, order, limit, cursor, opportunity_id=opportunity_id)


def record_need(
    session: Session,
    opportunity_id: str,
    source_id: str,
    start: int,
    end: int,
    *,
    quantity: Decimal | None,
    unit: Unit | None,
    optional: bool,
) -> NeedRow:
    """Record a need from a span of a source; the words come from the source, never the caller.

    The same need again is the one on record, marked `replayed`.
    """

    def make(deal: Opportunity) -> NeedRow:
        check_open(Stage(deal.stage))
        statement = _reread(session, opportunity_id, source_id, start, end)
        key = f"{source_id}:{start}:{end}:{quantity or ''}:{unit or ''}:{int(optional)}"
        known = all_visible(session, Need, opportunity_id=opportunity_id, span_key=key)
        if known:
            return _row(known[0]).model_copy(update={"replayed": True})
        row = Need(
            need_id=f"need_{secrets.token_hex(8)}",
            opportunity_id=opportunity_id,
            account_id=deal.account_id,
            source_id=source_id,
            start=start,
            end=end,
            span_key=key,
            statement=statement,
            quantity=quantity,
            unit=unit,
            optional=optional,
            recorded_at=now(),
            recorded_by=scope.actor(),
        )
        session.add(row)
        session.flush()
        return _row(row)

    return write_once(session, "record_need", opportunity_id, make, NeedRow)


def _reread(session: Session, opportunity_id: str, source_id: str, start: int, end: int) -> str:
    text = source_of(session, opportunity_id, source_id).text
    if not 0 <= start < end <= len(text):
        raise InvalidInputError(
            f"the span {start} to {end} is not in the {len(text)} characters of the source",
            fix="count characters in the text that read_message or read_document returned",
        )
    if end - start > MAX_STATEMENT:
        raise InvalidInputError(
            f"the span is longer than {MAX_STATEMENT} characters", fix="mark one need at a time"
        )
    words = text[start:end]
    if not words.strip():
        raise InvalidInputError("the span holds no words", fix="mark the words of the need")
    return words


def confirm_need(
    session: Session, opportunity_id: str, need_id: str, expected_version: int
) -> NeedRow:
    def make(deal: Opportunity) -> NeedRow:
        check_open(Stage(deal.stage))
        row = the_row(session, Need, need_id=need_id, opportunity_id=opportunity_id)
        check_version(expected_version, row.version)
        if row.status != "confirmed":
            row.status, row.version = "confirmed", row.version + 1
            session.add(row)
            session.flush()
        return _row(row)

    return write_once(session, "confirm_need", opportunity_id, make, NeedRow)


def _row(row: Need) -> NeedRow:
    return NeedRow.model_validate(row, from_attributes=True)
