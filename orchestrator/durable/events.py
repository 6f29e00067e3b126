"""What happens in a run, as typed events: the live view, `--ndjson` and any page read these.

An event is `{"v", "run_id", "seq", "at", "type", "agent", "data"}`; `seq` counts from 1 within a
run and is the only order there is. Agents that work side by side share one log.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Literal, get_args

from orchestrator.durable.store import NewEvent, Row, Store, now

EventType = Literal[
    "run_started",
    "agent_started",
    "turn",
    "tool_call",
    "denied",
    "repair",
    "agent_finished",
    "agent_stopped",
    "effect_finished",
    "rework",
    "waiting",
    "decided",
    "issued",
    "run_finished",
]
TYPES = frozenset(get_args(EventType))
CHATTY = frozenset({"agent_started", "turn", "tool_call", "denied", "repair"})
"""Stored together within `SOON` seconds; all others are on disk when `append` returns."""
ONCE = frozenset({"run_started", "rework", "waiting", "decided", "issued", "run_finished"})
"""Said by the run's body, which is replayed after a crash: stored once per run (and round)."""
SOON = 0.1


class EventLog:
    """Appends events to a store, and yields them to readers as they come.

    Every commit costs a flush of the disk, and an agent says thirty things in a second. So small
    talk is held back for a moment and stored in one transaction, while what a person or a later
    step relies on is stored at once.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._soon: asyncio.TimerHandle | None = None

    def append(self, run_id: str, kind: str, *, agent: str = "", **data: Any) -> None:
        """Add an event of one of `TYPES`; `agent` is the step that says it (`match_2`)."""
        if kind not in TYPES:
            raise ValueError(f"no event is called {kind!r}")
        try:
            plain = json.loads(json.dumps(data, allow_nan=False))
        except TypeError as problem:
            raise ValueError(f"the data of {kind!r} is not JSON: {problem}") from problem
        once = f"{kind}:{data['round']}" if "round" in data else kind
        self.store.add(NewEvent(run_id, kind, agent, plain, now(), once if kind in ONCE else None))
        if kind in CHATTY:
            self._flush_soon()
        else:
            self.store.flush()

    async def follow(
        self, run_id: str, *, after: int = 0, until: str = "run_finished", poll: float = SOON
    ) -> AsyncIterator[Row]:
        """Yield a run's events as they come, up to and with the first of type `until`."""
        while True:
            for event in self.store.events(run_id, after=after):
                after = event["seq"]
                yield event
                if event["type"] == until:
                    return
            await asyncio.sleep(poll)

    def _flush_soon(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.store.flush()
            return
        if self._soon is None or self._soon.cancelled() or self._soon.when() < loop.time():
            self._soon = loop.call_later(SOON, self.store.flush)
