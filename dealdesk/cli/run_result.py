"""Follow a run until it ends or waits, and print what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from dealdesk.cli.exit_codes import FAILED, OUTCOMES
from dealdesk.cli.options import Playing
from dealdesk.cli.output import clean, describe, money, print_json, say
from dealdesk.cli.run_view import print_ndjson, view_for
from dealdesk.expiries import tell_expired
from dealdesk.quote_files import output_folder
from dealdesk.settings import load_settings
from servers.toolkit.shipped import shipped
from servers.toolkit.starting import started

if TYPE_CHECKING:
    from dealdesk.desk import Desk

Start: TypeAlias = "Callable[[Desk], Awaitable[tuple[str, str]]]"
"""Starts a run or takes one up; returns its id, and what stands above the live picture."""

WORDS: dict[str, str] = shipped(__package__, "run_result")["outcomes"]
WHICH = {"ambiguous_account", "unknown_account", "ambiguous_opportunity", "no_open_opportunity"}
"""Questions that another goal, or the opportunity's id, answers."""


async def play(playing: Playing, start: Start, **who: str | None) -> int:
    """Open a desk that works, start a run or take one up, and follow it under its title."""
    from dealdesk.desk import Desk

    folder = output_folder(playing.out)
    async with Desk.open(load_settings(home=playing.home, model=playing.model, **who)) as desk:
        started()
        await tell_expired(desk)
        run_id, title = await start(desk)
        return await follow(
            desk, run_id, title, out=folder, as_json=playing.json, as_ndjson=playing.ndjson
        )


async def follow(
    desk: Desk,
    run_id: str,
    title: str,
    *,
    out: Path | None = None,
    as_json: bool = False,
    as_ndjson: bool = False,
    after: int = 0,
) -> int:
    """Show a run from an event on until it ends or waits; write its quote; return the exit code."""
    with view_for(f"{title}  [{run_id}]", as_json=as_json, as_ndjson=as_ndjson) as show:
        waiting = asyncio.ensure_future(desk.wait(run_id))
        seen = after
        try:
            while True:
                await asyncio.wait({waiting}, timeout=0.1)
                for event in desk.events(run_id, after=seen):
                    seen = event["seq"]
                    show(event)
                if waiting.done():
                    break
        finally:
            waiting.cancel()  # an interrupted command must not look at an engine that is closed
    outcome = waiting.result()
    files = await desk.write_quote(outcome, out)
    report = {"run_id": run_id, **outcome, "files": [str(path) for path in files]}
    if as_json:
        print_json(report)
    elif as_ndjson:
        print_ndjson({"v": 1, "type": "result", **report})
    else:
        print_outcome(report)
        from orchestrator.workflow import NOBODY  # loaded by now

        player = "" if desk.run_row(run_id)["model"] == NOBODY else desk.played_by
        for line in filter(None, (desk.created, player)):
            say(line)
    return OUTCOMES.get(str(outcome["outcome"]), FAILED)


def print_outcome(report: Mapping[str, Any]) -> None:
    outcome = str(report["outcome"])
    head = [WORDS.get(outcome, outcome)]
    if name := report.get("number") or report.get("quote_id"):
        head.append(str(name))
    if report.get("total_minor") is not None:
        head.append(money(report["total_minor"], report.get("currency")))
    if reason := report.get("reason") or report.get("message"):
        head.append(clean(reason))
    say(": ".join([head[0], ", ".join(head[1:])]) if head[1:] else head[0])
    for question in report.get("questions", ()):
        say(f"  ? {question_line(question)}")
    for finding in report.get("findings", ()):
        if finding["severity"] != "info":
            say(f"  ! {describe(finding)}")
    for path in report["files"]:
        say(f"  {path}")
    for line in next_steps(report):
        say(line)


def question_line(question: Mapping[str, Any]) -> str:
    asked = {
        "ambiguous_account": "Which account is meant?",
        "unknown_account": "No account of that name is known. Which one is meant?",
        "ambiguous_opportunity": "Which opportunity is meant?",
        "no_open_opportunity": "The account has no open opportunity that fits.",
        "missing_quantity": "How many?",
        "missing_product": "Which product?",
        "ambiguous_product": "Which product is meant?",
        "unknown_product": "No product answers to that. Which one is meant?",
        "contradiction": "Two statements contradict each other. Which one holds?",
        "unverified_sender": "Is the sender who they say they are?",
        "missing_ship_to": "Where should it be shipped? No ship-to address is on file.",
        "missing_reference": "The text refers to something that is not there. What is it?",
        "missing_subscription": "Which running subscription is meant? Its id is needed (sub_...).",
        "missing_end": "On which day should it end?",
        "unclear_unit": "It is not sold by that unit. How many pieces?",
        "incompatible": "The products do not fit together. Which should change?",
        "already_won": "The deal is won already: its quote is accepted.",
        "unread_words": "The goal says more than a run can quote: "
        + ", ".join(f'"{one}"' for one in question.get("words", ()))
        + ". Products, counts and places come from the customer's texts.",
    }
    words = asked.get(question["kind"], str(question["kind"]).replace("_", " "))
    if question["kind"] == "no_open_opportunity" and question.get("subject"):
        words = "No open opportunity has that id."
    about = f" ({question['subject']})" if question.get("subject") else ""
    labels = question.get("labels") or {}
    names = [f"{c} {labels[c]}" if c in labels else c for c in question.get("candidates", ())]
    choices = f" One of: {', '.join(names)}." if names else ""
    return clean(f"{words}{about}{choices}", 600)


def next_steps(report: Mapping[str, Any]) -> list[str]:
    run_id, outcome = report["run_id"], report["outcome"]
    if outcome == "waiting":
        who = sorted({a["role"] for a in report.get("approvals", ()) if a.get("role")})
        roles = f" ({', '.join(who)})" if who else ""
        return [f"Next: dealdesk runs approve {run_id} --as PERSON{roles}, or runs reject."]
    if outcome == "needs_input":
        if run_id is None:
            return ["Next: give the command again with one of these."]
        kinds = {q["kind"] for q in report.get("questions", ())}
        if "unread_words" in kinds:
            return [
                "Next: run the goal without those words and change the draft by hand (dealdesk "
                "quote revise), or let the customer's own words say it in the deal."
            ]
        if "already_won" in kinds:
            return [
                "Next: open a new opportunity in the CRM for what comes on top, and quote that."
            ]
        if kinds & WHICH:
            return ['Next: name it: dealdesk run "..." --opportunity opp_...']
        return [f"Next: dealdesk runs answer {run_id} SUBJECT=VALUE ..."]
    if outcome == "existing":
        if report.get("quote_id"):
            return [f"Next: dealdesk quote show {report['quote_id']}, or run again with --revise."]
        return [f"Next: dealdesk runs show {report.get('held_by')}"]
    if outcome == "plan_changed":
        again = " with --revise" if report.get("quote_id") else ""
        return [f"Next: run the goal again{again}; what the run wrote stays as it is."]
    return []
