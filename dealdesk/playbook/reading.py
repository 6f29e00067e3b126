"""How the offline playbook judges a deal: it reads the texts in order and keeps the last word.

Only the customer's own messages and their attachments give needs and facts; an unknown sender
gives claims at most, and our own mails give neither. A count that is missing is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from dealdesk.playbook import claims
from dealdesk.playbook.items import PRODUCT, Item, find_items, number
from dealdesk.playbook.needs import (
    SENTENCE,
    Found,
    Source,
    as_need,
    in_general,
    open_questions,
    running_ones,
    span_of,
    stems,
)
from dealdesk.playbook.signs import sign, signs
from dealdesk.playbook.subscriptions import read_run
from orchestrator.llm.base import Json

_NO_QUOTE = signs("no_quote")
_READINESS_REASONS = {
    "ACCOUNT_ON_HOLD": "on_hold",
    "ON_HOLD": "on_hold",
    "OPEN_QUOTE": "duplicate_of_open_quote",
    "QUOTE_OPEN": "duplicate_of_open_quote",
}
_INSTEAD = sign(
    r"(\d{1,6})\s*(?:pcs|pieces|x|stück)?\s*"
    r"(?:instead of|statt|rather than|en vez de|invece di|au lieu de)"
)
_CHANGE_TO = sign(
    r"(?:change|increase|reduce|raise|lower|make|erhöhen|ändern)[^.]{0,60}\b(?:to|auf|a|it)\s+(\d{1,6})\b"
)
_STAYS = sign(r"(?:stays?|remains?|bleib\w*)[^.]{0,12}\b(?:at|bei)\s+(\d{1,6})\b")
_DROP = sign(
    r"\b(?:drop|remove|leave out|cancel|no longer need|don'?t need|streichen|entfall\w*)\b"
)
_BUDGET = sign(r"budget (?:is |has been )?(?:approved|confirmed|released)")
_RENEWAL = sign(r"\brenew|verläng")


def qualify(
    readiness: Json, messages: Sequence[Json], documents: Sequence[Json], today: str
) -> Json:
    """Return the qualification of a deal by the CRM's checklist and what was said, oldest first."""
    sources = _sources(messages, documents)
    theirs = [source for source in sources if source.trust == "customer"]
    blocked = _blocked(readiness)
    if blocked is not None:
        first = [span_of(s.id, 0, min(len(s.text), 200)) for s in theirs[:1] if s.text]
        return {"decision": "no_quote", "reason": blocked, "evidence": first}
    for source in reversed(theirs):
        for reason, pattern in _NO_QUOTE.items():
            if found := pattern.search(claims.for_people(source.text)):
                span = span_of(source.id, found.start(), found.end())
                return {"decision": "no_quote", "reason": reason, "evidence": [span]}
    day = date.fromisoformat(today)
    needs = running_ones(_needs(theirs, day), theirs)
    facts = _facts(theirs, sources, day)
    if not needs:
        reason = "missing_product"
        return {"decision": "ask", "reason": reason, "questions": [{"kind": reason}], **facts}
    listed = [as_need(place, found, needs) for place, found in enumerate(needs, start=1)]
    evidence = [need["span"] for need in listed][:5]
    questions = [
        q for need, found in zip(listed, needs, strict=True) for q in open_questions(need, found)
    ]
    judged = {"needs": listed, "evidence": evidence, **facts}
    if not questions:
        return {"decision": "quote", "reason": _reason(theirs), **judged}
    missing = any(q["kind"] == "missing_quantity" for q in questions)
    reason = "missing_quantity" if missing else "missing_reference"
    return {"decision": "ask", "reason": reason, "questions": questions[:10], **judged}


def _sources(messages: Sequence[Json], documents: Sequence[Json]) -> list[Source]:
    by_id = {document["document_id"]: document for document in documents}
    found = []
    for message in messages:
        trust = str(message["trust"])
        found.append(Source(str(message["activity_id"]), str(message["text"]), trust))
        for attached in message.get("attachments", ()):
            document = by_id.pop(attached["document_id"], None)
            if document is not None:
                name, text = str(document["document_id"]), str(document["text"])
                found.append(Source(name, text, trust, document=True))
    return found


