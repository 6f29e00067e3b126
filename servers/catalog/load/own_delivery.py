"""How a house delivers without a carrier's table: a flat rate, collecting, nothing to carry."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, select

from servers.catalog.load import GROUPS
from servers.catalog.rulebook import ShipMethod
from servers.catalog.tables import ShipMethodRow, ZoneRow

OTHERS, WORLD = "*", "WORLD"
DAYS = (1, 14)
"""How long a delivery may take, as long as nobody says it better."""
OURS = {"FLAT": ("Delivery", "road"), "PICKUP": ("Collected", "pickup"), "DIGITAL": ("", "digital")}


def put_delivery(session: Session, zones: Sequence[str]) -> list[str]:
    """Write our ways to deliver; FLAT serves the zones that finance has a price for.

    A house with ways of its own keeps them.
    """
    known = {row.method for row in session.exec(select(ShipMethodRow))}
    if known - OURS.keys():
        said = "delivery stays as ship_methods and ship_zones say: import them to change it"
        return [said] if zones else []
    if known and not zones:
        return []
    places = {OTHERS: WORLD}
    for zone in sorted(zones, key=lambda one: f"@{one}" not in GROUPS):  # a country after its group
        if zone != WORLD:
            places |= dict.fromkeys(GROUPS.get(f"@{zone}", (zone,)), zone)
    every = sorted({*places.values()})
    for country, zone in places.items():
        session.merge(ZoneRow(country=country, zone=zone))
    for place, (method, (name, mode)) in enumerate(OURS.items()):
        days = dict.fromkeys(zones, DAYS) if method == "FLAT" else dict.fromkeys(every, (0, 0))
        if not days:
            continue
        about: dict[str, Any] = {"name": name or "Nothing to ship", "mode": mode}
        row = ShipMethod(method=method, transit_days=days, **about)
        session.merge(ShipMethodRow(method=method, place=place, data=row.model_dump(mode="json")))
    return [f"ways to deliver: {', '.join([*(['FLAT'] if zones else []), 'PICKUP', 'DIGITAL'])}"]
