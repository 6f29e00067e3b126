"""What the command prints: results on stdout, progress on stderr, colour only for a terminal."""

import json
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def plain_wanted() -> bool:
    """Say whether progress should be plain lines instead of a live picture."""
    return (
        not sys.stderr.isatty()
        or bool(os.environ.get("CI"))
        or bool(os.environ.get("NO_COLOR"))
        or os.environ.get("TERM") == "dumb"
    )


def progress() -> Console:
    return Console(stderr=True, no_color=plain_wanted(), highlight=False)


def result() -> Console:
    return Console(highlight=False, soft_wrap=True)


def say(words: object, *, style: str = "", limit: int = 2000) -> None:
    """Print a line of the result; nothing in it can steer the terminal."""
    result().print(clean(words, limit), style=style or None, markup=False)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def tell(facts: Any, words: str, as_json: bool) -> None:
    """Print what came of a step: words for a person, or the server's answer.

    A `crm_trouble` in the answer is said in both; finance has decided by then.
    """
    if as_json:
        print_json(facts)
    else:
        trouble = facts.get("crm_trouble")
        say(f"{words} The CRM took no note of it: {trouble}" if trouble else words)


def clean(text: object, limit: int = 200) -> str:
    """Return text that cannot move the cursor, colour the terminal or reverse the line."""
    kept = "".join(
        " " if c in "\t\n" else c
        for c in str(text)
        if unicodedata.category(c)[0] != "C" or c in "\t\n"
    )
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def money(minor: int | None, currency: str | None) -> str:
    """Return an amount as a person writes it: 1,234.50 EUR."""
    if minor is None or not currency:
        return "-"
    from servers.toolkit.money import from_minor

    return f"{from_minor(minor, currency):,} {currency}"


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()
) -> None:
    """Print a table: drawn for a person, tab-separated when piped."""
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(clean(cell) for cell in row))
        return
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        drawn.add_column(column, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    result().print(drawn)


def describe(finding: Mapping[str, Any]) -> str:
    """Return a finding as one line: what was found, and what would mend it."""
    parts = [str(finding[key]).rstrip(".") for key in ("message", "fix") if finding.get(key)]
    said = ". ".join(part[:1].upper() + part[1:] for part in parts)
    return clean(f"{finding['severity'].replace('_', ' ')}: {said}. [{finding['code']}]", 400)
