"""What a goal says, word by word: what it asks for, and the words that nothing takes up.

A word is taken up by the account it names, by the deal (its name, its needs, its messages), by a
discount, date, currency or way of shipping, or because it is one of the small words. What is left
says more than a quote run can do yet, and the run asks about it. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestrator.workflows.quote.dates import find_date
from servers.toolkit.shipped import shipped

_FILE = shipped(__package__, "vocabulary")

FIRM = frozenset(_FILE["limits"].split()) | frozenset(_FILE["counts"].split())
"""Words that change what is asked for: only the names of the account and the deal may hold them."""
SMALL = frozenset(_FILE["small"].split())
SAME: tuple[tuple[str, ...], ...] = tuple(tuple(line.split()) for line in _FILE["same"])

REDUCTION = r"off|discount|reduction|rebate|rabatt|nachlass|sconto|descuento|remise|korting"
_DISCOUNT = re.compile(
    rf"(?:\b(?:less|minus|menos|meno|moins|abzüglich)\s+)?(?:\b(?:{REDUCTION})\s+(?:of|von|de|del|di)?\s*)?(?<![\d.,])(\d{{1,2}}(?:[.,]\d{{1,2}})?)\s*"
    rf"(?:%|per ?cent\b|prozent\b|por ?ciento\b|percento\b|pour ?cent\b)"
    rf"(?:\s*(?:de\s+|di\s+)?(?:{REDUCTION})\b)?",
    re.I,
)
_CURRENCY = re.compile(
    r"\b(?:in|en|auf|in the currency)\s+(USD|EUR|GBP|CHF|US dollars?|dollars?|euros?|"
    r"(?:pounds? )?sterling|pounds?|(?:swiss )?francs?|(?:schweizer )?franken|dólares|libras|"
    r"francos)\b"
    r"|(?<![\d.,]\s)(?<![\d.,])\b(USD|EUR|GBP|CHF)\b(?!\s*\d)",
    re.I,
)
_CODES = {"u": "USD", "d": "USD", "e": "EUR", "g": "GBP", "p": "GBP", "s": "GBP", "l": "GBP"}
_WAYS = {
    "road": "road ground truck lorry lkw strasse straße carretera camión camion route overland",
    "air": "air plane airfreight luft luftfracht flugzeug aire avión aereo avion",
    "sea": "sea ship boat seefracht schiff mar barco mare nave mer bateau",
}
_MODES = {word: mode for mode, words in _WAYS.items() for word in words.split()}
_MODE = re.compile(
    r"\b(?:(?:shipped|shipping|shipment|ships?|sent|delivered|versand|envío|spedizione|expédition) "
    r"(?:it |them )?)?(?:by|per|via|por|par|mit dem)\s+"
    rf"(?P<way>{'|'.join(_MODES)})(?:[ -]?freight)?\b|\b(?P<freight>air|sea|road)[ -]?freight\b"
    r"|\b(?P<over>overland)\b",
    re.I,
)
_BEFORE = re.compile(
    r"\b(?:(?:needs?|due|needed|required|wanted|delivered|delivery|latest|ready|lieferung|liefern|"
    r"entrega|consegna|livraison)(?: it| them)? )?"
    r"(?:by|before|until|till|no later than|needed|(?<=delivery )on|(?<=delivered )on|"
    r"(?<=lieferung )am|(?:spätestens )?(?:bis(?: zum)?|zum)|"
    r"(?:para |a más tardar )?(?:para el|antes del?|el)|entro(?: il)?|avant le|d'ici le|pour le)"
    r"\s+(?:the |dem |den )?(.{3,40})",
    re.I,
)
_WEEKDAY = re.compile(
    r"\b(?:on|from|since|last|this|am|vom|seit|letzten|el|del|di|le|du)\s+(?:(?:mon|tues|wednes|thurs|"
    r"fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|lunes|martes|miércoles|"
    r"jueves|viernes|lunedì|martedì|mercoledì|giovedì|venerdì|lundi|mardi|mercredi|jeudi|vendredi)\b",
    re.I,
)
"""A day on which something was said; "by Friday" is a wish that nothing holds yet."""
_ID = re.compile(r"\b(?:opp|acc)_[A-Za-z0-9_-]{1,40}\b")
_NUMBER = re.compile(r"^\W*\d|-\w*\d|\d\w*-")
"""A count or a SKU; "W3" is neither, but a name."""
_TOKEN = re.compile(r"[^\s,;:!?()\"“”„]+|[,;:!?()]")
_REASON = re.compile(r"^'(.+)' in the (\w+)$")
MOST, LONGEST = 20, 80


@dataclass(frozen=True)
class Said:
    """A goal taken apart: what it asks for, and the text with that blotted out."""

    constraints: dict[str, Any]
    rest: str


def read_said(goal: str, today: date) -> Said:
    """Read the discount, date, currency and way of shipping that a goal asks for."""
    found: dict[str, Any] = {}
    rest = goal
    if percent := _DISCOUNT.search(rest):
        found["discount_bp"] = round(float(percent[1].replace(",", ".")) * 100)
        rest = _without(rest, percent.start(), percent.end())
    for before in _BEFORE.finditer(rest):
        day, length = find_date(before[1], today)
        if day is not None:
            found["needed_by"] = day.isoformat()
            rest = _without(rest, before.start(), before.start(1) + length)
            break
    if currency := _CURRENCY.search(rest):
        name = (currency[1] or currency[2]).upper()
        swiss = name == "CHF" or "FRAN" in name
        found["currency"] = "CHF" if swiss else _CODES[name[0].lower()]
        rest = _without(rest, currency.start(), currency.end())
    if mode := _MODE.search(rest):
        found["mode"] = _MODES[(mode["way"] or mode["freight"] or mode["over"]).lower()]
        rest = _without(rest, mode.start(), mode.end())
    return Said(found, _WEEKDAY.sub(" ", rest))


def _without(text: str, start: int, end: int) -> str:
    return f"{text[:start]} , {text[end:]}"


def also(word: str) -> frozenset[str]:
    """Return how a word may begin in another language, if it is a common one."""
    groups = (group for group in SAME if any(word.startswith(stem) for stem in group))
    return frozenset(stem for group in groups for stem in group)


def unread(
    goal: str,
    today: date,
    *,
    account_id: str | None,
    opportunity_id: str | None,
    answers: Iterable[Mapping[str, Any]],
) -> list[str]:
    """Return what of a goal nothing takes up, in its own words and order.

    Without an `opportunity_id` the words of any deal of the account count. `answers` are those of
    resolve_account, search_opportunities and get_opportunity.
    """
    ours, theirs = _known(account_id, opportunity_id, answers)
    rest = _ID.sub(
        lambda found: "," if found[0] in (account_id, opportunity_id) else found[0],
        read_said(goal, today).rest,
    )
    phrases: list[list[str]] = [[]]
    carried = 0
    for token in _TOKEN.findall(rest):
        words = folded(token)
        firm = bool(_NUMBER.search(token)) or not FIRM.isdisjoint(words)
        known = ours if firm else ours | theirs | SMALL
        if not words:
            phrases.append([])
            carried = 0
        elif not all(
            word in known or (not firm and (len(word) == 1 or also(word) & known)) for word in words
        ):
            phrases[-1].append(token)
            carried = 3 if firm else max(0, carried - 1)
        elif carried:  # what a count or a "without" is about is named with it
            phrases[-1].append(token)
            carried -= 1
        else:
            phrases.append([])
    return list(dict.fromkeys(said for phrase in phrases if (said := _as_phrase(phrase))))[:MOST]


def _as_phrase(tokens: list[str]) -> str:
    """Return tokens as a short phrase in plain characters, without small words at its end."""
    while tokens and SMALL.issuperset(folded(tokens[-1])):
        tokens = tokens[:-1]
    return re.sub(r"[^\w .,/+&°%()'-]", " ", " ".join(tokens)).strip(" .,'-")[:LONGEST]


def _known(
    account_id: str | None, opportunity_id: str | None, answers: Iterable[Mapping[str, Any]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of the names of account and deal, and those the deal speaks of."""
    ours: set[str] = set()
    theirs: set[str] = set()
    for answer in answers:
        for one in answer.get("candidates", ()):
            if one["account_id"] == account_id:
                ours.update(one["named_by"])
        for row in (answer, *answer.get("items", ())):
            mine = row.get("opportunity_id") == opportunity_id
            if "name" not in row or not (mine or opportunity_id is None):
                continue
            ours.update(folded(f"{row['name']} {row.get('account_name', '')}"))
            for reason in row.get("reasons", ()):
                if found := _REASON.match(reason):
                    (ours if found[2] in ("name", "account") else theirs).add(found[1])
    return frozenset(ours), frozenset(theirs)


_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "o", "æ": "ae", "đ": "d", "ł": "l", "Ł": "l"})


def folded(text: str) -> list[str]:
    """Return the words of a text as the CRM compares them: no case, accents or punctuation."""
    text = re.sub(r"\b([^\W\d]{1,4})['’](?=\w{3})", r"\1 ", re.sub(r"['’]s\b", "", text))
    text = re.sub(r"['’`´]", "", text).translate(_LETTERS)
    text = re.sub(r"[&+]", " and ", text)
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return "".join(kept).split()
