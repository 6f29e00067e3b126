"""Cursors: the page after this one, to the last row, and what is no cursor of ours."""

import base64

import pytest

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.paging import decode_cursor, encode_cursor, next_cursor


@pytest.mark.parametrize("offset", [0, 1, 25, 9_999_999_999])
def test_a_cursor_comes_back_as_its_offset(offset: int) -> None:
    assert decode_cursor(encode_cursor(offset)) == offset


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_cursor_is_the_first_row(nothing: str | None) -> None:
    assert decode_cursor(nothing) == 0


@pytest.mark.parametrize(("total", "offset"), [(29, None), (30, None), (31, 30)])
def test_there_is_a_next_page_when_a_row_is_left(total: int, offset: int | None) -> None:
    found = next_cursor(20, 10, total)
    assert (None if found is None else decode_cursor(found)) == offset


@pytest.mark.parametrize("text", ["o", "o-1", "o1.5", "p7", "17", "o²", "o10000000000"])
def test_what_is_no_cursor_of_ours_is_refused(text: str) -> None:
    """Ten digits are more rows than anybody has; eleven come from elsewhere."""
    for cursor in (base64.urlsafe_b64encode(text.encode()).decode(), text, text + "!"):
        with pytest.raises(InvalidInputError, match="not one of ours"):
            decode_cursor(cursor)
