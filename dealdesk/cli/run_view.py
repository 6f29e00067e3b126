"""A run as it happens: a live tree on a terminal, one line per step otherwise."""

import json
from collections.abc import Mapping
from typing import Any, Self

from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from dealdesk.cli.output import clean, plain_wanted, progress

MARKS = {"running": "…", "done": "✓", "warn": "!", "stopped": "✗", "waiting": "⏸"}
STYLES = {
    "running": "cyan",
    "done": "green",
    "warn": "yellow",
    "stopped": "red",
    "waiting": "yellow",
}


class Quiet:
    """Shows nothing (`--json`)."""

    def show(self, event: Mapping[str, Any]) -> None:
        """Show nothing."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *problem: object) -> None:
        """Do nothing."""


class Ndjson(Quiet):
    """Prints each event as a line of JSON on stdout (`--ndjson`)."""

    def show(self, event: Mapping[str, Any]) -> None:
        """Print the event."""
        print(json.dumps(event, ensure_ascii=False, default=str), flush=True)


class Lines(Quiet):
    """Prints a plain line when something worth saying happened."""

    def __init__(self) -> None:
        """Write to stderr."""
        self._console = progress()

    def show(self, event: Mapping[str, Any]) -> None:
        """Print the line of an event, if it has one."""
        said = line_of(event)
        if said is not None:
            mark, _, words = said
            self._console.print(f"{MARKS[mark]} {words}", markup=False, soft_wrap=True)


class LiveTree(Quiet):
    """Keeps one tree on the terminal, a branch per step."""

    def __init__(self, title: str) -> None:
        """Start an empty tree under a title."""
        self._title = clean(title)
        self._branches: dict[str, tuple[str, str]] = {}
        self._live = Live(self._tree(), console=progress(), refresh_per_second=8)

    def show(self, event: Mapping[str, Any]) -> None:
        """Update the branch of an event's agent."""
        said = line_of(event, started=True)
        if said is not None:
            mark, key, words = said
            self._branches[key] = (mark, words)
            self._live.update(self._tree())

    def _tree(self) -> Tree:
        tree = Tree(Text(self._title, style="bold"))
        for mark, words in self._branches.values():
            line = Text(f"{MARKS[mark]} ", style=STYLES[mark])
            line.append(words, style="default")
            tree.add(line)
        return tree

    def __enter__(self) -> Self:
        """Start the live picture."""
        self._live.start()
        return self

    def __exit__(self, *problem: object) -> None:
        """Leave the last picture standing."""
        self._live.stop()


def view_for(title: str, *, as_json: bool, as_ndjson: bool) -> Quiet:
    """Choose how to show a run."""
    if as_ndjson:
        return Ndjson()
    if as_json:
        return Quiet()
    return Lines() if plain_wanted() else LiveTree(title)


def line_of(event: Mapping[str, Any], *, started: bool = False) -> tuple[str, str, str] | None:
    """Return (mark, key, words) for an event that a person wants to see, else None."""
    kind, agent, data = event["type"], event.get("agent") or "", event.get("data", {})
    if kind == "agent_started" and started:
        return "running", agent, f"{agent:<10}"
    if kind == "agent_finished":
        severe = [f for f in data.get("findings", ()) if f["severity"] not in ("info",)]
        words = f"{agent:<10} {summary(agent, data.get('output', {}))}"
        calls = data.get("calls", 0)
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
    """Say in a few words what an agent handed over; ids and numbers only."""
    name = step.split("_")[0]
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
        return f"{verdict}, {output.get('ship_method') or 'no shipping'}"
    if name == "price":
        from dealdesk.cli.output import money

        return money(output.get("total_minor"), output.get("currency"))
    if name == "terms":
        return f"{output.get('payment_terms')}, {len(output.get('clause_ids', ()))} clauses"
    return str(output.get("quote_id", ""))
