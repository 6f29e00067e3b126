"""`dealdesk doctor`: check that everything is in place."""

from __future__ import annotations

import asyncio
import os
import platform
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dealdesk.cli.exit_codes import ENVIRONMENT
from dealdesk.cli.options import Home, Json
from dealdesk.cli.output import print_json, say
from dealdesk.connect.clients import PROGRAMS, is_there, usual_file
from dealdesk.connect.entries import entry_name, how_to_reach
from dealdesk.connect.probe import ProbeProblem, count_tools
from dealdesk.connect.settings_file import SettingsFile
from dealdesk.settings import Settings, load_settings
from orchestrator.errors import EnvironmentProblem
from servers import registry

if TYPE_CHECKING:
    from dealdesk.desk import Desk

PATIENCE = 30.0
HOUSE = (
    *("seller", "tax registration", "products", "items", "prices", "delivery", "terms"),
    *("accounts", "customers", "addresses", "screening", "certification", "approvers"),
)
NAMES = [entry_name(server) for server in registry.NAMES]


async def doctor(*, home: Home = None, json: Json = False) -> int:
    """Check that everything is in place.

    Exits with 3 when something is not.
    """
    settings = load_settings(home=home)
    rows = [
        _row("python", platform.python_version),
        _row("sqlite", _sqlite),
        _row("data folder", lambda: _folder(settings)),
        _row("model", lambda: _model(settings)),
    ]
    try:
        rows += await _servers(settings)
    except Exception as problem:  # noqa: BLE001 - a doctor reports whatever is wrong
        rows.append({"what": "servers", "ok": False, "said": _said(problem)})
    rows += await _clients()
    if json:
        print_json(rows)
    else:
        for row in rows:
            say(f"{'✓' if row['ok'] else '✗'} {row['what']}: {row['said']}")
    return 0 if all(row["ok"] for row in rows) else ENVIRONMENT


def _row(what: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"what": what, "ok": True, "said": look()}
    except Exception as problem:  # noqa: BLE001 - a doctor reports whatever is wrong
        return {"what": what, "ok": False, "said": _said(problem)}


def _said(problem: Exception) -> str:
    message = getattr(problem, "message", None) or str(problem) or type(problem).__name__
    fix = getattr(problem, "fix", "")
    return f"{message}. Try: {fix}" if fix else str(message)


def _sqlite() -> str:
    from servers.toolkit.database import journal_mode

    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    return f"{sqlite3.sqlite_version}, full-text search, journal mode {journal_mode()}"


def _folder(settings: Settings) -> str:
    if not settings.home.exists():
        return f"{settings.home} (made on the first run)"
    if not os.access(settings.home, os.W_OK):
        raise PermissionError(f"{settings.home} cannot be written")
    return str(settings.home)


def _model(settings: Settings) -> str:
    from dealdesk.models import PLAYBOOK, chosen_model

    name = chosen_model(settings)
    if name == PLAYBOOK:
        return f"{name} (rules; no ANTHROPIC_API_KEY is set)"
    if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")):
        raise PermissionError(f"{name} needs ANTHROPIC_API_KEY")
    return name


async def _servers(settings: Settings) -> list[dict[str, Any]]:
    """Open the desk: keys, databases and the workflow against the live servers."""
    from dealdesk.desk import Desk
    from orchestrator.servers import read_elsewhere
    from orchestrator.workflows import load_all

    agents = sum(len(workflow.agents) for workflow in load_all())

    async with Desk.open(settings, work=False) as desk:
        await desk.check()
        counts = {name: await _count_tools(desk, name) for name in registry.NAMES}
    said = ", ".join(f"{name} {count} tools" for name, count in counts.items())
    fit = f"{agents} agents fit the live servers; none reads and writes"
    rows = [_row("servers", lambda: said), _row("workflow", lambda: fit)]
    here = [name for name in registry.NAMES if name not in read_elsewhere(settings.servers)]
    if "finance" in here:
        rows.append(_row("law", lambda: _law(settings)))
    return rows + _house(settings, here)


def _house(settings: Settings, here: Sequence[str]) -> list[dict[str, Any]]:
    """Say what a first quote needs, in the order in which one would mend it."""
    found = [one for name in here for one in registry.look_at(name, settings.server_url(name))]
    known = {what: place for place, what in enumerate(HOUSE)}
    return [
        {
            "what": one.what,
            "ok": not one.fix,
            "said": f"{one.said}. Try: {one.fix}" if one.fix else one.said,
        }
        for one in sorted(found, key=lambda one: known.get(one.what, len(known)))
    ]


async def _count_tools(desk: Desk, name: str) -> int:
    """Return how many tools a server has; of one that is elsewhere, those our agents use."""
    from orchestrator.runner import used_tools

    if name in desk.servers.elsewhere:
        return len(used_tools(desk.runners, name))
    return len(await desk.servers.app(name).local_provider.list_tools())


def _law(settings: Settings) -> str:
    """Say when the tables of law were checked; past the house's limit that is a fault."""
    today = datetime.now(UTC).date()
    tables = registry.checked_tables(settings.server_url("finance"), today)
    if late := [str(one) for one in tables if one.is_late(today)]:
        raise EnvironmentProblem(
            f"too old, so no quote issues by itself: {'; '.join(late)}",
            fix="check them against their sources and import them with the new day",
        )
    return "; ".join(map(str, tables)) or "no policies yet"


async def _clients() -> list[dict[str, Any]]:
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
            row |= {"ok": False, "said": _said(problem)}
            continue
        entries[program.name] = {name: found[name] for name in NAMES if name in found}
        if not entries[program.name]:
            row["said"] = f"found, without dealdesk (dealdesk connect {program.name} adds it)"
    ways = {_way(entry): entry for ours in entries.values() for entry in ours.values()}
    said = await asyncio.gather(*(_count(entry) for entry in ways.values()))
    counts = dict(zip(ways, said, strict=True))
    for client, ours in entries.items():
        if ours:
            rows[client] |= _of_client(client, {name: counts[_way(e)] for name, e in ours.items()})
    names = ", ".join(program.title for program in PROGRAMS.values())
    none = {"what": "clients", "ok": True, "said": f"none found ({names})"}
    return list(rows.values()) or [none]


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


def _of_client(client: str, counts: Mapping[str, int | str | ProbeProblem]) -> dict[str, Any]:
    said = ", ".join(
        f"{name} {count} tools" if isinstance(count, int) else f"{name} {count}"
        for name, count in counts.items()
    )
    if not any(isinstance(count, ProbeProblem) for count in counts.values()):
        return {"said": said}
    return {"ok": False, "said": f"{said}. Try: dealdesk connect {client}"}
