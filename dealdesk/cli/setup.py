"""`dealdesk init` and `dealdesk doctor`: make the data folder, and check that all is in place."""

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dealdesk.cli.output import clean, print_json, result

Flag = Parameter(negative="")


async def init(
    *,
    empty: Annotated[bool, Flag] = False,
    company: Path | None = None,
    home: str | None = None,
) -> None:
    """Make the data folder: keys, three databases, and the demo company unless --empty.

    Parameters
    ----------
    empty
        Leave the databases empty, for your own data.
    company
        A YAML or JSON file with your legal entities and people, as examples/company/company.yaml
        has them; with --empty, finance's default policies and payment terms come with it.
    home
        The data folder.
    """
    from dealdesk.desk import Desk
    from dealdesk.own_company import make_empty, put_company
    from dealdesk.settings import load_settings

    settings = load_settings(home=home)
    if empty:
        changed = make_empty(settings, company)
        said = f"{settings.home} is ready, without data."
        if company is None:
            said += " Name your company next: dealdesk init --empty --company FILE."
    else:
        async with Desk.open(settings, work=False) as desk:
            said = desk.created or f"{settings.home} was ready already."
        changed = [] if company is None else put_company(settings, company)
    result().print(said, markup=False)
    for words in changed:
        result().print(clean(f"  {words}"), markup=False)


async def doctor(*, home: str | None = None, json: Annotated[bool, Flag] = False) -> int:
    """Check that everything is in place; exit 3 when something is not.

    Parameters
    ----------
    home
        The data folder.
    json
        Print JSON.
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
    from dealdesk.connect.inspection import look_at_clients

    rows += await look_at_clients()
    if json:
        print_json(rows)
    else:
        for row in rows:
            result().print(
                f"{'✓' if row['ok'] else '✗'} {row['what']}: {clean(row['said'], 600)}",
                markup=False,
            )
    return 0 if all(row["ok"] for row in rows) else 3


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
    from orchestrator.workflows.quote import WORKFLOW

    async with Desk.open(settings, work=False) as desk:
        counts = await desk.count_tools()
    said = ", ".join(f"{name} {count} tools" for name, count in counts.items())
    return [
        {"what": "servers", "ok": True, "said": said},
        {
            "what": "workflow",
            "ok": True,
            "said": f"{len(WORKFLOW.agents)} agents fit the live servers; none reads and writes",
        },
    ]
