"""What a text says of subscriptions, by rule: how long, from when, which year of a ramp, which one.

Only what stands in the words is read. A running subscription is known by its id, which stands on
every invoice; somebody who adds to "our subscription" without it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from dealdesk.playbook.signs import sign, signs
from orchestrator.workflows.quote.dates import read_date

_DATE = (
    r"((?:the )?\d{1,2}(?:st|nd|rd|th|\.|º)? ?(?:of |de |di )?[a-zäéû]{3,10}\.?"
    r"(?:,? (?:de )?\d{4})?|\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{4}|"
    r"[a-z]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?|"
    r"(?:the )?end of [a-z]{3,10}(?: \d{4})?|ende [a-zä]{3,10}(?: \d{4})?)"
)
_TERM = sign(
    r"(\d{1,3})[- ]?(?:months?|monate?n?|meses|mesi|mois)\b|"
    r"\b(\d{1,2}|one|two|three|four|five|ein|zwei|drei|vier|fünf)[- ](?:years?|jahre?n?)\b"
)
_START = sign(
    r"\b(?:from|starting(?: on| from)?|starts? on|beginning|vom|ab(?: dem)?|desde el|dal|"
    rf"à partir du)\s+{_DATE}"
)
_END = sign(
    r"\b(?:until|till|through|to|to end on|ending on|bis(?: zum)?|hasta el|fino al|jusqu'au|"
    r"(?:co-?term|end(?:s|ing)? (?:together|with|along|on the same)|gleichzeitig|gemeinsam|"
    rf"zusammen)[^.;]{{0,80}}?\b(?:on|am))\s+{_DATE}"
)
_RUNS = sign(r"(?:\bruns?|\brunning|\bvalid|läuft|gültig)\W+(?:\w+\W+)?$")
_TOGETHER = signs("words")["together"]
_SAME = signs("words")["same"]
_ID = sign(r"\bsub_[a-z0-9][a-z0-9_-]{0,39}\b")
_RENEW = sign(r"\brenew|verläng|\bprolong|\brenouvel|\brinnov|\brenov")
_ADD = signs("words")["add"]
_RUNNING = sign(
    r"\b(?:our|the|my|unser\w*|bestehende\w*|laufende\w*) "
    r"(?:(?:existing|current|running|bestehende\w*|laufende\w*) )?"
    r"(?:subscription|contract|abo(?:nnement)?|vertrag)\b|"
    r"(?:existing|current|running) (?:subscription|contract|licen[cs]es)"
)


def _spelled(*values: str) -> dict[str, int]:
    return {word: place for place, words in enumerate(values, start=1) for word in words.split()}


_YEARS = _spelled("first 1st erste", "second 2nd zweite", "third 3rd dritte", "fourth 4th vierte")
_ORDINAL = "|".join(_YEARS)
_YEAR = sign(rf"\b({_ORDINAL})[nrms]?(?: contract)? (?:year|jahr)|\byear ([1-4])\b")
_STEP = sign(rf"\b({_ORDINAL})[nrms]?\b")
_COUNT = re.compile(r"(?<![\w.,-])(\d{1,6})(?![-\w%.,]*\d)(?!\w)")
_NUMBERS = _spelled("one ein", "two zwei", "three drei", "four vier", "five fünf")


@dataclass(frozen=True)
class Run:
    """How long something runs, from when, and which running one it is about."""

    term_months: int | None = None
    start: date | None = None
    end: date | None = None
    year: int | None = None
    change: str | None = None
    subscription_id: str | None = None
    together: bool = False
    same: bool = False

    def over(self, wider: Run) -> Run:
        """Return this run, with what it does not say taken from a wider text, such as a heading."""
        mine = self
        if mine.term_months is None and mine.end is None:
            mine = replace(mine, term_months=wider.term_months, end=wider.end)
        if mine.change is None and mine.subscription_id is None:
            mine = replace(mine, change=wider.change, subscription_id=wider.subscription_id)
        return replace(
            mine,
            start=mine.start or wider.start,
            year=mine.year or wider.year,
            together=mine.together or wider.together,
            same=mine.same or wider.same,
        )


NO_RUN = Run()


def read_run(text: str, today: date) -> Run:
    words = " ".join(text.split())
    found = _ID.search(words)
    change = "renew" if _RENEW.search(words) else "amend" if _ADD.search(words) else None
    year = _YEAR.search(words)
    return Run(
        term_months=_months(words),
        start=_day(_START, words, today),
        end=_day(_END, words, today),
        year=(_YEARS.get(year[1].lower()) if year[1] else int(year[2])) if year else None,
        change=change if found or _RUNNING.search(words) else None,
        subscription_id=found[0].lower() if found else None,
        together=bool(_TOGETHER.search(words)),
        same=bool(_SAME.search(words)),
    )


def subscription_ids(text: str) -> list[str]:
    return list(dict.fromkeys(found[0].lower() for found in _ID.finditer(text)))


def steps(text: str) -> list[tuple[int, int]]:
    """Return the (count, year) steps of a ramp in some words: at least two, or none.

    Each count is the last number before its year.
    """
    words = " ".join(text.split())
    if not _YEAR.search(words):
        return []
    for pattern in (_START, _END, _TERM):
        words = pattern.sub(" ", words)
    found, at = [], 0
    for step in _STEP.finditer(words):
        counts = _COUNT.findall(words[at : step.start()])
        found += [(int(counts[-1]), _YEARS[step[1].lower()])] if counts else []
        at = step.end()
    in_order = [year for _, year in found] == list(range(1, len(found) + 1))
    return found if len(found) > 1 and in_order else []


def _months(words: str) -> int | None:
    """Return the term in months, when the words name one and only one."""
    named = set(_terms(words))
    return named.pop() if len(named) == 1 else None


def _terms(words: str) -> Iterator[int]:
    for found in _TERM.finditer(words):
        if found[1]:
            yield int(found[1])
        else:
            years = _NUMBERS.get(found[2].lower())
            yield 12 * (years or int(found[2]))


def _day(before: re.Pattern[str], words: str, today: date) -> date | None:
    """Return the day after a sign; "to 10 seats" names none and is passed over."""
    for found in before.finditer(words):
        day = read_date(found[1], today)
        if day is not None and not _RUNS.search(words[: found.start()]):
            return day  # "it runs until ..." is what there is, not what is wanted
    return None
