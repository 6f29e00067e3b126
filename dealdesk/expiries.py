"""Whoever looks through the desk tells the CRM which quotes expired since somebody looked last.

Finance says which they are, by its own clock; the database of runs keeps until when that was told.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dealdesk.people import record
from orchestrator.errors import DealdeskError, UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk
    from orchestrator.durable.store import Store

QUARTER = timedelta(minutes=15)
"""Days begin and end at quarters of an hour, in every time zone: nothing expires in between."""
NOTED = "expired"
log = logging.getLogger(__name__)


def to_ask(store: Store, now: datetime) -> dict[str, Any] | None:
    """Return what list_quotes is asked for; None where nothing can have expired since."""
    if (noted := store.noted(NOTED)) is None:
        return {"status": "expired", "limit": 100}
    until = datetime.fromisoformat(noted)
    if now - until < QUARTER:
        return None
    early = until - QUARTER  # finance's clock may be a little late
    return {"expired_since": early.isoformat(), "limit": 100}


def note(store: Store, now: datetime) -> None:
    quarter = now.minute - now.minute % 15
    store.note(NOTED, now.replace(minute=quarter, second=0, microsecond=0).isoformat())


async def tell_expired(desk: Desk, now: datetime | None = None) -> None:
    """Tell the CRM, which keeps what it has; what cannot be told now is told the next time."""
    now = now or datetime.now(UTC)
    try:
        if (asked := to_ask(desk.store, now)) is None:
            return
        for quote in (await desk.whole("finance", "list_quotes", asked))["items"]:
            with suppress(UsageError):  # the CRM has another end on record, or no such deal
                await record(desk.look, quote, "expired")
        note(desk.store, now)
    except DealdeskError as problem:
        log.info("the CRM was not told what expired: %s", type(problem).__name__)
