"""Step 1, the list price: which entry of which price book holds.

Most matched keys win (channel, country, region, account and any further rule), then a price of
the unit itself before a multiplied one, then the narrower quantity band, then the newest window.
What is still equal is a RULE_CONFLICT that names both; nothing at all is NO_PRICE, never zero. A
price of zero is a price: free. A price on request is ASK_FOR_PRICE, until a person gives it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from servers.finance.facts.customers import Customer
from servers.finance.facts.prices import Entry
from servers.finance.findings import finding, percent, plain
from servers.finance.prices.units import Units
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import six_decimals

Keys = Mapping[str, frozenset[str]]
ON_REQUEST = "ASK_FOR_PRICE"
RULE_KEYS = ("kind", "ship_to", "payment_terms")
"""What a book may ask for beside channel, country, region and account."""


@dataclass(frozen=True)
class Ask:
    """What a price is asked for; `quantity` is in base units, the day is the order's."""

    sku: str
    unit: str
    quantity: Decimal
    currency: str
    day: date
    keys: Keys
    subject: str = ""


@dataclass
class Choice:
    """The entry that holds and its price per asked unit; None is no price."""

    entry: Entry | None = None
    amount: Decimal | None = None
    lost: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def keys_of(customer: Customer, ship_to: str, zones: Mapping[str, frozenset[str]]) -> Keys:
    names = (name.removeprefix("FREIGHT-") for name, in_it in zones.items())
    regions = {name for name in names if in_region(customer.country, name, zones)}
    return {
        "channel": frozenset({customer.channel}),
        "country": frozenset({customer.country}),
        "region": frozenset(regions),
        "account": frozenset(customer.family_tree),
        "kind": frozenset({customer.kind}),
        "ship_to": frozenset({ship_to}),
        "payment_terms": frozenset({customer.payment_terms_code}),
    }


def in_region(country: str, region: str, zones: Mapping[str, frozenset[str]]) -> bool:
    """Say whether a country lies in a zone of tax or freight, by the zone's plain name."""
    return country in zones.get(region, zones.get(f"FREIGHT-{region}", frozenset()))


def choose(ask: Ask, entries: Iterable[Entry], units: Units) -> Choice:
    choice = Choice()
    fits: list[tuple[tuple[object, ...], Entry]] = []
    of_sku = [e for e in entries if e.sku == ask.sku and e.currency == ask.currency]
    of_sku = [e for e in of_sku if not e.account_id or e.account_id in ask.keys["account"]]
    for entry in sorted(of_sku, key=lambda e: e.entry_id):
        if reason := _misfit(entry, ask, units):
            choice.lost.append(f"{entry.entry_id}: {reason}")
        else:
            fits.append((_rank(entry, ask), entry))
    if not fits:
        choice.findings.append(_no_price(ask, of_sku, units, choice.lost))
        return choice
    fits.sort(key=lambda fit: fit[0], reverse=True)
    best = fits[0][1]
    if len(fits) > 1 and fits[0][0] == fits[1][0]:
        choice.findings.append(_conflict(ask, best, fits[1][1]))
        return choice
    than = f"less specific or older than {best.entry_id}"
    choice.lost += [f"{entry.entry_id}: {than}" for _, entry in fits[1:]]
    if best.on_request:
        choice.findings.append(_on_request(ask, best))
        return choice
    choice.entry, choice.amount = best, best.amount
    ratio = units.ratio(ask.sku, ask.unit)
    if best.unit != ask.unit and ratio is not None:
        choice.amount = six_decimals(best.amount * ratio[0] / ratio[1])
    return choice


def wanted(entry: Entry) -> dict[str, tuple[str, ...]]:
    own = {"channel": entry.channel, "country": entry.country, "region": entry.region}
    own["account"] = entry.account_id
    return {**{key: (value,) for key, value in own.items() if value}, **entry.rules}


def _misfit(entry: Entry, ask: Ask, units: Units) -> str:
    if entry.unit != ask.unit and not units.multiplies(entry.sku, entry.unit, ask.unit):
        return f"sold by {entry.unit or 'base unit'}, not by {ask.unit}"
    if not entry.window.covers(ask.day):
        return f"not valid on {ask.day}"
    for key, values in wanted(entry).items():
        have = ask.keys.get(key, frozenset())
        if have.isdisjoint(values):
            is_ = ", ".join(sorted(have)) or "none"
            return f"for {key} {' or '.join(values)}, this is {is_}"
    if ask.quantity < entry.min_qty:
        return f"from {percent(entry.min_qty)} on, this is {percent(ask.quantity)}"
    if entry.max_qty is not None and ask.quantity >= entry.max_qty:
        return f"below {percent(entry.max_qty)} only, this is {percent(ask.quantity)}"
    return entry.refused


def _rank(entry: Entry, ask: Ask) -> tuple[object, ...]:
    """Rank an entry that fits; the greatest wins."""
    closed = entry.max_qty is not None
    band = (closed, entry.min_qty - (entry.max_qty or 0) if closed else entry.min_qty)
    own_unit = entry.unit == ask.unit
    return (len(wanted(entry)), own_unit, band, entry.window.first or date.min)


def _conflict(ask: Ask, one: Entry, other: Entry) -> Finding:
    said = f"{ask.sku} has two prices of equal rank: {one.entry_id} and {other.entry_id}"
    prices = [f"{e.entry_id}: {plain(e.amount)} {ask.currency}" for e in (one, other)]
    return _error(
        "RULE_CONFLICT", said, ask.subject, "end one of the two entries in the price book", prices
    )


def _no_price(ask: Ask, of_sku: Sequence[Entry], units: Units, lost: Sequence[str]) -> Finding:
    sold = sorted({entry.unit or "base unit" for entry in of_sku})
    usable = any(e.unit == ask.unit or units.multiplies(ask.sku, e.unit, ask.unit) for e in of_sku)
    if sold and not usable:
        return unit_mismatch(ask.sku, ask.unit, ask.subject, sold)
    said = f"no price for {ask.sku} in {ask.currency} on {ask.day}"
    fix = "choose another product or currency, or add the price to the book"
    return _error("NO_PRICE", said, ask.subject, fix, lost)


def _on_request(ask: Ask, entry: Entry) -> Finding:
    said = f"the price of {ask.sku} is on request: a person gives it"
    fix = "set the unit price by hand (an adjustment of kind override), or import the price"
    about = {"subject": ask.subject, "rule_id": "LIST-PRICE", "fix": fix}
    return finding(ON_REQUEST, Severity.NEEDS_HUMAN, said, evidence=[entry.entry_id], **about)


def unit_mismatch(sku: str, unit: str, subject: str, sold: Iterable[str] = ()) -> Finding:
    by = ", ".join(sold)
    said, fix = f"{sku} is not sold by {unit}", "use one of the units it is sold by"
    return _error("UNIT_MISMATCH", said, subject, fix, [f"sold by: {by}"] if by else [])


def _error(code: str, said: str, subject: str, fix: str, evidence: Iterable[str]) -> Finding:
    rule = "LIST-PRICE"
    return finding(
        code, Severity.ERROR, said, subject=subject, rule_id=rule, evidence=evidence, fix=fix
    )
