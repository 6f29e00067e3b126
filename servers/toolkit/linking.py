"""Answers that are too large to carry whole: a part of them, and a link to where all of it is.

What a tool gives as text and as data is the same, since each client reads only one of the two. The
link is an extra for clients that can open it; the data names the same address.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from fastmcp.tools import ToolResult
from mcp.types import ResourceLink, TextContent
from pydantic import BaseModel
from pydantic_core import to_json

LARGE = 25_000
"""Bytes of an answer above which it is given in parts."""
CHARACTERS = 20_000
"""Characters of one part of a text."""

Row = TypeVar("Row", bound=BaseModel)


def result(answer: BaseModel, *links: ResourceLink) -> ToolResult:
    """Return an answer as data and as text, both whole, with links behind the text."""
    data = answer.model_dump(mode="json")
    text = TextContent(type="text", text=to_json(data).decode())
    return ToolResult(content=[text, *links], structured_content=data)


def link(uri: str, name: str, mime_type: str, description: str) -> ResourceLink:
    return ResourceLink(
        type="resource_link", uri=uri, name=name, mime_type=mime_type, description=description
    )


def part_of(text: str, offset: int) -> tuple[str, int | None]:
    """Return the part of a text from an offset, and the offset of the next one, if any."""
    end = offset + CHARACTERS
    return text[offset:end], end if end < len(text) else None


def first_that_fit(rows: Sequence[Row], start: int, room: int) -> tuple[list[Row], int | None]:
    """Return rows from a place (from 1) on, at least one, within `room` bytes; the next place."""
    shown: list[Row] = []
    for row in rows[start - 1 :]:
        room -= len(row.model_dump_json().encode())
        if room < 0 and shown:
            return shown, start + len(shown)
        shown.append(row)
    return shown, None


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the output schema of a tool that answers with a `ToolResult`."""
    return model.model_json_schema(mode="serialization")
