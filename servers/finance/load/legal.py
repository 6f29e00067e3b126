"""How law comes in: payment terms, clauses, the screening list."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from sqlmodel import Session, select

from servers.finance.facts.legal import DEFAULT_LANGUAGE, TermLine, advance, late, plain_lines
from servers.finance.law.clauses import Key, hash_of
from servers.finance.law.payment import problem_of
from servers.finance.load.base import table
from servers.finance.tables import legal as t
from servers.finance.tables.base import ID
from servers.toolkit.tables import Around, Values

BRACES = re.compile(r"[{}]|<[^>]*>|\[\[|TODO|TBD|XXX")
Days = Annotated[int, Field(ge=0, le=365)]


def _lines_read(row: Values) -> Values:
    """Return a term whose last instalment may leave its percent out."""
    lines = row.get("lines")
    return row if not isinstance(lines, list) else {**row, "lines": [*map(_line_read, lines)]}


def _line_read(line: Any) -> Any:
    return {"percent": None, **line} if isinstance(line, dict) else line


def _parts(row: Any) -> tuple[TermLine, ...]:
    return row.lines or plain_lines(row.days or 0, prepaid=row.prepaid)


def _term_problems(row: Any) -> Iterator[str]:
    if row.lines and (row.prepaid or row.days is not None):
        yield "give lines, or days and prepaid, not both"
    elif not row.lines and not row.prepaid and row.days is None:
        yield "give lines, or days, or prepaid"
    elif row.prepaid and row.days:
        yield "what is prepaid has no days"
    elif wrong := problem_of(_parts(row)):
        yield wrong
    elif any(not 0 <= one.days <= 365 or one.discount_days > 180 for one in _parts(row)):
        yield "an instalment is due within 365 days, its discount within 180"


def _term(row: Any, _around: Around) -> Values:
    parts = _parts(row)
    prepaid = all(advance(part) for part in parts)
    return {**TERMS.plain(row), "days": max(map(late, parts)), "prepaid": prepaid, "lines": parts}


def _told_term(stored: Values, _around: Around) -> Values:
    told = TERMS.plain_told(stored)
    return {name: told[name] for name in ("code", "description", "lines")}


def _clause_problems(row: Any) -> Iterator[str]:
    if row.status != "draft" and not (row.approved_by and row.approved_on):
        yield "a clause that is not a draft names approved_by and approved_on"
    if found := BRACES.search(row.text + row.title):
        yield f"the text is not finished: {found[0]!r}"
    if row.clause_id in row.conflicts_with:
        yield "a clause cannot conflict with itself"
    for threshold in row.conditions.get("min_total", ()):
        if not re.fullmatch(r"[A-Z]{3} \d+(\.\d+)?", threshold):
            yield f"min_total is written 'EUR 50000.00', not {threshold!r}"


def _clause(row: Any, around: Around) -> Values:
    """Return a clause with its hash; a version that is there keeps its text: quotes name it."""
    if "clauses" not in around.memory:
        rows = around.session.exec(select(t.ClauseRow))
        around.memory["clauses"] = {(r.clause_id, r.version, r.language): r.text for r in rows}
    stored = around.memory["clauses"].get((row.clause_id, row.version, row.language), row.text)
    if stored != row.text:
        raise ValueError(
            f"{row.clause_id} version {row.version} has another text already: "
            "import it as the next version"
        )
    more = {"owner": row.owner or row.approved_by, "sha256": hash_of(row.text)}
    return {**CLAUSES.plain(row), **more}


def _library_holds(session: Session) -> Iterator[str]:
    """Yield clauses without an original, translations of another thing, conflicts with nothing."""
    every = session.exec(select(t.ClauseRow)).all()
    originals = {one.clause_id: one for one in every if one.language == DEFAULT_LANGUAGE}
    for one in every:
        original = originals.get(one.clause_id)
        if original is None:
            yield f"{one.clause_id}: there is no text in {DEFAULT_LANGUAGE}"
        elif one.language != DEFAULT_LANGUAGE and (one.topic, one.conditions) != (
            original.topic,
            original.conditions,
        ):
            yield f"{one.clause_id}: a translation has another topic or condition"
        for other in set(one.conflicts_with) - set(originals):
            yield f"{one.clause_id}: conflicts_with names {other}, which is no clause"


TERMS = table(
    "payment_terms",
    t.PaymentTerm,
    "a payment term: its instalments, or its days, or that it is prepaid",
    {"days": (Days | None, None), "prepaid": (bool, False)},
    read=_lines_read,
    problems=_term_problems,
    make=_term,
    tell=_told_term,
    as_json=True,
)
CLAUSES = table(
    "clauses",
    t.ClauseRow,
    "an approved text in one language; a version's text never changes",
    {
        "conditions": dict[Key, Annotated[tuple[str, ...], Field(min_length=1)]],
        "owner": (Annotated[str, Field(max_length=ID)], ""),
    },
    without=("sha256",),
    problems=_clause_problems,
    make=_clause,
    holds=_library_holds,
    as_json=True,
)
EMBARGOED = table(
    "embargoed_countries",
    t.EmbargoedCountry,
    "a country under embargo: controlled items are refused, the rest goes to legal",
)
SCREENING = table(
    "screening_entries",
    t.ScreeningEntry,
    "a name on the screening list; what list it is stands in policies, `screening`",
)
