"""Whose names are compared with which list, and what persons decided about hits."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from servers.finance.facts.windows import Window


@dataclass(frozen=True)
class Listed:
    """A name on the list, with its other names; an empty country is anywhere."""

    entry_id: str
    name: str
    country: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScreeningList:
    """The list with its date; hits start at `threshold` percent likeness."""

    name: str
    as_of: date
    threshold: Decimal
    max_age_days: int
    entries: tuple[Listed, ...]


@dataclass(frozen=True)
class Party:
    """A name that goes with a quote: the customer, a contact, an owner, whoever gets the goods."""

    role: str
    name: str
    country: str = ""


@dataclass(frozen=True)
class Review:
    """What a named person decided about one hit, bound to the two names that were compared."""

    review_id: str
    entry_id: str
    party_name: str
    listed_name: str
    decision: str
    decided_by: str
    window: Window
