"""Screening: names compared with a dated list. A hit is for a person; no hit is only that.

Case, accents, word order and legal forms do not matter, a country never shuts a hit out, and a
review by a named person is shown beside its hit until it lapses or a name changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rapidfuzz import fuzz

from servers.finance.facts.screening import Listed, Party, Review, ScreeningList
from servers.finance.findings import finding
from servers.finance.law.names import forms, normalise
from servers.finance.schemas import Verdict
from servers.toolkit.findings import Finding, Severity

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
    """Return a finding per likely match, and one when the list is too old to rely on."""
    known = list(reviews)
    findings = [_say(hit, against, day, known) for hit in hits(parties, against)]
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


def hits(parties: Iterable[Party], against: ScreeningList) -> list[Hit]:
    found = [
        hit
        for party in dict.fromkeys(parties)
        for entry in against.entries
        if (hit := _closest(party, entry)).score >= against.threshold
    ]
    return sorted(found, key=lambda h: (-h.score, h.entry.entry_id, h.party.role, h.party.name))


def likeness(one: str, other: str) -> Decimal:
    """Return how alike two names are, in percent, whatever the order of their words."""
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
    score, matched = max(scores for scores in scored)
    return Hit(party, entry, matched, score)


def _say(hit: Hit, against: ScreeningList, day: date, reviews: Iterable[Review]) -> Finding:
    review = next((r for r in _newest(reviews) if _holds(r, hit, day)), None)
    who = "the customer's name" if hit.party.role == CUSTOMER else f"the {hit.party.role}'s name"
    like = f"{who} is {hit.score}% like entry {hit.entry.entry_id} of {against.name}"
    code, severity, message, fix = (
        "SCREENING_HIT",
        Severity.NEEDS_HUMAN,
        like,
        "legal decides whether it is the same party, and may record that with review_screening",
    )
    evidence = [
        f"{hit.matched} ({hit.entry.country or 'any country'})",
        _country(hit),
        f"list of {against.as_of}",
    ]
    if review is not None:
        evidence.append(
            f"{review.review_id}: {review.decided_by} on {review.window.first}, "
            f"holds until {review.window.last}"
        )
        if review.decision == "different_party":
            code, severity, fix = "SCREENING_REVIEWED", Severity.INFO, ""
            message = f"{like}; {review.decided_by} reviewed it: another party"
        else:
            code, severity = "SCREENING_BLOCKED", Severity.BLOCKED
            message = f"{like}; {review.decided_by} reviewed it: the same party"
            fix = "do not trade; only a new review by legal can change that"
    return finding(
        code,
        severity,
        message,
        subject=hit.entry.entry_id,
        rule_id="SCREENING",
        evidence=evidence,
        fix=fix,
    )


def _newest(reviews: Iterable[Review]) -> list[Review]:
    return sorted(reviews, key=lambda r: (r.window.first or date.min, r.review_id), reverse=True)


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
