"""What is done with an exported file alone: no server, no database, no grant.

Beside `servers.py` the only place that reaches into a server, and only for a pure function that
the server offers for this. It is imported when it is used.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from orchestrator.errors import UsageError


def verify_quote(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """Work out an exported quote again.

    Returns:
        What the quote says of itself, and every number that differs, in reading order.

    Raises:
        UsageError: the file cannot be read, or is no exported quote.
    """
    checker = importlib.import_module("servers.finance.verify")
    try:
        with path.open("rb") as file:
            text = file.read(checker.MOST_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"cannot read {path}", fix="name a quote.json") from problem
    if len(text) > checker.MOST_BYTES:
        raise UsageError(f"{path} is too large for a quote", fix="name a quote.json")
    try:
        document = checker.read(text.decode())
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path} is no text", fix="name a quote.json") from problem
    except checker.InvalidInputError as problem:
        raise UsageError(f"{path}: {problem.message}", fix=problem.fix) from problem
    return document.model_dump(mode="json"), checker.verify(document)
