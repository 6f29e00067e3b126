"""Validity ends with its day, in the time zone of the entity that made the offer.

An issued quote past that day reads as expired at once. It is written down as expired the next
time anything is written, in a transaction of its own: a refused step must not undo that.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlmodel import Session, col

from servers.finance.tables.house import Seller
from servers.finance.tables.quotes import Quote
from servers.toolkit.database import Database

Days = Mapping[str, date]
"""What day it is for each legal entity of the seller."""


def today(session: Session, now: datetime) -> Days:
    rows = session.execute(select(col(Seller.entity_id), col(Seller.time_zone)))
    return {entity: now.astimezone(ZoneInfo(zone)).date() for entity, zone in rows}


def is_over(quote: Quote, days: Days, now: datetime) -> bool:
    day = days.get(quote.entity_id, now.astimezone(UTC).date())
    return quote.status == "issued" and quote.valid_until is not None and quote.valid_until < day


def over(days: Days) -> ColumnElement[bool]:
    return _of_each(days, lambda _, day: col(Quote.valid_until) < day)


def expiring(days: Days, within: int) -> ColumnElement[bool]:
    last = timedelta(days=within)
    return _of_each(days, lambda _, day: col(Quote.valid_until).between(day, day + last))


def ended(days: Days, before: Days) -> ColumnElement[bool]:
    """Say which quotes expired since other days were today, written down or not."""
    night = timedelta(days=1)
    return _of_each(
        days,
        lambda entity, day: col(Quote.valid_until).between(before.get(entity, day), day - night),
        "issued",
        "expired",
    )


def _of_each(
    days: Days, when: Callable[[str, date], ColumnElement[bool]], *statuses: str
) -> ColumnElement[bool]:
    stands = col(Quote.status).in_(statuses or ("issued",))
    found = [
        and_(stands, col(Quote.entity_id) == entity, when(entity, day))
        for entity, day in days.items()
    ]
    return or_(*found) if found else false()


@contextmanager
def writing(database: Database, now: datetime) -> Iterator[Session]:
    """Open a write session about quotes, after writing down which ones expired meanwhile."""
    with database.session() as session:
        waiting = session.scalars(select(Quote).where(over(today(session, now))).limit(1)).first()
    if waiting is not None:
        with database.write() as session:
            late = select(Quote).where(over(today(session, now))).order_by(col(Quote.quote_id))
            for quote in session.scalars(late.with_for_update()):
                quote.status = "expired"
    with database.write() as session:
        yield session
