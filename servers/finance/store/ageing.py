"""When the tables of law were checked, and how old the house lets them become."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from servers.finance.facts.legal import CheckedTable
from servers.finance.store.legal import find_screening
from servers.finance.store.policy import setting
from servers.finance.tables.house import Setting
from servers.finance.tables.legal import EmbargoedCountry
from servers.finance.tables.taxes import TaxRateRow
from servers.toolkit.database import Database


def find_checked(
    session: Session, day: date, countries: Collection[str] | None = None
) -> tuple[CheckedTable, ...]:
    """Return the tables with rows that hold on a day: of some countries' taxes, or of all."""
    limits = setting(session, "policies").get("max_age_days", {})
    rates = select(func.min(col(TaxRateRow.as_of))).where(
        or_(col(TaxRateRow.valid_to).is_(None), col(TaxRateRow.valid_to) >= day)
    )
    if countries is not None:
        rates = rates.where(col(TaxRateRow.country).in_(sorted(countries)))
    oldest = {
        "tax_rates": session.scalar(rates),
        "embargoed_countries": session.scalar(select(func.min(col(EmbargoedCountry.checked_on)))),
    }
    return tuple(
        CheckedTable(table, checked_on, limits.get(table))
        for table, checked_on in oldest.items()
        if checked_on is not None
    )


def every_checked(url: str, day: date) -> list[CheckedTable]:
    """Return all tables of finance's database that age; none while it has no policies."""
    database = Database.open(url, "finance")
    try:
        with database.session() as session:
            if session.get(Setting, "policies") is None:
                return []
            names = find_screening(session)
            listed = CheckedTable("screening_entries", names.as_of, names.max_age_days)
            return [*find_checked(session, day), *([] if names.nobody else [listed])]
    finally:
        database.close()
