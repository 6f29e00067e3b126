"""Work out an exported quote again, from the file alone: which values differ, in reading order.

No database, no price book: what is checked is that the document holds together. A line's gross is
quantity x unit price; its net is that less what it says is taken off; taxes, totals, rounding,
instalments and what comes again follow from those. An internal export also has its trace, whose
every step must start where the one before ended, and its digest. What nothing else in the file says
is held by the file's seal alone, and is named.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import combinations

from pydantic import ValidationError

from servers.finance import digests, seals
from servers.finance.documents import CustomerQuote, QuoteDocument, QuoteSnapshot
from servers.finance.facts.blocks import FreightBlock, QuoteLine, TaxBlock, TotalsBlock
from servers.finance.facts.copies import block, fact
from servers.finance.facts.legal import PaymentTerms, TermLine, late
from servers.finance.law.clauses import hash_of
from servers.finance.law.payment import problem_of, schedule
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import exponent, from_minor, round_money, to_minor

TAXED_SO = "the sum of what is taxed so"
MOST_BYTES = 50_000_000
Document = QuoteDocument | CustomerQuote


@dataclass(frozen=True)
class Difference:
    """One value that is not what it should be: where, what is said, and what comes out."""

    where: str
    said: str
    worked_out: str
    why: str

    def __str__(self) -> str:
        return f"{self.where} says {self.said}, but {self.why} is {self.worked_out}"


def printed(minor: int | None, currency: str) -> str:
    if minor is None:
        return "nothing"
    return f"{from_minor(minor, currency):.{exponent(currency)}f} {currency}"


def read(text: str) -> Document:
    """Return the quote in a JSON text, in either view, or raise InvalidInputError."""
    fix = "give it a quote.json of `dealdesk quote render`, unchanged"
    try:
        data = seals.parse(text)
        if isinstance(data, dict) and seals.NAME in data:
            seals.Seal.model_validate(data[seals.NAME])
        data = {name: value for name, value in data.items() if name not in ("$schema", seals.NAME)}
        model = QuoteDocument if data.get("view") == "internal" else CustomerQuote
        document = model.model_validate(data)
        exponent(document.currency)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        said = f"this is no exported quote: {where}: {first['msg']}"
        raise InvalidInputError(said, fix=fix) from problem
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
        yield from _equal(f"{where}.position", line.position, place + 1, "its place")
        if line.unit_price is not None and line.gross_minor is not None:
            exact = line.quantity * Decimal(line.unit_price)
            gross = to_minor(round_money(exact, q.currency), q.currency)
            why = f"{line.quantity} x {line.unit_price}"
            yield from _same(q.currency, f"{where}.gross_minor", line.gross_minor, gross, why)
        yield from _net(q.currency, where, line, line.included_tax_minor)
    yield from _net(q.currency, "freight", q.freight)
    if q.totals.total_minor is not None:
        yield from tax_faults(q)
        yield from _totals(q)
        yield from _recurring(q)
    yield from _terms(q)
    if isinstance(q, QuoteDocument):
        if q.issued_on is not None and q.validity_days is not None:
            until, why = q.issued_on + timedelta(q.validity_days), "its issue and the days it holds"
            yield from _equal("valid_until", q.valid_until, until, why)
        yield from _trace(q)
        yield from _digest(q)


def _same(
    currency: str, where: str, said: int | None, worked_out: int | None, why: str
) -> Iterator[Difference]:
    if said != worked_out:
        yield Difference(where, printed(said, currency), printed(worked_out, currency), why)


def _equal(where: str, said: object, worked_out: object, why: str) -> Iterator[Difference]:
    if said != worked_out:
        yield Difference(where, str(said), str(worked_out), why)


def _net(
    currency: str, where: str, part: QuoteLine | FreightBlock, inside: int = 0
) -> Iterator[Difference]:
    gross, net = part.gross_minor, part.net_minor
    if gross is None:
        yield from _same(currency, f"{where}.net_minor", net, None, "the net of no gross")
        return
    for place, one in enumerate(part.allowances):
        off = abs(one.amount_minor)
        at = f"{where}.allowances[{place}].amount_minor"
        yield from _same(currency, at, one.amount_minor, off, "a reduction")
    left = gross - sum(one.amount_minor for one in part.allowances) - inside
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
            where, why = "recurring.monthly_minor", "a twelfth of the year"
            yield from _same(q.currency, where, found.monthly_minor, month, why)
        once = net - found.contract_minor
        where, why = "recurring.one_time_minor", "the net less the subscriptions"
        yield from _same(q.currency, where, found.one_time_minor, once, why)
    shown = q.presentation
    if shown is not None:
        total = from_minor(q.totals.total_minor or 0, q.currency) * Decimal(shown.rate)
        due = to_minor(round_money(total, shown.currency), shown.currency)
        where, why = "presentation.total_minor", f"the total at {shown.rate}"
        yield from _same(shown.currency, where, shown.total_minor, due, why)


def _terms(q: Document) -> Iterator[Difference]:
    """Check each clause by its own hash, and the instalments by splitting what is payable again."""
    for place, clause in enumerate(q.clauses):
        where, why = f"clauses[{place}] ({clause.clause_id}).sha256", "the hash of its text"
        yield from _equal(where, clause.sha256, hash_of(clause.text), why)
    terms, sums = q.payment_terms, q.totals
    due = sums.total_minor if sums.payable_minor is None else sums.payable_minor
    if terms.instalments and due is not None:
        parts = tuple(
            TermLine(
                percent=Decimal(one.percent),
                due=one.due,
                days=one.days,
                discount_percent=Decimal(one.discount_percent or 0),
                discount_days=one.discount_days or 0,
            )
            for one in terms.instalments
        )
        if wrong := problem_of(parts):
            yield Difference("payment_terms.instalments", "otherwise", wrong, "the split")
            return
        days, why = max(map(late, parts)), "the days of the latest instalment"
        yield from _equal("payment_terms.days", terms.days, days, why)
        split = fact(PaymentTerms, terms, prepaid=False, lines=parts)
        again = schedule(split, due, q.currency, q.order_date)
        for place, (said, one) in enumerate(zip(terms.instalments, again, strict=True)):
            for name in type(one).model_fields:
                where, why = f"payment_terms.instalments[{place}].{name}", "the split of the total"
                yield from _equal(where, getattr(said, name), getattr(one, name), why)


def _trace(q: QuoteDocument) -> Iterator[Difference]:
    at: dict[str, str] = {}
    for place, step in enumerate(q.trace):
        if not step.line_id:
            continue
        before, last = step.before, at.get(step.line_id)
        if before is not None and last is not None and Decimal(before) != Decimal(last):
            where = f"trace[{place}] ({step.line_id}, {step.step}).before"
            yield Difference(where, before, last, "what the step before left")
        if step.after is not None:
            at[step.line_id] = step.after
    for place, line in enumerate(q.lines):
        last, net = at.get(line.line_id), from_minor(line.net_minor or 0, q.currency)
        if last is not None and line.net_minor is not None and Decimal(last) != net:
            where = f"lines[{place}] ({line.line_id}, {line.sku}).net_minor"
            yield Difference(where, f"{net}", last, "the last step of its trace")


def _digest(q: QuoteDocument) -> Iterator[Difference]:
    if q.validity_days is None:
        return  # exported before the file had all that the digest covers
    found = digests.digest(block(QuoteSnapshot, q))
    if q.digest != found:
        yield Difference("digest", q.digest, found, "the sha256 of what the quote says")


@dataclass(frozen=True)
class Part:
    """A net amount and how it is taxed; `inside` is the tax that its price includes."""

    net: int
    inside: int = 0
    inclusive: bool = False


Groups = dict[Decimal, list[Part]]


def tax_faults(q: Document) -> Iterator[Difference]:
    """Return which rows of the tax breakdown do not follow from the document's own lines.

    A row is charged on lines of its rate; one of a stack (GST beside a province's tax, say) on
    lines whose rate is the sum, and a compound one on the taxes before it too. Rounding is the
    document's: once per group, or line by line.
    """
    parts = _parts(q)
    charged: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    compound: set[str] = set()
    for place, tax in enumerate(q.taxes):
        where = f"taxes[{place}] ({tax.category} {tax.rate}%)"
        groups = parts.get(tax.category, {})
        rates = _charged_on(groups, tax)
        if rates is None:
            before = _before(groups, tax, q.taxes)
            if before is None:
                base = sum(part.net for part in groups.get(Decimal(tax.rate), ()))
                said, due = printed(tax.taxable_minor, q.currency), printed(base, q.currency)
                yield Difference(f"{where}.taxable_minor", said, due, TAXED_SO)
            compound.add(tax.category)
            yield from _amount(q, where, tax, [Part(tax.taxable_minor)], exact=before is not None)
            continue
        for rate in rates:
            charged[tax.category, rate] += Decimal(tax.rate)
        for_row = [part for rate in rates for part in groups[rate]]
        yield from _amount(q, where, tax, for_row, exact=True)
    for category, groups in parts.items():
        for rate, group in groups.items():
            net = sum(part.net for part in group)
            if net and category not in compound and charged.get((category, rate), -1) != rate:
                what = f"{category} {rate.normalize():f}%"
                yield Difference("taxes", f"no {what}", printed(net, q.currency), TAXED_SO)


def _parts(q: Document) -> dict[str, Groups]:
    found: dict[str, Groups] = {}

    def add(category: str | None, rate: str | None, part: Part) -> None:
        if category is not None and rate is not None:
            found.setdefault(category, {}).setdefault(Decimal(rate), []).append(part)

    for line in q.lines:
        if line.in_total:
            part = Part(line.net_minor or 0, line.included_tax_minor, line.tax_inclusive)
            add(line.tax_category, line.tax_rate, part)
    add(q.freight.tax_category, q.freight.tax_rate, Part(q.freight.net_minor or 0))
    for charge in q.charges:
        add(charge.tax_category, charge.tax_rate, Part(charge.net_minor))
    return found


def _charged_on(groups: Groups, tax: TaxBlock) -> tuple[Decimal, ...] | None:
    """Return the rates of the lines that a row is charged on; None when none add up to it."""
    own = Decimal(tax.rate)
    sums = {rate: sum(part.net for part in group) for rate, group in groups.items()}
    must = (own,) if own in sums else ()
    others = [rate for rate in sorted(sums) if rate not in must][:8]
    for count in range(len(others) + 1):
        for more in combinations(others, count):
            chosen = (*must, *more)
            if chosen and sum(sums[rate] for rate in chosen) == tax.taxable_minor:
                return chosen
    return None


def _before(groups: Groups, tax: TaxBlock, taxes: Sequence[TaxBlock]) -> int | None:
    """Return the taxes that a compound one is charged on beside the net, None when it is not."""
    net = sum(part.net for group in groups.values() for part in group)
    others = [t.tax_minor for t in taxes if t is not tax and t.category == tax.category][:8]
    for count in range(1, len(others) + 1):
        for chosen in combinations(others, count):
            if net + sum(chosen) == tax.taxable_minor:
                return sum(chosen)
    return None


def _amount(
    q: Document, where: str, tax: TaxBlock, parts: Sequence[Part], *, exact: bool
) -> Iterator[Difference]:
    rate, currency = Decimal(tax.rate), q.currency
    inside = [part.net + part.inside for part in parts if part.inclusive]
    on_top = [part.net for part in parts if not part.inclusive]
    if q.totals.tax_rounding == "document" or not exact:
        inside, on_top = [sum(inside)], [sum(on_top)]
    due = sum(_rounded(one * rate / (100 + rate), currency) for one in map(Decimal, inside))
    due += sum(_rounded(one * rate / 100, currency) for one in map(Decimal, on_top))
    loose = len(parts) if any(part.inside for part in parts) and len(q.taxes) > 1 else 0
    if abs(tax.tax_minor - due) > loose:
        on = f"{tax.rate}% of {printed(tax.taxable_minor, currency)}"
        yield from _same(currency, f"{where}.tax_minor", tax.tax_minor, due, on)


def _rounded(minor: Decimal, currency: str) -> int:
    return to_minor(round_money(minor.scaleb(-exponent(currency)), currency), currency)
