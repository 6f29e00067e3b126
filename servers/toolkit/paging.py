"""Pages of rows: an opaque cursor that is an offset, checked when it comes back."""

import base64
import binascii
from typing import Generic, TypeVar

from pydantic import BaseModel

from servers.toolkit.errors import InvalidInputError

Row = TypeVar("Row")


class Page(BaseModel, Generic[Row]):
    """Some rows of a list, and where it goes on."""

    items: list[Row]
    total: int
    next_cursor: str | None


def encode_cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"o{offset}".encode()).decode()


def decode_cursor(cursor: str | None) -> int:
    """Return the offset a cursor stands for; none or empty means the first row.

    Raises:
        InvalidInputError: the text is not a cursor of ours.
    """
    if not cursor:
        return 0
    try:
        text = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode("ascii")
        if text[:1] == "o" and text[1:].isdecimal() and len(text) < 12:
            return int(text[1:])
    except (binascii.Error, UnicodeError):
        pass
    raise InvalidInputError("the cursor is not one of ours", fix="start again without a cursor")


def next_cursor(offset: int, count: int, total: int) -> str | None:
    """Return the cursor of the page after this one, or None at the end."""
    return encode_cursor(offset + count) if offset + count < total else None
