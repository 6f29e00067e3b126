"""Run the seed opportunities and goals, and compare what came of them with the gold records.

The gold was worked out by hand, where no server and no agent can see it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from orchestrator.errors import EnvironmentProblem, UsageError
from orchestrator.workflows.quote.goal_words import SMALL, folded
from servers.toolkit.money import from_minor

REQUESTER = "per_lena"
HELD_BACK_DAY = date(2026, 11, 23)


def gold_folder() -> Path:
    folder = Path(str(files("seed_data"))).parent / "evals"
    if not (folder / "goals.jsonl").exists():
        raise EnvironmentProblem(
            "the gold records ship with the source only", fix="clone the repository, or --gold"
        )
    return folder


async def evaluate_quotes(
    folder: Path, scratch: Path, model: str, only: str | None = None
) -> list[dict[str, Any]]:
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "quotes" / "gold").glob("*.json"))
    ]
    chosen = [r for r in records if only in (None, r["opportunity_id"])]
    if not chosen:
        raise UsageError(f"no gold record of {only!r}", fix="opp_001, say, or goals")
    rows = []
    for day in sorted({record["order_date"] for record in chosen}):
        settings = load_settings(
            home=str(scratch / day), model=model, person=REQUESTER, order_date=day
        )
        async with Desk.open(settings) as desk:
            for record in (r for r in chosen if r["order_date"] == day):
                run_id = await desk.submit(record["goal"])
                outcome = await desk.wait(run_id)
                rows.append(await _quote_row(desk, record, outcome))
    return sorted(rows, key=lambda row: str(row["opportunity_id"]))


async def _quote_row(
    desk: Desk, gold: Mapping[str, Any], outcome: Mapping[str, Any]
) -> dict[str, Any]:
    quote: Mapping[str, Any] = {}
    if outcome.get("quote_id") and outcome["outcome"] in ("issued", "waiting"):
        quote = await desk.quote(outcome["quote_id"])
    problems = compare(gold, outcome, quote)
    total = quote.get("totals", {}).get("total_minor")
    shown = f"{from_minor(total, quote['currency'])} {quote['currency']}" if quote else "-"
    return {
        "opportunity_id": gold["opportunity_id"],
        "outcome": outcome["outcome"],
        "lines": len(quote.get("lines", ())),
        "total": shown,
        "problems": problems,
    }


def compare(
    gold: Mapping[str, Any], outcome: Mapping[str, Any], quote: Mapping[str, Any]
) -> list[str]:
    problems = [
        f"{what} {outcome.get(what)} instead of {gold[what]}"
        for what in ("outcome", "opportunity_id")
        if outcome.get(what) != gold[what]
    ]
    why, due = outcome.get("reason"), gold.get("reason")
    if gold["outcome"] in ("no_quote", "needs_input") and why != due:
        problems.append(f"reason {why} instead of {due}")
    found = {one["code"] for said in (outcome, quote) for one in said.get("findings", ())}
    if missing := set(gold.get("findings", ())) - found:
        problems.append(f"no finding {', '.join(sorted(missing))}")
    if gold["outcome"] not in ("issued", "waiting"):
        return problems + (["a quote was made"] if quote else [])
    if not quote:
        return [*problems, "no quote was made"]
    problems += compare_lines(gold["lines"], quote["lines"])
    pairs = {"currency": quote["currency"], "ship_method": quote["freight"]["method"]}
    problems += [f"{k} {v} instead of {gold[k]}" for k, v in pairs.items() if v != gold[k]]
    for key, name in (("net_minor", "net_total"), ("total_minor", "total")):
        amount = str(from_minor(quote["totals"][key], quote["currency"]))
        if amount != gold[name]:
            problems.append(f"{name} {amount} instead of {gold[name]}")
    return problems


SAID = ("unit", "term_months", "start", "end", "change", "subscription_id")
LINKS = ("alternative_of", "segment_of", "part_of")


def compare_lines(
    wanted: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return where the lines of a quote differ from those of its gold record.

    What finance adds by itself, the free item of a promotion say, must be in the record too;
    the ids of lines may differ, and what they refer to is compared by SKU.
    """
    skus = [{line["line_id"]: line["sku"] for line in lines} for lines in (wanted, found)]

    def facts(line: Mapping[str, Any], place: int, gold: Mapping[str, Any]) -> tuple[Any, ...]:
        asked = [name for name in SAID if gold.get(name) is not None]
        return (
            line["sku"],
            line["quantity"],
            bool(line.get("optional")),
            bool(line.get("free")),
            *(skus[place].get(line.get(name) or "") for name in LINKS),
            *((name, line.get(name)) for name in asked),
        )

    problems, left = [], list(found)
    for gold in wanted:
        due = facts(gold, 0, gold)
        same = next((line for line in left if facts(line, 1, gold) == due), None)
        if same is None:
            problems.append(f"{gold['quantity']} x {gold['sku']} missing or not as it should be")
        else:
            left.remove(same)
    return problems + [f"{line['quantity']} x {line['sku']} too much" for line in left]


