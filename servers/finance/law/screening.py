"""Screening: names compared with a dated list. A hit is for a person; no hit is only that.

Case, accents, word order and legal forms do not matter, a country never shuts a hit out, and a
review by a named person is shown beside its hit until it lapses or a name changes.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from rapidfuzz import fuzz

from servers.finance.facts.legal import Listed, Party, Review, ScreeningList
from servers.finance.findings import finding
from servers.finance.schemas import Verdict
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.shipped import shipped

CUSTOMER = "customer"


@dataclass(frozen=True)
class Hit:
    """A party that is like an entry, under which of its names, and how much."""

    party: Party
    entry: Listed
    matched: str
    score: Decimal


def screen(
    parties: Sequence[Party], against: ScreeningList, day: date, reviews: Iterable[Review] = ()
) -> list[Finding]:
    """Return a finding per likely match, and one when nobody is screened or the list is too old."""
    if against.nobody:
        said = "nobody is screened: the house has no screening list and says so in its policies"
        fix = "to screen, import screening_entries, and policies with the list's name and day"
        return [finding("SCREENING_OFF", Severity.INFO, said, rule_id="SCREENING", fix=fix)]
    known = list(reviews)
    findings = [_say(hit, against, day, known) for hit in hits(parties, against)]
    if (day - against.as_of).days > against.max_age_days:
        said = f"{against.name} is of {against.as_of}, older than {against.max_age_days} days"
        code, fix = "SCREENING_STALE", "import the current list"
        findings.append(finding(code, Severity.WARNING, said, rule_id="SCREENING", fix=fix))
    return findings


def hits(parties: Iterable[Party], against: ScreeningList) -> list[Hit]:
    found = [
        hit
        for party in dict.fromkeys(parties)
        for entry in against.entries
        if (hit := _closest(party, entry)).score >= against.threshold
    ]
    return sorted(found, key=lambda h: (-h.score, h.entry.entry_id, h.party.role, h.party.name))


def likeness(one: str, other: str) -> Decimal:
    scores = [fuzz.token_sort_ratio(a, b) for a in forms(one) for b in forms(other)]
    return Decimal(str(round(max(scores, default=0), 1)))


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    severities = {found.severity for found in findings}
    if Severity.BLOCKED in severities:
        return "blocked"
    return "needs_human" if severities - {Severity.INFO} else "clear"


def same_name(one: str, other: str) -> bool:
    """Say whether two names are the same to screening, so that a review of one holds."""
    return normalise(one) == normalise(other)


def _closest(party: Party, entry: Listed) -> Hit:
    names = (entry.name, *entry.aliases)
    scored = [(likeness(party.name, name), name) for name in names]
    score, matched = max(scored)
    return Hit(party, entry, matched, score)


def _say(hit: Hit, against: ScreeningList, day: date, reviews: Iterable[Review]) -> Finding:
    newest = sorted(reviews, key=lambda r: (r.window.first or date.min, r.review_id), reverse=True)
    review = next((one for one in newest if _holds(one, hit, day)), None)
    who = "the customer's name" if hit.party.role == CUSTOMER else f"the {hit.party.role}'s name"
    like = f"{who} is {hit.score}% like entry {hit.entry.entry_id} of {against.name}"
    code, severity, message = "SCREENING_HIT", Severity.NEEDS_HUMAN, like
    fix = "legal decides whether it is the same party, and may record that with review_screening"
    matched = f"{hit.matched} ({hit.entry.country or 'any country'})"
    evidence = [matched, _country(hit), f"list of {against.as_of}"]
    if review is not None:
        by, days = f"{review.review_id}: {review.decided_by}", review.window
        evidence.append(f"{by} on {days.first}, holds until {days.last}")
        if review.decision == "different_party":
            code, severity, fix = "SCREENING_REVIEWED", Severity.INFO, ""
            message = f"{like}; {review.decided_by} reviewed it: another party"
        else:
            code, severity = "SCREENING_BLOCKED", Severity.BLOCKED
            message = f"{like}; {review.decided_by} reviewed it: the same party"
            fix = "do not trade; only a new review by legal can change that"
    subject, rule = hit.entry.entry_id, "SCREENING"
    return finding(
        code, severity, message, subject=subject, rule_id=rule, evidence=evidence, fix=fix
    )


def _holds(review: Review, hit: Hit, day: date) -> bool:
    names = (hit.entry.name, *hit.entry.aliases)
    return (
        review.entry_id == hit.entry.entry_id
        and same_name(review.party_name, hit.party.name)
        and any(same_name(review.listed_name, name) for name in names)
        and review.window.covers(day)
    )


def _country(hit: Hit) -> str:
    """Say what the countries add; they never rule a hit out."""
    if not hit.entry.country or not hit.party.country:
        return "countries cannot be compared"
    if hit.entry.country == hit.party.country:
        return f"same country {hit.party.country}"
    return f"other country: {hit.party.country}, which does not rule it out"


_FILE = shipped(__package__, "screening")
LETTERS, DIGRAPHS, ALPHABETS = (
    str.maketrans(_FILE[name]) for name in ("letters", "digraphs", "alphabets")
)
SUFFIXES = frozenset(_FILE["forms"].split())
"""Legal forms of many countries, which say nothing about who a company is."""

JOINED = (
    (re.compile(r"\bsp\s?z\s?o\s?o\b"), "spzoo"),
    (re.compile(r"\bs de rl(?: de cv)?\b"), "srl"),
    (re.compile(r"\bde cv\b"), "cv"),
    (re.compile(r"\b(?:haftungsbeschränkt|haftungsbeschrankt|haftungsbeschraenkt)\b"), "ug"),
    (re.compile(r"\bd o o\b"), "doo"),
    (re.compile(r"\bs a r l\b"), "sarl"),
    (re.compile(r"\bs r l\b"), "srl"),
    (re.compile(r"\bs p a\b"), "spa"),
    (re.compile(r"\bs r o\b"), "sro"),
)
"""Legal forms that are written in several words."""

INSIDE = re.compile(r"(?<=\b\w)[./](?=\w\b)|(?<=\w)['’](?=\w)")
"""The dots of S.r.l., the stroke of A/S, the apostrophe of O'Neill."""


def normalise(name: str, *, digraphs: bool = False) -> str:
    """Return a name without accents, punctuation, legal form and case.

    A name that is nothing but a legal form keeps it.
    """
    small = unicodedata.normalize("NFC", name).casefold()
    if digraphs:
        small = small.translate(DIGRAPHS)
    flat = unicodedata.normalize("NFKD", small.translate(LETTERS).translate(ALPHABETS))
    letters = "".join(c for c in flat if not unicodedata.combining(c)).casefold()
    letters = INSIDE.sub("", letters.translate(LETTERS).translate(ALPHABETS))
    spaced = " ".join(re.findall(r"[^\W_]+", letters))
    for pattern, form in JOINED:
        spaced = pattern.sub(form, spaced)
    words = spaced.split()
    kept = [word for word in words if word not in SUFFIXES]
    return " ".join(kept or words)


@lru_cache(maxsize=20_000)
def forms(name: str) -> frozenset[str]:
    return frozenset({normalise(name), normalise(name, digraphs=True)}) - {""}
