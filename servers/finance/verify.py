"""Work out an exported quote again, from the file alone: which numbers differ, in reading order.

No database, no price book: what is checked is that the document holds together. A line's gross is
quantity x unit price; its net is that less what it says is taken off; taxes, totals, rounding and
what comes again follow from those. An internal export also has its trace, whose every step must
start where the one before ended, and its digest.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError

from servers.finance import digests
from servers.finance.documents import CustomerQuote, QuoteDocument, QuoteSnapshot
from servers.finance.facts.blocks import Allowance, TotalsBlock
from servers.finance.verify_tax import printed, tax_faults
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import exponent, from_minor, round_money, to_minor

MOST_BYTES = 50_000_000
Document = QuoteDocument | CustomerQuote


@dataclass(frozen=True)
class Difference:
    """One number that is not what it should be: where, what is said, and what comes out."""

    where: str
    said: str
    worked_out: str
    why: str

    def __str__(self) -> str:
        return f"{self.where} says {self.said}, but {self.why} is {self.worked_out}"


def read(text: str) -> Document:
    """Return the quote in a JSON text, in whichever view it was exported.

    Raises:
        InvalidInputError: it is no exported quote, or not all of one.
    """
    fix = "give it a quote.json of `dealdesk quote render`, unchanged"
    try:
        data = json.loads(text)
        data = {key: value for key, value in data.items() if key != "$schema"}
        model = QuoteDocument if data.get("view") == "internal" else CustomerQuote
        document = model.model_validate(data)
        exponent(document.currency)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InvalidInputError(
            f"this is no exported quote: {where}: {first['msg']}", fix=fix
        ) from problem
    except (ValueError, AttributeError, RecursionError) as problem:
        raise InvalidInputError("this is no exported quote", fix=fix) from problem
    if document.next_line is not None:
        raise InvalidInputError("this is a part of a quote", fix=fix)
    return document


def verify(document: Document) -> list[Difference]:
    """Return every number that differs from what the document itself says, in reading order."""
    return list(_all(document))


def _all(q: Document) -> Iterator[Difference]:
    for place, line in enumerate(q.lines):
        where = f"lines[{place}] ({line.line_id}, {line.sku})"
        if line.unit_price is not None and line.gross_minor is not None:
            gross = round_money(line.quantity * Decimal(line.unit_price), q.currency)
            yield from _same(
                q.currency,
                f"{where}.gross_minor",
                line.gross_minor,
                to_minor(gross, q.currency),
                f"{line.quantity} x {line.unit_price}",
            )
        inside = line.included_tax_minor
        yield from _net(
            q.currency, where, line.gross_minor, line.allowances, line.net_minor, inside
        )
    freight = q.freight
    yield from _net(
        q.currency, "freight", freight.gross_minor, freight.allowances, freight.net_minor
    )
    if q.totals.total_minor is not None:
        for one in tax_faults(q):
            yield Difference(*one)
        yield from _totals(q)
        yield from _recurring(q)
    if isinstance(q, QuoteDocument):
        yield from _trace(q)
        yield from _digest(q)


def _same(
    currency: str, where: str, said: int | None, worked_out: int | None, why: str
) -> Iterator[Difference]:
    if said != worked_out:
        yield Difference(where, printed(said, currency), printed(worked_out, currency), why)


def _net(
    currency: str,
    where: str,
    gross: int | None,
    allowances: Sequence[Allowance],
    net: int | None,
    inside: int = 0,
) -> Iterator[Difference]:
    if gross is None:
        yield from _same(currency, f"{where}.net_minor", net, None, "the net of no gross")
        return
    for place, one in enumerate(allowances):
        if one.amount_minor < 0:
            yield Difference(
                f"{where}.allowances[{place}].amount_minor",
                printed(one.amount_minor, currency),
                printed(-one.amount_minor, currency),
                "a reduction",
            )
    left = gross - sum(one.amount_minor for one in allowances) - inside
    why = "gross less the reductions" + (" and the tax inside" if inside else "")
    yield from _same(currency, f"{where}.net_minor", net, left, why)


def _totals(q: Document) -> Iterator[Difference]:
    sums: TotalsBlock = q.totals
    lines = sum(line.net_minor or 0 for line in q.lines if line.in_total)
    freight, charges = q.freight.net_minor or 0, sum(one.net_minor for one in q.charges)
    net = (sums.lines_minor or 0) + (sums.freight_minor or 0) + sums.charges_minor
    total = (sums.net_minor or 0) + (sums.tax_minor or 0)
    checks: list[tuple[str, int | None, int, str]] = [
        ("lines_minor", sums.lines_minor, lines, "the sum of the lines"),
        ("freight_minor", sums.freight_minor, freight, "the freight"),
        ("charges_minor", sums.charges_minor, charges, "the sum of the charges"),
        ("net_minor", sums.net_minor, net, "lines + freight + charges"),
        ("tax_minor", sums.tax_minor, sum(t.tax_minor for t in q.taxes), "the sum of the taxes"),
        ("total_minor", sums.total_minor, total, "net + tax"),
    ]
    if sums.payable_minor is not None:
        payable = (sums.total_minor or 0) + sums.rounding_minor
        checks.append(("payable_minor", sums.payable_minor, payable, "total + rounding"))
    else:
        checks.append(("rounding_minor", sums.rounding_minor, 0, "the rounding of nothing"))
    for name, said, worked_out, why in checks:
        yield from _same(q.currency, f"totals.{name}", said, worked_out, why)


def _recurring(q: Document) -> Iterator[Difference]:
    """Check what comes again: a month and its year, and that once and again are the net."""
    found, net = q.recurring, q.totals.net_minor or 0
    if found is not None:
        year = from_minor(found.annual_minor, q.currency) / 12
        month = to_minor(round_money(year, q.currency), q.currency)
        if abs(month - found.monthly_minor) > 1:  # each was rounded from the same exact month
            said, due = printed(found.monthly_minor, q.currency), printed(month, q.currency)
            yield Difference("recurring.monthly_minor", said, due, "a twelfth of the year")
        once = net - found.contract_minor
        where, why = "recurring.one_time_minor", "the net less the subscriptions"
        yield from _same(q.currency, where, found.one_time_minor, once, why)
    shown = q.presentation
    if shown is not None:
        total = from_minor(q.totals.total_minor or 0, q.currency) * Decimal(shown.rate)
        due_there = to_minor(round_money(total, shown.currency), shown.currency)
        yield from _same(
            shown.currency,
            "presentation.total_minor",
            shown.total_minor,
            due_there,
            f"the total at {shown.rate}",
        )


def _trace(q: QuoteDocument) -> Iterator[Difference]:
    at: dict[str, str] = {}
    for place, step in enumerate(q.trace):
        if not step.line_id:
            continue
        before, last = step.before, at.get(step.line_id)
        if before is not None and last is not None and Decimal(before) != Decimal(last):
            yield Difference(
                f"trace[{place}] ({step.line_id}, {step.step}).before",
                before,
                last,
                "what the step before left",
            )
        if step.after is not None:
            at[step.line_id] = step.after
    for place, line in enumerate(q.lines):
        last = at.get(line.line_id)
        if last is None or line.net_minor is None:
            continue
        net = from_minor(line.net_minor, q.currency)
        if Decimal(last) != net:
            where = f"lines[{place}] ({line.line_id}, {line.sku}).net_minor"
            yield Difference(where, f"{net}", last, "the last step of its trace")


def _digest(q: QuoteDocument) -> Iterator[Difference]:
    if q.validity_days is None:
        return  # exported before the file had all that the digest covers
    said = {name: getattr(q, name) for name in QuoteSnapshot.model_fields}
    found = digests.digest(QuoteSnapshot.model_validate(said))
    if q.digest != found:
        yield Difference("digest", q.digest, found, "the sha256 of what the quote says")
