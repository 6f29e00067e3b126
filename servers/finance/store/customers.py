"""Who buys, with parents, tax numbers, addresses and certificates."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, literal, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from servers.finance.facts.copies import fact
from servers.finance.facts.customers import Address, Customer, Exemption, TaxId
from servers.finance.facts.windows import Window
from servers.finance.store.rows import facts, kept
from servers.finance.tables.customers import (
    CustomerAddress,
    CustomerRow,
    CustomerTaxId,
    ExemptionRow,
)
from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError
from servers.toolkit.tax_ids import has_form

MAX_DEPTH = 5
"""How many parents a contract price is inherited over."""


@kept
def find_customer(session: Session, account_id: str) -> tuple[CustomerRow, Customer]:
    """Return a customer with all that is known of it, if the caller may see it.

    A tax number that cannot be one is verified by nobody, whatever a file says of it.
    """
    tree = _family(session, account_id)
    if not tree:
        raise NotFoundError(f"no account {account_id!r}", fix="resolve_account finds the id")

    def own(model: Any, order: Any) -> Select[Any]:
        return select(model).where(model.account_id == account_id).order_by(order)

    certificates = session.scalars(own(ExemptionRow, ExemptionRow.certificate_id))
    customer = fact(
        Customer,
        tree[0],
        family_tree=tuple(one.account_id for one in tree),
        tax_ids=tuple(
            one if has_form(one.scheme, one.value) else replace(one, verified_at=None)
            for one in facts(session, TaxId, own(CustomerTaxId, CustomerTaxId.id))
        ),
        addresses=facts(session, Address, own(CustomerAddress, CustomerAddress.address_id)),
        exemptions=tuple(
            fact(Exemption, one, window=Window(one.issued, one.expires)) for one in certificates
        ),
    )
    return tree[0], customer


def _family(session: Session, account_id: str) -> list[CustomerRow]:
    """Return an account and its parents, nearest first, in one query."""
    mine: Select[Any] = select(CustomerRow).where(col(CustomerRow.account_id) == account_id)
    mine = scope.narrow(mine, col(CustomerRow.account_id), "account_id")
    start = mine.with_only_columns(col(CustomerRow.account_id), literal(0).label("depth"))
    tree = start.cte("family", recursive=True)
    child = aliased(CustomerRow)
    tree = tree.union_all(
        select(col(child.parent_account_id), (tree.c.depth + 1).label("depth"))
        .join(tree, tree.c.account_id == child.account_id)
        .where(col(child.parent_account_id).is_not(None), tree.c.depth < MAX_DEPTH)
    )
    statement = (
        select(CustomerRow)
        .join(tree, tree.c.account_id == CustomerRow.account_id)
        .order_by(tree.c.depth)
    )
    return list(session.scalars(statement))
