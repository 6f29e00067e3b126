"""A large quote in parts: every line once, as many as fit, and at least one."""

import pytest
from paper_support import document, line

from servers.finance.documents import ROOM, SMALL, QuoteDocument, lines_that_fit
from servers.finance.facts.blocks import ClauseBlock, TraceStep
from servers.finance.findings import step


def size(quote: QuoteDocument) -> int:
    return len(quote.model_dump_json().encode())


def quote(lines: int, words: int = 0, clause: int = 0, notes: int = 0) -> QuoteDocument:
    """A quote of so many lines, with long names, a long clause and a step per line."""
    said = ClauseBlock(
        clause_id="CL-1", version=1, topic="t", title="T", text="c" * clause, sha256="0"
    )
    steps: list[TraceStep] = [step("", "totals", "SUM", note="n" * notes)]
    steps += [step(f"l{n}", "list", "LIST", note="n" * notes) for n in range(1, lines + 1)]
    return document(
        lines=[line(n, name="x" * words) for n in range(1, lines + 1)],
        clauses=[said],
        trace=steps,
    )


def walk(whole: QuoteDocument, *, with_trace: bool = False) -> list[list[str]]:
    """The ids of the lines of every part, asked for one after the other."""
    parts, at = [], 1
    while at is not None:
        part = lines_that_fit(whole, at, with_trace=with_trace)
        parts.append([one.line_id for one in part.lines])
        at = part.next_line
    return parts


@pytest.mark.parametrize("with_trace", [False, True])
@pytest.mark.parametrize(("lines", "words"), [(1, 0), (3, 0), (60, 200), (9, 10_000), (3, 50_000)])
def test_every_line_is_in_one_part(lines: int, words: int, *, with_trace: bool) -> None:
    parts = walk(quote(lines, words), with_trace=with_trace)
    assert [one for part in parts for one in part] == [f"l{n}" for n in range(1, lines + 1)]
    assert all(parts)
    if words == 50_000:
        assert len(parts) == lines, "a line that is too large alone stands alone"


def test_a_part_is_full_before_the_next_begins() -> None:
    whole = quote(60, 200)
    part = lines_that_fit(whole, 1, with_trace=False)
    assert part.next_line == len(part.lines) + 1
    assert size(part) <= ROOM + SMALL
    one_more = part.model_copy(update={"lines": whole.lines[: len(part.lines) + 1]})
    lines = sum(len(one.model_dump_json().encode()) for one in one_more.lines)
    rest = size(whole.model_copy(update={"lines": [], "trace": []}))
    assert rest + lines > ROOM


def test_the_last_part_names_no_next_one_and_begins_where_it_was_asked() -> None:
    whole = quote(3)
    assert lines_that_fit(whole, 1, with_trace=False).next_line is None
    last = lines_that_fit(whole, 3, with_trace=False)
    assert ([one.line_id for one in last.lines], last.next_line) == (["l3"], None)
    assert lines_that_fit(whole, 4, with_trace=False).lines == []


def test_a_part_has_the_trace_of_its_lines_and_of_the_whole() -> None:
    whole = quote(30, 200, notes=200)
    part = lines_that_fit(whole, 2, with_trace=True)
    shown = [one.line_id for one in part.trace]
    assert shown == ["", *(one.line_id for one in part.lines)]
    more = lines_that_fit(whole, 2, with_trace=False)
    assert len(more.lines) > len(part.lines)


@pytest.mark.parametrize("with_trace", [False, True])
def test_clauses_are_only_named_where_they_fill_the_answer(*, with_trace: bool) -> None:
    room = ROOM - SMALL
    bare = quote(1).model_copy(update={"lines": [], "trace": []})
    steps = [one for one in quote(1).trace if not one.line_id] if with_trace else []
    exact = room - size(bare.model_copy(update={"trace": steps}))
    for more, named in ((-1, False), (0, False), (1, True)):
        part = lines_that_fit(quote(1, clause=exact + more), 1, with_trace=with_trace)
        (clause,) = part.clauses
        assert (clause.text == "", clause.sha256 == "") == (named, named)
        assert clause.title == "T"
