"""The table in docs/clients.md: which clients were run against the servers, and what they did."""

from pathlib import Path
from typing import Any

START, END = "<!-- table: scripts/interop -->", "<!-- end of table -->"
SERVERS = ("crm", "catalog", "finance")
HEAD = (
    "| client | version | transport | protocol | tools shown (crm, catalog, finance) "
    "| calls | refused, none ran |"
)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the Markdown table: one line per client, transport and protocol version."""
    lines = [HEAD, "|---|---|---|---|---|---|---|"]
    keys = sorted({(r["client"], r["version"], r["transport"], r["era"]) for r in rows})
    for key in keys:
        mine = [r for r in rows if (r["client"], r["version"], r["transport"], r["era"]) == key]
        listed = {r["server"]: str(r["listed"]) for r in mine}
        shown = listed.get("all") or ", ".join(listed.get(name, "–") for name in SERVERS)
        called, refused = (sum(r[name] for r in mine) for name in ("called", "refused"))
        lines.append(f"| {' | '.join(key)} | {shown} | {called} | {refused} |")
    return "\n".join(lines)


def write(page: Path, rows: list[dict[str, Any]]) -> None:
    """Put the table between the markers of a page.

    Raises:
        ValueError: the page has no place for it.
    """
    before, start, rest = page.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{page} lacks the markers {START} and {END}")
    page.write_text(f"{before}{START}\n{table(rows)}\n{END}{after}", encoding="utf-8")