def _blocked(readiness: Json) -> str | None:
    if readiness.get("verdict") != "do_not_quote":
        return None
    codes = [finding["code"] for finding in readiness.get("findings", ())]
    return next((_READINESS_REASONS[c] for c in codes if c in _READINESS_REASONS), "on_hold")


def _needs(theirs: Sequence[Source], today: date) -> list[Found]:
    """Read the needs in order; a later word about the same thing takes the earlier one's place."""
    needs: list[Found] = []
    for source in theirs:
        text = claims.for_people(source.text)
        items = find_items(text, document=source.document, today=today)
        items = in_general(items, text, today)
        if needs and not source.document:
            needs, items = _corrected(needs, items, source, text)
        for item in items:
            same = _same(item, needs)
            if same is None:
                needs.append(Found(item, source.id))
            elif item.quantity is not None:
                start, end = item.start, item.end
                said = replace(needs[same].item, quantity=item.quantity, start=start, end=end)
                needs[same] = Found(said, source.id)
    return needs


def _corrected(
    needs: list[Found], items: list[Item], source: Source, text: str
) -> tuple[list[Found], list[Item]]:
    """Apply the sentences that change or remove what was asked before."""
    kept = list(needs)
    for sentence in SENTENCE.finditer(text):
        words = sentence.group()
        about = _mentioned(words, kept)
        if about is None:
            continue
        start, end = sentence.start(), sentence.end()
        inside = [i for i in items if start <= i.start < end]
        changed = _INSTEAD.search(words) or _CHANGE_TO.search(words) or _STAYS.search(words)
        if changed:
            item = replace(kept[about].item, quantity=number(changed[1]), start=start, end=end)
            kept[about] = Found(item, source.id)
            items = [i for i in items if i not in inside]
        elif _DROP.search(words):
            del kept[about]
            items = [i for i in items if i not in inside]
    return kept, items


def _mentioned(sentence: str, needs: Sequence[Found]) -> int | None:
    """Return which need a sentence speaks of: the one whose words it shares most.

    Of the years of a ramp it is the one the sentence names.
    """
    if not PRODUCT.search(sentence):
        return None
    words, year = stems(sentence), read_run(sentence, date.min).year
    scores = [
        len(words & stems(found.item.phrase)) if year in (None, found.item.run.year) else 0
        for found in needs
    ]
    best = max(scores, default=0)
    return scores.index(best) if best and scores.count(best) == 1 else None


def _same(item: Item, needs: Sequence[Found]) -> int | None:
    for place, found in enumerate(needs):
        if item.run.year != found.item.run.year:
            continue  # two years of a ramp
        if item.skus and found.item.skus:
            if item.skus == found.item.skus:
                return place
            continue
        mine, other = stems(item.phrase), stems(found.item.phrase)
        if mine and len(mine & other) >= 0.7 * min(len(mine), len(other)) and len(mine & other) > 1:
            return place
    return None


def _facts(theirs: Sequence[Source], everything: Sequence[Source], today: date) -> Json:
    """Return the facts of the customer's own words, the newest first, and everybody's claims."""
    words = [claims.for_people(source.text) for source in reversed(theirs)]
    day = next((d for w in words if (d := claims.needed_by(w, today))), None)
    seen: dict[str, Json] = {}
    for source in everything:
        if source.trust == "internal":
            continue
        for kind, start, end in claims.find_claims(source.text):
            seen.setdefault(kind, {"kind": kind, "span": span_of(source.id, start, end)})
    return {
        "needed_by": day.isoformat() if day else None,
        "mode": next((m for w in words if (m := claims.mode(w))), None),
        "ship_to_country": next((c for w in words if (c := claims.ship_to_country(w))), None),
        "promo_codes": list(dict.fromkeys(c for w in words for c in claims.promo_codes(w)))[:5],
        "discount_asked_bp": next((p for w in words if (p := claims.discount_asked(w))), None),
        "payment_terms_asked": next((t for w in words if (t := claims.payment_terms(w))), None),
        "claims": list(seen.values()),
    }


def _reason(theirs: Sequence[Source]) -> str:
    newest = claims.for_people(theirs[-1].text)
    if _BUDGET.search(newest):
        return "budget_confirmed_request"
    return "renewal_request" if any(_RENEWAL.search(s.text) for s in theirs) else "explicit_request"
