"""`dealdesk run` and `dealdesk runs`: from a goal to a quote, and people's decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from dealdesk.cli.options import DECISION, PLAYING, Decision, Home, Json, Out, Playing, RunId, doc
from dealdesk.cli.output import describe, print_json, say, table, tell
from dealdesk.cli.quote_decisions import decide_run
from dealdesk.cli.quote_list import look_for_expired
from dealdesk.cli.run_result import Start, play
from dealdesk.cli.run_view import FINISHED, MARKS, line_of
from dealdesk.cli.session import looking
from dealdesk.settings import load_settings

if TYPE_CHECKING:
    from dealdesk.desk import Desk


WORKING = ("draft", "waiting", "approved")


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

    settings = load_settings(home=playing.home, model=playing.model, **who)
    async with Desk.open(settings, work=False) as desk:
        run_id, _ = await start(desk)
    words = f"{run_id} is queued for a `dealdesk worker`; `dealdesk runs show {run_id}` follows it."
    tell({"run_id": run_id, "outcome": "queued"}, words, playing.json or playing.ndjson)
    return 0


async def list_runs(
    *,
    status: Annotated[
        Literal["open", "waiting", "done"] | None, doc("Only runs of this status.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List runs, newest first."""
    from orchestrator.durable.store import open_store

    with open_store(load_settings(home=home).runs_url) as store:
        every = store.list()
    if every:  # else there may be no finance yet
        await look_for_expired(home)
    rows = [row for row in every if status in (None, row["status"])]
    if json:
        print_json(rows)
        return
    columns = ("run_id", "status", "outcome", "opportunity_id", "quote_id", "updated_at", "goal")
    table(
        ("run", "status", "outcome", "opportunity", "quote", "updated", "goal"),
        [[row.get(column) or "-" for column in columns] for row in rows],
    )


def show_run(run_id: RunId, /, *, home: Home = None, json: Json = False) -> None:
    """Show one run: its agents, findings and result.

    --json has every event.
    """
    from orchestrator.durable.store import open_store

    with open_store(load_settings(home=home).runs_url) as store:
        row = store.get(run_id)
        events = store.events(run_id)
    if json:
        print_json({**row, "events": events})
        return
    say(f"{row['run_id']}  {row['goal']}")
    say(f"  {row['status']}, {row.get('outcome') or 'no outcome yet'}, model {row['model']}")
    for event in events:
        if (line := line_of(event)) is not None:
            say(f"  {MARKS[line[0]]} {line[2]}")
        for finding in (event.get("data") or {}).get("findings", ()):
            if event["type"] in FINISHED and finding["severity"] != "info":
                say(f"      {describe(finding)}")


async def watch_run(run_id: RunId, /, *, home: Home = None) -> int:
    """Follow a run until it ends or waits."""

    async def start(desk: Desk) -> tuple[str, str]:
        row = desk.run_row(run_id)
        await desk.engine.resume(row["run_id"])  # its own worker may live, whoever plays there
        return row["run_id"], row["goal"]

    return await play(Playing(home=home), start)


async def resume_run(
    run_id: Annotated[str | None, doc("The run; left out: the newest one that is open.")] = None,
    /,
    *,
    playing: Playing = PLAYING,
) -> int:
    """Go on with a run that was interrupted.

    Finished steps are not repeated. The model is the one that the run began with.
    """

    async def start(desk: Desk) -> tuple[str, str]:
        row = desk.run_row(run_id)
        await desk.resume(row["run_id"])
        return row["run_id"], row["goal"]

    return await play(playing, start)


async def approve_run(run_id: RunId, /, *, decision: Decision = DECISION, out: Out = None) -> int:
    """Approve what a run waits for, as a named person."""
    return await decide_run(run_id, decision, approved=True, out=out)


async def reject_run(run_id: RunId, /, *, decision: Decision = DECISION) -> int:
    """Reject what a run waits for, as a named person."""
    return await decide_run(run_id, decision, approved=False)


async def answer_run(
    run_id: Annotated[str, doc("The run that asked.")],
    /,
    *answers: Annotated[
        str,
        doc(
            "SUBJECT=VALUE: a need and its count (n1=12) or SKU (n1=SW-P8-120), or the "
            "opportunity that was meant (opportunity=opp_011)."
        ),
    ],
    playing: Playing = PLAYING,
) -> int:
    """Answer a run's questions; a new run goes on from there."""

    async def start(desk: Desk) -> tuple[str, str]:
        row = desk.run_row(run_id)
        return await desk.answer(row, answers), row["goal"]

    return await play(playing, start)


async def cancel_run(run_id: RunId, /, *, home: Home = None) -> int:
    """Cancel a run.

    What it wrote stays, and nothing more will be.
    """
    async with looking(home) as desk:
        row = desk.run_row(run_id)
        await desk.cancel(row["run_id"])
        say(f"{run_id} is cancelled.")
        deal = row["opportunity_id"]
        quotes = (
            await desk.whole("finance", "list_quotes", {"opportunity_id": deal}) if deal else {}
        )
    for quote in quotes.get("items", ()):
        if quote["created_by"].endswith(f"@{run_id}") and quote["status"] in WORKING:
            take_back = f"dealdesk quote withdraw {quote['quote_id']} --as PERSON --reason WHY"
            say(f"Its draft {quote['quote_id']} stays open. To take it back: {take_back}")
    return 0
