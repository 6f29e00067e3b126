"""`dealdesk eval`: what the desk does, against what a person worked out by hand."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from dealdesk.cli.options import Json, doc
from dealdesk.cli.output import print_json, say, table

COLUMNS = {
    "quotes": ("opportunity_id", "outcome", "lines", "total"),
    "goals": ("goal", "assignment"),
}


async def quotes(
    *,
    only: Annotated[str | None, doc("One opportunity (opp_003) or `goals`.")] = None,
    model: Annotated[str, doc("Who plays the agents.")] = "playbook",
    gold: Annotated[
        Path | None, doc("Folder of the gold records (default: evals of the source checkout).")
    ] = None,
    json: Json = False,
) -> int:
    """Run every seed opportunity and goal against its gold record."""
    from dealdesk.evaluation import evaluate_goals, evaluate_quotes, gold_folder

    folder = gold or gold_folder()
    report: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="dealdesk-eval-") as scratch:
        if only != "goals":
            report["quotes"] = await evaluate_quotes(folder, Path(scratch), model, only)
        if only in (None, "goals"):
            report["goals"] = await evaluate_goals(folder, Path(scratch), model)
    bad = [row for rows in report.values() for row in rows if row["problems"]]
    if json:
        print_json(report)
        return 1 if bad else 0
    for name, rows in report.items():
        columns = COLUMNS[name]
        cells = [(*map(row.get, columns), "; ".join(row["problems"]) or "yes") for row in rows]
        heads = [*(column.removesuffix("_id") for column in columns), "agrees"]
        table(heads, cells, right=(2, 3))
    for name, rows in report.items():
        agree = sum(not row["problems"] for row in rows)
        say(f"{name}: {agree} of {len(rows)} agree ({model})")
    return 1 if bad else 0


async def goals(
    *,
    model: Annotated[str, doc("Who plays the master agent.")] = "playbook",
    gold: Annotated[
        Path | None, doc("Folder of the held-back goals (default: evals of the source checkout).")
    ] = None,
    json: Json = False,
) -> int:
    """Count how held-back goals are read, without showing one.

    Goals that say more than a deal must be asked about in their own words, plain ones go on.
    """
    from dealdesk.evaluation import evaluate_held_back, gold_folder

    with tempfile.TemporaryDirectory(prefix="dealdesk-eval-") as scratch:
        rows = await evaluate_held_back(gold or gold_folder(), Path(scratch), model)
    bad = [row for row in rows if not row["right"]]
    if json:
        print_json(rows)
        return 1 if bad else 0
    for kind in dict.fromkeys(row["kind"] for row in rows):
        same = [row for row in rows if row["kind"] == kind]
        wrong = ", ".join(str(row["index"]) for row in same if not row["right"])
        stopped = sum(bool(row["stopped"]) for row in same)
        right = sum(row["right"] for row in same)
        said = f" (not {wrong})" if wrong else ""
        say(f"{kind}: {right} of {len(same)} right, {stopped} asked{said}")
    return 1 if bad else 0
