"""Outside text made safe to store and to point into.

Pure functions. Whatever is cleaned here is stored, and spans are offsets into what is stored, so
nothing may clean the same text again later in another way.
"""

import re
import unicodedata

from servers.toolkit.errors import InvalidInputError

_INVISIBLE = re.compile(
    "["
    "\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, except tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero width, bidi
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"  # fillers, variation selectors
    "\U000e0000-\U000e0fff"  # tags and more variation selectors
    "]"
)
_LINE_BREAKS = re.compile("\r\n?|\u2028|\u2029|\x0b|\x0c|\x85")


def clean_text(text: str) -> str:
    """Return text in NFC, with unix line ends and without what nobody can see.

    Raises:
        InvalidInputError: it holds NUL or half a surrogate pair, so it is no text.
    """
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError(
            "the text holds characters that are not text", fix="send it as UTF-8 without NUL"
        )
    text = _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text))
    return unicodedata.normalize("NFC", text)


def clean_line(text: str, limit: int = 200) -> str:
    """Return text cleaned and on one line, at most `limit` characters long."""
    return " ".join(clean_text(text).split())[:limit]


def tidy(text: str) -> str:
    """Return cleaned text without trailing blanks and without runs of empty lines."""
    text = "\n".join(line.rstrip() for line in clean_text(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()
