"""Full text search over messages and documents: FTS5 on SQLite, `simple` vectors on PostgreSQL.

What a caller types never reaches a query language: it is cut into words, and each word is quoted.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from servers.crm.topics import stem_of

MAX_HITS = 200
MAX_WORDS = 16
SNIPPET = 160

_SQLITE = (
    "SELECT source_id, opportunity_id FROM {index} WHERE {index} MATCH :query "
    "ORDER BY bm25({index}) LIMIT :most"
)
_MADE = (
    "CREATE VIRTUAL TABLE temp.texts_within USING fts5(source_id UNINDEXED, "
    "opportunity_id UNINDEXED, title, body, tokenize='porter unicode61 remove_diacritics 2')"
)
_FILLED = (
    "INSERT INTO texts_within SELECT activity_id, opportunity_id, subject, text FROM activity "
    "WHERE {within} = :id UNION ALL SELECT document_id, opportunity_id, "
    "title || ' ' || filename, text FROM document WHERE {within} = :id"
)
_POSTGRES = (
    "SELECT source_id, opportunity_id FROM ("
    " SELECT activity_id AS source_id, opportunity_id, ts_rank(to_tsvector('simple',"
    "  subject || ' ' || text), to_tsquery('simple', :query)) AS fit FROM activity"
    "  WHERE to_tsvector('simple', subject || ' ' || text) @@ to_tsquery('simple', :query) {within}"
    " UNION ALL"
    " SELECT document_id, opportunity_id, ts_rank(to_tsvector('simple',"
    "  title || ' ' || filename || ' ' || text), to_tsquery('simple', :query)) FROM document"
    "  WHERE to_tsvector('simple', title || ' ' || filename || ' ' || text)"
    "   @@ to_tsquery('simple', :query) {within}"
    ") AS hit ORDER BY fit DESC, source_id LIMIT :most"
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
    session: Session, words: Sequence[str], *, any_word: bool = False, **within: str
) -> list[Hit]:
    """Return the texts that hold all the words (or any of them), best first.

    `within` names one opportunity or account by its id: only its texts are then looked at.
    The answer is not narrowed by the grant: the caller looks up the rows, and those are.
    """
    return _search(session, [words], within, any_word=any_word)[0]


def deals_with(session: Session, words: Sequence[str], **within: str) -> dict[str, frozenset[str]]:
    """Return for each word the opportunities with a text that holds it, as `find_texts` does."""
    found = _search(session, [[stem_of(word)] for word in words], within)
    deals = (frozenset(hit.opportunity_id for hit in hits) for hits in found)
    return dict(zip(words, deals, strict=True))


def _search(
    session: Session,
    asked: Sequence[Sequence[str]],
    within: Mapping[str, str],
    *,
    any_word: bool = False,
) -> list[list[Hit]]:
    run, one = session.connection().execute, next(iter(within.items()), None)
    sqlite = session.get_bind().dialect.name == "sqlite"
    if one is not None and sqlite:
        # few texts get an index of their own: a word that all others have too costs nothing
        run(text(_MADE))
        run(text(_FILLED.format(within=one[0])), {"id": one[1]})
        search = _SQLITE.format(index="texts_within")
    elif sqlite:
        search = _SQLITE.format(index="text_index")
    else:
        search = _POSTGRES.format(within="" if one is None else f"AND {one[0]} = :id")
    query = _fts5 if sqlite else _tsquery
    given = {"id": one and one[1], "most": MAX_HITS}
    rows = [
        run(text(search), {**given, "query": query(words, any_word)}).all() if words else []
        for words in asked
    ]
    if one is not None and sqlite:
        run(text("DROP TABLE temp.texts_within"))
    return [[Hit(str(row.source_id), str(row.opportunity_id)) for row in found] for found in rows]


def _fts5(words: Sequence[str], any_word: bool) -> str:
    quoted = ['"' + word.replace('"', '""') + '"*' for word in words]
    return (" OR " if any_word else " AND ").join(quoted)


def _tsquery(words: Sequence[str], any_word: bool) -> str:
    quoted = ["'" + word.replace("'", "''").replace("\\", "") + "':*" for word in words]
    return (" | " if any_word else " & ").join(quoted)


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
