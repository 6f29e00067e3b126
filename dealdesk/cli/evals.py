"""`dealdesk eval`: what the desk does, against what a person worked out by hand."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dealdesk.cli.output import print_json, result, table

Flag = Parameter(negative="")


async def quotes(
    *,
    only: str | None = None,
    model: str = "playbook",
    gold: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Run every seed opportunity and every goal phrasing against its gold record.

    Parameters
    ----------
    only
        One opportunity (opp_003) or `goals`.
    model
        Who plays the agents.
    gold
        Folder of the gold records (default: evals of the source checkout).
    json
        Print JSON.
    """
    from dealdesk.evaluate import evaluate_goals, evaluate_quotes, gold_folder

    folder = Path(gold) if gold else gold_folder()
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
    if "quotes" in report:
        table(
            ("opportunity", "outcome", "lines", "total", "agrees"),
            [
                (r["opportunity_id"], r["outcome"], r["lines"], r["total"], _verdict(r))
                for r in report["quotes"]
            ],
            right=(2, 3),
        )
    if "goals" in report:
        table(
            ("goal", "assignment", "agrees"),
            [(r["goal"], r["assignment"], _verdict(r)) for r in report["goals"]],
        )
    for name, rows in report.items():
        agree = sum(not row["problems"] for row in rows)
        result().print(f"{name}: {agree} of {len(rows)} agree ({model})", markup=False)
    return 1 if bad else 0


def _verdict(row: dict[str, Any]) -> str:
    return "; ".join(row["problems"]) or "yes"
