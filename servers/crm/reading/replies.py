"""A message's new words, split from the older message that it quotes."""

import re
from dataclasses import dataclass
from functools import lru_cache

from mailparser_reply import EmailMessage

MAX_TEXT = 60_000
"""Characters of one message's new text; what is beyond is cut and flagged."""
MAX_HEADER_LINE = 200
LANGUAGES = ("en", "de", "fr", "it", "nl", "es", "pl")

_FORWARD_SUBJECT = re.compile(r"^\s*(fwd?|wg|tr|rv|i|doorst)\s*:", re.IGNORECASE)
_FORWARD_LINE = re.compile(
    r"^[ >]*-{2,}\s*(forwarded message|weitergeleitete nachricht|message transféré"
    r"|begin forwarded message)",
    re.IGNORECASE | re.MULTILINE,
)
_LIKE_A_HEADER = re.compile(r"@|\b(19|20)\d\d\b|\d:\d\d|-{5}|: *$")
"""What the header of a quoted message holds, and two lines `From: Bonn`, `To: Cork` do not."""


@dataclass(frozen=True)
class Split:
    """A message's own words, and what it quotes."""

    text: str
    quoted_text: str = ""
    flags: tuple[str, ...] = ()


def split_reply(body: str, subject: str = "") -> Split:
    """Split a cleaned body into the new text and what is quoted below it; nothing is lost.

    A forwarded message is news to its reader and stays in the new text. So do answers written
    between quoted lines, together with the lines they answer (those keep their `>`).
    """
    if _FORWARD_SUBJECT.search(subject) or _FORWARD_LINE.search(body):
        return _limited(body, "", ("forwarded",))
    cut = _first_quote(body)
    if cut is None:
        return _limited(body, "", ())
    new, rest = body[:cut].rstrip(), body[cut:].strip()
    if _answers_between(rest):
        return _limited(body, "", ("interleaved",))
    if not new.strip():
        return _limited(body, "", ("only_quoted",))
    return _limited(new, rest, ())


def _limited(text: str, quoted: str, flags: tuple[str, ...]) -> Split:
    if len(text) > MAX_TEXT or len(quoted) > MAX_TEXT:
        flags = (*flags, "cut")
    return Split(text[:MAX_TEXT], quoted[:MAX_TEXT], flags)


@lru_cache(maxsize=1)
def _header_pattern() -> re.Pattern[str]:
    pattern: re.Pattern[str] = EmailMessage(text="", languages=list(LANGUAGES)).HEADER_REGEX
    return pattern


def _first_quote(body: str) -> int | None:
    """Return where quoting starts: a header as mail programs write it, or a last `>` block."""
    # very long lines are never headers, and would make the patterns slow; keep the offsets
    lines = [line if len(line) <= MAX_HEADER_LINE else "x" * len(line) for line in body.split("\n")]
    places = []
    for found in _header_pattern().finditer("\n".join(lines)[:MAX_TEXT]):
        header = found.group()
        if _LIKE_A_HEADER.search(header):
            places.append(found.start() + len(header) - len(header.lstrip("\n")))
            break
    if (block := _last_block(lines)) is not None:
        places.append(block)
    return min(places, default=None)


def _last_block(lines: list[str]) -> int | None:
    """Return where a block of `>` lines starts that nothing follows, or None."""
    place = len(lines)
    while place and (not lines[place - 1].strip() or lines[place - 1].startswith(">")):
        place -= 1
    if not any(line.startswith(">") for line in lines[place:]):
        return None
    return sum(len(line) + 1 for line in lines[:place])


def _answers_between(rest: str) -> bool:
    """Say whether somebody wrote below or between the `>` lines."""
    lines = rest.split("\n")
    first = next((place for place, line in enumerate(lines) if line.startswith(">")), None)
    if first is None:
        return False
    return any(
        line.strip() and not line.startswith((">", "__")) for line in _unsigned(lines[first:])
    )


def _unsigned(lines: list[str]) -> list[str]:
    for place, line in enumerate(lines):
        if line.rstrip() == "--":
            return lines[:place]
    return lines
