"""Screening: names compared with a dated list. A hit is for a person; no hit is only that."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rapidfuzz import fuzz

from servers.finance.say import finding
from servers.toolkit.findings import Finding, Severity

SUFFIXES = frozenset(
    (
        *("ag", "as", "bv", "co", "corp", "corporation", "fze", "gmbh", "inc", "kg", "limited"),
        *("llc", "ltd", "nv", "oy", "plc", "sa", "sarl", "se", "spa", "srl"),
    )
)
"""Legal forms, which say nothing about who a company is."""


@dataclass(frozen=True)
class Listed:
    """A name on the list; an empty country is anywhere."""

    entry_id: str
    name: str
    country: str


@dataclass(frozen=True)
class ScreeningList:
    """The list with its date; hits start at `threshold` percent likeness."""

    name: str
    as_of: date
    threshold: Decimal
    max_age_days: int
    entries: tuple[Listed, ...]


def normalise(name: str) -> str:
    """Return a name without accents, punctuation, legal form and case."""
    flat = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    letters = "".join(c for c in flat if not unicodedata.combining(c)).lower().replace(".", "")
    words = re.findall(r"[^\W_]+", letters)
    kept = [word for word in words if word not in SUFFIXES]
    return " ".join(kept or words)


def screen(name: str, against: ScreeningList, day: date) -> list[Finding]:
    """Return a finding per likely match, and one when the list is too old to rely on."""
    findings = [
        _hit(entry, score, against)
        for entry, score in _matches(name, against.entries)
        if score >= against.threshold
    ]
    if (day - against.as_of).days > against.max_age_days:
        findings.append(
            finding(
                "SCREENING_STALE",
                Severity.WARNING,
                f"{against.name} is of {against.as_of}, older than {against.max_age_days} days",
                rule_id="SCREENING",
                fix="import the current list",
            )
        )
    return findings


def _matches(name: str, entries: Iterable[Listed]) -> list[tuple[Listed, Decimal]]:
    wanted = normalise(name)
    scored = [
        (entry, Decimal(str(round(fuzz.token_sort_ratio(wanted, normalise(entry.name)), 1))))
        for entry in entries
    ]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0].entry_id))


def _hit(entry: Listed, score: Decimal, against: ScreeningList) -> Finding:
    return finding(
        "SCREENING_HIT",
        Severity.NEEDS_HUMAN,
        f"the customer's name is {score}% like entry {entry.entry_id} of {against.name}",
        subject=entry.entry_id,
        rule_id="SCREENING",
        evidence=[f"{entry.name} ({entry.country or 'any country'})", f"list of {against.as_of}"],
        fix="legal decides whether it is the same party",
    )
