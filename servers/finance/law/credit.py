"""Credit: what a customer would owe, whether it fits, and what the seller's policy makes of it.

Exposure is open receivables, accepted quotes that are not billed, and this quote. An amount in
another currency than the limit is never converted: it is said. The policy is a table of rating,
use of the limit and overdue days; the first row that fits decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from servers.finance.facts.legal import CreditFacts, CreditLine, PaymentTerms, PolicyRow, Unbilled
from servers.finance.findings import percent
from servers.finance.law.clauses import for_a_person
from servers.finance.law.payment import on_credit
from servers.toolkit.findings import Finding
from servers.toolkit.money import from_minor, whole_up

WHOLE = 10_000
BUCKETS = ((30, "1-30"), (60, "31-60"), (90, "61-90"), (None, "90+"))
"""Days overdue up to and including, and what the bucket is called."""


@dataclass(frozen=True)
class Numbers:
    """What an exposure is made of, in the currency of the limit; `other` is not counted."""

    currency: str
    open_minor: int
    unbilled_minor: int
    asked_minor: int
    overdue: Mapping[str, int]
    overdue_days: int
    other: Mapping[str, int]

    @property
    def exposure_minor(self) -> int:
        return self.open_minor + self.unbilled_minor + self.asked_minor


@dataclass(frozen=True)
class Judgement:
    """What credit says about an amount: the numbers, the row of the policy, the findings.

    `advance_percent` is the smallest percentage in advance that stays within every limit: 0 when
    the amount fits as it is, None when nothing helps or there is no limit in that currency.
    """

    numbers: Numbers
    family: Numbers | None
    row: PolicyRow | None
    findings: tuple[Finding, ...]
    advance_percent: int | None = None


def bucket_of(late: int) -> str:
    return next(name for last, name in BUCKETS if last is None or late <= last)


def numbers(line: CreditLine, amount_minor: int, currency: str, day: date) -> Numbers:
    mine = line.currency or currency
    other: dict[str, int] = {}
    overdue = {name: 0 for _, name in BUCKETS}
    open_minor, unbilled, days = line.open_minor, 0, 0
    for bill in line.receivables:
        late = bill.overdue_days(day)
        days = max(days, late if bill.open_minor > 0 else 0)
        if bill.currency != mine:
            other[bill.currency] = other.get(bill.currency, 0) + bill.open_minor
            continue
        open_minor += bill.open_minor
        if late:
            overdue[bucket_of(late)] += bill.open_minor
    for quote in line.unbilled:
        if quote.currency == mine:
            unbilled += quote.open_minor
        else:
            other[quote.currency] = other.get(quote.currency, 0) + quote.open_minor
    asked = amount_minor if currency == mine else 0
    return Numbers(mine, open_minor, unbilled, asked, overdue, days, dict(sorted(other.items())))


def judge(
    facts: CreditFacts, amount_minor: int, currency: str, terms: PaymentTerms, day: date
) -> Judgement:
    """Judge an amount: hold, limit of its own and of the family, overdue invoices, policy.

    Only what is not paid in advance counts as exposure. A hold is a hold all the same.
    """
    line = line_of(facts, currency)
    facts = replace(facts, line=line)
    asked = on_credit(terms, amount_minor, currency)
    own = numbers(line, asked, currency, day)
    family = None if facts.family is None else numbers(facts.family, asked, currency, day)
    findings: list[Finding] = []
    row = None
    if line.hold or (facts.family is not None and facts.family.hold):
        whose = "the customer's" if line.hold else "the parent company's"
        rating = f"rating {line.rating or 'none'}"
        findings = [_human("CREDIT_HOLD", f"{whose} credit is on hold", [rating])]
    elif asked:
        if line.limit_minor is not None or facts.family is None:
            findings += _limit(line, own, currency, "the")
        if facts.family is not None and family is not None:
            findings += _limit(facts.family, family, currency, "the parent company's")
        row = policy_row(facts, own, family)
        if not findings:  # what is above a limit goes to a person anyway
            findings = _policy(facts, own, row, terms)
    sides = [(line, own), *([(facts.family, family)] if facts.family and family else [])]
    needs = [advance_needed(side, found, amount_minor, currency) for side, found in sides]
    known = [need for need in needs if need is not None]
    advance = max(known) if len(known) == len(needs) else None
    once = tuple({(f.code, f.message): f for f in findings}.values())
    return Judgement(own, family, row, once, advance)


def line_of(facts: CreditFacts, currency: str) -> CreditLine:
    """Return the line; of a customer without profile or family, with the house's first limit."""
    line, first = facts.line, facts.policy.first_limit.get(currency)
    if line.limit_minor is not None or line.rating or facts.family is not None:
        return line
    return line if first is None else replace(line, limit_minor=first, currency=currency)


