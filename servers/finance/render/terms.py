"""What is said about one line, about what comes again, and about another currency."""

from collections.abc import Mapping, Sequence

from servers.finance.facts.blocks import PresentationBlock, QuoteLine, RecurringBlock, TotalsBlock
from servers.finance.render import words

CHANGES = {"amend": "Change of subscription", "renew": "Renewal of subscription"}


def said_of(line: QuoteLine, lines: Sequence[QuoteLine]) -> tuple[str, ...]:
    """Return the notes below a line: its term, its place in a ramp or bundle, what it changes."""
    positions = {one.line_id: one.position for one in lines}
    notes = [*_term(line), *_ramp(line, lines)]
    if line.change is not None:
        notes.append(f"{CHANGES[line.change]} {line.subscription_id or ''}".rstrip())
    if line.part_of in positions:
        notes.append(f"part of line {positions[line.part_of]}")
    if line.alternative_of in positions:
        notes.append(f"instead of line {positions[line.alternative_of]}")
    if line.free:
        notes.append("free of charge")
    return tuple(notes)


def _term(line: QuoteLine) -> list[str]:
    months, when = line.term_months, ""
    length = "" if months is None else "1 month" if months == 1 else f"{months} months"
    if line.start and line.end:
        when = f"{words.day(line.start)} to {words.day(line.end)}"
    elif line.start:
        when = f"from {words.day(line.start)}"
    elif line.end:
        when = f"until {words.day(line.end)}"
    said = ", ".join(part for part in (length, when) if part)
    return [said.replace("months, from", "months from")] if said else []


def _ramp(line: QuoteLine, lines: Sequence[QuoteLine]) -> list[str]:
    """Say which period of a ramp a line is; each segment names the one before it."""
    before = {one.line_id: one.segment_of for one in lines if one.segment_of}
    after = {segment: line_id for line_id, segment in before.items()}
    earlier, later = _steps(line.line_id, before), _steps(line.line_id, after)
    return [f"period {earlier + 1} of {earlier + 1 + later}"] if earlier or later else []


def _steps(start: str, links: Mapping[str, str]) -> int:
    steps, here = 0, start
    while here in links and steps < len(links):
        steps, here = steps + 1, links[here]
    return steps


def recurring(block: RecurringBlock | None, currency: str) -> list[tuple[str, str]]:
    """Return what subscriptions come to, labelled; nothing where nothing comes again."""
    if block is None:
        return []
    return [
        ("Per month, while all subscriptions run", words.money(block.monthly_minor, currency)),
        ("Per year, at that rate", words.money(block.annual_minor, currency)),
        ("Subscriptions over their whole terms", words.money(block.contract_minor, currency)),
        ("Paid once", words.money(block.one_time_minor, currency)),
    ]


def shown_in(block: PresentationBlock | None, totals: TotalsBlock, currency: str) -> str:
    if block is None:
        return ""
    ours = words.money(totals.total_minor, currency)
    theirs = words.money(block.total_minor, block.currency)
    rate = f"at {block.rate} of {words.day(block.rate_date)} ({block.source})"
    return f"To read only: {ours} is about {theirs} {rate}. The offer is in {currency}."
