"""A run that ended is told as it ended, whatever else happens to it, and plays no more."""

from pathlib import Path
from typing import Any

import pytest

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from orchestrator.durable.engine import State
from orchestrator.durable.queues import Ledger
from orchestrator.errors import UsageError

from .conftest import ALDER

ISSUED = {"outcome": "issued", "quote_id": "q_1", "total_minor": 100}


def at(home: Path) -> Any:
    return load_settings(home=home, model="playbook", person="per_lena", order_date="2026-11-23")


async def test_a_cancel_that_comes_after_the_end_does_not_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Desk.open(at(tmp_path), work=False) as desk:
        run_id = await desk.submit(ALDER)
        cancel = desk.engine.cancel

        async def too_late(run_id: str) -> None:
            desk.store.finish(run_id, ISSUED)
            await cancel(run_id)

        monkeypatch.setattr(desk.engine, "cancel", too_late)
        with pytest.raises(UsageError, match="ended already"):
            await desk.cancel(run_id)
        assert await desk.engine.status(run_id) is State.CANCELLED
        for _ in range(2):
            assert await desk.wait(run_id) == ISSUED


async def test_an_ended_run_that_is_taken_up_plays_nothing(tmp_path: Path) -> None:
    async with Desk.open(at(tmp_path), work=False) as desk:
        run_id = await desk.submit(ALDER)
        desk.store.finish(run_id, ISSUED)
        before = desk.events(run_id)
    async with Desk.open(at(tmp_path)) as desk:
        await desk.resume(run_id)
        assert await desk.engine.wait(run_id, 20) == ISSUED
        assert await desk.engine._ask(Ledger.done, run_id) == []
        assert desk.events(run_id) == before


async def test_every_end_is_the_last_event(tmp_path: Path) -> None:
    async with Desk.open(at(tmp_path), work=False) as desk:
        run_id = await desk.submit(ALDER)
        await desk.cancel(run_id)
        last = desk.events(run_id)[-1]
        assert (last["type"], last["data"]) == ("run_finished", {"outcome": "cancelled"})
        with pytest.raises(UsageError, match="ended already"):
            await desk.cancel(run_id)
