"""`dealdesk runs`: what runs there are, what they wait for, and people's decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from dealdesk.cli.options import DECISION, PLAYING, Decision, Home, Json, Out, Playing, RunId, doc
from dealdesk.cli.output import describe, print_json, say, table
from dealdesk.cli.session import looking

if TYPE_CHECKING:
    from dealdesk.desk import Desk


def list_runs(
    *,
    status: Annotated[
        Literal["open", "waiting", "done"] | None, doc("Only runs of this status.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List runs, newest first."""
    from dealdesk.settings import load_settings
    from orchestrator.durable.store import open_store

    with open_store(load_settings(home=home).runs_url) as store:
        rows = [row for row in store.list() if status in (None, row["status"])]
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
    from dealdesk.cli.run_view import MARKS, line_of
    from dealdesk.settings import load_settings
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
            if event["type"] == "agent_finished" and finding["severity"] != "info":
                say(f"      {describe(finding)}")


async def watch_run(run_id: RunId, /, *, home: Home = None) -> int:
    """Follow a run until it ends or waits."""
    from dealdesk.cli.run_result import play

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
    from dealdesk.cli.run_result import play

    async def start(desk: Desk) -> tuple[str, str]:
        row = desk.run_row(run_id)
        await desk.resume(row["run_id"])
        return row["run_id"], row["goal"]

    return await play(playing, start)


async def approve_run(run_id: RunId, /, *, decision: Decision = DECISION, out: Out = None) -> int:
    """Approve what a run waits for, as a named person."""
    from dealdesk.cli.quote_decisions import decide_run

    return await decide_run(run_id, decision, approved=True, out=out)


async def reject_run(run_id: RunId, /, *, decision: Decision = DECISION) -> int:
    """Reject what a run waits for, as a named person."""
    from dealdesk.cli.quote_decisions import decide_run

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
    from dealdesk.cli.run_result import play

    async def start(desk: Desk) -> tuple[str, str]:
        row = desk.run_row(run_id)
        return await desk.answer(row, answers), row["goal"]

    return await play(playing, start)


async def cancel_run(run_id: RunId, /, *, home: Home = None) -> int:
    """Cancel a run.

    What it wrote stays, and nothing more will be.
    """
    async with looking(home) as desk:
        await desk.cancel(desk.run_row(run_id)["run_id"])
    say(f"{run_id} is cancelled.")
    return 0
