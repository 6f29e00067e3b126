"""What a house has and lacks: what `dealdesk doctor` says of each server's tables."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel


class Look(NamedTuple):
    """One look at a table: what was found, and what would mend it where something is lacking."""

    what: str
    said: str
    fix: str = ""


def rows_of(session: Session, what: str, model: type[SQLModel], fix: str) -> Look:
    """Say how many rows a table has; none is what lacks."""
    count = session.scalar(select(func.count()).select_from(model)) or 0
    return Look(what, f"{count:,}" if count else "none", "" if count else fix)
