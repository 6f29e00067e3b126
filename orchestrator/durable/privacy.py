"""What runs and the engine's checkpoints hold of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from orchestrator.durable.store import make_engine
from orchestrator.errors import UsageError
from servers.toolkit.privacy import Held, Person, find

RUNS: Mapping[str, Held] = {
    "run": Held("requested_by", whose="run_id", copies="goal result"),
    "event": Held(whose="run_id", copies="data"),
    "noted": Held(free="what until"),
}
_OF_A_RUN = {
    "workflow_status": "inputs output error request attributes",
    "workflow_input": "inputs",
    "workflow_output": "output error",
    "operation_outputs": "output error",
    "workflow_events": "value",
    "workflow_events_history": "value",
    "streams": "value",
}
ENGINE: Mapping[str, Held] = {
    **{name: Held(whose="workflow_uuid", copies=columns) for name, columns in _OF_A_RUN.items()},
    "notifications": Held(whose="destination_uuid", copies="message"),
}
"""Recorded answers of models and of tools are checkpoints, so they are here too."""


def database_at(url: str) -> sa.Engine | None:
    """Return the database of runs or of the engine; None when there is none yet."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return None
    return make_engine(url)


def with_runs(connection: sa.Connection, person: Person, *, ending: bool) -> Person:
    """Return a person with the runs that are about their deals or name them.

    Raises:
        UsageError: one has not ended, and they are to be erased: it would go on without its words.
    """
    if not sa.inspect(connection).has_table("run"):
        return person
    rows = connection.execute(sa.text("SELECT run_id, opportunity_id, status FROM run")).all()
    named = {one.row["run_id"] for one in find(connection, RUNS, person, "")}
    runs = {row.run_id for row in rows if row.opportunity_id in person.deals} | named
    going = sorted(row.run_id for row in rows if row.run_id in runs and row.status != "done")
    if going and ending:
        raise UsageError(
            f"{', '.join(going)} has not ended and needs what they wrote",
            fix=f"dealdesk runs cancel {going[0]}, or let it end",
        )
    return replace(person, ids=person.ids | runs)
