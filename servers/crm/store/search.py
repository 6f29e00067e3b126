"""Full text search over messages and documents: FTS5 on SQLite, `simple` vectors on PostgreSQL.

What a caller types never reaches a query language: it is cut into words, and each word is quoted.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

MAX_HITS = 200
MAX_WORDS = 16
SNIPPET = 160

_SQLITE = text(
    "SELECT source_id, opportunity_id FROM text_index WHERE text_index MATCH :query "
    "AND (:opportunity_id = '' OR opportunity_id = :opportunity_id) "
    "ORDER BY bm25(text_index) LIMIT :most"
)
_POSTGRES = text(
    "SELECT source_id, opportunity_id FROM ("
    " SELECT activity_id AS source_id, opportunity_id, ts_rank(to_tsvector('simple',"
    "  subject || ' ' || text), to_tsquery('simple', :query)) AS fit FROM activity"
    "  WHERE to_tsvector('simple', subject || ' ' || text) @@ to_tsquery('simple', :query)"
    " UNION ALL"
    " SELECT document_id, opportunity_id, ts_rank(to_tsvector('simple',"
    "  title || ' ' || filename || ' ' || text), to_tsquery('simple', :query)) FROM document"
    "  WHERE to_tsvector('simple', title || ' ' || filename || ' ' || text)"
    "   @@ to_tsquery('simple', :query)"
    ") AS hit WHERE (:opportunity_id = '' OR opportunity_id = :opportunity_id) "
    "ORDER BY fit DESC, source_id LIMIT :most"
)


@dataclass(frozen=True)
class Hit:
    """A text that holds the words."""

    source_id: str
    opportunity_id: str


def words_of(query: str) -> list[str]:
    """Return the words of what somebody typed, letters and digits only."""
    return re.findall(r"[^\W_]+", query)[:MAX_WORDS]


def find_texts(
    session: Session, words: Sequence[str], *, opportunity_id: str = "", any_word: bool = False
) -> list[Hit]:
    """Return the texts that hold all the words (or any of them), best first.

    The answer is not narrowed by the grant: the caller looks up the rows, and those are.
    """
    if not words:
        return []
    sqlite = session.get_bind().dialect.name == "sqlite"
    if sqlite:
        quoted = ['"' + word.replace('"', '""') + '"*' for word in words]
        query = (" OR " if any_word else " AND ").join(quoted)
    else:
        quoted = ["'" + word.replace("'", "''").replace("\\", "") + "':*" for word in words]
        query = (" | " if any_word else " & ").join(quoted)
    rows = session.execute(
        _SQLITE if sqlite else _POSTGRES,
        {"query": query, "opportunity_id": opportunity_id, "most": MAX_HITS},
    )
    return [Hit(str(row.source_id), str(row.opportunity_id)) for row in rows]


def snippet(body: str, words: Sequence[str]) -> tuple[str, int]:
    """Return a piece of a text around the first of the words, and where it starts."""
    plain = "".join(_base(character) for character in body)
    places = []
    for word in words:
        wanted = "".join(_base(character) for character in word)
        stems = (wanted, wanted[:-1], wanted[:-2]) if len(wanted) > 5 else (wanted,)
        places += [place for stem in stems if (place := plain.find(stem)) >= 0][:1]
    start = max(0, min(places, default=0) - SNIPPET // 3)
    if start:
        blank = body.find(" ", start, start + 20)
        start = blank + 1 if blank >= 0 else start
    return body[start : start + SNIPPET], start


def _base(character: str) -> str:
    """Return a letter without case and accent, always exactly one character."""
    return unicodedata.normalize("NFKD", character.casefold())[:1] or character
