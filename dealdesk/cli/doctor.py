"""`dealdesk doctor`: check that everything is in place."""

import os
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

from dealdesk.cli.exit_codes import ENVIRONMENT
from dealdesk.cli.options import Home, Json
from dealdesk.cli.output import print_json, say


async def doctor(*, home: Home = None, json: Json = False) -> int:
    """Check that everything is in place.

    Exits with 3 when something is not.
    """
    from dealdesk.settings import load_settings

    settings = load_settings(home=home)
    rows = [
        _row("python", _python),
        _row("sqlite", _sqlite),
        _row("data folder", lambda: _folder(settings)),
        _row("model", lambda: _model(settings)),
    ]
    try:
        rows += await _servers(settings)
    except Exception as problem:  # noqa: BLE001 - a doctor reports whatever is wrong
        rows.append({"what": "servers", "ok": False, "said": _said(problem)})
    from dealdesk.connect.installed_clients import look_at_clients

    rows += await look_at_clients()
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


def _python() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def _sqlite() -> str:
    from servers.toolkit.database import journal_mode

    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    return f"{sqlite3.sqlite_version}, full-text search, journal mode {journal_mode()}"


def _folder(settings: Any) -> str:
    if not settings.home.exists():
        return f"{settings.home} (made on the first run)"
    if not os.access(settings.home, os.W_OK):
        raise PermissionError(f"{settings.home} cannot be written")
    return str(settings.home)


def _model(settings: Any) -> str:
    from dealdesk.models import chosen_model
    from dealdesk.playbook.player import NAME

    name = chosen_model(settings)
    if name == NAME:
        return f"{name} (rules; no ANTHROPIC_API_KEY is set)"
    if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")):
        raise PermissionError(f"{name} needs ANTHROPIC_API_KEY")
    return name


async def _servers(settings: Any) -> list[dict[str, Any]]:
    """Open the desk: keys, databases and the workflow against the live servers."""
    from dealdesk.desk import Desk
    from orchestrator.workflows import load_all

    agents = sum(len(workflow.agents) for workflow in load_all())

    async with Desk.open(settings, work=False) as desk:
        await desk.check()
        counts = await desk.count_tools()
    said = ", ".join(f"{name} {count} tools" for name, count in counts.items())
    return [
        {"what": "servers", "ok": True, "said": said},
        {
            "what": "workflow",
            "ok": True,
            "said": f"{agents} agents fit the live servers; none reads and writes",
        },
    ]
