"""What a typed beginning may mean: ids of visible rows, by id and by name."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session

from servers.crm.matching import fold
from servers.crm.store.rows import column, visible
from servers.crm.tables import Account, AccountAlias, Activity, CrmTable, Document, Opportunity
from servers.toolkit.completing import WINDOW, Finder


def _like(table: type[CrmTable], name: str, typed: str) -> Any:
    return column(table, name).icontains(typed, autoescape=True)


def _called(typed: str) -> Any:
    """Accounts with a name, or another name they go by, that holds what was typed."""
    words = fold(typed)
    aliases = select(column(AccountAlias, "account_id")).where(
        _like(AccountAlias, "normalized", words)
    )
    named = _like(Account, "name", typed)
    return or_(named, column(Account, "account_id").in_(aliases)) if words else named


def _finder(table: type[CrmTable], key: str, *names: str, by_customer: bool = False) -> Finder:
    """Return what completes an id: by its beginning, by a name, or by the customer's names.

    An account and an opportunity that are known already are the only ones looked at.
    """

    def find(session: Session, typed: str, known: Mapping[str, str]) -> list[str]:
        chosen, columns = column(table, key), table.__table__.c  # type: ignore[attr-defined]
        means = [chosen.istartswith(typed, autoescape=True)]
        means += [_like(table, name, typed) for name in names]
        if by_customer:
            theirs = visible(select(column(Account, "account_id")).where(_called(typed)), Account)
            means.append(column(table, "account_id").in_(theirs))
        scopes = [name for name in ("account_id", "opportunity_id") if name in columns]
        of = {name: known[name] for name in scopes if known.get(name) and table is not Account}
        statement = visible(select(chosen).where(or_(*means)).filter_by(**of), table)
        return list(session.execute(statement.order_by(chosen).limit(WINDOW)).scalars())

    return find


accounts = _finder(Account, "account_id", by_customer=True)
opportunities = _finder(Opportunity, "opportunity_id", "name", by_customer=True)
FINDERS: dict[str, Finder] = {
    "account_id": accounts,
    "opportunity_id": opportunities,
    "activity_id": _finder(Activity, "activity_id", "subject", "from_name", "from_address"),
    "document_id": _finder(Document, "document_id", "filename", "title"),
}
