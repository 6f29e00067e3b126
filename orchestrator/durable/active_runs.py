"""The runs that this process plays right now, and the news of them for whoever waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

from orchestrator.durable.steps import Steps

LOOK = 0.1
PATIENCE = 5.0


class Lives:
    """Knows each run's task and steps while it lives here.

    Attributes:
        problems: What stopped a run here, as it was raised.
    """

    def __init__(self) -> None:
        self._lives: dict[str, tuple[asyncio.Task[object] | None, Steps]] = {}
        self._ended: dict[str, float] = {}
        self._news: dict[str, asyncio.Event] = {}
        self.problems: dict[str, Exception] = {}

    def begin(self, run_id: str, steps: Steps) -> None:
        """Note that the current task plays a run."""
        self.forget(run_id)
        self._lives[run_id] = asyncio.current_task(), steps

    def end(self, run_id: str) -> None:
        self._lives.pop(run_id, None)
        self._ended[run_id] = monotonic()
        self.tell(run_id)

    def forget(self, run_id: str) -> None:
        """Forget how a run's last life here ended."""
        self._ended.pop(run_id, None)
        self.problems.pop(run_id, None)

    def tell(self, run_id: str) -> None:
        """Let those who pause look at the run's row at once."""
        self._news.setdefault(run_id, asyncio.Event()).set()

    async def pause(self, run_id: str) -> None:
        """Return when another look at a run's row is worth it.

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
            await asyncio.wait_for(news.wait(), 1.0 if run_id in self._lives else LOOK)
        news.clear()

    def cancel(self, run_id: str) -> None:
        task, _ = self._lives.get(run_id, (None, None))
        if task is not None:
            task.cancel()

    async def cancel_all(self) -> None:
        """Cancel every life and wait until each is gone."""
        tasks = [task for task, _ in self._lives.values() if task is not None]
        for _, steps in self._lives.values():
            steps.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
