"""Runs a goal and dies at a chosen point, as if by `kill -9`; test_crash starts it in a process.

It is given a home, "run" or "resume" or "reword", and a point, and leaves `result.json` there. A
point is `AGENT:TURN` (die when that agent is asked for its TURN-th answer: its earlier calls are
done and nothing of them is checkpointed), a boundary of a step as `Runner.at` names it (`before
check`, `answered issue`, `after record_draft`), or `-`. "reword" resumes
with a model that words its calls differently.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dealdesk.desk import Desk
from dealdesk.models import PlaybookModel, play_of
from dealdesk.settings import load_settings
from orchestrator.llm.base import PlainBlock, PlainReply, Request

GOAL = "Quote Alder & Finch for the switches they asked about last week"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def model_for(agent: str, point: str, *, reword: bool) -> PlaybookModel:
    def play(request: Request) -> Any:
        if point == f"{agent}:{request.turn}":
            die()
        answer = play_of(agent)(request)
        return reworded(answer) if reword else answer

    return PlaybookModel(play)


def reworded(answer: Any) -> Any:
    """Say the same call with another cover, as a model that is run again would."""

    def other(block: PlainBlock) -> PlainBlock:
        data: Mapping[str, Any] = block.data
        if data["type"] == "tool_use" and data["name"] == "create_quote":
            return PlainBlock({**data, "input": {**data["input"], "cover": "renewal"}})
        return block

    return (
        replace(answer, content=tuple(other(b) for b in answer.content))
        if isinstance(answer, PlainReply)
        else answer
    )


async def main(home: str, what: str, point: str) -> None:
    settings = load_settings(
        home=home, model="playbook", person="per_lena", order_date="2026-11-23"
    )
    async with Desk.open(
        settings, models=lambda agent: model_for(agent, point, reword=what == "reword")
    ) as desk:
        for runner in desk.runners.values():
            runner.at = lambda when, step: die() if point == f"{when} {step}" else None
        if what != "run":
            run_id = desk.run_row(None)["run_id"]
            await desk.resume(run_id)
        else:
            run_id = await desk.submit(GOAL)
        result = json.dumps(await desk.wait(run_id), default=str)
    Path(home, "result.json").write_text(result, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
