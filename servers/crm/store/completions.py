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


def _ids(session: Session, table: type[CrmTable], name: str, *conditions: Any) -> list[str]:
    chosen = column(table, name)
    statement = visible(select(chosen).where(*conditions), table)
    return list(session.execute(statement.order_by(chosen).limit(WINDOW)).scalars())


def _called(typed: str) -> Any:
    """Accounts with a name, or another name they go by, that holds what was typed."""
    words = fold(typed)
    aliases = select(column(AccountAlias, "account_id")).where(
        _like(AccountAlias, "normalized", words)
    )
    named = _like(Account, "name", typed)
    return or_(named, column(Account, "account_id").in_(aliases)) if words else named


def accounts(session: Session, typed: str, _known: Mapping[str, str]) -> list[str]:
    """Complete an account: by its id or any of its names."""
    begins = column(Account, "account_id").istartswith(typed, autoescape=True)
    return _ids(session, Account, "account_id", or_(begins, _called(typed)))


def opportunities(session: Session, typed: str, known: Mapping[str, str]) -> list[str]:
    """Complete an opportunity: by its id, its name or its customer's."""
    theirs = visible(select(column(Account, "account_id")).where(_called(typed)), Account)
    means = or_(
        column(Opportunity, "opportunity_id").istartswith(typed, autoescape=True),
        _like(Opportunity, "name", typed),
        column(Opportunity, "account_id").in_(theirs),
    )
    return _ids(session, Opportunity, "opportunity_id", means, *_of(Opportunity, known))


def activities(session: Session, typed: str, known: Mapping[str, str]) -> list[str]:
    """Complete a message: by its id, subject or sender, in the opportunity that is known."""
    means = or_(
        column(Activity, "activity_id").istartswith(typed, autoescape=True),
        *(_like(Activity, name, typed) for name in ("subject", "from_name", "from_address")),
    )
    return _ids(session, Activity, "activity_id", means, *_of(Activity, known))


def documents(session: Session, typed: str, known: Mapping[str, str]) -> list[str]:
    """Complete a document: by its id, file name or title, in the opportunity that is known."""
    means = or_(
        column(Document, "document_id").istartswith(typed, autoescape=True),
        *(_like(Document, name, typed) for name in ("filename", "title")),
    )
    return _ids(session, Document, "document_id", means, *_of(Document, known))


def _of(table: type[CrmTable], known: Mapping[str, str]) -> list[Any]:
    return [
        column(table, name) == known[name]
        for name in ("account_id", "opportunity_id")
        if known.get(name) and name in table.__table__.c  # type: ignore[attr-defined]
    ]


FINDERS: dict[str, Finder] = {
    "account_id": accounts,
    "opportunity_id": opportunities,
    "activity_id": activities,
    "document_id": documents,
}
