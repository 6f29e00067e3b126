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

from servers.finance.facts.prices import Contract
from servers.finance.facts.subscriptions import Subscription
from servers.finance.facts.windows import Window
from servers.finance.findings import finding, percent, plain, step
from servers.finance.prices.unit_price import UnitPrice
from servers.finance.schemas import LineIn
from servers.finance.subscriptions import proration
from servers.finance.subscriptions.proration import DAY, Span
from servers.finance.subscriptions.ramps import ramps_of, wrong
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
    """Return the term of every line.

    Raises:
        InvalidInputError: lines contradict themselves or each other.
    """
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
    unknown = finding(
        "SUBSCRIPTION_UNKNOWN",
        Severity.ERROR,
        message,
        subject=line.line_id,
        rule_id="AMENDMENT" if line.change == "amend" else "RENEWAL",
        fix=fix,
    )
    return None, [unknown]


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
        term.findings.append(
            finding(
                "SUBSCRIPTION_ENDED",
                Severity.ERROR,
                f"{name} runs from {running.first} to {running.last}, not on {first}",
                subject=line.line_id,
                rule_id="AMENDMENT",
                fix="renew it, or quote the addition as a subscription of its own",
            )
        )
        return
    first = running.last + DAY
    if first < day:
        term.findings.append(
            finding(
                "RENEWAL_LATE",
                Severity.WARNING,
                f"{name} ended on {running.last}: its renewal begins before the order",
                subject=line.line_id,
                rule_id="RENEWAL",
                fix="ask whether it went on running, or quote a new subscription",
            )
        )
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
    if term.change == "amend":
        amount, code, said = _amended(running, day)
    else:
        amount, code, said = _renewed(running)
    severity = Severity.WARNING if code == "PRICE_LOCK_ENDED" else Severity.INFO
    term.findings.append(
        finding(
            code,
            severity,
            f"{running.subscription_id}: {said}",
            subject=line.line_id,
            rule_id="AMENDMENT" if term.change == "amend" else "RENEWAL",
            fix="tell the customer which price holds",
        )
    )
    if amount is None:
        return contracts
    lock = Contract(
        contract_id=running.subscription_id,
        account_id=running.account_id,
        scope="sku",
        selector=running.sku,
        kind="fixed",
        amount=amount,
        currency=running.currency,
        window=Window(),
        exclusive=True,
        document=running.document,
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
            price.findings.append(
                finding(
                    "TERM_NOT_SOLD",
                    Severity.WARNING,
                    f"{line.sku} is not sold for a term; the term asked for changes nothing",
                    subject=line.line_id,
                    rule_id="TERM",
                    fix="leave out the term",
                )
            )
        return
    _cap(price, line, term)
    span = term.span or proration.of_months(default, line.start)
    if term.span is None:
        term.span = span
        price.findings.append(
            finding(
                "TERM_DEFAULTED",
                Severity.INFO,
                f"{line.sku} is priced for its standard term of {default} months",
                subject=line.line_id,
                rule_id="TERM",
                fix="give term_months for another term",
            )
        )
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
    price.trace.append(
        step(
            line.line_id,
            "term",
            "TERM",
            source=price.entry_id,
            before=before,
            after=price.amount,
            note=note,
        )
    )


def _cap(price: UnitPrice, line: LineIn, term: Term) -> None:
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
    price.trace.append(
        step(
            line.line_id,
            "contract",
            "RENEWAL-CAP",
            source=running.subscription_id,
            before=before,
            after=most,
            note=f"{note} at {percent(running.cap)}%",
        )
    )


def months_of(price: UnitPrice) -> Fraction | None:
    """Return the months that a line's price is for; None when it is not sold for a term."""
    if price.default_term_months is None or price.amount is None:
        return None
    return Fraction(*price.term_factor) * price.default_term_months
