"""Terms of lines: ramps, co-terms, amendments and renewals (step 4 of the waterfall).

A segment of a ramp begins the day after the one before it ends. A line with `end` is co-termed:
its term comes from two days. An amendment adds to a running subscription and ends with it; a
renewal begins the day after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from servers.finance.facts.prices import Contract, Subscription
from servers.finance.facts.windows import Window
from servers.finance.findings import finding, percent, plain
from servers.finance.prices.units import UnitPrice
from servers.finance.schemas import LineIn
from servers.finance.subscriptions import proration
from servers.finance.subscriptions.proration import DAY, Span
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import six_decimals

MOST_MONTHS = 120


@dataclass
class Term:
    """The term of one line, as far as it is known before its price is."""

    root: str
    """The line that the ramp begins with; the line itself outside a ramp."""
    span: Span | None = None
    subscription: Subscription | None = None
    change: Literal["amend", "renew"] | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def impossible(self) -> bool:
        return any(found.severity == Severity.ERROR for found in self.findings)


def in_force(subscriptions: Iterable[Subscription], sku: str, day: date) -> int:
    return sum(s.quantity for s in subscriptions if s.sku == sku and s.first <= day <= s.last)


def terms_of(
    lines: Sequence[LineIn], subscriptions: Iterable[Subscription], day: date
) -> dict[str, Term]:
    """Return the term of every line; lines that contradict themselves or others are refused."""
    known = {one.subscription_id: one for one in subscriptions}
    terms: dict[str, Term] = {}
    for chain in ramps_of(lines):
        root = chain[0]
        running, unknown = _changed(root, known)
        dated = root.start is not None or any(line.end is not None for line in chain)
        first = (root.start or day) if dated else None
        anchor: int | None = None
        for line in chain:
            term = terms[line.line_id] = Term(root.line_id, None, running, root.change)
            term.findings += unknown
            if line is root and running is not None:
                _begin(term, line, running, day)
            else:
                term.span = _span(line, first, anchor)
            if term.span is None:
                break
            first = None if term.span.last is None else term.span.last + DAY
            anchor = term.span.anchor
    return terms


def _changed(
    line: LineIn, known: Mapping[str, Subscription]
) -> tuple[Subscription | None, list[Finding]]:
    """Return the subscription that a line changes, or why there is no such line.

    Another account's reads like none. The id may come from a customer's mail, so this is a
    finding for a person, not the caller's mistake.
    """
    if line.subscription_id is None:
        return None, []
    found = known.get(line.subscription_id)
    if found is not None and found.sku == line.sku:
        return found, []
    message = f"the account has no subscription {line.subscription_id}"
    fix = "ask the customer which subscription is meant"
    if found is not None:
        message = f"{found.subscription_id} is a subscription of {found.sku}, not of {line.sku}"
        fix = f"quote {found.sku}, or ask which subscription is meant"
    return None, [_about(line, "SUBSCRIPTION_UNKNOWN", Severity.ERROR, message, fix)]


def _about(line: LineIn, code: str, severity: Severity, message: str, fix: str) -> Finding:
    rule = "AMENDMENT" if line.change == "amend" else "RENEWAL"
    return finding(code, severity, message, subject=line.line_id, rule_id=rule, fix=fix)


def _span(line: LineIn, first: date | None, anchor: int | None) -> Span | None:
    """Return the term of a line that begins on a day, if it says one; None is the standard one."""
    if line.end is None:
        if line.term_months is None:
            return None
        return proration.of_months(line.term_months, first, anchor)
    assert first is not None  # noqa: S101 - terms_of dates every ramp that has an end
    if line.end < first:
        raise wrong(line, f"ends on {line.end}, before it begins on {first}", "mend the days")
    span = proration.until(first, line.end, anchor)
    if span.months >= MOST_MONTHS:
        raise wrong(line, f"runs for {span.months} months", f"stay under {MOST_MONTHS} months")
    return span


def _begin(term: Term, line: LineIn, running: Subscription, day: date) -> None:
    name = running.subscription_id
    if term.change == "amend":
        first = line.start or max(day, running.first)
        if running.first <= first <= running.last:
            term.span = proration.until(first, running.last, running.first.day)
            return
        message = f"{name} runs from {running.first} to {running.last}, not on {first}"
        fix = "renew it, or quote the addition as a subscription of its own"
        term.findings.append(_about(line, "SUBSCRIPTION_ENDED", Severity.ERROR, message, fix))
        return
    first = running.last + DAY
    if first < day:
        message = f"{name} ended on {running.last}: its renewal begins before the order"
        fix = "ask whether it went on running, or quote a new subscription"
        term.findings.append(_about(line, "RENEWAL_LATE", Severity.WARNING, message, fix))
    if line.end is not None or line.term_months is not None:
        term.span = _span(line, first, running.first.day)
    else:
        term.span = proration.of_months(running.term_months, first, running.first.day)


def agreed_prices(
    term: Term, line: LineIn, contracts: Sequence[Contract], day: date
) -> Sequence[Contract]:
    """Return the contract prices that may apply to a line; a change has its subscription's own.

    An amendment has the price of its subscription while that is locked. A renewal has it as its
    policy says. Otherwise the price list and the account's contracts hold, and a finding says so.
    """
    running = term.subscription
    if running is None:
        return contracts
    amended = term.change == "amend"
    amount, code, said = _amended(running, day) if amended else _renewed(running)
    severity = Severity.WARNING if code == "PRICE_LOCK_ENDED" else Severity.INFO
    message, fix = f"{running.subscription_id}: {said}", "tell the customer which price holds"
    term.findings.append(_about(line, code, severity, message, fix))
    if amount is None:
        return contracts
    lock = Contract(
        *(running.subscription_id, running.account_id, "sku", running.sku, "fixed"),
        *(amount, running.currency, Window(), True, running.document),
    )
    return (lock,)


def _amended(running: Subscription, day: date) -> tuple[Decimal | None, str, str]:
    if running.lock_until is None:
        return None, "AMENDED_AT_LIST", "no price is locked, so the price list holds"
    if running.lock_until < day:
        said = f"its price was locked until {running.lock_until}, so the price list holds"
        return None, "PRICE_LOCK_ENDED", said
    return running.unit_price, "AMENDED_AT_LOCK", f"its price is locked until {running.lock_until}"


def _renewed(running: Subscription) -> tuple[Decimal | None, str, str]:
    if running.lock_until is not None and running.last < running.lock_until:
        said = f"renewed at its price, which is locked until {running.lock_until}"
        return running.unit_price, "RENEWED_AT_LOCK", said
    if running.renewal == "same":
        return running.unit_price, "RENEWED_AT_SAME", "renewed at its own price"
    if running.renewal == "list":
        return None, "RENEWED_AT_LIST", "renewed at the price list"
    asked = running.uplift or Decimal(0)
    given = asked if running.cap is None else min(asked, running.cap)
    said = f"renewed at its price and {percent(given)}%"
    if given < asked:
        said += f", because {running.clause} caps the {percent(asked)}% of its policy"
    amount = six_decimals(running.unit_price * (100 + given) / 100)
    return amount, "RENEWED_WITH_UPLIFT", said


def put_term(price: UnitPrice, line: LineIn, term: Term) -> None:
    """Cap a renewal at the price list, and scale the price to the term (step 4)."""
    default = price.default_term_months
    if price.amount is None:
        return
    if default is None:
        if line.term_months is not None or line.end is not None or line.change is not None:
            said = f"{line.sku} is not sold for a term; the term asked for changes nothing"
            price.say("TERM_NOT_SOLD", Severity.WARNING, said, "TERM", "leave out the term")
        return
    _cap(price, term)
    span = term.span or proration.of_months(default, line.start)
    if term.span is None:
        term.span = span
        said = f"{line.sku} is priced for its standard term of {default} months"
        fix = "give term_months for another term"
        price.say("TERM_DEFAULTED", Severity.INFO, said, "TERM", fix)
    factor = proration.multiplier(span, default, price.proration)
    months = factor * default
    price.term_months = int(months) if months.denominator == 1 else None
    whole = price.term_months is not None
    price.term_factor = (int(months), default) if whole else (factor.numerator, factor.denominator)
    before = price.amount
    price.amount = six_decimals(proration.times(before, factor))
    note = proration.shown(factor, span, default)
    if span.first is not None:
        note += f"; {span.first} to {span.last}, {price.proration}"
    price.note("term", "TERM", before, note, source=price.entry_id)


def _cap(price: UnitPrice, term: Term) -> None:
    running, before = term.subscription, price.amount
    if running is None or running.cap is None or before is None:
        return
    if term.change != "renew" or running.currency != price.currency:
        return
    most = six_decimals(running.unit_price * (100 + running.cap) / 100)
    if before <= most:
        return
    price.amount = most
    note = f"{running.clause} caps the increase of {plain(running.unit_price)}"
    note += f" at {percent(running.cap)}%"
    price.note("contract", "RENEWAL-CAP", before, note, source=running.subscription_id)


def months_of(price: UnitPrice) -> Fraction | None:
    """Return the months that a line's price is for; None when it is not sold for a term."""
    if price.default_term_months is None or price.amount is None:
        return None
    return Fraction(*price.term_factor) * price.default_term_months


def ramps_of(lines: Sequence[LineIn]) -> list[list[LineIn]]:
    """Return the lines as ramps in the order of their segments, most of them of one line.

    A ramp is a chain of lines, each of which names the one before it in `segment_of`; one that is
    a circle, forks, or whose segments do not belong together is refused.
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
