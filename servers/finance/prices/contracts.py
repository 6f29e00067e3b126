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
from servers.finance.findings import finding, percent, plain, step
from servers.finance.prices.unit_price import UnitPrice
from servers.finance.prices.units import ONE
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import six_decimals

ZERO = Decimal(0)
RULE = "CONTRACT-PRICE"


@dataclass(frozen=True)
class Buying:
    """What a line buys, as contracts see it; `pieces` is in base units."""

    line_id: str
    sku: str
    family: str
    pieces: Decimal
    firm: bool
    currency: str
    day: date


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


def apply_contract(
    price: UnitPrice,
    buying: Buying,
    customer: Customer,
    contracts: Iterable[Contract],
    taken: dict[str, Decimal],
) -> None:
    lost: list[str] = []
    fits: list[tuple[tuple[int, int, date], Contract]] = []
    for contract in sorted(contracts, key=lambda c: c.contract_id):
        selected = buying.sku if contract.scope == "sku" else buying.family
        if contract.account_id not in customer.family_tree or contract.selector != selected:
            continue
        if refusal := _not_in_force(contract, buying, taken):
            price.findings.append(refusal)
            lost.append(f"{contract.contract_id}: {refusal.message}")
            continue
        nearness = -customer.family_tree.index(contract.account_id)
        exactness = int(contract.scope == "sku")
        fits.append(((nearness, exactness, contract.window.first or date.min), contract))
    fits.sort(key=lambda fit: fit[0], reverse=True)
    if len(fits) > 1 and fits[0][0] == fits[1][0]:
        price.amount = None
        price.findings.append(_conflict(buying, [fit[1].contract_id for fit in fits[:2]]))
    elif fits:
        best = fits[0][1]
        lost += [f"{fit[1].contract_id}: less specific than {best.contract_id}" for fit in fits[1:]]
        _agree(price, buying, customer, best, lost, taken)
    elif lost:
        price.trace.append(
            step(
                buying.line_id,
                "contract",
                RULE,
                before=price.amount,
                after=price.amount,
                note="no contract in force",
                lost=lost,
            )
        )


def _agree(
    price: UnitPrice,
    buying: Buying,
    customer: Customer,
    contract: Contract,
    lost: list[str],
    taken: dict[str, Decimal],
) -> None:
    before = price.amount
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
    if contract.account_id != customer.account_id:
        note += f", inherited from {contract.account_id}"
    left = left_of(contract, taken)
    covered = buying.pieces if left is None else min(left, buying.pieces)
    price.covered = covered
    if left is not None:
        note += f"; {percent(left)} left of {percent(contract.max_quantity or ZERO)}"
    if covered < buying.pieces and mixed:
        price.amount = None
        price.findings.append(_unmixed(contract, buying, covered))
    elif covered < buying.pieces:
        price.rest = before
        price.findings.append(_partly(contract, buying, covered))
        note += f": covers {percent(covered)} of {percent(buying.pieces)}, the rest is at list"
    if buying.firm:
        taken[contract.contract_id] = taken.get(contract.contract_id, ZERO) + covered
    price.trace.append(
        step(
            buying.line_id,
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
    contract: Contract, buying: Buying, taken: Mapping[str, Decimal]
) -> Finding | None:
    about = f"the contract price for {contract.selector}"

    def no(code: str, severity: Severity, message: str, fix: str) -> Finding:
        rule = contract.contract_id
        return finding(code, severity, message, subject=buying.line_id, rule_id=rule, fix=fix)

    if contract.window.ended(buying.day):
        return no(
            "CONTRACT_EXPIRED",
            Severity.WARNING,
            f"{about} ended on {contract.window.last} and was not applied",
            "renew the contract, or tell the customer that the list price holds",
        )
    if not contract.window.covers(buying.day):
        return no(
            "CONTRACT_NOT_YET",
            Severity.INFO,
            f"{about} starts on {contract.window.first} and was not applied",
            "quote for an order on a later day",
        )
    if contract.kind == "fixed" and contract.currency != buying.currency:
        return no(
            "CONTRACT_CURRENCY",
            Severity.WARNING,
            f"{about} is in {contract.currency}, the quote is in {buying.currency}: "
            "it was not applied",
            f"quote in {contract.currency}",
        )
    left = left_of(contract, taken)
    if left is not None and left <= 0:
        return no(
            "CONTRACT_EXHAUSTED",
            Severity.WARNING,
            f"{about} is used up ({percent(contract.max_quantity or ZERO)} were agreed) "
            "and was not applied",
            "agree a larger quantity, or tell the customer that the list price holds",
        )
    return None


def _partly(contract: Contract, buying: Buying, covered: Decimal) -> Finding:
    rest = buying.pieces - covered
    return finding(
        "CONTRACT_PARTLY",
        Severity.WARNING,
        f"the contract price for {contract.selector} covers the last {percent(covered)} of "
        f"{percent(buying.pieces)}; {percent(rest)} are at list price",
        subject=buying.line_id,
        rule_id=contract.contract_id,
        fix=f"for volume discounts on the rest, give the {percent(rest)} a line of their own",
    )


def _unmixed(contract: Contract, buying: Buying, covered: Decimal) -> Finding:
    rest = percent(buying.pieces - covered)
    return finding(
        "CONTRACT_SPLIT",
        Severity.ERROR,
        f"the contract price for {contract.selector} is without tax and covers the last "
        f"{percent(covered)} only; the price list includes tax",
        subject=buying.line_id,
        rule_id=contract.contract_id,
        fix=f"give {percent(covered)} a line and the other {rest} one of their own",
    )


def _conflict(buying: Buying, names: list[str]) -> Finding:
    return finding(
        "RULE_CONFLICT",
        Severity.ERROR,
        f"two contract prices of equal rank apply to {buying.sku}: {' and '.join(names)}",
        subject=buying.line_id,
        rule_id=RULE,
        evidence=names,
        fix="end one of the two contracts",
    )


def commitments(contracts: Iterable[Contract], taken: Mapping[str, Decimal]) -> list[Finding]:
    said = []
    for contract in sorted(contracts, key=lambda c: c.contract_id):
        if contract.min_commit is None or contract.contract_id not in taken:
            continue
        bought = contract.used + taken[contract.contract_id]
        if bought < contract.min_commit:
            said.append(
                finding(
                    "CONTRACT_UNDERCOMMITTED",
                    Severity.INFO,
                    f"contract {contract.contract_id} commits to {plain(contract.min_commit)}; "
                    f"with this quote {percent(bought)} are bought, "
                    f"{percent(contract.min_commit - bought)} short",
                    subject=contract.contract_id,
                    rule_id=contract.contract_id,
                    evidence=[f"bought before: {percent(contract.used)}"],
                    fix="remind the customer of the commitment",
                )
            )
    return said


def contract_uses(lines: Iterable[InternalLine]) -> list[ContractUse]:
    return [
        ContractUse(line.contract_id, line.line_id, Decimal(line.contract_quantity))
        for line in lines
        if line.in_total and line.contract_id is not None and line.contract_quantity is not None
    ]
