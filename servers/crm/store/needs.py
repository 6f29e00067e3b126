"""Needs: the words of the customer, re-read from their source, with what they ask for."""

import secrets

from sqlmodel import Session

from servers.crm.schemas import Stage, Unit
from servers.crm.schemas_quotes import NeedPage, NeedRow
from servers.crm.stages import check_open, check_version
from servers.crm.store.rows import (
    all_visible,
    column,
    get_opportunity_row,
    now,
    page_of,
    write_once,
)
from servers.crm.store.stories import source_text
from servers.crm.tables import Need, Opportunity
from servers.toolkit import scope
from servers.toolkit.errors import InvalidInputError, NotFoundError

MAX_STATEMENT = 1000


def list_needs(session: Session, opportunity_id: str, limit: int, cursor: str | None) -> NeedPage:
    """Return the needs on record, oldest first."""
    get_opportunity_row(session, opportunity_id)
    mine = [column(Need, "opportunity_id") == opportunity_id]
    order = (column(Need, "recorded_at"), column(Need, "source_id"), column(Need, "start"))
    rows, total, after = page_of(session, Need, mine, order, limit, cursor)
    return NeedPage(items=[_row(row) for row in rows], total=total, next_cursor=after)


def record_need(
    session: Session,
    opportunity_id: str,
    source_id: str,
    start: int,
    end: int,
    *,
    quantity: int | None,
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
        known = all_visible(
            session,
            Need,
            column(Need, "opportunity_id") == opportunity_id,
            column(Need, "span_key") == key,
        )
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
    text = source_text(session, opportunity_id, source_id)
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
        found: list[Need] = all_visible(
            session,
            Need,
            column(Need, "need_id") == need_id,
            column(Need, "opportunity_id") == opportunity_id,
        )
        if not found:
            raise NotFoundError(f"no need_id {need_id[:60]!r}", fix="list_needs lists the ids")
        row = found[0]
        check_version(expected_version, row.version)
        if row.status != "confirmed":
            row.status, row.version = "confirmed", row.version + 1
            session.add(row)
            session.flush()
        return _row(row)

    return write_once(session, "confirm_need", opportunity_id, make, NeedRow)


def _row(row: Need) -> NeedRow:
    return NeedRow.model_validate(row.model_dump(include=set(NeedRow.model_fields)))
