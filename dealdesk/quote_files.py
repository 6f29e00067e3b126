"""A quote's files: its documents are written whole or not at all, an export is worked out again.

Only `verify_quote` reaches into a server, and only for a pure function that the server offers for
this; it needs no server, no database and no grant.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dealdesk.people import Look
from orchestrator.errors import EnvironmentProblem, UsageError
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.private_files import make_file, private_folder

FORMATS = {"html": "html", "markdown": "md", "json": "json"}
"""What is written of every view, without being asked for."""
FILES = {**FORMATS, "ubl": "xml", "pdf": "pdf"}
CUSTOMERS = ("ubl",)
"""What exists for the customer only."""
OTHER_FOLDER = "choose another folder with --out"
Read = Callable[[str, str], Awaitable[bytes]]


async def write_views(
    look: Look,
    quote_id: str,
    folder: Path,
    views: Sequence[str],
    formats: Sequence[str] = tuple(FORMATS),
    read: Read | None = None,
) -> list[Path]:
    """Write a quote in some of `FILES`; the internal view is named so. A PDF needs `read`."""
    asked: dict[str, Any] = {"quote_id": quote_id, "view": "customer"}
    name = (await look("finance", "get_quote", asked)).get("number") or quote_id
    written = []
    for view in views:
        inside = "" if view == "customer" else "-internal"
        for form in formats:
            if form in CUSTOMERS and inside:
                continue
            if form == "pdf":
                assert read is not None  # noqa: S101 - whoever asks for a PDF gives it
                content = await read(quote_id, "internal.pdf" if inside else "quote.pdf")
            else:
                asked = {"quote_id": quote_id, "format": form, "view": view, "whole": True}
                content = (await look("finance", "render_quote", asked))["text"].encode()
            written.append(folder / f"{name}{inside}.{FILES[form]}")
            write_file(written[-1], content)
    return written


def output_folder(folder: str | None) -> Path | None:
    """Make the folder that quotes should go to, before there is a quote that cannot be written."""
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


def write_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    try:
        private_folder(path.parent)
        make_file(path, lambda new: new.write_bytes(content), replacing=True)
    except OSError as problem:
        raise EnvironmentProblem(f"cannot write {path}", fix=OTHER_FOLDER) from problem


def verify_quote(path: Path, key: Path | None, home: Path) -> Any:
    """Check an exported quote from its file alone; who signed it, by a key given or the home's."""
    checker = importlib.import_module("servers.finance.exported")
    signing = importlib.import_module("servers.toolkit.desk_keys")
    text = _text_of(path, checker.MOST_BYTES, "quote.json")
    reading = key or path
    try:
        if key is None:
            keys = signing.DeskKeys(home / "keys").known()
        else:
            written = _text_of(key, signing.MOST_BYTES, "key file")
            keys, reading = signing.read_keys(written), path
        return checker.check(text, keys)
    except InvalidInputError as problem:
        raise UsageError(f"{reading}: {problem.message}", fix=problem.fix) from problem


def _text_of(path: Path, most: int, what: str) -> str:
    """Return a file's text; it must be one, and not larger than such a file ever is."""
    fix = f"name a {what}"
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as problem:
        raise UsageError(f"cannot read {path}", fix=fix) from problem
    if len(content) > most:
        raise UsageError(f"{path} is too large for a {what}", fix=fix)
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path} is no text", fix=fix) from problem


def facts_of(quote: Mapping[str, Any]) -> dict[str, Any]:
    keys = (
        *("quote_id", "number", "revision", "account_id", "opportunity_id"),
        *("currency", "lines", "findings", "approvals"),
    )
    return {**{key: quote.get(key) for key in keys}, "total_minor": quote["totals"]["total_minor"]}
