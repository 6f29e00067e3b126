"""Unit prices: which book's entry, which contract, and for how long (waterfall steps 1 to 4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from servers.finance.blocks import TraceStep
from servers.finance.facts import Contract, Customer, Entry, Item
from servers.finance.say import finding, percent, plain, step
from servers.finance.schemas import LineIn
from servers.toolkit.findings import Finding, Severity

SIX = Decimal("0.000001")


@dataclass
class UnitPrice:
    """The unit price of a line for its whole term, and how it came about; None is no price."""

    amount: Decimal | None = None
    list_amount: Decimal | None = None
    book: str | None = None
    contract: Contract | None = None
    term_months: int | None = None
    term_factor: tuple[int, int] = (1, 1)
    findings: list[Finding] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)


def unit_price(
    line: LineIn,
    item: Item,
    customer: Customer,
    currency: str,
    day: date,
    entries: Iterable[Entry],
    contracts: Iterable[Contract],
) -> UnitPrice:
    """Return the unit price of a line: book price, else contract price, times its term.

    The day is the order's, never the clock's. Nothing is guessed: two entries of equal rank, or
    none, give a finding and no price.
    """
    price = UnitPrice()
    entry = _book_price(price, line, customer, currency, day, entries)
    if entry is None:
        return price
    price.amount = price.list_amount = entry.amount
    price.book = entry.book
    _contract_price(price, line, item, customer, currency, day, contracts)
    if price.amount is not None:
        _term(price, line, entry)
    return price


def _book_price(
    price: UnitPrice,
    line: LineIn,
    customer: Customer,
    currency: str,
    day: date,
    entries: Iterable[Entry],
) -> Entry | None:
    """Find the one entry that applies: most matched keys, then the newest window."""
    lost: list[str] = []
    fits: list[tuple[int, date, Entry]] = []
    of_sku = [entry for entry in entries if entry.sku == line.sku and entry.currency == currency]
    for entry in sorted(of_sku, key=lambda e: e.entry_id):
        if reason := _misfit(entry, line, customer, day):
            lost.append(f"{entry.entry_id}: {reason}")
        else:
            keys = bool(entry.channel) + bool(entry.country)
            fits.append((keys, entry.window.first or date.min, entry))
    if not fits:
        price.findings.append(_no_price(line, currency, day, of_sku))
        return None
    fits.sort(key=lambda fit: (fit[0], fit[1]), reverse=True)
    best = fits[0][2]
    if len(fits) > 1 and fits[0][:2] == fits[1][:2]:
        price.findings.append(
            finding(
                "RULE_CONFLICT",
                Severity.ERROR,
                f"{line.sku} has two prices of equal rank: "
                f"{best.entry_id} and {fits[1][2].entry_id}",
                subject=line.line_id,
                rule_id="LIST-PRICE",
                evidence=[f"{e.entry_id}: {plain(e.amount)} {currency}" for _, _, e in fits[:2]],
                fix="end one of the two entries in the price book",
            )
        )
        return None
    lost += [f"{e.entry_id}: less specific or older than {best.entry_id}" for _, _, e in fits[1:]]
    price.trace.append(
        step(
            line.line_id,
            "list",
            "LIST-PRICE",
            source=best.entry_id,
            after=best.amount,
            note=f"book {best.book}, {currency}, order date {day}",
            lost=lost,
        )
    )
    return best


def _misfit(entry: Entry, line: LineIn, customer: Customer, day: date) -> str:
    """Say why an entry does not apply; empty when it does."""
    if entry.unit != line.unit:
        return f"sold by {entry.unit}, not by {line.unit}"
    if not entry.window.covers(day):
        return f"not valid on {day}"
    if entry.channel and entry.channel != customer.channel:
        return f"for channel {entry.channel}, the customer is {customer.channel}"
    if entry.country and entry.country != customer.country:
        return f"for {entry.country}, the customer is in {customer.country}"
    return ""


def _no_price(line: LineIn, currency: str, day: date, of_sku: Sequence[Entry]) -> Finding:
    units = sorted({entry.unit for entry in of_sku})
    if units and line.unit not in units:
        return finding(
            "UNIT_MISMATCH",
            Severity.ERROR,
            f"{line.sku} is not sold by {line.unit}",
            subject=line.line_id,
            rule_id="LIST-PRICE",
            evidence=[f"sold by: {', '.join(units)}"],
            fix="use one of the units it is sold by",
        )
    return finding(
        "NO_PRICE",
        Severity.ERROR,
        f"no price for {line.sku} in {currency} on {day}",
        subject=line.line_id,
        rule_id="LIST-PRICE",
        fix="choose another product or currency, or add the price to the book",
    )


def _contract_price(
    price: UnitPrice,
    line: LineIn,
    item: Item,
    customer: Customer,
    currency: str,
    day: date,
    contracts: Iterable[Contract],
) -> None:
    """Replace the list price by an agreed one: nearest account, then SKU before family."""
    lost: list[str] = []
    fits: list[tuple[int, int, date, Contract]] = []
    for contract in sorted(contracts, key=lambda c: c.contract_id):
        selected = line.sku if contract.scope == "sku" else item.family
        if contract.account_id not in customer.family_tree or contract.selector != selected:
            continue
        if reason := _not_in_force(price, line, contract, currency, day):
            lost.append(f"{contract.contract_id}: {reason}")
            continue
        nearness = -customer.family_tree.index(contract.account_id)
        exactness = int(contract.scope == "sku")
        fits.append((nearness, exactness, contract.window.first or date.min, contract))
    fits.sort(key=lambda fit: fit[:3], reverse=True)
    if len(fits) > 1 and fits[0][:3] == fits[1][:3]:
        price.amount = None
        price.findings.append(
            finding(
                "RULE_CONFLICT",
                Severity.ERROR,
                f"two contract prices of equal rank apply to {line.sku}",
                subject=line.line_id,
                rule_id="CONTRACT-PRICE",
                evidence=[fit[3].contract_id for fit in fits[:2]],
                fix="end one of the two contracts",
            )
        )
    elif fits:
        best = fits[0][3]
        lost += [f"{fit[3].contract_id}: less specific than {best.contract_id}" for fit in fits[1:]]
        _agree(price, line, customer, best, lost)
    elif lost:
        price.trace.append(
            step(
                line.line_id,
                "contract",
                "CONTRACT-PRICE",
                before=price.amount,
                after=price.amount,
                note="no contract in force",
                lost=lost,
            )
        )


def _agree(
    price: UnitPrice, line: LineIn, customer: Customer, contract: Contract, lost: list[str]
) -> None:
    """Put the agreed price in the place of the book's."""
    before = price.amount
    assert before is not None  # noqa: S101 - called only with a list price
    price.contract = contract
    fixed = contract.kind == "fixed"
    price.amount = contract.amount if fixed else _cut(before * (1 - contract.amount / 100))
    note = f"{contract.kind} {percent(contract.amount)}, agreed in {contract.document}"
    if contract.account_id != customer.account_id:
        note += f", inherited from {contract.account_id}"
    price.trace.append(
        step(
            line.line_id,
            "contract",
            contract.contract_id,
            source=contract.document,
            before=before,
            after=price.amount,
            note=note,
            lost=lost,
        )
    )


