"""The tables in docs/clients.md: which clients were run against the servers, and what they did."""

from pathlib import Path
from typing import Any

from servers.registry import NAMES

Rows = list[dict[str, Any]]
CLIENTS = "<!-- table: scripts/interop -->", "<!-- end of table -->"
CONFORMANCE = "<!-- conformance: scripts/interop -->", "<!-- end of conformance -->"
HEAD = (
    f"| client | version | transport | protocol | tools shown ({', '.join(NAMES)}) "
    "| calls | refused, none ran |"
)


def clients(rows: Rows) -> str:
    """Return one line per client, transport and protocol version."""
    lines = [HEAD, "|---|---|---|---|---|---|---|"]
    keys = sorted({(r["client"], r["version"], r["transport"], r["era"]) for r in rows})
    for key in keys:
        mine = [r for r in rows if (r["client"], r["version"], r["transport"], r["era"]) == key]
        listed = {r["server"]: str(r["listed"]) for r in mine}
        shown = listed.get("all") or ", ".join(listed.get(name, "–") for name in NAMES)
        called, refused = (sum(r[name] for r in mine) for name in ("called", "refused"))
        lines.append(f"| {' | '.join(key)} | {shown} | {called} | {refused} |")
    return "\n".join(lines)


def conformance(rows: Rows) -> str:
    """Return one line per server and revision."""
    lines = ["| server | revision | scenarios | checks passed | failed |", "|---|---|---|---|---|"]
    for r in sorted(rows, key=lambda r: (r["spec"], r["conformance"]), reverse=True):
        counts = f"{r['scenarios']} | {r['passed']} | {r['failed']}"
        lines.append(f"| {r['conformance']} | {r['spec']} | {counts} |")
    return "\n".join(lines)


def put(text: str, markers: tuple[str, str], table: str) -> str:
    """Return a page with a table between its markers.

    Raises:
        ValueError: the page has no place for it.
    """
    before, start, rest = text.partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not start or not end:
        raise ValueError(f"the page lacks the markers {markers[0]} and {markers[1]}")
    return f"{before}{start}\n{table}\n{end}{after}"


def write(page: Path, rows: Rows) -> None:
    """Put both tables into the page."""
    ran = [row for row in rows if "client" in row]
    text = put(page.read_text(encoding="utf-8"), CLIENTS, clients(ran))
    checked = [row for row in rows if "conformance" in row]
    page.write_text(put(text, CONFORMANCE, conformance(checked)), encoding="utf-8")
