"""A run as it happens: a live tree on a terminal, one line per step otherwise."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from dealdesk.cli.output import clean, money, plain_wanted, progress

Event = Mapping[str, Any]
FINISHED = ("agent_finished", "effect_finished")
MARKS = {"running": "…", "done": "✓", "warn": "!", "stopped": "✗", "waiting": "⏸"}
STYLES = {
    "running": "cyan",
    "done": "green",
    "warn": "yellow",
    "stopped": "red",
    "waiting": "yellow",
}


@contextmanager
def view_for(title: str, *, as_json: bool, as_ndjson: bool) -> Iterator[Callable[[Event], None]]:
    if as_ndjson:
        yield print_ndjson
    elif as_json:
        yield lambda _event: None
    elif plain_wanted():
        yield _print_line
    else:
        branches: dict[str, tuple[str, str]] = {}
        with Live(_tree(title, branches), console=progress(), refresh_per_second=8) as live:

            def show(event: Event) -> None:
                if said := line_of(event, started=True):
                    mark, branch, words = said
                    branches[branch] = (mark, words)
                    live.update(_tree(title, branches))

            yield show


def print_ndjson(event: Event) -> None:
    print(json.dumps(event, ensure_ascii=False, default=str), flush=True)


def _print_line(event: Event) -> None:
    if said := line_of(event):
        mark, _, words = said
        progress().print(f"{MARKS[mark]} {words}", markup=False, soft_wrap=True)


def _tree(title: str, branches: Mapping[str, tuple[str, str]]) -> Tree:
    tree = Tree(Text(clean(title), style="bold"))
    for mark, words in branches.values():
        tree.add(Text(f"{MARKS[mark]} ", style=STYLES[mark]).append(words, style="default"))
    return tree


def line_of(event: Mapping[str, Any], *, started: bool = False) -> tuple[str, str, str] | None:
    """Return (mark, branch of the tree, words) for an event that a person wants to see."""
    kind, agent, data = event["type"], event.get("agent") or "", event.get("data", {})
    if kind == "agent_started" and started:
        return "running", agent, f"{agent:<10}"
    if kind in FINISHED:
        severe = [f for f in data.get("findings", ()) if f["severity"] not in ("info",)]
        words = f"{agent:<10} {summary(agent, data.get('output', {}))}"
        if calls := data.get("calls"):
            words += f"  ({calls} call{'' if calls == 1 else 's'})"
        if severe:
            words += "  " + ", ".join(sorted({f["code"] for f in severe}))
        return ("warn" if severe else "done"), agent, clean(words)
    if kind == "agent_stopped":
        return "stopped", agent, clean(f"{agent:<10} {data.get('reason', '')}")
    if kind == "rework":
        codes = ", ".join(sorted({f["code"] for f in data["findings"] if f["severity"] == "error"}))
        return "warn", f"rework{data['round']}", clean(f"rework {data['round']}   {codes}")
    if kind == "waiting":
        return "waiting", "waiting", f"waiting    for approval of {data['quote_id']}"
    if kind == "decided":
        verdict = "approved" if data["approved"] else "rejected"
        return "done", "decided", clean(f"decided    {verdict} by {data['person']}")
    return None


def summary(step: str, output: Mapping[str, Any]) -> str:
    name = re.sub(r"_\d+$", "", step)  # a round of rework
    if name == "plan":
        asked = [q["kind"] for q in output.get("questions", ())]
        return ", ".join(asked) or f"{output.get('account_id')} {output.get('opportunity_id')}"
    if name == "qualify":
        needs = output.get("needs", ())
        return f"{output.get('decision')}: {output.get('reason')}, {len(needs)} needs"
    if name == "profile":
        return f"{output.get('kind')}, ship to {output.get('ship_to_country') or 'unknown'}"
    if name == "match":
        return ", ".join(f"{line['quantity']} x {line['sku']}" for line in output.get("lines", ()))
    if name == "check":
        verdict = "ok" if output.get("ok") else "not ok"
        return (
            f"{verdict}, {output['ship_method'] or 'no shipping'}"
            if "ship_method" in output
            else verdict
        )
    if name == "price":
        return money(output.get("total_minor"), output.get("currency"))
    if name == "terms":
        return f"{output.get('payment_terms')}, {len(output.get('clause_ids', ()))} clauses"
    return str(output.get("quote_id", ""))