def _not_in_force(
    price: UnitPrice, line: LineIn, contract: Contract, currency: str, day: date
) -> str:
    """Say why a contract of this customer gives no price, aloud; empty when it does."""
    if contract.window.ended(day):
        price.findings.append(
            finding(
                "CONTRACT_EXPIRED",
                Severity.WARNING,
                f"the contract price for {contract.selector} ended on {contract.window.last} "
                "and was not applied",
                subject=line.line_id,
                rule_id=contract.contract_id,
                fix="renew the contract, or tell the customer that the list price holds",
            )
        )
        return f"ended on {contract.window.last}"
    if not contract.window.covers(day):
        return f"starts on {contract.window.first}"
    if contract.kind == "fixed" and contract.currency != currency:
        price.findings.append(
            finding(
                "CONTRACT_CURRENCY",
                Severity.WARNING,
                f"the contract price for {contract.selector} is in {contract.currency}, "
                f"the quote is in {currency}: it was not applied",
                subject=line.line_id,
                rule_id=contract.contract_id,
                fix=f"quote in {contract.currency}",
            )
        )
        return f"agreed in {contract.currency}"
    return ""


def _term(price: UnitPrice, line: LineIn, entry: Entry) -> None:
    """Scale a price per default term to the term asked for."""
    default = entry.default_term_months
    if default is None:
        if line.term_months is not None:
            price.findings.append(
                finding(
                    "TERM_NOT_SOLD",
                    Severity.WARNING,
                    f"{line.sku} is not sold for a term; {line.term_months} months change nothing",
                    subject=line.line_id,
                    rule_id="TERM",
                    fix="leave out term_months",
                )
            )
        return
    months = line.term_months or default
    if line.term_months is None:
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
    before = price.amount
    assert before is not None  # noqa: S101 - called only with a price
    price.term_months, price.term_factor = months, (months, default)
    price.amount = _cut(before * months / default)
    price.trace.append(
        step(
            line.line_id,
            "term",
            "TERM",
            source=entry.entry_id,
            before=before,
            after=price.amount,
            note=f"x {months}/{default} months",
        )
    )


def _cut(amount: Decimal) -> Decimal:
    """Return a unit price with at most six decimals, which is what a quote can state."""
    cut = amount.quantize(SIX, ROUND_HALF_UP)
    short = cut.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return short if short == cut else cut.normalize()
