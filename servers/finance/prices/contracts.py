"""Step 2, contract prices: nearest account of the family tree, a SKU before a family.

A contract that has ended, not begun, is used up or is in another currency is not applied, and a
finding says so. Where a line asks for more than is left of a contract, the contract covers what
is left and the rest is at list: the line states the higher unit price, and an allowance of its
own takes the difference off exactly the pieces at the lower one. What the lines of one quote
take is counted in the order of their ids, firm lines first; optional and alternative lines take
nothing, and see what the firm ones leave.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from servers.finance.facts.blocks import InternalLine
from servers.finance.facts.customers import Customer
from servers.finance.facts.prices import Contract
from servers.finance.findings import finding, percent, plain
from servers.finance.prices.units import ONE, UnitPrice
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import six_decimals

ZERO = Decimal(0)
RULE = "CONTRACT-PRICE"


@dataclass(frozen=True)
class Buying:
    """What a line buys, as contracts see it; `pieces` is in base units.

    `taken` counts what the lines of the quote have taken of every contract so far.
    """

    customer: Customer
    sku: str
    family: str
    pieces: Decimal
    firm: bool
    currency: str
    day: date
    taken: dict[str, Decimal]


@dataclass(frozen=True)
class ContractUse:
    """What a line of an accepted quote takes of a contract, in base units."""

    contract_id: str
    line_id: str
    quantity: Decimal


def left_of(contract: Contract, taken: Mapping[str, Decimal]) -> Decimal | None:
    """Return what is left of a contract; None is without limit."""
    if contract.max_quantity is None:
        return None
    return contract.max_quantity - contract.used - taken.get(contract.contract_id, ZERO)


def apply_contract(price: UnitPrice, buying: Buying, contracts: Iterable[Contract]) -> None:
    lost: list[str] = []
    fits: list[tuple[tuple[int, int, date], Contract]] = []
    tree = buying.customer.family_tree
    for contract in sorted(contracts, key=lambda c: c.contract_id):
        selected = buying.sku if contract.scope == "sku" else buying.family
        if contract.account_id not in tree or contract.selector != selected:
            continue
        if refusal := _not_in_force(price, buying, contract):
            lost.append(f"{contract.contract_id}: {refusal.message}")
            continue
        nearness, exactness = -tree.index(contract.account_id), int(contract.scope == "sku")
        fits.append(((nearness, exactness, contract.window.first or date.min), contract))
    fits.sort(key=lambda fit: fit[0], reverse=True)
    names = [contract.contract_id for _, contract in fits]
    if len(fits) > 1 and fits[0][0] == fits[1][0]:
        price.amount = None
        said = f"two contract prices of equal rank apply to {buying.sku}: {' and '.join(names[:2])}"
        fix = "end one of the two contracts"
        price.say("RULE_CONFLICT", Severity.ERROR, said, RULE, fix, *names[:2])
    elif fits:
        lost += [f"{name}: less specific than {names[0]}" for name in names[1:]]
        _agree(price, buying, fits[0][1], lost)
    elif lost:
        price.note("contract", RULE, price.amount, "no contract in force", lost=lost)


def _agree(price: UnitPrice, buying: Buying, contract: Contract, lost: list[str]) -> None:
    before, name = price.amount, contract.contract_id
    assert before is not None  # noqa: S101 - called only with a list price
    price.contract = contract
    fixed = contract.kind == "fixed"
    mixed = price.tax_inclusive and fixed  # an agreed amount is net
    price.tax_inclusive = price.tax_inclusive and not fixed
    ratio = price.ratio
    if not fixed:
        price.amount = six_decimals(before * (1 - contract.amount / 100))
    elif ratio == ONE:
        price.amount = contract.amount
    else:
        price.amount = six_decimals(contract.amount * ratio[0] / ratio[1])
    note = f"{contract.kind} {percent(contract.amount)}, agreed in {contract.document}"
    if contract.account_id != buying.customer.account_id:
        note += f", inherited from {contract.account_id}"
    left = left_of(contract, buying.taken)
    covered = buying.pieces if left is None else min(left, buying.pieces)
    price.covered = covered
    if left is not None:
        note += f"; {percent(left)} left of {percent(contract.max_quantity or ZERO)}"
    if covered < buying.pieces:
        _say_partly(price, buying.pieces, contract, covered, mixed=mixed)
        if mixed:
            price.amount = None
        else:
            price.rest = before
            note += f": covers {percent(covered)} of {percent(buying.pieces)}, the rest is at list"
    if buying.firm:
        buying.taken[name] = buying.taken.get(name, ZERO) + covered
    price.note("contract", name, before, note, source=contract.document, lost=lost)


def _not_in_force(price: UnitPrice, buying: Buying, contract: Contract) -> Finding | None:
    window, left = contract.window, left_of(contract, buying.taken)
    severity = Severity.WARNING
    if window.ended(buying.day):
        code, why = "CONTRACT_EXPIRED", f"ended on {window.last} and was not applied"
        fix = "renew the contract, or tell the customer that the list price holds"
    elif not window.covers(buying.day):
        code, why = "CONTRACT_NOT_YET", f"starts on {window.first} and was not applied"
        severity, fix = Severity.INFO, "quote for an order on a later day"
    elif contract.kind == "fixed" and contract.currency != buying.currency:
        code, fix = "CONTRACT_CURRENCY", f"quote in {contract.currency}"
        why = f"is in {contract.currency}, the quote is in {buying.currency}: it was not applied"
    elif left is not None and left <= 0:
        agreed = percent(contract.max_quantity or ZERO)
        code, why = "CONTRACT_EXHAUSTED", f"is used up ({agreed} were agreed) and was not applied"
        fix = "agree a larger quantity, or tell the customer that the list price holds"
    else:
        return None
    about = f"the contract price for {contract.selector}"
    return price.say(code, severity, f"{about} {why}", contract.contract_id, fix)


def _say_partly(
    price: UnitPrice, pieces: Decimal, contract: Contract, covered: Decimal, *, mixed: bool
) -> None:
    about, some = f"the contract price for {contract.selector}", percent(covered)
    rest = percent(pieces - covered)
    code, severity = "CONTRACT_PARTLY", Severity.WARNING
    said = f"{about} covers the last {some} of {percent(pieces)}; {rest} are at list price"
    fix = f"for volume discounts on the rest, give the {rest} a line of their own"
    if mixed:
        code, severity = "CONTRACT_SPLIT", Severity.ERROR
        said = (
            f"{about} is without tax and covers the last {some} only; the price list includes tax"
        )
        fix = f"give {some} a line and the other {rest} one of their own"
    price.say(code, severity, said, contract.contract_id, fix)


def commitments(contracts: Iterable[Contract], taken: Mapping[str, Decimal]) -> list[Finding]:
    said = []
    for contract in sorted(contracts, key=lambda c: c.contract_id):
        name = contract.contract_id
        if contract.min_commit is None or name not in taken:
            continue
        bought = contract.used + taken[name]
        if bought < contract.min_commit:
            message = (
                f"contract {name} commits to {plain(contract.min_commit)}; with this quote "
                f"{percent(bought)} are bought, {percent(contract.min_commit - bought)} short"
            )
            evidence, fix = (
                [f"bought before: {percent(contract.used)}"],
                "remind the customer of the commitment",
            )
            said.append(
                finding(
                    "CONTRACT_UNDERCOMMITTED",
                    Severity.INFO,
                    message,
                    subject=name,
                    rule_id=name,
                    evidence=evidence,
                    fix=fix,
                )
            )
    return said


def contract_uses(lines: Iterable[InternalLine]) -> list[ContractUse]:
    return [
        ContractUse(line.contract_id, line.line_id, Decimal(line.contract_quantity))
        for line in lines
        if line.in_total and line.contract_id is not None and line.contract_quantity is not None
    ]
