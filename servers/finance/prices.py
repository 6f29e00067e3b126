"""Unit prices: which book's entry and which contract (waterfall steps 1 and 2)."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from servers.finance.blocks import TraceStep
from servers.finance.facts import Contract, Customer, Entry, Item
from servers.finance.proration import Proration, six_decimals
from servers.finance.say import finding, percent, plain, step
from servers.finance.schemas import LineIn
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import exponent


@dataclass
class UnitPrice:
    """The unit price of a line, and how it came about; None is no price.

    It is for the standard term until `subscriptions.put_term` has made it that of the line's own.
    """

    amount: Decimal | None = None
    list_amount: Decimal | None = None
    book: str | None = None
    contract: Contract | None = None
    entry_id: str = ""
    currency: str = ""
    default_term_months: int | None = None
    proration: Proration = "monthly"
    term_months: int | None = None
    term_factor: tuple[int, int] = (1, 1)
    tax_inclusive: bool = False
    book_country: str = ""
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
    """Return the unit price of a line for the standard term: book price, else contract price.

    The day is the order's, never the clock's. Nothing is guessed: two entries of equal rank, or
    none, give a finding and no price.
    """
    price = UnitPrice()
    entry = _book_price(price, line, customer, currency, day, entries)
    if entry is None:
        return price
    price.amount = price.list_amount = entry.amount
    price.book, price.entry_id, price.currency = entry.book, entry.entry_id, currency
    price.default_term_months, price.proration = entry.default_term_months, entry.proration
    price.book_country, price.tax_inclusive = entry.country, entry.tax_inclusive
    _contract_price(price, line, item, customer, currency, day, contracts)
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
    price.tax_inclusive = price.tax_inclusive and not fixed  # an agreed amount is net
    price.amount = contract.amount if fixed else six_decimals(before * (1 - contract.amount / 100))
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


def unknown_currency(currency: str, books: AbstractSet[str]) -> Finding | None:
    """Say so when there is no price book in a currency, or no such currency."""
    try:
        exponent(currency)
        known = currency in books
    except InvalidInputError:
        known = False
    if known:
        return None
    return finding(
        "UNKNOWN_CURRENCY",
        Severity.ERROR,
        f"there is no price book in {currency}",
        rule_id="LIST-PRICE",
        evidence=[f"books: {', '.join(sorted(books))}"],
        fix="quote in a currency that has a price book",
    )
