"""What each client did with each server, collected for the table in docs/clients.md.

Every test of a client calls `row` once per server when its assertions have passed. They go to
`$DEALDESK_TEST_INTEROP/rows/`, and `scripts/interop` makes the table of them.
"""

import json
import os
import re
from pathlib import Path

import pytest


def folder() -> Path | None:
    """Return where `scripts/interop` put its packages, or None when it did not run."""
    given = os.environ.get("DEALDESK_TEST_INTEROP")
    return Path(given) if given else None


def needs(what: str, path: str) -> pytest.MarkDecorator:
    """Skip a file's tests unless `path` (with * for unknown parts) is in the interop folder.

    With `.` they run whenever there is such a folder.
    """
    here = folder()
    there = here is not None and (path == "." or any(here.glob(path)))
    return pytest.mark.skipif(not there, reason=f"{what} NOT RUN: run scripts/interop")


def found(path: str) -> Path:
    """Return the one file of the interop folder that `path` names, with * for unknown parts."""
    here = folder()
    assert here is not None
    return sorted(here.glob(path))[0]


def row(
    client: str,
    version: str,
    transport: str,
    era: str,
    server: str,
    *,
    listed: int,
    called: int,
    refused: int,
) -> None:
    """Note what a client did, after the test has seen that it is so.

    Args:
        client: The client's name as people know it.
        version: The version that ran.
        transport: `stdio` or `http`.
        era: The protocol version that was spoken, `2025-11-25` or `2026-07-28`.
        server: `crm`, `catalog`, `finance`, or `all` for a client connected to the three at once.
        listed: How many tools it was shown.
        called: How many calls it made with success.
        refused: How many calls it made of what it may not use; none of them ran.
    """
    line: dict[str, object] = {
        "client": client,
        "version": version,
        "transport": transport,
        "era": era,
        "server": server,
        "listed": listed,
        "called": called,
        "refused": refused,
    }
    _note(client, line)


def conformance(server: str, spec: str, scenarios: int, passed: int, failed: int) -> None:
    """Note what came of the conformance suite, for the second table of that page."""
    counts = {"scenarios": scenarios, "passed": passed, "failed": failed}
    _note("conformance", {"conformance": server, "spec": spec, **counts})


def _note(what: str, line: dict[str, object]) -> None:
    here = folder()
    if here is None:
        return
    rows = here / "rows"
    rows.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", what.lower())
    with (rows / f"{name}-{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
