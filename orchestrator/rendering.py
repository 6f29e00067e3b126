"""Write a quote's documents to files, each one whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import EnvironmentProblem

FORMATS = {"html": "html", "markdown": "md", "json": "json"}
OTHER_FOLDER = "choose another folder with --out"
Look = Callable[[str, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def write_views(look: Look, quote_id: str, folder: Path, views: Sequence[str]) -> list[Path]:
    """Write a quote in every format; the internal view is named so.

    Args:
        look: Calls a tool of a server.
        quote_id: The quote.
        folder: Where to; it is made when it is not there.
        views: `customer`, `internal` or both.

    Raises:
        EnvironmentProblem: the folder cannot be written.
    """
    written = []
    for view in views:
        for form, suffix in FORMATS.items():
            arguments = {"quote_id": quote_id, "format": form, "view": view, "whole": True}
            rendered = await look("finance", "render_quote", arguments)
            name = rendered.get("number") or quote_id
            inside = "" if view == "customer" else "-internal"
            path = folder / f"{name}{inside}.{suffix}"
            _write(path, rendered["text"])
            written.append(path)
    return written


def ready(folder: str | None) -> Path | None:
    """Make the folder that quotes should go to, before there is a quote that cannot be written.

    Raises:
        EnvironmentProblem: it cannot be made, or not be written.
    """
    if folder is None:
        return None
    path = Path(folder).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EnvironmentProblem(f"cannot write {path}", fix=OTHER_FOLDER) from problem
    if not os.access(path, os.W_OK):
        raise EnvironmentProblem(f"cannot write {path}", fix=OTHER_FOLDER)
    return path


def _write(path: Path, text: str) -> None:
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            half.write_text(text, encoding="utf-8")
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as problem:
        raise EnvironmentProblem(f"cannot write {path}", fix=OTHER_FOLDER) from problem
