"""Propose a mapping for a file: its columns found by what people usually call them."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from orchestrator.errors import UsageError
from servers.registry import tables_of
from servers.toolkit.shipped import shipped
from servers.toolkit.table_files import file_and_part, read_rows
from servers.toolkit.written_words import folded

ALIKE = 92
"""How like a usual name a column's must be, of 100: a plural, a letter mistyped."""

SAID_FOR_ALL = ("currency", "language", "terms", "country")
"""What a person can say for all rows where a file does not; without the rest a table is left."""


def propose(named: Path) -> str:
    """Return a mapping file for a file, with what was not placed and what is missing as comments.

    Raises:
        UsageError: no kind of file we know has columns like these.
    """
    path, part = file_and_part(named)
    header = [one for one in dict.fromkeys(read_rows(path, part, flat=True).header) if one]
    known = shipped(__package__, "synonyms")
    placed = {kind: _placed(said["columns"], header) for kind, said in known.items()}
    kind = max(placed, key=lambda one: len(placed[one]))
    if len(placed[kind]) < 2:
        raise UsageError(
            f"{path.name} has {', '.join(header[:20])}: no kind of file we know",
            fix="write a mapping by hand; docs/importing.md shows one",
        )
    lines = [
        f"# Proposed for {path.name}: read it, mend it, then import --mapping it.",
        f"source = {json.dumps(re.sub('[^a-z0-9_-]', '-', path.stem.lower())[:60])}",
        "",
        "[[file]]",
        f"name = {json.dumps(path.name, ensure_ascii=False)}",
        *([f"sheet = {json.dumps(part, ensure_ascii=False)}"] if part else []),
    ]
    for place, columns in known[kind]["fills"].items():
        lines += _table(place, columns, placed[kind], known[kind]["set"][place])
    rest = [name for name in header if name not in placed[kind].values()]
    lines += ["", *(f"# not placed: {name}" for name in rest)]
    return "\n".join(lines).rstrip() + "\n"


def _placed(columns: Mapping[str, list[str]], header: list[str]) -> dict[str, str]:
    """Return what stands in which column: the same name first, then one that is very like it."""
    found: dict[str, str] = {}
    for least in (100, ALIKE):
        for meaning, names in columns.items():
            free = [one for one in header if one not in found.values()]
            like = ((name, one) for name in names for one in free)
            if meaning not in found and (hit := _first(like, least)):
                found[meaning] = hit
    return found


def _first(pairs: Iterator[tuple[str, str]], least: int) -> str:
    return next((one for name, one in pairs if fuzz.ratio(folded(name), folded(one)) >= least), "")


def _table(
    place: str, columns: Mapping[str, Any], placed: Mapping[str, str], given: Mapping[str, str]
) -> list[str]:
    """Return the lines for a table, or none when the file has nothing of its own for it."""
    server, name = place.split(".")
    table = tables_of(server)[name]
    said = {ours: found for ours, one in columns.items() if (found := _theirs(one, placed))}
    needed = [ours for ours, one in table.fields.items() if one.is_required()]
    missing = [ours for ours in needed if ours not in said and ours not in given]
    if any(ours in missing and one not in SAID_FOR_ALL for ours, one in columns.items()):
        return []
    lines = ["", f"[file.{place}]"]
    lines += [f"{ours} = {json.dumps(found, ensure_ascii=False)}" for ours, found in said.items()]
    if "weight_kg" in placed and "weight_g" not in placed and "weight_g" in said:
        lines.append("times.weight_g = 1000")
    lines += [
        f"skip_without = [{json.dumps(n)}]" for n in ("value", "on_hand", "amount") if n in said
    ]
    lines += [f"set.{ours} = {json.dumps(value)}" for ours, value in given.items()]
    return [*lines, *(f"# missing: set.{ours} = ..." for ours in missing)]


def _theirs(meaning: str | list[str], placed: Mapping[str, str]) -> str | list[str]:
    if isinstance(meaning, list):
        found = [placed[one] for one in meaning if one in placed]
        return found[0] if len(found) == 1 else found
    if "{" not in meaning:
        return placed.get(meaning, "")
    parts = [placed[one] for one in re.findall(r"\{(\w+)\}", meaning) if one in placed]
    return " ".join(f"{{{one}}}" for one in parts)
