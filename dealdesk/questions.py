"""Make a run's questions ready for a person: names beside ids, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

Look = Callable[[str, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
GOAL_MAX = 2_000
MOST = 10
_TOOLS = {"acc": ("get_account", "account_id"), "opp": ("get_opportunity", "opportunity_id")}


async def explain(
    look: Look, questions: Sequence[dict[str, Any]], opportunity_id: str | None
) -> None:
    """Add candidates where a named opportunity is not there, and `labels` for candidates.

    Everything is read from the CRM by code; no model's words are among it.

    Args:
        look: Calls a tool of a server.
        questions: The run's questions, as its result holds them.
        opportunity_id: The opportunity that the run was told to quote, if any.
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
    """Return the opportunities whose ids look most like the one that is not there."""
    page = await look("crm", "search_opportunities", {"limit": 100})
    ids = [str(row["opportunity_id"]) for row in page["items"]]
    likeness = {one: SequenceMatcher(None, wanted, one).ratio() for one in ids}
    return sorted(ids, key=lambda one: (-likeness[one], one))[:MOST]
