"""What a customer owes, and what its family may owe, from open invoices and accepted quotes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from servers.finance.facts.copies import fact
from servers.finance.facts.legal import (
    CreditFacts,
    CreditLine,
    CreditPolicy,
    OpenBill,
    PolicyRow,
    Receivable,
    Unbilled,
)
from servers.finance.law.credit import merged
from servers.finance.store.policy import minor_amounts
from servers.finance.store.rows import facts, grouped, kept
from servers.finance.tables.customers import CustomerRow, ReceivableRow
from servers.finance.tables.quotes import Quote

MAX_FAMILY = 6
"""How many levels of a family share a limit."""


def credit_policy(settings: Mapping[str, Any]) -> CreditPolicy:
    said = settings.get("credit", {})
    return CreditPolicy(
        rows=tuple(
            PolicyRow(
                rule_id=row["rule_id"],
                ratings=tuple(row["ratings"]),
                use_bp=int(row["use_up_to_bp"]),
                overdue_days=int(row["overdue_up_to_days"]),
                max_days=int(row["max_days"]),
                in_advance=Decimal(row["in_advance_percent"]),
                approval=bool(row["approval"]),
            )
            for row in said.get("rows", ())
        ),
        share_parent_limit=bool(said.get("share_parent_limit", False)),
        first_limit=minor_amounts(said.get("first_limit", {})),
    )


def credit_facts(
    session: Session, row: CustomerRow, tree: Sequence[str], policy: CreditPolicy
) -> CreditFacts:
    """Return a customer's credit line, and that of the family whose limit it shares."""
    shared = policy.share_parent_limit and len(tree) > 1
    holder = _holder(session, tree[1:]) if shared else None
    members = [row] if holder is None else _members(session, holder.account_id)
    ids = tuple(member.account_id for member in members)
    bills, quotes = _receivables(session, ids), _unbilled(session, ids)
    lines = {
        member.account_id: CreditLine(
            limit_minor=member.credit_limit_minor,
            currency=member.credit_currency,
            rating=member.credit_rating,
            hold=member.credit_hold,
            open_minor=member.open_minor,
            receivables=tuple(bills.get(member.account_id, ())),
            unbilled=tuple(quotes.get(member.account_id, ())),
        )
        for member in members
    }
    own = lines[row.account_id]
    family = merged(list(lines.values()), lines[holder.account_id]) if holder else None
    return CreditFacts(own, family, policy)


def _holder(session: Session, parents: Sequence[str]) -> CustomerRow | None:
    """Return the topmost parent that has a limit; its children share it."""
    mine = select(CustomerRow).where(col(CustomerRow.account_id).in_(parents))
    found = {one.account_id: one for one in session.scalars(mine)}
    above = [found[one] for one in reversed(parents) if one in found]
    return next((one for one in above if one.credit_limit_minor is not None), None)


def _members(session: Session, root: str) -> list[CustomerRow]:
    account = col(CustomerRow.account_id)
    tree = select(account, func.abs(0).label("depth")).where(account == root)
    family = tree.cte("below", recursive=True)
    child = aliased(CustomerRow)
    family = family.union_all(
        select(col(child.account_id), (family.c.depth + 1).label("depth"))
        .join(family, family.c.account_id == child.parent_account_id)
        .where(family.c.depth < MAX_FAMILY)
    )
    statement = select(CustomerRow).where(account.in_(select(family.c.account_id)))
    return list(session.scalars(statement.order_by(account)))


def find_open_bills(session: Session, account_id: str) -> tuple[OpenBill, ...]:
    """Return what a customer has not paid in full, the earliest due first."""
    return facts(session, OpenBill, _unpaid([account_id]))


def _unpaid(accounts: Sequence[str]) -> Select[Any]:
    return (
        select(ReceivableRow)
        .where(col(ReceivableRow.account_id).in_(accounts), col(ReceivableRow.open_minor) > 0)
        .order_by(col(ReceivableRow.due), col(ReceivableRow.invoice_no))
    )


@kept
def _receivables(session: Session, accounts: tuple[str, ...]) -> dict[str, list[Receivable]]:
    rows = session.scalars(_unpaid(accounts))
    return grouped((one.account_id, fact(Receivable, one)) for one in rows)


@kept
def _unbilled(session: Session, accounts: tuple[str, ...]) -> dict[str, list[Unbilled]]:
    """Return accepted quotes less what was invoiced for them, paid or not."""
    billed = func.coalesce(func.sum(col(ReceivableRow.total_minor)), 0)
    said = (Quote.account_id, Quote.quote_id, Quote.currency, Quote.total_minor)
    quote = [col(one) for one in said]
    statement = (
        select(*quote, billed)
        .outerjoin(ReceivableRow, col(ReceivableRow.quote_id) == col(Quote.quote_id))
        .where(col(Quote.account_id).in_(accounts), col(Quote.status) == "accepted")
        .group_by(*quote)
        .order_by(col(Quote.quote_id))
    )
    return grouped(
        (account_id, Unbilled(quote_id, int(total - invoiced), currency))
        for account_id, quote_id, currency, total, invoiced in session.execute(statement)
        if total > invoiced
    )
