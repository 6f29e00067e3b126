"""Tax: the category and rate of a supply, and the breakdown of a document (EN 16931).

A document's tax is worked out per group of (category, rate): the rounded line amounts are added,
and each group's tax is rounded once. Totals are exact sums of those.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from servers.finance.facts import Customer, Exemption, Item, PricingFacts, TaxRate, TaxRule
from servers.finance.say import finding, percent
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import round_money

ZERO = Decimal(0)


@dataclass(frozen=True)
class TaxDecision:
    """The category and rate of one supply, and the path that led there."""

    category: str
    rate: Decimal
    note: str
    rule_id: str
    source: str


@dataclass(frozen=True)
class TaxedAmount:
    """A rounded amount with its category and rate; an allowance is negative."""

    category: str
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True)
class TaxGroup:
    """One row of the tax breakdown."""

    category: str
    rate: Decimal
    taxable: Decimal
    tax: Decimal


def tax_groups(parts: Iterable[TaxedAmount], currency: str) -> list[TaxGroup]:
    """Return the tax breakdown: one group per (category, rate), rounded once each.

    25 and 25.00 are one rate. The groups come in a fixed order, whatever the parts' order.
    """
    sums: dict[tuple[str, Decimal], Decimal] = {}
    for part in parts:
        key = (part.category, part.rate)  # equal Decimals hash alike, whatever their zeros
        sums[key] = sums.get(key, ZERO) + part.amount
    return [
        TaxGroup(category, rate, taxable, round_money(taxable * rate / 100, currency))
        for (category, rate), taxable in sorted(sums.items())
    ]


def zone_of(country: str, home: str, zones: Mapping[str, frozenset[str]]) -> str:
    """Return the tax zone of a country: HOME, EU or OUTSIDE."""
    if country == home:
        return "HOME"
    return "EU" if country in zones["EU"] else "OUTSIDE"


def has_verified_vat(customer: Customer, home: str, eu: frozenset[str]) -> bool:
    """Say whether somebody verified a VAT id of another member state for this customer."""
    return any(
        t.scheme == "eu_vat" and t.verified_at and t.country in eu and t.country != home
        for t in customer.tax_ids
    )


def decide(
    facts: PricingFacts, item: Item, ship_to: str, day: date
) -> tuple[TaxDecision | None, list[Finding]]:
    """Return the tax of an item delivered to a country on a day; None when no rule says."""
    customer, home = facts.customer, facts.home_country
    zone = zone_of(ship_to, home, facts.zones)
    verified = has_verified_vat(customer, home, facts.zones["EU"])
    kind = "goods" if item.kind == "goods" else "service"
    path = f"ship-to {ship_to} ({zone}), {customer.kind}, {kind}, VAT id " + (
        "verified" if verified else "not verified"
    )
    fits = [r for r in facts.tax_rules if _fits(r, zone, customer.kind, kind, verified)]
    fits.sort(key=lambda rule: (-_keys(rule), rule.rule_id))
    tied = len(fits) > 1 and _keys(fits[0]) == _keys(fits[1])
    if not fits or tied:
        return None, [_undetermined(path, [r.rule_id for r in fits[:2]])]
    rule, findings = fits[0], []
    if rule.finding:
        findings.append(
            finding(
                rule.finding,
                Severity.NEEDS_HUMAN,
                "the customer's VAT id is not verified, so the standard rate is charged",
                subject=customer.account_id,
                rule_id=rule.rule_id,
                evidence=[path],
                fix="verify the VAT id and price again",
            )
        )
    rates = [
        r
        for r in facts.tax_rates
        if r.country == home and r.category == rule.category and r.window.covers(day)
    ]
    if len(rates) != 1:
        return None, [_undetermined(path, [rule.rule_id, *(r.rate_id for r in rates)])]
    decision = TaxDecision(
        rule.category, rates[0].percent, rule.note, rule.rule_id, f"{path}; {rates[0].source}"
    )
    if rule.category == "S":
        return _exempted(decision, customer.exemptions, ship_to, day, findings)
    return decision, findings


def place_doubts(
    facts: PricingFacts, ship_to: str, ship_method: str, *, services: bool
) -> list[Finding]:
    """Ask a person where the place of supply is in doubt."""
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


def _doubt(code: str, message: str, evidence: str) -> Finding:
    return finding(
        code,
        Severity.NEEDS_HUMAN,
        message,
        rule_id="TAX",
        evidence=[evidence],
        fix="ask tax to confirm",
    )


def rate_change(rates: Iterable[TaxRate], home: str, day: date, days: int) -> Finding | None:
    """Say so when a rate is known to change while the quote would still be open."""
    until = day + timedelta(days=days)
    for rate in rates:
        first = rate.window.first
        if rate.country == home and first is not None and day < first <= until:
            return finding(
                "TAX_RATE_CHANGES",
                Severity.WARNING,
                f"the {rate.category} rate becomes {percent(rate.percent)}% on {first}, "
                "while the quote may still be open",
                rule_id=rate.rate_id,
                evidence=[rate.source],
                fix="tell the customer that the rate of the delivery day holds",
            )
    return None


def _fits(rule: TaxRule, zone: str, kind: str, item: str, verified: bool) -> bool:
    return (
        rule.zone in ("", zone)
        and (not rule.customer_kinds or kind in rule.customer_kinds)
        and rule.item in ("", item)
        and rule.vat in ("", "verified" if verified else "unverified")
    )


def _keys(rule: TaxRule) -> int:
    return sum(bool(key) for key in (rule.zone, rule.customer_kinds, rule.item, rule.vat))


def _undetermined(path: str, rules: Iterable[str]) -> Finding:
    return finding(
        "TAX_UNDETERMINED",
        Severity.NEEDS_HUMAN,
        "no single tax rule covers this supply",
        rule_id="TAX",
        evidence=[path, *rules],
        fix="ask tax to add a rule for this case",
    )


def _exempted(
    decision: TaxDecision,
    certificates: Iterable[Exemption],
    ship_to: str,
    day: date,
    findings: list[Finding],
) -> tuple[TaxDecision, list[Finding]]:
    """Exempt a supply by a certificate that is verified, in force and for this country."""
    for certificate in sorted(certificates, key=lambda c: c.certificate_id):
        if ship_to not in certificate.jurisdictions:
            continue
        if certificate.status != "verified":
            code, severity, why = "EXEMPTION_UNVERIFIED", Severity.INFO, "is not verified"
        elif not certificate.window.covers(day):
            code, severity, why = "EXEMPTION_EXPIRED", Severity.WARNING, f"is not in force on {day}"
        else:
            note = f"Exempt: {certificate.reason}, certificate {certificate.number}"
            source = f"{decision.source}; {certificate.certificate_id}"
            return TaxDecision("E", ZERO, note, "TAX-EXEMPT-E", source), findings
        findings.append(
            finding(
                code,
                severity,
                f"exemption certificate {certificate.certificate_id} {why}: tax is charged",
                subject=certificate.certificate_id,
                rule_id="TAX-EXEMPT-E",
                fix="verify the certificate and price again",
            )
        )
    return decision, findings
