"""A run's questions: made ready for a person, and a person's answers worked into checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from dealdesk.people import Look
from orchestrator.errors import UsageError
from servers.toolkit.fields import SKU_FORM

GOAL_MAX = 2_000
MOST = 10
_TOOLS = {"acc": ("get_account", "account_id"), "opp": ("get_opportunity", "opportunity_id")}
_VALUES = {
    "missing_subscription": "sub_...",
    "missing_end": "YYYY-MM-DD",
    "contradiction": "YYYY-MM-DD",
}
_DATE = re.compile(r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$")
_PAIR = re.compile(r"^([a-z_]{1,20}\d{0,3})=(\S{1,60})$")


async def explain(
    look: Look, questions: Sequence[dict[str, Any]], opportunity_id: str | None
) -> None:
    """Add candidates where a named opportunity is not there, and `labels` for candidates.

    Everything is read from the CRM by code; no model's words are among it.
    """
    for question in questions:
        if question["kind"] == "no_open_opportunity" and opportunity_id:
            question["subject"] = opportunity_id
            question["candidates"] = await _like(look, opportunity_id)
        labels = {}
        for candidate in question.get("candidates", ()):
            if found := _TOOLS.get(candidate.partition("_")[0]):
                tool, name = found
                labels[candidate] = str((await look("crm", tool, {name: candidate}))["name"])
        if labels:
            question["labels"] = labels


async def _like(look: Look, wanted: str) -> list[str]:
    page = await look("crm", "search_opportunities", {"limit": 100})
    ids = [str(row["opportunity_id"]) for row in page["items"]]
    likeness = {one: SequenceMatcher(None, wanted, one).ratio() for one in ids}
    return sorted(ids, key=lambda one: (-likeness[one], one))[:MOST]


def apply_answers(
    row: Mapping[str, Any], checkpoints: Mapping[str, Any], answers: Sequence[str]
) -> tuple[dict[str, Any], str | None]:
    """Return the checkpoints to go on from, and the opportunity when the answer names it."""
    if row["outcome"] != "needs_input":
        raise UsageError(f"{row['run_id']} asked nothing", fix="`dealdesk runs list`")
    if not answers:
        raise UsageError(
            "no answer given", fix="n1=12, say; `dealdesk runs show` has the questions"
        )
    pairs = dict(_pair(answer) for answer in answers)
    if "opportunity" in pairs:
        return {}, pairs["opportunity"]
    if "plan" not in checkpoints or "qualify" not in checkpoints:
        raise UsageError(
            "this run asked which deal is meant", fix="opportunity=opp_..., from its candidates"
        )
    given = {step: deepcopy(checkpoints[step]) for step in ("plan", "qualify")}
    said = given["qualify"]["output"]
    needs = {need["ref"]: need for need in said["needs"]}
    for subject, value in pairs.items():
        if subject not in needs:
            known = ", ".join(needs) or "none"
            raise UsageError(f"{subject!r} is no need of this run", fix=f"one of: {known}")
        _answer_need(needs[subject], value)
    if any(need["quantity"] is None for need in needs.values()):
        missing = ", ".join(ref for ref, need in needs.items() if need["quantity"] is None)
        raise UsageError(f"still without a quantity: {missing}", fix=f"add {missing}=NUMBER")
    asked = {q["subject"]: q["kind"] for q in said["questions"] if q["subject"] in needs}
    for subject in asked.keys() - pairs.keys():
        if asked[subject] in _VALUES:
            raise UsageError(
                f"still open: {asked[subject].replace('_', ' ')} of {subject}",
                fix=f"add {subject}={_VALUES[asked[subject]]}",
            )
    said.update(decision="quote", reason="explicit_request", questions=[])
    return given, row["opportunity_id"]


def _pair(answer: str) -> tuple[str, str]:
    found = _PAIR.match(answer)
    if found is None:
        raise UsageError(f"{answer!r} is no answer", fix="SUBJECT=VALUE, like n1=12")
    return found[1], found[2]


def _answer_need(need: dict[str, Any], value: str) -> None:
    if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) and 0 < Decimal(value) <= 100_000:
        if need["quantity"] is not None:  # the count was there, its unit was the question
            need["unit"] = "each"
        need["quantity"] = int(value) if value.isdecimal() else value
    elif re.fullmatch(r"sub_[A-Za-z0-9_-]{1,40}", value):
        need["subscription_id"], need["change"] = value, need["change"] or "amend"
    elif _DATE.match(value):
        need["end"], need["term_months"] = value, None
    elif re.fullmatch(SKU_FORM, value) and re.search(r"[A-Z0-9]", value):
        need["phrase"] = value
    else:
        raise UsageError(
            f"{value!r} is no count, SKU, subscription or date", fix=f"{need['ref']}=12"
        )
