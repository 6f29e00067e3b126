"""The engine's rows of runs, through the DBOS client; no worker is needed.

Everything here waits for the database, so the engine calls it in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from orchestrator.durable.seats import Seats
from orchestrator.durable.steps import Json, facts_of
from orchestrator.errors import UsageError

WORKFLOW, QUEUE = "run", "runs"
VERSION = "1"
"""What DBOS calls the version of our code; a plan has a version of its own, kept with each run."""
POLL = 0.1

Wanted = Callable[[str], bool]
"""Says of a run's id whether this worker may play it."""

MARKS: Json = {"parked": None, "waiting": None, "answered": None}
"""What stands on a row beside the status: why it is parked, the topic of the message it waits for,
and the topic that needs no more waiting: it was sent, or nobody sent it in time."""


def any_run(_run_id: str) -> bool:
    return True


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
    marks = row.attributes or MARKS
    match row.status:
        case "SUCCESS":
            return State.FAILED if row.output and "error" in row.output else State.DONE
        case "CANCELLED":
            return State.PARKED if marks.get("parked") else State.CANCELLED
        case "PENDING" | "ENQUEUED" | "DELAYED":
            waits = marks.get("waiting")
            return State.WAITING if waits and waits != marks.get("answered") else State.OPEN
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


class Ledger:
    """Reads and changes the rows of runs."""

    def __init__(self, client: Any, seats: Seats) -> None:
        self._client, self._seats = client, seats

    def row(self, run_id: str) -> Any:
        rows = self._client.list_workflows(workflow_ids=[run_id], load_input=False)
        if not rows:
            raise UsageError(f"{run_id} never started", fix=f"`dealdesk runs resume {run_id}`")
        return rows[0]

    def knows(self, run_id: str) -> bool:
        return bool(self._client.list_workflows(workflow_ids=[run_id], load_input=False))

    def done(self, run_id: str) -> list[str]:
        steps = self._client.list_workflow_steps(run_id, load_output=False)
        return [step["function_name"] for step in steps]

    def pending(self) -> dict[str, State]:
        """Return how each run stands that has not ended, oldest first."""
        rows = self._client.list_workflows(
            name=WORKFLOW, status=["PENDING", "ENQUEUED", "CANCELLED"], load_input=False
        )
        states = {row.workflow_id: state_of(row) for row in rows}
        return {run_id: s for run_id, s in states.items() if s is not State.CANCELLED}

    def mark(self, run_id: str, **marks: Any) -> None:
        """Write marks on a run's row, unless they are there."""
        there = self.row(run_id).attributes or MARKS
        if any(there.get(name) != value for name, value in marks.items()):
            self._client.update_workflow_attributes(run_id, marks, merge=True)

    def enqueue(self, run_id: str, args: Json) -> None:
        """Queue a new run for any worker that sweeps."""
        options = {"queue_name": QUEUE, "workflow_name": WORKFLOW, "app_version": VERSION}
        self._client.enqueue({**options, "workflow_id": run_id}, run_id, args)

    def send(self, run_id: str, topic: str, payload: Json, key: str) -> None:
        """Send a message, and mark that the run need not wait for it."""
        self.row(run_id)
        self._client.send(run_id, payload, topic, key)
        self.mark(run_id, answered=topic)

    def park(self, run_id: str, problem: Json) -> None:
        """Stop a run so that it can be resumed, unless a person stopped it for good."""
        if state_of(self.row(run_id)) is not State.CANCELLED:
            self.mark(run_id, parked=problem)
            self._client.cancel_workflow(run_id)

    def cancel(self, run_id: str) -> None:
        self.mark(run_id, parked=None)
        self._client.cancel_workflow(run_id)

    def unpark(self, run_id: str, queue: str) -> bool:
        """Queue a parked run again; False when it is not parked.

        Its mark stays, for it says nothing of a run that goes on: without it, a run would be
        cancelled for a moment, and for good if this stopped halfway.
        """
        if state_of(self.row(run_id)) is not State.PARKED:
            return False
        self._client.resume_workflow(run_id, queue_name=queue)
        return True

    def open_queue(self, name: str) -> None:
        """Make a queue, unless it is there."""
        if self._client.retrieve_queue(name) is None:
            self._client.register_queue(name, polling_interval_sec=POLL)

    def close_queue(self, name: str) -> None:
        """Remove a worker's queue; its runs are then taken up as those of a dead worker."""
        if name != QUEUE:
            self._client.delete_queue(name)

    def take_up(self, run_id: str | None, queue: str, wanted: Wanted = any_run) -> list[str]:
        """Queue again the runs whose worker is dead; no other process looks at them meanwhile.

        With `run_id` only that one; it may also be one that no worker has begun.
        """
        taken = []
        owners = {self._owner(row) for row in self._left(run_id)}
        for owner in owners if run_id else owners - {QUEUE}:
            with self._seats.dead(owner) as dead:
                for row in self._left(run_id) if dead else ():
                    run = row.workflow_id
                    if self._owner(row) == owner and (run_id or wanted(run)):
                        self._client.resume_workflow(run, queue_name=queue)
                        taken.append(run)
                if dead:
                    self.close_queue(owner)
        return taken

    def claim(self, queue: str, most: int, wanted: Wanted = any_run) -> list[str]:
        """Take queued runs that no worker has begun, oldest first, up to `most` on their way."""
        taken: list[str] = []
        with self._seats.dead(QUEUE) as alone:
            rows = list(self._left(None)) if alone else []
            mine = [row for row in rows if self._owner(row) == queue]
            room = most - sum(state_of(row) is State.OPEN for row in mine)
            for row in rows:
                if room > len(taken) and self._owner(row) == QUEUE and wanted(row.workflow_id):
                    self._client.resume_workflow(row.workflow_id, queue_name=queue)
                    taken.append(row.workflow_id)
        return taken

    def _left(self, run_id: str | None) -> list[Any]:
        """Return the rows of the runs that are begun or queued, the oldest first."""
        return list(
            self._client.list_workflows(
                name=WORKFLOW,
                app_version=VERSION,
                status=["PENDING", "ENQUEUED"],
                workflow_ids=[run_id] if run_id else None,
                load_input=False,
                load_output=False,
            )
        )

    @staticmethod
    def _owner(row: Any) -> str:
        """Return whose seat a run is with, or the queue that all share."""
        return str(row.executor_id if row.status == "PENDING" else row.queue_name)
