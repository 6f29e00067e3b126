"""From needs and catalog answers to lines: the offline playbook's part of matching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.llm.base import Json


def first_lines(
    needs: Sequence[Mapping[str, Any]], matches: Sequence[Any]
) -> tuple[list[Json], list[Json]]:
    """Return a line per need that the catalog resolved, and the needs it did not, with reasons.

    Args:
        needs: The needs as the matching agent is given them.
        matches: The answers of `match_need`, in the same order.
    """
    lines: list[Json] = []
    unmatched: list[Json] = []
    line_of: dict[str, str] = {}
    for need, match in zip(needs, matches, strict=True):
        found = match if isinstance(match, dict) else {"candidates": [], "resolved": None}
        if found["resolved"] is None or not need["quantity"]:
            unmatched.append(_left(need, found))
            continue
        line_id = f"l{len(lines) + 1}"
        line_of[need["ref"]] = line_id
        lines.append(_line(line_id, need, found, line_of))
    return lines, unmatched


def _left(need: Mapping[str, Any], found: Mapping[str, Any]) -> Json:
    candidates = [candidate["sku"] for candidate in found["candidates"][:5]]
    reason = "ambiguous" if candidates else "no_match"
    if found["resolved"] is not None:
        reason, candidates = "no_quantity", [found["resolved"]]
    return {"need_ref": need["ref"], "reason": reason, "candidates": candidates}


def _line(
    line_id: str, need: Mapping[str, Any], found: Mapping[str, Any], line_of: Mapping[str, str]
) -> Json:
    codes = {finding["code"] for finding in found.get("findings", ())}
    named = str(found["resolved"]).replace("-", "") in need["phrase"].upper().replace("-", "")
    reason = "successor" if codes & {"EOL_SUCCESSOR", "SUCCESSOR"} else "best_match"
    return {
        "line_id": line_id,
        "sku": found["resolved"],
        "quantity": need["quantity"],
        "unit": need.get("unit") or "each",
        "term_months": need.get("term_months"),
        "start": need.get("start"),
        "optional": need.get("optional", False),
        "alternative_of": line_of.get(need.get("alternative_of") or ""),
        "need_ref": need["ref"],
        "reason": "named" if named else reason,
    }


def with_additions(lines: Sequence[Json], completed: Mapping[str, Any]) -> list[Json]:
    """Return the lines with the required parts the catalog proposes, one line per SKU."""
    together: dict[str, int] = {}
    for addition in completed["additions"]:
        together[addition["sku"]] = together.get(addition["sku"], 0) + addition["quantity"]
    parts = [
        {
            "line_id": f"l{len(lines) + place}",
            "sku": sku,
            "quantity": quantity,
            "reason": "required_part",
        }
        for place, (sku, quantity) in enumerate(together.items(), start=1)
    ]
    return [*lines, *parts]
