"""A quote as the words that are printed, the same for every page: HTML, Markdown and PDF.

What is a number in the document is text here, so no template can round, add or convert. The
columns are made to be added up: gross of a line and every `less` come to its `net`, which come to
the totals from top to bottom. `inside` is what only people of the seller read.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from servers.finance.documents import CustomerQuote, QuoteDocument
from servers.finance.facts import blocks
from servers.finance.render import words
from servers.finance.render.terms import recurring, said_of, shown_in

Document = QuoteDocument | CustomerQuote
Words = dict[str, Any]
"""Texts by the names that the templates call them, and lists and groups of such."""


def sheet(document: Document) -> Words:
    """Return everything a page says."""
    q, currency = document, document.currency
    decimals = max((words.decimals_of(line.unit_price, currency) for line in q.lines), default=0)

    def rows(wanted: Iterable[blocks.QuoteLine]) -> list[Words]:
        return [_row(line, q.lines, currency, decimals) for line in wanted]

    seller = q.seller
    said: Words = _cleaned(
        {
            "title": words.title(q.number, q.status),
            "standing": words.standing(q.number, q.status),
            "revision": _revision(q),
            "internal": isinstance(q, QuoteDocument),
            "currency": currency,
            "seller": _party(seller.legal_name, _address(seller.address)),
            "logo": seller.logo if seller.logo.startswith("data:image/") else "",
            "customer": _customer(q.customer),
            "ship_to": _party("", _address(q.ship_to), q.delivery_terms),
            "facts": _pairs(_facts(q)),
            "cover": words.cover_text(q.cover),
            "with_tax": len({(tax.category, tax.rate) for tax in q.taxes}) > 1,
            "rows": rows(line for line in q.lines if line.in_total),
            "totals": _totals(q),
            "tax_notes": _tax_notes(q),
            "options": rows(x for x in q.lines if x.alternative_of is None and not x.in_total),
            "alternatives": rows(line for line in q.lines if line.alternative_of is not None),
            "recurring": _pairs(recurring(q.recurring, currency)),
            "presentation": shown_in(q.presentation, q.totals, currency),
            "clauses": [
                {"title": c.title, "text": c.text, "reference": f"{c.clause_id} v{c.version}"}
                for c in q.clauses
            ],
            "signatory": _party(seller.signatory_name or seller.legal_name, words.signed(seller)),
            "notice": q.notice,
            "imprint": _imprint(seller),
            "inside": _inside(q) if isinstance(q, QuoteDocument) else None,
        }
    )
    return said


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return words.clean(value)
    if isinstance(value, dict):
        return {name: _cleaned(part) for name, part in value.items()}
    return [_cleaned(part) for part in value] if isinstance(value, list | tuple) else value


def _party(name: str, lines: Sequence[str], *notes: str) -> Words:
    """Return a company or a place: its name, its lines, and its small print."""
    return {"name": name, "lines": lines, "notes": [note for note in notes if note]}


def _row(
    line: blocks.QuoteLine, lines: Sequence[blocks.QuoteLine], currency: str, decimals: int
) -> Words:
    less = _less(line.allowances, currency)
    if line.tax_inclusive:  # the tax in the price is taken off to the net
        label = f"Tax in the price, {words.percent(line.tax_rate)}"
        less.append({"label": label, "amount": words.off(line.included_tax_minor, currency)})
    return {
        "position": str(line.position),
        "name": line.name,
        "sku": line.sku,
        "description": line.description,
        "notes": said_of(line, lines),
        "parts": [
            *(f"includes {part.quantity:,} × {part.name} ({part.sku})" for part in line.components),
            *(
                f"with {option.label} ({words.unit_price(option.unit_extra, currency)} each)"
                for option in line.options
            ),
        ],
        "quantity": words.quantity(line.quantity, line.unit),
        "unit_price": words.unit_price(line.unit_price, currency, decimals),
        "tax": words.percent(line.tax_rate),
        "gross": words.amount(line.gross_minor, currency),
        "less": less,
        "net": words.amount(line.net_minor, currency),
        "inside_of": line.part_of is not None,
    }


def _less(allowances: Iterable[blocks.Allowance], currency: str) -> list[Words]:
    return [
        {
            "label": words.reduction(one),
            "amount": words.off(one.amount_minor, currency),
        }
        for one in allowances
    ]


def _revision(q: Document) -> str:
    if q.revision <= 1 and not q.replaces:
        return ""
    return f"Revision {q.revision}" + (f", replaces {q.replaces}" if q.replaces else "")


def _pairs(said: Iterable[tuple[str, str]]) -> list[Words]:
    return [{"label": label, "value": value} for label, value in said]


def _address(address: blocks.AddressBlock) -> list[str]:
    town = [address.postal_code, address.city]
    if address.country in ("US", "CA", "AU"):
        town = [address.city, address.region, address.postal_code]
    known = " ".join(part for part in town if part)
    return [*address.lines, *([known] if known else []), words.country(address.country)]


def _customer(about: blocks.CustomerBlock) -> Words:
    lines = _address(about.address) if about.address else [words.country(about.country)]
    return _party(about.legal_name, lines, *(f"Tax id {tax.value}" for tax in about.tax_ids))


def _facts(q: Document) -> list[tuple[str, str]]:
    shown = q.issued_on or q.order_date
    facts = [("Date", words.day(shown))]
    if q.order_date != shown:
        facts.append(("Prices of", words.day(q.order_date)))
    facts.append(("Valid until", words.day(q.valid_until)))
    if q.price_lock_until:
        facts.append(("Prices held", words.day(q.price_lock_until)))
    return [*facts, ("Payment", q.payment_terms.description), ("Currency", q.currency)]


def _totals(q: Document) -> list[Words]:
    """Return the rows of the totals; `kind` says how each is set."""
    sums, freight = q.totals, q.freight

    def row(kind: str, label: str, minor: int | None, note: str = "") -> Words:
        said = words.money if kind in ("total", "payable") else words.amount
        return {"kind": kind, "label": label, "note": note, "amount": said(minor, q.currency)}

    parts = []
    if freight.net_minor or freight.gross_minor:
        note = freight.label + (f", {words.weight(freight.weight_g)}" if freight.weight_g else "")
        parts.append(row("part", "Freight", freight.gross_minor, note))
        less = _less(freight.allowances, q.currency)
        parts += [{"kind": "part", "note": "on the freight", **one} for one in less]
    parts += [row("part", one.label, one.net_minor) for one in q.charges]
    if parts:
        parts.insert(0, row("part", "Lines", sums.lines_minor))
    parts.append(row("sum", "Net", sums.net_minor))
    for tax in q.taxes:
        on = f"on {words.amount(tax.taxable_minor, q.currency)}"
        where = f", {words.place(tax.jurisdiction)}" if tax.jurisdiction else ""
        name = tax.name or words.levy(q.seller.country)
        label = words.tax_words(tax.category, tax.rate, name)
        parts.append(row("tax", label, tax.tax_minor, on + where))
    parts.append(row("total", "Total", sums.total_minor))
    if sums.payable_minor is not None:
        note = "to what can be paid in cash"
        parts.append(row("rounding", "Rounding", sums.rounding_minor, note))
        parts.append(row("payable", "To pay", sums.payable_minor))
    return parts


def _tax_notes(q: Document) -> list[str]:
    said = [
        f"{tax.note} ({tax.reason_code})".strip() if tax.reason_code else tax.note
        for tax in q.taxes
    ]
    if any(line.tax_inclusive for line in q.lines):
        said.append("Unit prices, amounts and reductions include the tax; net does not.")
    if q.totals.tax_rounding == "line" and q.taxes:
        said.append("Tax is rounded line by line.")
    return [note for note in dict.fromkeys(said) if note]


def _imprint(seller: blocks.SellerBlock) -> list[list[str]]:
    bank = seller.bank
    ids = [f"Tax id {one.value}" for one in seller.tax_ids if one.value != seller.vat_id]
    vat_id = [f"{words.levy(seller.country)} {seller.vat_id}"] if seller.vat_id else []
    account = (
        bank.bank_name,
        f"IBAN {words.iban(bank.iban)}" if bank.iban else "",
        f"BIC {bank.bic}" if bank.bic else "",
        f"Account {bank.account_number}" if bank.account_number else "",
        f"Routing {bank.routing_number}" if bank.routing_number else "",
    )
    columns = (
        (seller.legal_name, *_address(seller.address)),
        (seller.registration, *vat_id, *ids),
        account,
        (seller.email, seller.phone, seller.website),
    )
    return [[line for line in column if line] for column in columns if any(column)]


def _inside(q: QuoteDocument) -> Words:
    step = q.next_step
    return {
        "origin": list(_origin(q)),
        "waits_for": step.say if step and step.waits_for != "nothing" else "",
        "findings": [_item(words.severity(f.severity), f.message, f.code) for f in q.findings],
        "approvals": [_item(f"{a.role}, {a.status}", _decided(a), a.rule_id) for a in q.approvals]
        or [_item(f"{n.role}, not asked yet", n.reason, n.rule_id) for n in q.approvals_needed],
        "risks": [
            _item(f"{row.area}, {words.severity(row.severity)}", row.fact, row.rule_id)
            for row in q.risks
        ],
        "claims": [words.severity(claim) for claim in q.claims],
        "trace": [
            {
                **one.model_dump(),
                "before": one.before or "",
                "after": one.after or "",
                "source": " · ".join(part for part in (one.rule_id, one.source) if part),
            }
            for one in q.trace
        ],
        "digest": q.digest,
    }


def _item(mark: str, text: str, code: str) -> Words:
    """Return a point of a list: how it stands, what it says, and its code."""
    return {"mark": mark, "text": text, "code": code}


def _origin(q: QuoteDocument) -> Iterator[str]:
    yield f"{q.opportunity_id or 'no opportunity'} of {q.account_id}"
    made = f"agents played by {q.generated_by}" if q.generated_by else "no agents"
    yield f"drafted {q.created_at} for {q.requested_by}, {made}"
    if q.accepted_at:
        by = f"accepted {q.accepted_at}, recorded by {q.accepted_by}"
        yield f"{by}, {q.acceptance_reference}" if q.acceptance_reference else by
    if q.superseded_by:
        yield f"superseded by {q.superseded_by}"
    if q.promo_codes:
        yield f"promotion codes {', '.join(q.promo_codes)}"
    if q.discount_bp:
        yield f"discount asked for: {words.basis_points(q.discount_bp)}"
    if q.effective_discount_bp:
        yield f"discounts by hand come to {words.basis_points(q.effective_discount_bp)}"
    if q.warnings:
        yield f"the catalog warned of {', '.join(q.warnings)}"
    if q.margin:
        cost = words.money(q.margin.cost_minor, q.currency)
        floor = words.basis_points(q.margin.floor_bp)
        yield f"margin {words.basis_points(q.margin.margin_bp)}, cost {cost}, floor {floor}"
    if q.withdrawn_reason:
        yield f"withdrawn: {q.withdrawn_reason}"


def _decided(approval: blocks.ApprovalBlock) -> str:
    if not approval.decided_by:
        return approval.reason
    note = f": {approval.note}" if approval.note else ""
    return f"{approval.reason} (by {approval.decided_by}{note})"