def policy_row(facts: CreditFacts, own: Numbers, family: Numbers | None) -> PolicyRow | None:
    uses = [_use_bp(facts.line, own)]
    days = own.overdue_days
    if facts.family is not None and family is not None:
        uses.append(_use_bp(facts.family, family))
        days = max(days, family.overdue_days)
    known = [use for use in uses if use is not None]
    for row in facts.policy.rows if known else ():
        fits = facts.line.rating in row.ratings or not row.ratings
        if fits and max(known) <= row.use_bp and days <= row.overdue_days:
            return row
    return None


def advance_needed(line: CreditLine, found: Numbers, total_minor: int, currency: str) -> int | None:
    """Return the smallest whole percentage in advance that brings a total within the limit."""
    if line.limit_minor is None or total_minor <= 0 or line.currency != currency:
        return None
    over = found.exposure_minor - found.asked_minor + total_minor - line.limit_minor
    if over <= 0:
        return 0
    share = whole_up(Decimal(over) * 100 / Decimal(total_minor))
    return share if share <= 100 else None


def merged(lines: Sequence[CreditLine], holder: CreditLine) -> CreditLine:
    """Return the holder's limit over what the whole family owes."""
    same = [line for line in lines if line.currency == holder.currency]
    odd = [
        Unbilled("opening balance", line.open_minor, line.currency)
        for line in lines
        if line.currency != holder.currency and line.open_minor
    ]
    return replace(
        holder,
        open_minor=sum(line.open_minor for line in same),
        receivables=tuple(bill for line in lines for bill in line.receivables),
        unbilled=(*(quote for line in lines for quote in line.unbilled), *odd),
    )


def _limit(line: CreditLine, found: Numbers, currency: str, whose: str) -> list[Finding]:
    limit, mine = line.limit_minor, line.currency
    if limit is None:
        return [_human("CREDIT_UNKNOWN", "the customer has no credit limit on file", [])]
    if mine != currency:
        message = f"{whose} credit limit is in {mine}, the quote in {currency}"
        return [_human("CREDIT_CURRENCY", message, [f"limit {_money(limit, mine)}"])]
    said = []
    if found.other:
        message = f"open amounts in other currencies than {mine} are not in the exposure"
        others = [_money(amount, code) for code, amount in found.other.items()]
        said.append(_human("CREDIT_CURRENCY", message, others))
    if found.exposure_minor > limit:
        message = f"the exposure would be above {whose} credit limit"
        both = f"limit {_money(limit, mine)}, exposure {_money(found.exposure_minor, mine)}"
        said.append(_human("CREDIT_LIMIT", message, [both, *_made_of(found)]))
    return said


def _policy(
    facts: CreditFacts, own: Numbers, row: PolicyRow | None, terms: PaymentTerms
) -> list[Finding]:
    if not facts.policy.rows or facts.line.limit_minor is None:
        return []
    rating, late = f"rating {facts.line.rating or 'none'}", own.overdue_days
    about = [rating, *_made_of(own)]
    if row is None:
        message = "no row of the credit policy fits this rating, use of the limit and overdue days"
        return [_human("CREDIT_POLICY", message, about)]
    said = []
    if row.approval:
        code, message = "CREDIT_POLICY", f"the credit policy asks for a decision at {rating}"
        if late:
            code, message = "CREDIT_OVERDUE", f"the oldest open invoice is {late} days overdue"
        said.append(_human(code, message, about, row.rule_id))
    if terms.days > row.max_days or terms.in_advance < row.in_advance:
        message = (
            f"the credit policy allows at most {row.max_days} days and asks for "
            f"{percent(row.in_advance)}% in advance; {terms.code} is more generous"
        )
        said.append(_human("CREDIT_TERMS", message, about, row.rule_id))
    return said


def _use_bp(line: CreditLine, found: Numbers) -> int | None:
    """Return how much of a limit is used, in basis points rounded up; None without a limit."""
    if line.limit_minor is None:
        return None
    if line.limit_minor == 0:
        return 0 if found.exposure_minor == 0 else 100 * WHOLE
    return whole_up(Decimal(found.exposure_minor * WHOLE) / Decimal(line.limit_minor))


def _made_of(found: Numbers) -> list[str]:
    code = found.currency
    said = [
        f"open receivables {_money(found.open_minor, code)}",
        f"accepted, not billed {_money(found.unbilled_minor, code)}",
        f"this quote on credit {_money(found.asked_minor, code)}",
    ]
    late = [f"{name} days {_money(sum_, code)}" for name, sum_ in found.overdue.items() if sum_]
    return [*said, f"overdue: {'; '.join(late)}"] if late else said


def _money(minor: int, currency: str) -> str:
    return f"{from_minor(minor, currency):f} {currency}"


def _human(code: str, message: str, evidence: list[str], rule_id: str = "CREDIT") -> Finding:
    fix = "offer payment in advance, or ask a finance_director to approve"
    return for_a_person(code, message, fix, evidence=evidence, rule_id=rule_id)
