"""Tools that judge lines together, and add what they lack."""

from datetime import date

from sqlmodel import Session

from servers.catalog import configuration
from servers.catalog import rulebook as rb
from servers.catalog import schemas as s
from servers.catalog.eligibility import Destination
from servers.catalog.store.products import find_catalog
from servers.catalog.store.rules import find_destination, find_rules
from servers.toolkit.components import tool
from servers.toolkit.database import Database
from servers.toolkit.declare import reads
from servers.toolkit.fields import Country, OrderDate
from servers.toolkit.statements import StatementKey, about_lines


@tool(reads("Check a configuration", rows="public", confidentiality="public"))
def check_configuration(
    database: Database, lines: s.Lines, ship_to_country: Country, order_date: OrderDate
) -> s.ConfigurationCheck:
    """Judge whether lines fit together and may be sold to a country on a day.

    `ok` is false when any finding is an error or blocked; those that need a person leave it
    true. A finding's subject is the line_id, and its fix names the parts to add or change.
    `statement` is what finance takes as catalog_statement of create_quote with the same lines.
    """
    with database.session() as session:
        rules, catalog, where = _facts(session, lines, ship_to_country, order_date)
    checked = configuration.check(lines, rules, catalog, where)
    checked.statement = StatementKey.of(database).state(
        "lines",
        about_lines(lines, ship_to_country, order_date),
        "ok" if checked.ok else "not_ok",
        checked.findings,
    )
    return checked


@tool(reads("Complete a configuration", rows="public", confidentiality="public"))
def complete_configuration(
    database: Database, lines: s.Lines, ship_to_country: Country, order_date: OrderDate
) -> s.Completion:
    """Return the parts to add so that check_configuration passes: supplies, plans, gateways.

    Each addition names the rule that asks for it and the line it is for. Errors that no
    addition mends come back as findings; change those lines.
    """
    with database.session() as session:
        rules, catalog, where = _facts(session, lines, ship_to_country, order_date)
    return configuration.complete(lines, rules, catalog, where)


def _facts(
    session: Session, lines: list[s.LineIn], country: str, day: date
) -> tuple[list[rb.Rule], dict[str, s.Product], Destination]:
    """Read what a judgement of some lines needs; the judgement itself needs no session."""
    rules = find_rules(session)
    catalog = find_catalog(session, lines, rules)
    return rules, catalog, find_destination(session, country, day, rules, catalog)
