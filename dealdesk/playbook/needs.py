"""Turn what was found in the texts into needs, and find what must be asked first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from dealdesk.playbook import claims
from dealdesk.playbook.items import BUNDLE, Item, clean_phrase
from dealdesk.playbook.signs import signs
from dealdesk.playbook.subscriptions import Run, read_run, subscription_ids
from orchestrator.llm.base import Json

SENTENCE = re.compile(r"[^.!?\n]+(?:\n(?!\s*\n)[^.!?\n]+)*[.!?]?")
_OF_TERMS = signs("words")["of_terms"]
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Source:
    """One text: a message's new words or a document, and whose it is."""

    id: str
    text: str
    trust: str
    document: bool = False


@dataclass(frozen=True)
class Found:
    """An item and the text it stands in."""

    item: Item
    source: str


def in_general(items: list[Item], text: str, today: date) -> list[Item]:
    """Add to subscriptions what the text says outside the list, if it says it only once."""
    if not any(item.unit == "license" for item in items):
        return items
    rest = list(text)
    for item in items:
        rest[item.start : item.end] = " " * (item.end - item.start)
    said = [s.group() for s in SENTENCE.finditer("".join(rest)) if _OF_TERMS.search(s.group())]
    run = read_run(" ".join(said), today)
    general = replace(run, change=None, subscription_id=None, year=None)
    done: list[Item] = []
    for item in items:
        run = item.run.over(general) if item.unit == "license" else item.run
        if run.same and run.term_months is None and run.end is None:
            before = [one.run for one in done if one.run.term_months or one.run.end]
            run = run.over(before[-1]) if before else run
        done.append(replace(item, run=run))
    return done


def running_ones(needs: list[Found], theirs: Sequence[Source]) -> list[Found]:
    """Complete changes of a running subscription whose id stands elsewhere, if only one does.

    A renewal without any id is a new subscription; an addition without one is asked about.
    """
    ids = {one for source in theirs for one in subscription_ids(claims.for_people(source.text))}
    only = ids.pop() if len(ids) == 1 else None
    done = []
    for found in needs:
        run = found.item.run
        if run.change and run.subscription_id is None:
            change = run.change if only or run.change == "amend" else None
            run = replace(run, change=change, subscription_id=only)
        elif run.subscription_id and run.change is None and (run.end or run.together):
            run = replace(run, subscription_id=None)  # it only says with what this one ends
        done.append(replace(found, item=replace(found.item, run=_plain(run))))
    return done


def _plain(run: Run) -> Run:
    """Return an item without what follows from its subscription or from the year before.

    An addition ends with its subscription, a renewal begins after it, and each year of a ramp
    after the one before.
    """
    if run.change == "amend":
        run = replace(run, term_months=None, end=None)
    if run.change == "renew" or (run.year or 1) > 1:
        run = replace(run, start=None)
    return replace(run, term_months=12, end=None) if run.year else run


def open_questions(need: Json, found: Found) -> Iterator[Json]:
    run = found.item.run
    if need["quantity"] is None:
        yield {"kind": "missing_quantity", "subject": need["ref"]}
    if bool(run.change) != bool(run.subscription_id):
        yield {"kind": "missing_subscription", "subject": need["ref"]}
    lasting = run.term_months is not None or run.end is not None
    if (run.together or run.same) and not lasting and run.change is None:
        yield {"kind": "missing_end", "subject": need["ref"]}
    if run.term_months is not None and run.end is not None:
        yield {"kind": "contradiction", "subject": need["ref"]}
    if run.year and run.year > 1 and need["segment_of"] is None:
        yield {"kind": "missing_reference", "subject": need["ref"]}


def as_need(place: int, found: Found, needs: Sequence[Found]) -> Json:
    """Return the need of this place in the list; it can refer only to needs before it."""
    item, run, before = found.item, found.item.run, needs[: place - 1]
    unlike = [i for i, f in enumerate(before, start=1) if not f.item.alternative]
    bundles = [i for i in unlike if BUNDLE.search(before[i - 1].item.phrase)]
    years = [i for i, f in enumerate(before, start=1) if _year_before(item, f.item)]
    return {
        "ref": f"n{place}",
        "phrase": clean_phrase(item.phrase),
        "quantity": item.quantity,
        "unit": item.unit,
        "term_months": run.term_months,
        "start": run.start.isoformat() if run.start else None,
        "end": run.end.isoformat() if run.end else None,
        "optional": item.optional,
        "alternative_of": f"n{unlike[-1]}" if item.alternative and unlike else None,
        "segment_of": f"n{years[-1]}" if years else None,
        "part_of": f"n{bundles[-1]}" if item.part and bundles else None,
        "options": list(item.options),
        "change": run.change,
        "subscription_id": run.subscription_id,
        "span": span_of(found.source, item.start, item.end),
    }


def _year_before(item: Item, other: Item) -> bool:
    """Say whether another item is the year before this one of the same ramp."""
    mine, theirs = item.run.year, other.run.year
    if not mine or not theirs or theirs != mine - 1:
        return False
    if item.skus and other.skus:
        return item.skus == other.skus
    return bool(stems(item.phrase) & stems(other.phrase))


def stems(text: str) -> set[str]:
    """Return the beginnings of the longer words, to compare what two texts speak of."""
    return {word.lower()[:6] for word in _WORD.findall(text)}


def span_of(source: str, start: int, end: int) -> Json:
    return {"source_id": source, "start": start, "end": end}
