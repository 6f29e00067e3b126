"""How a run stands, read from the engine's row of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from orchestrator.steps import Json, facts_of

MARKS: Json = {"parked": None, "waiting": None}
"""What the engine writes on a row beside the status: why it is parked, what it waits for."""


class State(StrEnum):
    """How a run stands.

    `open` is on its way (or would be, had its worker not died), `waiting` needs a message,
    `parked` needs `resume` once what stopped it is mended, and the others are ends.
    """

    OPEN = "open"
    WAITING = "waiting"
    PARKED = "parked"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def state_of(row: Any) -> State:
    """Return how the run of a row stands."""
    marks = row.attributes or MARKS
    match row.status:
        case "SUCCESS":
            return State.FAILED if row.output and "error" in row.output else State.DONE
        case "CANCELLED":
            return State.PARKED if marks.get("parked") else State.CANCELLED
        case "PENDING" | "ENQUEUED" | "DELAYED":
            return State.WAITING if marks.get("waiting") else State.OPEN
        case _:
            return State.FAILED


def problem_of(row: Any) -> Json:
    """Return the error of a parked or failed run, as JSON."""
    match row.status:
        case "CANCELLED":
            return dict(row.attributes["parked"])
        case "SUCCESS":
            return dict(row.output["error"])
        case status:
            return facts_of(row.error or RuntimeError(status), "the engine")
