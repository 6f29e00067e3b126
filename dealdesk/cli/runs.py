"""`dealdesk runs`: what runs there are, what they wait for, and people's decisions."""

from typing import Annotated, Literal

from cyclopts import Parameter

from dealdesk.cli.output import EXIT, clean, describe, print_json, result, table

Flag = Parameter(negative="")
As = Parameter(name="--as")


def list_runs(
    *,
    status: Literal["open", "waiting", "done"] | None = None,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """List runs, newest first.

    Parameters
    ----------
    status
        Only runs of this status.
    home
        The data folder.
    json
        Print JSON.
    """
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


def show_run(
    run_id: str, /, *, home: str | None = None, json: Annotated[bool, Flag] = False
) -> None:
    """Show one run: its agents, findings and result.

    Parameters
    ----------
    run_id
        The run.
    home
        The data folder.
    json
        Print JSON, with every event.
    """
    from dealdesk.cli.live import MARKS, line_of
    from dealdesk.settings import load_settings
    from orchestrator.durable.store import open_store

    with open_store(load_settings(home=home).runs_url) as store:
        row = store.get(run_id)
        events = store.events(run_id)
    if json:
        print_json({**row, "events": events})
        return
    console = result()

    def say(words: str) -> None:
        console.print(words, markup=False)

    say(clean(f"{row['run_id']}  {row['goal']}"))
    say(f"  {row['status']}, {row.get('outcome') or 'no outcome yet'}, model {row['model']}")
    for event in events:
        if (line := line_of(event)) is not None:
            say(f"  {MARKS[line[0]]} {line[2]}")
        for finding in (event.get("data") or {}).get("findings", ()):
            if event["type"] == "agent_finished" and finding["severity"] != "info":
                say(f"      {describe(finding)}")


async def watch_run(run_id: str, /, *, home: str | None = None) -> int:
    """Follow a run until it ends or waits.

    Parameters
    ----------
    run_id
        The run.
    home
        The data folder.
    """
    return await resume_run(run_id, home=home)


async def resume_run(
    run_id: str | None = None,
    /,
    *,
    model: str | None = None,
    home: str | None = None,
    out: str | None = None,
    json: Annotated[bool, Flag] = False,
    ndjson: Annotated[bool, Flag] = False,
) -> int:
    """Go on with a run that was interrupted; finished steps are not repeated.

    Parameters
    ----------
    run_id
        The run; left out: the newest one that is open.
    model
        Who plays the agents from here.
    home
        The data folder.
    out
        Folder for the finished quote.
    json
        Print one JSON document at the end.
    ndjson
        Print every event as a line of JSON.
    """
    from dealdesk.cli.desk_view import follow
    from dealdesk.desk import Desk
    from dealdesk.rendering import ready
    from dealdesk.settings import load_settings

    folder = ready(out)
    async with Desk.open(load_settings(home=home, model=model)) as desk:
        row = desk.run_row(run_id)
        await desk.resume(row["run_id"])
        return await follow(
            desk, row["run_id"], title=row["goal"], out=folder, as_json=json, as_ndjson=ndjson
        )


async def approve_run(
    run_id: str,
    /,
    *,
    person: Annotated[str | None, As] = None,
    note: str = "",
    yes: Annotated[bool, Flag] = False,
    home: str | None = None,
    out: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Approve what a run waits for, as a person whom finance knows.

    Parameters
    ----------
    run_id
        The run.
    person
        Who approves: the person's id in finance (default: DEALDESK_PERSON).
    note
        Why.
    yes
        Do not ask again.
    home
        The data folder.
    out
        Folder for the finished quote.
    json
        Print one JSON document at the end.
    """
    return await _decide(run_id, True, person, note, yes, home, out, json)  # noqa: FBT003


async def reject_run(
    run_id: str,
    /,
    *,
    person: Annotated[str | None, As] = None,
    note: str = "",
    yes: Annotated[bool, Flag] = False,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Reject what a run waits for, as a person whom finance knows.

    Parameters
    ----------
    run_id
        The run.
    person
        Who rejects: the person's id in finance (default: DEALDESK_PERSON).
    note
        Why.
    yes
        Do not ask again.
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    return await _decide(run_id, False, person, note, yes, home, None, json)  # noqa: FBT003


async def _decide(
    run_id: str,
    approved: bool,
    person: str | None,
    note: str,
    yes: bool,
    home: str | None,
    out: str | None,
    as_json: bool,
) -> int:
    import sys

    from dealdesk.cli.as_person import decider
    from dealdesk.cli.desk_view import follow
    from dealdesk.desk import Desk
    from dealdesk.rendering import ready

    folder = ready(out)
    settings = decider(home, person)
    async with Desk.open(settings) as desk:
        row = desk.run_row(run_id)
        quote = await desk.awaiting_decision(row)
        if not yes and sys.stdin.isatty():
            _show_facts(quote)
            answer = input(f"{'Approve' if approved else 'Reject'} this quote? [y/N] ")
            if answer.strip().lower() not in ("y", "yes"):
                return EXIT["waiting"]
        seen = desk.events(run_id)[-1]["seq"]
        left = await desk.decide(row, quote, approved=approved, note=note)
        if left:
            roles = sorted(left)
            if as_json:
                print_json({"run_id": run_id, "outcome": "waiting", "roles": roles})
            else:
                words = f"Decided; still waiting for: {', '.join(roles)}."
                result().print(words, markup=False)
            return EXIT["waiting"]
        return await follow(
            desk, run_id, title=row["goal"], out=folder, as_json=as_json, after=seen
        )


def _show_facts(quote: dict[str, object]) -> None:
    """Show what finance knows about the quote; no model's words are among it."""
    from dealdesk.cli.quote import print_quote

    print_quote(quote)


async def answer_run(
    run_id: str,
    /,
    *answers: str,
    home: str | None = None,
    model: str | None = None,
    out: str | None = None,
    json: Annotated[bool, Flag] = False,
    ndjson: Annotated[bool, Flag] = False,
) -> int:
    """Answer a run's questions and go on from there in a new run.

    Parameters
    ----------
    run_id
        The run that asked.
    answers
        SUBJECT=VALUE: a need and its count (n1=12) or SKU (n1=SW-P8-120), or the opportunity
        that was meant (opportunity=opp_011).
    home
        The data folder.
    model
        Who plays the agents.
    out
        Folder for the finished quote.
    json
        Print one JSON document at the end.
    ndjson
        Print every event as a line of JSON.
    """
    from dealdesk.cli.desk_view import follow
    from dealdesk.desk import Desk
    from dealdesk.rendering import ready
    from dealdesk.settings import load_settings

    folder = ready(out)
    async with Desk.open(load_settings(home=home, model=model)) as desk:
        row = desk.run_row(run_id)
        next_id = await desk.answer(row, answers)
        return await follow(
            desk, next_id, title=row["goal"], out=folder, as_json=json, as_ndjson=ndjson
        )


async def cancel_run(run_id: str, /, *, home: str | None = None) -> int:
    """Cancel a run; what it wrote stays, and nothing more will be.

    Parameters
    ----------
    run_id
        The run.
    home
        The data folder.
    """
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    async with Desk.open(load_settings(home=home), work=False) as desk:
        row = desk.run_row(run_id)
        await desk.cancel(row["run_id"])
    result().print(f"{run_id} is cancelled.", markup=False)
    return 0