async def evaluate_goals(folder: Path, scratch: Path, model: str) -> list[dict[str, Any]]:
    text = (folder / "goals.jsonl").read_text(encoding="utf-8")
    goals = [json.loads(line) for line in text.splitlines() if line.strip()]
    settings = load_settings(home=str(scratch / "goals"), model=model, person=REQUESTER)
    rows = []
    async with Desk.open(settings) as desk:
        for gold in goals:
            assignment = await read_goal(desk, gold["goal"], date.fromisoformat(gold["today"]))
            problems = compare_assignment(gold["expect"], assignment)
            said = {"goal": gold["goal"], "assignment": _in_words(assignment)}
            rows.append({**said, "problems": problems})
    return rows


async def evaluate_held_back(folder: Path, scratch: Path, model: str) -> list[dict[str, Any]]:
    """Read the held-back goals with the master agent alone; no row holds a goal's words.

    A goal that says more than its deal is right when the run asks and names those words; a plain
    one when the run goes on with the deal that is meant.
    """
    settings = load_settings(home=str(scratch / "held"), model=model, person=REQUESTER)
    rows = []
    async with Desk.open(settings) as desk:
        for name in ("goals_beyond", "goals_plain"):
            goals = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for index, gold in enumerate(goals):
                found = await read_goal(desk, gold["goal"], HELD_BACK_DAY)
                asked = [question["kind"] for question in found["questions"]]
                right = not asked and found["opportunity_id"] == gold.get("opportunity_id")
                if "beyond" in gold:
                    right = names_words(gold["beyond"], found)
                row = {"kind": gold.get("kind", "plain"), "index": index}
                rows.append({**row, "stopped": asked, "right": right})
    return rows


async def read_goal(desk: Desk, goal: str, today: date) -> dict[str, Any]:
    """Let the master agent alone read a goal."""
    run = {"id": "run_plan", "goal": goal, "order_date": today.isoformat()}
    done = await desk.runners["quote"].agent(run, "plan", "plan", {"run": run})
    if "stopped" in done:
        raise UsageError(done["message"])
    return dict(done["output"])


def names_words(beyond: Sequence[str], found: Mapping[str, Any]) -> bool:
    """Say whether an assignment asks about these words of its goal, small ones apart."""
    said = {w for one in found["questions"] for text in one["words"] for w in folded(text)}
    return all(set(folded(phrase)) - SMALL <= said for phrase in beyond)


def compare_assignment(expect: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    asked = [question["kind"] for question in found["questions"]]
    if "ask" in expect:
        if asked != [expect["ask"]]:
            return [f"asks {asked} instead of {expect['ask']}"]
        candidates = {c for question in found["questions"] for c in question["candidates"]}
        missing = set(expect.get("candidates", ())) - candidates
        return [f"does not name {', '.join(sorted(missing))}"] if missing else []
    flat = {**found["constraints"], **found}
    problems = [f"asks {asked}"] if asked else []
    for key in ("account_id", "opportunity_id", "discount_bp", "needed_by", "currency"):
        wanted = expect.get(key, 0 if key == "discount_bp" else None)
        if flat.get(key) != wanted:
            problems.append(f"{key} {flat.get(key)} instead of {wanted}")
    return problems


def _in_words(assignment: Mapping[str, Any]) -> str:
    asked = [question["kind"] for question in assignment["questions"]]
    return ", ".join(asked) or f"{assignment['account_id']} {assignment['opportunity_id']}"
