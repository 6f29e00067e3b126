"""Payment terms: instalments, when each is due, and the exact split of a total over them."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from servers.finance.facts.blocks import InstalmentBlock
from servers.finance.facts.legal import BASES, PaymentTerms, TermLine, advance, late
from servers.finance.findings import percent as plain_percent
from servers.toolkit.money import from_minor, round_money, split_proportionally, to_minor

HUNDRED = Decimal(100)


def problem_of(lines: Sequence[TermLine]) -> str:
    if not lines:
        return "payment terms need an instalment"
    rest = [line for line in lines if line.percent is None]
    named = sum((line.percent for line in lines if line.percent is not None), Decimal(0))
    if any(line.percent is not None and line.percent <= 0 for line in lines):
        return "an instalment's percent must be above 0"
    if len(rest) > 1:
        return "only one instalment can be the remainder"
    if rest and named >= HUNDRED:
        return f"the instalments are {plain_percent(named)} percent and leave no remainder"
    if not rest and named != HUNDRED:
        return f"the instalments sum to {plain_percent(named)} percent, not to 100"
    for line in lines:
        if line.due not in BASES:
            return f"due is one of {', '.join(BASES)}"
        if bool(line.discount_percent) != bool(line.discount_days):
            return "an early-payment discount has a percent and its days"
        if not 0 <= line.discount_percent < HUNDRED:
            return "an early-payment discount is below 100 percent"
        if line.discount_days and line.discount_days >= late(line):
            return "an early-payment discount must end before the instalment is due"
    return ""


def longer(picked: PaymentTerms, agreed: PaymentTerms) -> bool:
    """Say whether terms give the customer more than what is agreed: time, or a discount."""
    return (
        picked.days > agreed.days
        or picked.weighted_days > agreed.weighted_days
        or picked.discount > agreed.discount
    )


def due_on(line: TermLine, event: date) -> date:
    if line.due == "end_of_month":
        event = event.replace(day=monthrange(event.year, event.month)[1])
    return event + timedelta(days=line.days)


def schedule(
    terms: PaymentTerms, total_minor: int, currency: str, day: date
) -> list[InstalmentBlock]:
    """Split a total over the instalments, exactly, and say when each can be due at the earliest.

    `day` is the order date, as if delivery and invoice were on it too.
    """
    total = from_minor(total_minor, currency)
    amounts = split_proportionally(total, terms.shares, currency)
    rows = zip(terms.parts, terms.shares, amounts, strict=True)
    made = []
    for place, (part, share, amount) in enumerate(rows, start=1):
        off = round_money(amount * part.discount_percent / HUNDRED, currency)
        early = bool(part.discount_days)
        made.append(
            InstalmentBlock(
                position=place,
                percent=plain_percent(share),
                amount_minor=to_minor(amount, currency),
                due=part.due,
                days=part.days,
                say=_words(part),
                earliest=due_on(part, day),
                discount_percent=plain_percent(part.discount_percent) if early else None,
                discount_days=part.discount_days if early else None,
                discount_minor=to_minor(off, currency) if early else None,
            )
        )
    return made


def on_credit(terms: PaymentTerms, total_minor: int, currency: str) -> int:
    """Return what of a total the customer would owe after delivery: all but what is in advance."""
    blocks = schedule(terms, total_minor, currency, date(2000, 1, 1))
    pairs = zip(blocks, terms.parts, strict=True)
    return sum(block.amount_minor for block, part in pairs if not advance(part))


def _words(line: TermLine) -> str:
    event = {
        "order": "the order",
        "delivery": "delivery",
        "invoice": "the invoice date",
        "end_of_month": "the end of the month of the invoice date",
    }[line.due]
    if line.days == 0:
        said = {"order": "with the order", "delivery": "on delivery"}.get(line.due, f"at {event}")
    else:
        said = f"within {line.days} days of {event}"
    if line.discount_days:
        off = plain_percent(line.discount_percent)
        start = "the invoice date" if line.due == "end_of_month" else event
        said += f"; {off}% less if paid within {line.discount_days} days of {start}"
    return said
