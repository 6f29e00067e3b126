"""`dealdesk run`: from a goal to a quote, or to the reason why there is none."""

from typing import Annotated

from cyclopts import Parameter

Flag = Parameter(negative="")


async def run(
    goal: str,
    /,
    *,
    opportunity: str | None = None,
    revise: Annotated[bool, Flag] = False,
    model: str | None = None,
    person: Annotated[str | None, Parameter(name="--as")] = None,
    order_date: str | None = None,
    out: str | None = None,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
    ndjson: Annotated[bool, Flag] = False,
) -> int:
    """Turn a goal into a quote.

    Parameters
    ----------
    goal
        What to do, in a sentence: "Quote Alder & Finch for the switches they asked about".
    opportunity
        The opportunity's id, when the goal does not say which.
    revise
        Make the next revision when the opportunity has a quote already.
    model
        Who plays the agents: playbook (rules, no key), claude, or a model id.
    person
        The person on whose behalf the run is made; they cannot approve it.
    order_date
        The day that decides prices and windows (YYYY-MM-DD; default: today).
    out
        Folder for the finished quote (default: quotes in the data folder).
    home
        The data folder.
    json
        Print one JSON document at the end, nothing else.
    ndjson
        Print every event as a line of JSON.
    """
    from dealdesk.cli.desk_view import follow
    from dealdesk.desk import Desk
    from dealdesk.rendering import ready
    from dealdesk.settings import load_settings

    folder = ready(out)
    settings = load_settings(home=home, model=model, person=person, order_date=order_date)
    async with Desk.open(settings) as desk:
        run_id = await desk.submit(goal, opportunity_id=opportunity, revise=revise)
        return await follow(desk, run_id, title=goal, out=folder, as_json=json, as_ndjson=ndjson)
