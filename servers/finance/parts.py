"""A large quote in parts: as many lines, with their trace, as one answer should carry."""

from collections import defaultdict

from servers.finance.blocks import TraceStep
from servers.finance.documents import QuoteDocument

ROOM, SMALL = 24_000, 4_000
"""Bytes of one answer, and for its lines (and their trace) at least."""


def lines_that_fit(quote: QuoteDocument, from_line: int, *, with_trace: bool) -> QuoteDocument:
    """Return a quote with the lines from a position on that fit, and the trace of those lines.

    Totals, taxes, terms, findings and approvals stay those of the whole quote.
    """
    steps: dict[str, list[TraceStep]] = defaultdict(list)
    for step in quote.trace:
        steps[step.line_id].append(step)
    rest = quote.model_copy(update={"lines": [], "trace": steps[""] if with_trace else []})
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
