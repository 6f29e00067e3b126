"""A run keeps the player it began with: whoever would go on with another is told the flag."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedModel

from dealdesk.desk import Desk
from dealdesk.models import play_of
from dealdesk.settings import load_settings
from orchestrator.errors import ModelUnavailable, OtherPlayer
from orchestrator.llm.base import Request

from .conftest import ALDER, BERGWALD, DAY, Command, Folder

HOLZ = "Angebot für Bergwald Holz, Vibrationssensoren für die Bandsäge"


@pytest.fixture
def home(seeded: Folder, copy: Callable[[Folder], Path]) -> Path:
    return copy(seeded)


def player(name: str, stops_at: str = "") -> Callable[[str], Any]:
    """Give every agent a model of this name, which goes away when a certain agent asks."""

    def model_of(agent: str) -> ScriptedModel:
        def brain(request: Request) -> Any:
            if agent == stops_at:
                raise ModelUnavailable("away for now")
            return play_of(agent)(request)

        return ScriptedModel(brain, name=name)

    return model_of


def desk_of(home: Path, models: Callable[[str], Any]) -> Any:
    settings = load_settings(home=str(home), person="per_lena", order_date="2026-11-23")
    return Desk.open(settings, models=models)


async def parked(home: Path, stops_at: str = "match") -> str:
    """Begin a run with model-x, which goes away; return the run's id."""
    async with desk_of(home, player("model-x", stops_at)) as desk:
        run_id: str = await desk.submit(ALDER)
        with pytest.raises(ModelUnavailable):
            await desk.wait(run_id)
    return run_id


async def test_resume_refuses_another_player_and_names_the_flag(home: Path) -> None:
    run_id = await parked(home)
    async with desk_of(home, player("model-y")) as desk:
        before = len(desk.events(run_id))
        with pytest.raises(OtherPlayer, match=f"{run_id} was begun by model-x") as caught:
            await desk.resume(run_id)
        assert caught.value.fix == "give --model model-x to go on, or run the goal again"
        assert len(desk.events(run_id)) == before
    async with desk_of(home, player("model-x")) as desk:
        await desk.resume(run_id)
        result = await desk.wait(run_id)
        assert result["outcome"] == "issued"
        assert (await desk.quote(result["quote_id"]))["generated_by"] == "model-x"


@pytest.mark.parametrize("stops_at", ["plan", "qualify", "assemble"])
async def test_no_way_to_take_up_a_run_lets_another_play(home: Path, stops_at: str) -> None:
    """Behind the command's own check: whoever takes it up, no step is played by another."""
    run_id = await parked(home, stops_at)
    async with desk_of(home, player("model-y")) as desk:
        await desk.engine.resume(run_id)
        with pytest.raises(OtherPlayer, match="model-y would play"):
            await desk.wait(run_id)
    async with desk_of(home, player("model-x")) as desk:
        await desk.resume(run_id)
        assert (await desk.wait(run_id))["outcome"] == "issued"


async def test_an_answer_goes_on_with_the_player_that_asked(home: Path) -> None:
    async with desk_of(home, player("model-x")) as desk:
        run_id = await desk.submit(HOLZ)
        assert (await desk.wait(run_id))["outcome"] == "needs_input"
        row = desk.run_row(run_id)
    async with desk_of(home, player("model-y")) as desk:
        with pytest.raises(OtherPlayer, match="was begun by model-x"):
            await desk.answer(row, ["n1=12"])


async def test_a_run_that_waits_ends_with_the_player_it_began_with(home: Path) -> None:
    async with desk_of(home, player("model-x")) as desk:
        run_id = await desk.submit(BERGWALD)
        waiting = await desk.wait(run_id)
        assert waiting["outcome"] == "waiting"
    settings = load_settings(home=str(home), person="per_tomas", order_date="2026-11-23")
    async with Desk.open(settings, models=player("model-y")) as desk:
        with pytest.raises(OtherPlayer):
            await desk.resume(run_id)
        row = desk.run_row(run_id)
        quote = await desk.awaiting_decision(row)
        played = [e for e in desk.events(run_id) if e["type"] == "agent_started"]
        assert await desk.decide(row, quote, approved=True, note="") == []
        result = await desk.wait(run_id)
        assert result["outcome"] == "issued"
        assert [e for e in desk.events(run_id) if e["type"] == "agent_started"] == played
        assert (await desk.quote(result["quote_id"]))["generated_by"] == "model-x"


def test_the_command_says_which_model_to_give(home: Path, command: Command) -> None:
    run_id = asyncio.run(parked(home))
    said = command("runs", "resume", run_id, home=home)
    said.fails(2, "was begun by model-x", "give --model model-x to go on")


def test_a_finished_run_is_resumed_by_anybody(
    home: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = command("run", ALDER, *DAY, "--json", home=home).json["run_id"]
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-none")
    assert command("runs", "resume", run_id, "--json", home=home).json["outcome"] == "issued"
