"""How the offline playbook reads a goal: which account, which deal, what the colleague asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dealdesk.playbook.dates import read_date
from orchestrator.llm.base import Json

CLEAR_LEAD = 8
"""How far ahead, in points of a hundred, one deal's topic must be to be the one meant."""

_OPPORTUNITY = re.compile(r"\bopp_[A-Za-z0-9_-]{1,40}\b")
_DISCOUNT = re.compile(
    r"(\d{1,2}(?:[.,]\d{1,2})?)\s*(?:%|per ?cent|prozent|percento|pour ?cent)", re.I
)
_CURRENCY = re.compile(
    r"\b(?:in|en|auf|in the currency)\s+(USD|EUR|GBP|CHF|US dollars?|dollars?|euros?|pounds?|"
    r"sterling|(?:swiss )?francs?|franken|dólares|libras)\b",
    re.I,
)
_CODES = {"u": "USD", "d": "USD", "e": "EUR", "g": "GBP", "p": "GBP", "l": "GBP"}
_MODES = {
    "road": "road",
    "truck": "road",
    "air": "air",
    "plane": "air",
    "sea": "sea",
    "ship": "sea",
}
_MODE = re.compile(r"\bby (road|truck|air|plane|sea|ship)\b", re.I)
_BEFORE = re.compile(
    r"\b(?:by|before|until|till|needed|needs? (?:it|them) by|bis(?: zum)?|para el|antes del?|"
    r"entro il|avant le|pour le)\s+(.{3,40})",
    re.I,
)
_CUT = re.compile(
    r"[,;:!?\n]|\.\s|\b(?:for|to|from|at|of|about|on|with|by|before|until|in|who|they|their|that|"
    r"which|the|(?<![&\w])an?(?![&\w])|und|für|an|von|mit|über|bis|der|die|das|den|dem|para|sobre|de|la|los|las|el|"
    r"con|per|pour|le|les|des|il|lo|needs?|wants?|asked|asks|our|his|her|please|bitte|por favor)\b",
    re.I,
)
_VERB = re.compile(
    r"^(?:(?:can|could|would) you |please |bitte |let'?s )?(?:make|prepare|create|draft|send|write|"
    r"do|get|give|issue|work up|put together|quote|price|offer|erstelle?n?|mach\w*|"
    r"schicke?|angebot|prepara\w*|haz|cotiza\w*|cotizaci[oó]n|presupuesto|fais|devis|offerta|prepare)\b",
    re.I,
)
_QUOTE_WORD = re.compile(
    r"\b(?:a |an |the |ein |eine |una? |un )?(?:quotes?|quotation|offers?|offer|angebot|"
    r"cotizaci[oó]n|presupuesto|devis|offerta|preventivo|proposal)\b",
    re.I,
)


@dataclass(frozen=True)
class Goal:
    """A goal taken apart: phrases that may name the account, and what is asked for."""

    text: str
    opportunity_id: str | None
    phrases: tuple[str, ...]
    constraints: Json

    def topic(self, account_phrase: str) -> str:
        """Return what the goal says beside the account: words to search deals with, or none."""
        return " ".join(phrase for phrase in self.phrases if phrase != account_phrase)[:200]


@dataclass(frozen=True)
class Choice:
    """The account that was chosen, by which phrase; or the question to ask."""

    account_id: str | None = None
    phrase: str = ""
    question: Json | None = None


def read_goal(inputs: Mapping[str, Any]) -> Goal:
    words = str(inputs["goal"])
    named = _OPPORTUNITY.search(words)
    opportunity = inputs.get("opportunity_id") or (named.group() if named else None)
    constraints = _constraints(words, date.fromisoformat(inputs["today"]))
    return Goal(words, opportunity, _phrases(words), constraints)


def _constraints(words: str, today: date) -> Json:
    found: Json = {}
    if percent := _DISCOUNT.search(words):
        found["discount_bp"] = round(float(percent[1].replace(",", ".")) * 100)
    if before := _BEFORE.search(words):
        day = read_date(before[1], today)
        if day is not None:
            found["needed_by"] = day.isoformat()
    if currency := _CURRENCY.search(words):
        name = currency[1].upper()
        swiss = name in ("CHF", "FRANKEN") or "FRANC" in name
        found["currency"] = "CHF" if swiss else _CODES[name[0].lower()]
    if mode := _MODE.search(words):
        found["mode"] = _MODES[mode[1].lower()]
    return found


def _phrases(words: str) -> tuple[str, ...]:
    """Return the pieces between the little words, longest names first, the account among them."""
    rest = _DISCOUNT.sub(" , ", _CURRENCY.sub(" , ", _MODE.sub(" , ", words)))
    rest = _QUOTE_WORD.sub(" , ", _VERB.sub(" , ", rest.strip()))
    pieces = [piece.strip(" .'\"’-") for piece in _CUT.split(rest)]
    pieces = [re.sub(r"['’]s$", "", piece) for piece in pieces]
    kept = [piece for piece in pieces if len(piece) > 1 and re.search(r"[^\W\d_]", piece)]
    return tuple(dict.fromkeys(piece[:120] for piece in kept))[:8] or (words[:120],)


def choose_account(goal: Goal, matches: Sequence[Mapping[str, Any]]) -> Choice:
    """Choose the account that some phrase names clearly; else ask, naming the candidates."""
    pairs = list(zip(goal.phrases, matches, strict=False))
    clear = [(match, phrase) for phrase, match in pairs if match.get("resolved")]
    ids = {match["resolved"] for match, _ in clear}
    if len(ids) == 1:
        return Choice(account_id=ids.pop(), phrase=clear[0][1])
    candidates = (
        sorted(ids)
        if ids
        else [row["account_id"] for _, match in pairs for row in match["candidates"]]
    )
    kind = "ambiguous_account" if candidates else "unknown_account"
    unique = list(dict.fromkeys(candidates))[:10]
    return Choice(question={"kind": kind, "candidates": unique})


def asking(goal: Goal, question: Json, account_id: str | None = None) -> Json:
    return {"account_id": account_id, "constraints": goal.constraints, "questions": [question]}


def assign_named(goal: Goal, found: Any) -> Json:
    """Return the assignment for an opportunity named by its id, or say there is none."""
    if not isinstance(found, dict):
        return asking(goal, {"kind": "no_open_opportunity"})
    return {
        "account_id": found["account_id"],
        "opportunity_id": found["opportunity_id"],
        "constraints": goal.constraints,
    }


def assign(
    goal: Goal,
    account_id: str,
    everything: Mapping[str, Any],
    ranked: Mapping[str, Any] | None = None,
) -> Json:
    """Choose the account's one open deal, or the one whose topic is clearly meant; else ask."""
    open_ = [row["opportunity_id"] for row in everything["items"]]
    if len(open_) != 1:
        rows = sorted((ranked or {}).get("items", ()), key=lambda row: -row["score"])
        ahead = rows and (len(rows) == 1 or rows[0]["score"] - rows[1]["score"] >= CLEAR_LEAD)
        if not ahead or not open_:
            kind = "ambiguous_opportunity" if open_ else "no_open_opportunity"
            return asking(goal, {"kind": kind, "candidates": open_[:10]}, account_id)
        open_ = [rows[0]["opportunity_id"]]
    return {"account_id": account_id, "opportunity_id": open_[0], "constraints": goal.constraints}
