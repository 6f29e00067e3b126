"""Which clients are on this machine, and whether what they are told to start does start."""

import asyncio
from collections.abc import Mapping
from typing import Any

from dealdesk.connect.clients import PROGRAMS, is_there, usual_file
from dealdesk.connect.entries import entry_name, how_to_reach
from dealdesk.connect.probe import ProbeProblem, count_tools
from dealdesk.connect.settings_file import SettingsFile
from orchestrator.errors import EnvironmentProblem
from servers import registry

PATIENCE = 30.0
NAMES = [entry_name(server) for server in registry.NAMES]


async def look_at_clients() -> list[dict[str, Any]]:
    """Return a row for each client that is here; each command is started once, all together."""
    rows: dict[str, dict[str, Any]] = {}
    entries: dict[str, Mapping[str, Any]] = {}
    for program in PROGRAMS.values():
        path = usual_file(program.name)
        if not is_there(path):
            continue
        row: dict[str, Any] = {"what": f"client {program.name}", "ok": True, "said": ""}
        rows[program.name] = row
        try:
            found = SettingsFile.read(program, path).servers()
        except EnvironmentProblem as problem:
            row |= {"ok": False, "said": f"{problem.message}. Try: {problem.fix}"}
            continue
        entries[program.name] = {name: found[name] for name in NAMES if name in found}
        if not entries[program.name]:
            row["said"] = f"found, without dealdesk (dealdesk connect {program.name} adds it)"
    counts = await _counts([entry for ours in entries.values() for entry in ours.values()])
    for client, ours in entries.items():
        if ours:
            rows[client] |= _row(client, {name: counts[_way(e)] for name, e in ours.items()})
    names = ", ".join(program.title for program in PROGRAMS.values())
    none = {"what": "clients", "ok": True, "said": f"none found ({names})"}
    return list(rows.values()) or [none]


async def _counts(entries: list[Any]) -> dict[str, int | str | ProbeProblem]:
    ways = {_way(entry): entry for entry in entries}
    said = await asyncio.gather(*(_count(entry) for entry in ways.values()))
    return dict(zip(ways, said, strict=True))


def _way(entry: Any) -> str:
    """Return what tells two commands apart; clients write the same command in different forms."""
    try:
        return repr((how_to_reach(entry), entry.get("env") or entry.get("envs") or {}))
    except ValueError:
        return repr(entry)


async def _count(entry: Any) -> int | str | ProbeProblem:
    if isinstance(entry, dict) and (address := entry.get("url") or entry.get("uri")):
        return f"at {address} (not tried)"
    try:
        return await count_tools(entry, patience=PATIENCE)
    except ProbeProblem as problem:
        return problem


def _row(client: str, counts: Mapping[str, int | str | ProbeProblem]) -> dict[str, Any]:
    said = ", ".join(
        f"{name} {count} tools" if isinstance(count, int) else f"{name} {count}"
        for name, count in counts.items()
    )
    if not any(isinstance(count, ProbeProblem) for count in counts.values()):
        return {"said": said}
    return {"ok": False, "said": f"{said}. Try: dealdesk connect {client}"}
