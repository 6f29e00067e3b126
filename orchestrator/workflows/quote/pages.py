"""Long texts come in pages; a reader and a judge need them whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def joined(answers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one answer per message or document, with the text of its pages in order.

    A page that does not follow on what is there is left out: offsets into the text stay true.
    """
    whole: dict[str, dict[str, Any]] = {}
    for answer in answers:
        source = str(answer.get("activity_id") or answer.get("document_id"))
        found = whole.setdefault(source, {**answer, "text": ""})
        if int(answer.get("offset") or 0) == len(found["text"]):
            found["text"] += str(answer.get("text", ""))
            found["next_offset"] = answer.get("next_offset")
    return list(whole.values())
