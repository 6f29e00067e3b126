"""How the offline playbook reads a goal: which account, which deal, what the colleague asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dealdesk.playbook.signs import sign
from orchestrator.llm.base import Json
from orchestrator.workflows.quote.goal_words import FIRM, SMALL, also, folded, read_said, unread

CLEAR_LEAD = 8
"""How far ahead, in points of a hundred, one deal's topic must be to be the one meant."""

_OPPORTUNITY = re.compile(r"\bopp_[A-Za-z0-9_-]{1,40}\b")
_CUT = sign(
    r"[,;:!?\n]|\.\s|\b(?:for|to|from|at|of|about|on|with|by|before|until|in|who|they|their|that|"
    r"which|the|(?<![&\w])an?(?![&\w])|und|für|an|von|mit|über|bis|der|die|das|den|dem|para|sobre|de|la|los|las|el|"
    r"con|per|pour|le|les|des|il|lo|needs?|wants?|asked|asks|our|his|her|please|bitte|por favor)\b"
)
_VERB = sign(
    r"^(?:(?:can|could|would) you |please |bitte |let'?s )?(?:make|prepare|create|draft|send|write|"
    r"do|get|give|issue|work up|put together|quote|price|offer|erstelle?n?|mach\w*|"
    r"schicke?|angebot|prepara\w*|haz|cotiza\w*|cotizaci[oó]n|presupuesto|fais|devis|offerta|prepare)\b"
)
_QUOTE_WORD = sign(
    r"\b(?:a |an |the |ein |eine |una? |un )?(?:quotes?|quotation|offers?|offer|angebot|"
    r"cotizaci[oó]n|presupuesto|devis|offerta|preventivo|proposal)\b"
)


@dataclass(frozen=True)
class Goal:
    """A goal taken apart: phrases that may name the account, and what is asked for."""

    text: str
    opportunity_id: str | None
    phrases: tuple[str, ...]
    constraints: Json
    today: date
    rest: str
    """The text without what the constraints hold."""

    def queries(self, named_by: Iterable[str] = ()) -> tuple[str, ...]:
        """Return the words that only the deal can take up, not the account, as search texts."""
        known = SMALL | FIRM | frozenset(named_by)
        said = [word for word in dict.fromkeys(folded(self.rest)) if word not in known]
        others = sorted(frozenset().union(*map(also, said)).difference(said))
        return tuple(
            " ".join(words[at : at + 12])[:200]
            for words in (said, others)
            for at in range(0, len(words), 12)
        )


@dataclass(frozen=True)
class Choice:
    """The account that was chosen, by which words of the goal; or the question to ask."""

    account_id: str | None = None
    named_by: frozenset[str] = frozenset()
    question: Json | None = None


def read_goal(inputs: Json) -> Goal:
    words = str(inputs["goal"])
    named = _OPPORTUNITY.search(words)
    opportunity = inputs.get("opportunity_id") or (named.group() if named else None)
    today = date.fromisoformat(inputs["today"])
    said = read_said(words, today)
    return Goal(words, opportunity, _phrases(words, said.rest), said.constraints, today, said.rest)


def _phrases(words: str, rest: str) -> tuple[str, ...]:
    """Return the pieces between the little words, longest names first, the account among them."""
    rest = _QUOTE_WORD.sub(" , ", _VERB.sub(" , ", rest.strip()))
    pieces = [piece.strip(" .'\"’-") for piece in _CUT.split(rest)]
    pieces = [re.sub(r"['’]s\b", "", piece) for piece in pieces]
    kept = [piece for piece in pieces if len(piece) > 1 and re.search(r"[^\W\d_]", piece)]
    return tuple(dict.fromkeys(piece[:120] for piece in kept))[:8] or (words[:120],)


def choose_account(matches: Sequence[Json]) -> Choice:
    """Choose the account that some phrase names clearly; else ask, naming the candidates."""
    ids = {match["resolved"] for match in matches if match.get("resolved")}
    every = [row for match in matches for row in match["candidates"]]
    if len(ids) == 1:
        chosen = ids.pop()
        named = {w for row in every if row["account_id"] == chosen for w in row["named_by"]}
        return Choice(account_id=chosen, named_by=frozenset(named))
    candidates = sorted(ids) or [row["account_id"] for row in every]
    kind = "ambiguous_account" if candidates else "unknown_account"
    unique = list(dict.fromkeys(candidates))[:10]
    return Choice(question={"kind": kind, "candidates": unique})


def asking(goal: Goal, question: Json, account_id: str | None = None) -> Json:
    return {"account_id": account_id, "constraints": goal.constraints, "questions": [question]}


def assign_named(goal: Goal, found: Any) -> Json:
    if not isinstance(found, dict):
        return asking(goal, {"kind": "no_open_opportunity"})
    return {
        "account_id": found["account_id"],
        "opportunity_id": found["opportunity_id"],
        "constraints": goal.constraints,
    }


def assign(goal: Goal, account_id: str, everything: Json, ranked: Json | None = None) -> Json:
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


def assign_won(goal: Goal, account_id: str, everything: Json) -> Json | None:
    """Choose the account's only deal where it is won: the run then says by which quote."""
    if [row["stage"] for row in everything["items"]] != ["closed_won"]:
        return None
    deal = everything["items"][0]["opportunity_id"]
    return {"account_id": account_id, "opportunity_id": deal, "constraints": goal.constraints}


def with_unread(goal: Goal, assignment: Json, answers: Sequence[Json]) -> Json:
    """Return an assignment that asks about the words which nothing takes up, if there are any."""
    left = unread(
        goal.text,
        goal.today,
        account_id=assignment["account_id"],
        opportunity_id=assignment.get("opportunity_id"),
        answers=answers,
    )
    if not left:
        return assignment
    asked = {"kind": "unread_words", "words": left}
    return {**assignment, "questions": [*assignment.get("questions", ()), asked]}
