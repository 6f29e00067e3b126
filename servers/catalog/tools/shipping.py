"""Tools that say when lines are ready to leave, and how they travel."""

from datetime import date

from servers.catalog import schemas as s
from servers.catalog import shipping
from servers.catalog.availability import promise
from servers.catalog.bundles import unpack
from servers.catalog.selection import join
from servers.catalog.store.products import find_products
from servers.catalog.store.rules import find_rules, find_shipping_network, find_stock
from servers.toolkit.components import tool
from servers.toolkit.database import Database
from servers.toolkit.declare import reads
from servers.toolkit.fields import Country, OrderDate
from servers.toolkit.linking import first_that_fit

ROOM, SMALL = 22_000, 4_000
"""Bytes of one answer, and for its lines at least; findings are always whole."""


@tool(reads("Check availability", rows="public", confidentiality="public"))
def check_availability(
    database: Database,
    lines: s.Lines,
    order_date: OrderDate,
    needed_by: date | None = None,
    from_line: s.FromLine = 1,
) -> s.Availability:
    """Say when each line is ready to leave, from the shelf, from inbound goods or newly built.

    Stock carries the day it was counted. A line that is ready after needed_by is a warning
    LEAD_TIME; transit days come on top, see shipping_options. The findings are of all lines;
    with next_line, ask again for the other lines.
    """
    with database.session() as session:
        catalog = find_products(session, {line.sku for line in lines})
        given, findings = join(lines, catalog)
        items = unpack(given, catalog)
        stock = find_stock(session, {item.product.sku for item in items})
        rules = find_rules(session, "lead_time")
    made = promise(items, stock, order_date, needed_by, rules)
    said = [*findings, *made.findings]
    room = max(SMALL, ROOM - sum(len(one.model_dump_json()) for one in said))
    shown, after = first_that_fit(made.lines, from_line, room)
    return s.Availability(lines=shown, findings=said, next_line=after)


@tool(reads("Shipping options", rows="public", confidentiality="public"))
def shipping_options(
    database: Database, lines: s.Lines, ship_to_country: Country, prefer: s.Mode | None = None
) -> s.ShippingOptions:
    """Return the ways to send lines to a country, each allowed or not and why.

    `recommended` follows `prefer` when that mode is allowed. Lithium batteries do not travel
    by air: the finding HAZMAT_MODE names the UN number.
    """
    with database.session() as session:
        catalog = find_products(session, {line.sku for line in lines})
        items, findings = join(lines, catalog)
        network = find_shipping_network(session, find_rules(session, "hazmat"))
    return shipping.options(unpack(items, catalog), ship_to_country, network, prefer, findings)
