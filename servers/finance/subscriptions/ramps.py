"""Ramps: lines that continue each other, each with a quantity and a price of its own.

A ramp is a chain of lines, each of which names the one before it in `segment_of`.
"""

from collections.abc import Sequence

from servers.finance.schemas import LineIn
from servers.toolkit.errors import InvalidInputError


def ramps_of(lines: Sequence[LineIn]) -> list[list[LineIn]]:
    """Return the lines as ramps in the order of their segments, most of them of one line.

    Raises:
        InvalidInputError: a ramp is a circle, forks, or its segments do not belong together.
    """
    by_id = {line.line_id: line for line in lines}
    following: dict[str, LineIn] = {}
    for line in lines:
        _fits_itself(line)
        if line.segment_of is None:
            continue
        before = by_id.get(line.segment_of)
        if before is None or before is line:
            raise wrong(line, "continues no other line", "name the line_id of the segment before")
        if before.line_id in following:
            raise wrong(line, f"is the second to continue {before.line_id}", "make it one chain")
        _fits_before(line, before)
        following[before.line_id] = line
    chains = []
    for line in lines:
        if line.segment_of is None:
            chain = [line]
            while chain[-1].line_id in following:
                chain.append(following[chain[-1].line_id])
            chains.append(chain)
            if len(chain) > 1:
                _fits_together(chain)
    if sum(map(len, chains)) != len(lines):
        ringed = next(x for x in lines if not any(x in chain for chain in chains))
        raise wrong(ringed, "is part of a ramp without a beginning", "leave out one segment_of")
    return chains


def _fits_itself(line: LineIn) -> None:
    if line.end is not None and line.term_months is not None:
        raise wrong(line, "has both end and term_months", "give one of the two")
    if (line.change is None) != (line.subscription_id is None):
        raise wrong(line, "gives only one of change and subscription_id", "give both or none")
    if line.change == "amend" and (line.end is not None or line.term_months is not None):
        raise wrong(line, "ends with its subscription", "leave out end and term_months")
    if line.change == "renew" and line.start is not None:
        raise wrong(line, "begins when its subscription has ended", "leave out start")


def _fits_before(line: LineIn, before: LineIn) -> None:
    for name in ("sku", "unit", "optional", "alternative_of", "part_of", "options"):
        if getattr(line, name) != getattr(before, name):
            raise wrong(line, f"has another {name} than {before.line_id}", "use the same in both")


def _fits_together(chain: Sequence[LineIn]) -> None:
    for line in chain:
        root = line is chain[0]
        if line.change == "amend" or (line.change is not None and not root):
            raise wrong(line, "is part of a ramp and a change", "let a ramp begin with renew")
        if line.start is not None and not root:
            raise wrong(line, "begins when the segment before ends", "leave out start")
        if line.term_months is None and line.end is None and line.change is None:
            raise wrong(line, "is a segment without a term", "give term_months or end")


def wrong(line: LineIn, what: str, fix: str) -> InvalidInputError:
    return InvalidInputError(f"line {line.line_id} {what}", fix=fix)
