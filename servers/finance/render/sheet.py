"""A quote as the words that are printed, the same for every page: HTML, Markdown and PDF.

What is a number in the document is text here, so no template can round, add or convert. The
columns are made to be added up: `net` of every line, then the totals from top to bottom.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from servers.finance.documents import CustomerQuote, QuoteDocument
from servers.finance.facts.blocks import (
    AddressBlock,
    Allowance,
    FreightBlock,
    QuoteLine,
    TotalsBlock,
)
from servers.finance.render import words
from servers.finance.render.inside import Inside, inside
from servers.finance.render.terms import recurring, said_of, shown_in

Document = QuoteDocument | CustomerQuote


@dataclass(frozen=True)
class Less:
    """A reduction: what it is, and how much it takes off, with its minus sign."""

    label: str
    amount: str


@dataclass(frozen=True)
class Row:
    """A line: quantity x unit price = gross; gross and every `less` add up to net."""

    position: str
    name: str
    sku: str
    description: str
    notes: tuple[str, ...]
    parts: tuple[str, ...]
    quantity: str
    unit_price: str
    tax: str
    gross: str
    less: tuple[Less, ...]
    net: str
    inside_of: bool


@dataclass(frozen=True)
class Amount:
    """A row of the totals; `kind` says how it is set: part, sum, tax, total, rounding, payable."""

    kind: str
    label: str
    note: str
    amount: str


@dataclass(frozen=True)
class Pair:
    """A label and what it says."""

    label: str
    value: str


@dataclass(frozen=True)
class Party:
    """A company or a place: its name, its lines, and what is said about it in small print."""

    name: str
    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clause:
    """A clause as it is printed."""

    title: str
    text: str
    reference: str


@dataclass(frozen=True)
class Sheet:
    """Everything a page says, in the order in which it says it."""

    title: str
    number: str
    standing: str
    revision: str
    internal: bool
    currency: str
    seller: Party
    logo: str
    customer: Party
    ship_to: Party
    facts: tuple[Pair, ...]
    cover: str
    with_tax: bool
    rows: tuple[Row, ...]
    totals: tuple[Amount, ...]
    tax_notes: tuple[str, ...]
    options: tuple[Row, ...]
    alternatives: tuple[Row, ...]
    recurring: tuple[Pair, ...]
    presentation: str
    clauses: tuple[Clause, ...]
    signatory: Party
    notice: str
    imprint: tuple[tuple[str, ...], ...]
    inside: Inside | None


def sheet(document: Document) -> Sheet:
    q, currency = document, document.currency
    several = len({(tax.category, tax.rate) for tax in q.taxes}) > 1
    decimals = max((words.decimals_of(line.unit_price, currency) for line in q.lines), default=0)

    def rows(wanted: Sequence[QuoteLine]) -> tuple[Row, ...]:
        return tuple(_row(line, q.lines, currency, decimals) for line in wanted)

    made = Sheet(
        title=words.title(q.number, q.status),
        number=q.number or q.quote_id,
        standing=words.standing(q.number, q.status),
        revision=_revision(q),
        internal=isinstance(q, QuoteDocument),
        currency=currency,
        seller=Party(q.seller.legal_name, _address(q.seller.address)),
        logo=q.seller.logo if q.seller.logo.startswith("data:image/") else "",
        customer=_customer(q),
        ship_to=Party("", _address(q.ship_to), (q.delivery_terms,) if q.delivery_terms else ()),
        facts=_facts(q),
        cover=words.cover_text(q.cover),
        with_tax=several,
        rows=rows([line for line in q.lines if line.in_total]),
        totals=_totals(q),
        tax_notes=_tax_notes(q),
        options=rows([x for x in q.lines if x.alternative_of is None and not x.in_total]),
        alternatives=rows([line for line in q.lines if line.alternative_of is not None]),
        recurring=tuple(Pair(*pair) for pair in recurring(q.recurring, currency)),
        presentation=shown_in(q.presentation, q.totals, currency),
        clauses=tuple(
            Clause(clause.title, clause.text, f"{clause.clause_id} v{clause.version}")
            for clause in q.clauses
        ),
        signatory=Party(
            q.seller.signatory_name, (f"{q.seller.signatory_title}, {q.seller.legal_name}",)
        ),
        notice=q.notice,
        imprint=_imprint(q),
        inside=inside(q) if isinstance(q, QuoteDocument) else None,
    )
    cleaned: Sheet = _cleaned(made)
    return cleaned


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return words.clean(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: _cleaned(getattr(value, field.name)) for field in fields(value)}
        return replace(value, **parts)
    return value


def _row(line: QuoteLine, lines: Sequence[QuoteLine], currency: str, decimals: int) -> Row:
    return Row(
        position=str(line.position),
        name=line.name,
        sku=line.sku,
        description=line.description,
        notes=said_of(line, lines),
        parts=(
            *(f"includes {part.quantity:,} × {part.name} ({part.sku})" for part in line.components),
            *(
                f"with {option.label} ({words.unit_price(option.unit_extra, currency)} each)"
                for option in line.options
            ),
        ),
        quantity=words.quantity(line.quantity, line.unit),
        unit_price=words.unit_price(line.unit_price, currency, decimals),
        tax=words.percent(line.tax_rate),
        gross=words.amount(line.gross_minor, currency),
        less=(*_less(line.allowances, currency), *_inside(line, currency)),
        net=words.amount(line.net_minor, currency),
        inside_of=line.part_of is not None,
    )


def _less(allowances: Sequence[Allowance], currency: str) -> tuple[Less, ...]:
    return tuple(
        Less(
            f"{one.label} {words.percent(one.percent)}".rstrip(),
            words.off(one.amount_minor, currency),
        )
        for one in allowances
    )


def _inside(line: QuoteLine, currency: str) -> tuple[Less, ...]:
    """Return the tax that a tax-inclusive price includes, as what is taken off to the net."""
    if not line.tax_inclusive:
        return ()
    label = f"Tax in the price, {words.percent(line.tax_rate)}"
    return (Less(label, words.off(line.included_tax_minor, currency)),)


def _revision(q: Document) -> str:
    if q.revision <= 1 and not q.replaces:
        return ""
    return f"Revision {q.revision}" + (f", replaces {q.replaces}" if q.replaces else "")


def _address(address: AddressBlock) -> tuple[str, ...]:
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    if address.country in ("US", "CA", "AU"):
        town = " ".join(
            part for part in (address.city, address.region, address.postal_code) if part
        )
    return (*address.lines, *((town,) if town else ()), words.country(address.country))


def _customer(q: Document) -> Party:
    about = q.customer
    lines = _address(about.address) if about.address else (words.country(about.country),)
    return Party(about.legal_name, lines, tuple(f"Tax id {tax.value}" for tax in about.tax_ids))


def _facts(q: Document) -> tuple[Pair, ...]:
    shown = q.issued_on or q.order_date
    facts = [Pair("Date", words.day(shown))]
    if q.order_date != shown:
        facts.append(Pair("Prices of", words.day(q.order_date)))
    facts += [
        Pair("Valid until", words.day(q.valid_until)),
        *([Pair("Prices held", words.day(q.price_lock_until))] if q.price_lock_until else []),
        Pair("Payment", q.payment_terms.description),
        Pair("Currency", q.currency),
    ]
    return tuple(facts)


def _totals(q: Document) -> tuple[Amount, ...]:
    currency, sums = q.currency, q.totals
    parts = [*_freight(q.freight, currency)]
    parts += [
        Amount("part", one.label, "", words.amount(one.net_minor, currency)) for one in q.charges
    ]
    if parts:
        parts.insert(0, Amount("part", "Lines", "", words.amount(sums.lines_minor, currency)))
    parts.append(Amount("sum", "Net", "", words.amount(sums.net_minor, currency)))
    for tax in q.taxes:
        on = f"on {words.amount(tax.taxable_minor, currency)}"
        where = f", {words.place(tax.jurisdiction)}" if tax.jurisdiction else ""
        label = words.tax_words(tax.category, tax.rate, tax.name)
        parts.append(Amount("tax", label, on + where, words.amount(tax.tax_minor, currency)))
    parts.append(Amount("total", "Total", "", words.money(sums.total_minor, currency)))
    return (*parts, *_payable(sums, currency))


def _payable(sums: TotalsBlock, currency: str) -> list[Amount]:
    if sums.payable_minor is None:
        return []
    rounding = words.amount(sums.rounding_minor, currency)
    return [
        Amount("rounding", "Rounding", "to what can be paid in cash", rounding),
        Amount("payable", "To pay", "", words.money(sums.payable_minor, currency)),
    ]


def _freight(freight: FreightBlock, currency: str) -> list[Amount]:
    if not freight.net_minor and not freight.gross_minor:
        return []
    note = freight.label + (f", {words.weight(freight.weight_g)}" if freight.weight_g else "")
    less = _less(freight.allowances, currency)
    return [
        Amount("part", "Freight", note, words.amount(freight.gross_minor, currency)),
        *(Amount("part", one.label, "on the freight", one.amount) for one in less),
    ]


def _tax_notes(q: Document) -> tuple[str, ...]:
    said = []
    for tax in q.taxes:
        code = f" ({tax.reason_code})" if tax.reason_code else ""
        if tax.note or code:
            said.append(f"{tax.note}{code}".strip())
    if any(line.tax_inclusive for line in q.lines):
        said.append("Unit prices, amounts and reductions include the tax; net does not.")
    if q.totals.tax_rounding == "line" and q.taxes:
        said.append("Tax is rounded line by line.")
    return tuple(dict.fromkeys(said))


def _imprint(q: Document) -> tuple[tuple[str, ...], ...]:
    seller, bank = q.seller, q.seller.bank
    ids = [f"Tax id {one.value}" for one in seller.tax_ids if one.value != seller.vat_id]
    account = (
        bank.bank_name,
        f"IBAN {words.iban(bank.iban)}" if bank.iban else "",
        f"BIC {bank.bic}" if bank.bic else "",
        f"Account {bank.account_number}" if bank.account_number else "",
        f"Routing {bank.routing_number}" if bank.routing_number else "",
    )
    columns = (
        (seller.legal_name, *_address(seller.address)),
        (seller.registration, f"VAT {seller.vat_id}" if seller.vat_id else "", *ids),
        account,
        (seller.email, seller.phone, seller.website),
    )
    return tuple(tuple(line for line in column if line) for column in columns)
