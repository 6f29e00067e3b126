"""What must not go on in a house that was restored from a backup as it was before."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlmodel import Session

from servers.finance.store.enrolment import ALONE, ENDED
from servers.finance.tables.house import Enrolled, Seller
from servers.finance.tables.quotes import QuoteNumber

GAP = 1_000
"""Numbers that are left out where nobody says which one was the last to be issued."""


def after_restore(session: Session, now: datetime, last: int | None) -> list[dict[str, Any]]:
    """End every person's token and deputy, and move the numbers past those issued since.

    Return, for each entity, the first and last number of the year that nobody will get.
    """
    session.execute(update(Enrolled).values({**ENDED, **ALONE}))
    gaps = []
    for entity in session.scalars(select(Seller).order_by(Seller.entity_id)):
        year = now.astimezone(ZoneInfo(entity.time_zone)).year
        counter = session.get(QuoteNumber, (entity.entity_id, year))
        if counter is None:
            counter = QuoteNumber(entity_id=entity.entity_id, year=year, last=0)
            session.add(counter)
        before = counter.last
        counter.last = max(before, last) if last is not None else before + GAP
        numbers = (entity.number_format.format(year=year, n=n) for n in (before + 1, counter.last))
        if counter.last > before:
            gaps.append({"entity_id": entity.entity_id, "numbers": list(numbers)})
    return gaps
