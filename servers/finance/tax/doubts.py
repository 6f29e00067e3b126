"""What a person must look at about tax: doubtful places, coming changes, gaps and conflicts."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import TaxRate
from servers.finance.findings import finding, percent
from servers.finance.tax.places import zone_of
from servers.finance.tax.rates import UNDER_STANDARD
from servers.toolkit.findings import Finding, Severity


def place_doubts(
    facts: PricingFacts, ship_to: str, ship_method: str, *, services: bool
) -> list[Finding]:
    home, zones = facts.home_country, facts.zones
    here = zone_of(ship_to, home, zones)
    seat = zone_of(facts.customer.country, home, zones)
    findings = []
    if services and here != seat:
        findings.append(
            _doubt(
                "TAX_PLACE_OF_SUPPLY",
                "services go where the customer has its seat, the goods go elsewhere",
                f"seat {facts.customer.country}, ship-to {ship_to}",
            )
        )
    if ship_method == "PICKUP" and here != "HOME":
        findings.append(
            _doubt(
                "TAX_PICKUP_ABROAD",
                "the customer collects goods that leave the country: proof of transport is "
                "needed for the tax treatment shown",
                f"ship-to {ship_to}",
            )
        )
    return findings


def rate_changes(
    rates: Iterable[TaxRate], used: Iterable[tuple[str, str]], day: date, days: int
) -> list[Finding]:
    """Say so when a rate in use is known to change while the quote would still be open.

    `used` are the jurisdictions (DE, US-OR) and product classes of the taxed lines.
    """
    until = day + timedelta(days=days)
    wanted = {
        (place, "standard" if kind in UNDER_STANDARD else kind) for place, kind in used
    } | set(used)
    found = []
    for rate in sorted(rates, key=lambda r: (r.window.first or date.min, r.rate_id)):
        place = f"{rate.country}-{rate.region}" if rate.region else rate.country
        first = rate.window.first
        if (place, rate.tax_class) not in wanted or rate.category not in ("S", "Z"):
            continue
        if first is not None and day < first <= until:
            found.append(
                finding(
                    "TAX_RATE_CHANGES",
                    Severity.WARNING,
                    f"the {rate.tax_class} rate of {place} becomes {percent(rate.percent)}% on "
                    f"{first}, while the quote may still be open",
                    rule_id=rate.rate_id,
                    evidence=[rate.source],
                    fix="tell the customer that the rate of the delivery day holds",
                )
            )
    return found


def undetermined(message: str, evidence: Sequence[str], fix: str) -> Finding:
    return finding(
        "TAX_UNDETERMINED",
        Severity.NEEDS_HUMAN,
        message,
        rule_id="TAX",
        evidence=[one for one in evidence if one],
        fix=fix,
    )


def conflict(what: str, ids: Sequence[str], path: str) -> Finding:
    return finding(
        "RULE_CONFLICT",
        Severity.ERROR,
        f"two {what} of equal rank cover this supply: {' and '.join(ids)}",
        rule_id="TAX",
        evidence=[path],
        fix="end one of them",
    )


def _doubt(code: str, message: str, evidence: str) -> Finding:
    return finding(
        code,
        Severity.NEEDS_HUMAN,
        message,
        rule_id="TAX",
        evidence=[evidence],
        fix="ask tax to confirm",
    )
