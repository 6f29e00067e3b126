"""What an accepted quote uses up of contracts, and what its account has bought with it."""

from decimal import Decimal

from sqlalchemy import func
from sqlmodel import Session, col, select

from servers.finance.documents import QuoteSnapshot
from servers.finance.facts.blocks import InternalLine
from servers.finance.facts.copies import block
from servers.finance.findings import percent
from servers.finance.prices.contracts import contract_uses
from servers.finance.store.rows import grouped
from servers.finance.subscriptions.proration import of_months
from servers.finance.tables.customers import AccountPurchase
from servers.finance.tables.prices import ContractPrice, ContractUseRow
from servers.finance.tables.quotes import Quote
from servers.toolkit.errors import RuleViolationError


def record(session: Session, quote: Quote, snapshot: QuoteSnapshot) -> None:
    """Write down what the firm lines of an accepted quote take."""
    by_contract = grouped((use.contract_id, use) for use in contract_uses(snapshot.lines))
    statement = (
        select(ContractPrice)
        .where(col(ContractPrice.contract_id).in_(sorted(by_contract)))
        .order_by(col(ContractPrice.contract_id))
        .with_for_update()
    )
    for contract in session.exec(statement).all() if by_contract else ():
        uses = by_contract[contract.contract_id]
        _refuse_too_much(session, contract, sum((use.quantity for use in uses), Decimal(0)))
        said = {"quote_id": quote.quote_id, "day": quote.order_date}
        session.add_all(block(ContractUseRow, use, **said) for use in uses)
    session.add_all(
        _purchase(quote, line) for line in snapshot.lines if line.in_total and not line.free
    )


def _refuse_too_much(session: Session, contract: ContractPrice, more: Decimal) -> None:
    if contract.max_quantity is None:
        return
    taken = select(func.sum(ContractUseRow.quantity))
    of_it = taken.where(ContractUseRow.contract_id == contract.contract_id)
    left = contract.max_quantity - (session.exec(of_it).one() or Decimal(0))
    if more > left:
        raise RuleViolationError(
            f"{percent(more)} are taken of contract {contract.contract_id}, which has "
            f"{percent(max(left, Decimal(0)))} left since other quotes were accepted",
            fix="make the next revision with revise_quote, which splits the price anew",
            code="RECHECK",
        )


def _purchase(quote: Quote, line: InternalLine) -> AccountPurchase:
    """Return what is bought; for a term it has a last day, for good it has none."""
    first, until = line.start or quote.order_date, line.end
    if until is None and line.term_months is not None:
        until = of_months(line.term_months, first).last
    return AccountPurchase(
        account_id=quote.account_id,
        sku=line.sku,
        quantity=Decimal(line.base_quantity or line.quantity),
        day=first,
        until=until,
        quote_id=quote.quote_id,
        line_id=line.line_id,
        source=quote.number or quote.quote_id,
    )
