"""`dealdesk run`: from a goal to a quote, or to the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from dealdesk.cli.options import PLAYING, Playing, doc

if TYPE_CHECKING:
    from dealdesk.desk import Desk


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
    person: Annotated[
        str | None,
        doc("The person on whose behalf the run is made; they cannot approve it.", name="--as"),
    ] = None,
    order_date: Annotated[
        str | None, doc("The day that decides prices and windows (YYYY-MM-DD; default: today).")
    ] = None,
    playing: Playing = PLAYING,
) -> int:
    """Turn a goal into a quote."""
    from dealdesk.cli.run_result import play

    async def start(desk: Desk) -> tuple[str, str]:
        return await desk.submit(goal, opportunity_id=opportunity, revise=revise), goal

    return await play(playing, start, person=person, order_date=order_date)
