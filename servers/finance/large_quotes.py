"""A large quote in parts: as many lines, with their trace, as one answer should carry."""

from collections import defaultdict

from servers.finance.documents import QuoteDocument
from servers.finance.facts.blocks import ClauseBlock, TraceStep
from servers.finance.schemas_quotes import QuoteDiff
from servers.toolkit.linking import first_that_fit

ROOM, SMALL = 24_000, 4_000
"""Bytes of one answer, and for its lines (and their trace) at least."""


def part_of_diff(diff: QuoteDiff, from_change: int, room: int = ROOM) -> QuoteDiff:
    rest = diff.model_copy(update={"lines": []})
    room = max(SMALL, room - len(rest.model_dump_json().encode()))
    lines, after = first_that_fit(diff.lines, from_change, room)
    return diff.model_copy(update={"lines": lines, "next_from": after})


def lines_that_fit(quote: QuoteDocument, from_line: int, *, with_trace: bool) -> QuoteDocument:
    """Return a quote with the lines from a position on that fit, and the trace of those lines.

    Totals, taxes, terms, findings and approvals stay those of the whole quote. Where these alone
    fill the answer, clauses are only named: `finance://clauses/{clause_id}` has their texts.
    """
    steps: dict[str, list[TraceStep]] = defaultdict(list)
    for step in quote.trace:
        steps[step.line_id].append(step)
    rest = quote.model_copy(update={"lines": [], "trace": steps[""] if with_trace else []})
    if len(rest.model_dump_json().encode()) > ROOM - SMALL:
        quote = quote.model_copy(update={"clauses": [_named(one) for one in quote.clauses]})
        rest = rest.model_copy(update={"clauses": quote.clauses})
    room = max(SMALL, ROOM - len(rest.model_dump_json().encode()))
    kept = quote.lines[from_line - 1 :]
    for place, line in enumerate(kept):
        parts = [line, *(steps[line.line_id] if with_trace else ())]
        room -= sum(len(part.model_dump_json().encode()) for part in parts)
        if room < 0 and place:
            kept = kept[:place]
            break
    left = from_line + len(kept)
    shown = {line.line_id for line in kept} | {""}
    return quote.model_copy(
        update={
            "lines": kept,
            "trace": [step for step in quote.trace if step.line_id in shown],
            "next_line": left if left <= len(quote.lines) else None,
        }
    )


def _named(clause: ClauseBlock) -> ClauseBlock:
    return clause.model_copy(update={"text": "", "sha256": ""})
