"""`dealdesk run`: from a goal to a quote, or to the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from dealdesk.cli.options import PLAYING, Playing, doc
from dealdesk.cli.output import tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dealdesk.desk import Desk

    Start = Callable[[Desk], Awaitable[tuple[str, str]]]


async def run(
    goal: Annotated[
        str,
        doc('What to do, in a sentence: "Quote Alder & Finch for the switches they asked about".'),
    ],
    /,
    *,
    opportunity: Annotated[
        str | None, doc("The opportunity's id, when the goal does not say which.")
    ] = None,
    revise: Annotated[
        bool, doc("Make the next revision when the opportunity has a quote already.")
    ] = False,
    workflow: Annotated[str | None, doc("What to do with the goal (default: quote).")] = None,
    person: Annotated[
        str | None,
        doc("The person on whose behalf the run is made; they cannot approve it.", name="--as"),
    ] = None,
    order_date: Annotated[
        str | None, doc("The day that decides prices and windows (YYYY-MM-DD; default: today).")
    ] = None,
    queue: Annotated[bool, doc("Only queue it, for a `dealdesk worker` to play.")] = False,
    playing: Playing = PLAYING,
) -> int:
    """Turn a goal into a quote."""
    from dealdesk.cli.run_result import play

    async def start(desk: Desk) -> tuple[str, str]:
        run_id = await desk.submit(
            goal, opportunity_id=opportunity, revise=revise, workflow=workflow
        )
        return run_id, goal

    who = {"person": person, "order_date": order_date}
    if queue:
        return await _enqueue(playing, start, **who)
    return await play(playing, start, **who)


async def _enqueue(playing: Playing, start: Start, **who: str | None) -> int:
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    settings = load_settings(home=playing.home, model=playing.model, **who)
    async with Desk.open(settings, work=False) as desk:
        run_id, _ = await start(desk)
    words = f"{run_id} is queued for a `dealdesk worker`; `dealdesk runs show {run_id}` follows it."
    tell({"run_id": run_id, "outcome": "queued"}, words, playing.json or playing.ndjson)
    return 0
