"""From needs and catalog answers to lines: the offline playbook's part of matching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.llm.base import Json
from orchestrator.workflows.quote.contracts import KEPT, REFERENCES

RUNS = ("term_months", "start", "end")


def first_lines(
    needs: Sequence[Mapping[str, Any]], matches: Sequence[Any]
) -> tuple[list[Json], list[Json]]:
    """Return a line per need that the catalog resolved, and the needs it did not, with reasons."""
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
    """Return the line of a need; references to needs become references to their lines."""
    codes = {finding["code"] for finding in found.get("findings", ())}
    named = str(found["resolved"]).replace("-", "") in need["phrase"].upper().replace("-", "")
    reason = "successor" if codes & {"EOL_SUCCESSOR", "SUCCESSOR"} else "best_match"
    return {
        "line_id": line_id,
        "sku": found["resolved"],
        "quantity": need["quantity"],
        "unit": need.get("unit") or "each",
        "optional": need.get("optional", False),
        "options": list(need.get("options", ())),
        **{name: need.get(name) for name in KEPT},
        **{name: line_of.get(need.get(name) or "") for name in REFERENCES},
        "need_ref": need["ref"],
        "reason": "named" if named else reason,
    }


def wire(line: Mapping[str, Any]) -> Json:
    """Return a line as the servers take it: without the need it answers, and why."""
    return {key: value for key, value in line.items() if key not in ("need_ref", "reason")}


def with_additions(lines: Sequence[Json], completed: Mapping[str, Any]) -> list[Json]:
    """Return the lines with the required parts the catalog proposes, one line per SKU.

    A part is as optional as what it is for, and a subscription runs as long.
    """
    by_id = {line["line_id"]: line for line in lines}
    together: dict[tuple[tuple[str, Any], ...], int] = {}
    for addition in completed["additions"]:
        owner = by_id.get(addition["for_line"], {})
        unit = addition.get("unit", "each")
        fields = {
            "sku": addition["sku"],
            "unit": unit,
            "optional": bool(owner.get("optional", False)),
            **{name: owner.get(name) for name in RUNS if unit == "license"},
        }
        key = tuple(fields.items())
        together[key] = together.get(key, 0) + addition["quantity"]
    parts = [
        {
            "line_id": f"l{len(lines) + place}",
            **dict(fields),
            "quantity": quantity,
            "reason": "required_part",
        }
        for place, (fields, quantity) in enumerate(together.items(), start=1)
    ]
    return [*lines, *parts]


def without_unit(
    lines: Sequence[Json], findings: Sequence[Mapping[str, Any]]
) -> tuple[list[Json], list[Json]]:
    """Return the lines the catalog sells by their unit, and the other needs: to be asked."""
    wrong = {found["subject"] for found in findings if found["code"] == "UNIT"}
    kept = [line for line in lines if line["line_id"] not in wrong]
    return kept, [
        {"need_ref": line["need_ref"], "reason": "unit", "candidates": [line["sku"]]}
        for line in lines
        if line["line_id"] in wrong
    ]
