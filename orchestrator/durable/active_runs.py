"""The runs that this process plays right now, and how others in it wait for their end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

from orchestrator.durable.steps import Steps

LOOK = 0.1
PATIENCE = 5.0


class ActiveRuns:
    """The task and steps of each run that this process plays.

    Attributes:
        problems: What stopped a run here, as it was raised.
    """

    def __init__(self) -> None:
        self._runs: dict[str, tuple[asyncio.Task[object] | None, Steps]] = {}
        self._ended: dict[str, float] = {}
        self._news: dict[str, asyncio.Event] = {}
        self.problems: dict[str, Exception] = {}

    def begin(self, run_id: str, steps: Steps) -> None:
        """Note that the current task plays a run."""
        self.forget(run_id)
        self._runs[run_id] = asyncio.current_task(), steps

    def end(self, run_id: str) -> None:
        self._runs.pop(run_id, None)
        self._ended[run_id] = monotonic()
        self.tell(run_id)

    def forget(self, run_id: str) -> None:
        """Forget what stopped a run here the last time."""
        self._ended.pop(run_id, None)
        self.problems.pop(run_id, None)

    def tell(self, run_id: str) -> None:
        """Wake those who wait in `pause`, so that they look at the run's row at once."""
        self._news.setdefault(run_id, asyncio.Event()).set()

    async def pause(self, run_id: str) -> None:
        """Wait until a run's row may have changed.

        Raises:
            Exception: what stopped the run here, when that could not even be written down.
        """
        if run_id in self._ended:  # its last commit is on the way
            late = monotonic() - self._ended[run_id] > PATIENCE
            if late and run_id in self.problems:
                raise self.problems[run_id]
            await asyncio.sleep(LOOK if late else 0.005)
            return
        news = self._news.setdefault(run_id, asyncio.Event())
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), 1.0 if run_id in self._runs else LOOK)
        news.clear()

    def cancel(self, run_id: str) -> None:
        task, _ = self._runs.get(run_id, (None, None))
        if task is not None:
            task.cancel()

    async def cancel_all(self) -> None:
        """Cancel every run here and wait until each is gone."""
        tasks = [task for task, _ in self._runs.values() if task is not None]
        for _, steps in self._runs.values():
            steps.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
