"""The canonical form of a snapshot, and its digest: what an approval is bound to."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel


def text(value: object) -> str:
    """Return a value as JSON text that is the same on every machine: sorted, no idle spaces."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )


def digest(value: object) -> str:
    """Return the sha256 of a value's canonical text, in hexadecimal."""
    return hashlib.sha256(text(value).encode()).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, date | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name the parts of two snapshots that differ, `lines[0].net_minor` say; at most ten."""
    found: list[str] = []

    def walk(path: str, one: Any, other: Any) -> None:
        if one == other or len(found) >= 10:
            return
        if isinstance(one, dict) and isinstance(other, dict):
            for key in sorted(one.keys() | other.keys()):
                walk(f"{path}.{key}" if path else key, one.get(key), other.get(key))
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            for place, (left, right) in enumerate(zip(one, other, strict=True)):
                walk(f"{path}[{place}]", left, right)
        else:
            found.append(path)

    walk("", before, after)
    return found
