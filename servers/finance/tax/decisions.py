"""Tax: the category and the rates of a supply, and what a person must look at.

`decide` finds the place of the supply (`places.py`), the rule for it, and for a taxed supply the
rates. Nothing is guessed: no rule, no rate, or two of equal rank is a finding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from servers.finance.facts.customers import Exemption
from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import RateAnswer, Tax, TaxRate, TaxRateProvider, TaxRule
from servers.finance.findings import finding, percent
from servers.finance.tax.places import (
    UNDER_STANDARD,
    Place,
    TableProvider,
    effective,
    place_of,
    zone_of,
)
from servers.toolkit.findings import Finding, Severity

ZERO = Decimal(0)
VATEX = {"K": "VATEX-EU-IC", "AE": "VATEX-EU-AE", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}
"""Reason codes of the EN 16931 code list for the categories that have one by themselves."""


@dataclass(frozen=True)
class TaxDecision:
    """The category and taxes of one supply, and the path that led there.

    `rate` is what the taxes come to, in percent; without `taxes` it is the only one.
    """

    category: str
    rate: Decimal
    note: str
    rule_id: str
    source: str
    jurisdiction: str = ""
    reason_code: str = ""
    taxes: tuple[Tax, ...] = ()
    needs_human: bool = False

    @property
    def stack(self) -> tuple[Tax, ...]:
        return self.taxes or (Tax(self.rate),)

    @property
    def confidence(self) -> str:
        return "needs_human" if self.needs_human else "determined"


def provider_of(facts: PricingFacts) -> TaxRateProvider:
    return facts.tax_provider or TableProvider(facts.tax_rates, facts.jurisdictions)


def decide(
    facts: PricingFacts, item: Item, ship_to: str, day: date, region: str = ""
) -> tuple[TaxDecision | None, list[Finding]]:
    """Return the tax of an item delivered to a place on a day; None when nothing says."""
    place = place_of(facts, item, ship_to, region, day)
    if outside := _outside(facts, place):
        return None, [outside]
    rule, problem = _rule(facts, place)
    if rule is None:
        return None, [problem] if problem else []
    findings = _doubts_of(facts, place, rule, ship_to)
    if rule.category != "S":
        return _untaxed(facts, place, rule, day, findings)
    at = place.region if place.taxed_in == place.country else ""
    provider = provider_of(facts)
    answer = provider.find(place.taxed_in, at, item.tax_class, day)
    if not answer.rates:
        return None, [*findings, _no_rate(answer, provider.name, place, rule)]
    first = answer.rates[0]
    at_home_in_eu = facts.home_country in facts.zones["EU"]
    jurisdiction = facts.jurisdictions.get(answer.jurisdiction)
    decision = TaxDecision(
        category=first.category,
        rate=effective(answer.taxes),
        note=rule.note or (answer.coverage.split(";")[0] if first.category != "S" else ""),
        rule_id=rule.rule_id,
        source=f"{place.path}; {'; '.join(r.source for r in answer.rates)}; "
        f"by {provider.name}: {answer.coverage}",
        jurisdiction=answer.jurisdiction,
        reason_code=VATEX["O"] if first.category == "O" and at_home_in_eu else "",
        taxes=tuple(
            replace(tax, name=tax.name or (jurisdiction.tax_name if jurisdiction else ""))
            for tax in answer.taxes
        ),
        needs_human=bool(findings),
    )
    if first.category != "S":
        return decision, findings
    return _exempted(decision, facts.customer.exemptions, (ship_to, region), day, findings)


def _outside(facts: PricingFacts, place: Place) -> Finding | None:
    row = facts.jurisdictions.get(f"{place.country}-{place.region}")
    if row is None or row.coverage != "outside":
        return None
    return undetermined(
        f"{row.name} is outside the tax territory that the rules know",
        [place.path, row.note, row.source],
        f"ask tax for the rules and rates of {row.name}",
    )


def _rule(facts: PricingFacts, place: Place) -> tuple[TaxRule | None, Finding | None]:
    """Return the rule with the most keys that fit; two of equal rank are a conflict."""
    kind = facts.customer.kind
    fits = [r for r in facts.tax_rules if _fits(r, place, kind)]
    fits.sort(key=lambda rule: (-_keys(rule), rule.rule_id))
    if not fits:
        fix = "ask tax to add a rule for this case"
        if kind == "consumer" and place.zone == "EU":
            fix = (
                "add a tax registration of scheme oss, or of the destination: below the EU-wide "
                "threshold for distance sales our own rate would hold, above it the destination's"
            )
        elif kind == "consumer" and place.zone == "OSS":
            fix = "ask tax where this service to a consumer is supplied"
        return None, undetermined("no tax rule covers this supply", [place.path], fix)
    if len(fits) > 1 and _keys(fits[0]) == _keys(fits[1]):
        return None, conflict("tax rules", [r.rule_id for r in fits[:2]], place.path)
    return fits[0], None


def _fits(rule: TaxRule, place: Place, kind: str) -> bool:
    return (
        rule.zone in ("", place.zone)
        and (not rule.customer_kinds or kind in rule.customer_kinds)
        and rule.item in ("", place.item)
        and rule.vat in ("", "verified" if place.verified else "unverified")
    )


def _keys(rule: TaxRule) -> int:
    return sum(bool(key) for key in (rule.zone, rule.customer_kinds, rule.item, rule.vat))


def rules_that_tie(rules: Sequence[TaxRule]) -> tuple[str, ...]:
    for place, one in enumerate(rules):
        for other in rules[place + 1 :]:
            kinds = set(one.customer_kinds) & set(other.customer_kinds)
            keys = ((one.zone, other.zone), (one.item, other.item), (one.vat, other.vat))
            apart = any(mine and yours and mine != yours for mine, yours in keys)
            apart = apart or bool(one.customer_kinds and other.customer_kinds and not kinds)
            if _keys(one) == _keys(other) and not apart:
                return one.rule_id, other.rule_id
    return ()


def _doubts_of(facts: PricingFacts, place: Place, rule: TaxRule, ship_to: str) -> list[Finding]:
    code = rule.finding
    said = "the customer's VAT id is not verified, so the standard rate is charged"
    fix = "verify the VAT id and price again"
    if not code and place.invoiced:
        code = "TAX_INVOICE_ADDRESS"
        said = (
            f"goods go to {ship_to}, but the customer's VAT id is of {place.country}: "
            "taxed like a sale at home"
        )
        fix = f"add and verify the customer's VAT id of {ship_to}, or ask tax to confirm"
    about = {"subject": facts.customer.account_id, "rule_id": rule.rule_id}
    return [doubtful(code, said, fix, place.path, **about)] if code else []


def _untaxed(
    facts: PricingFacts, place: Place, rule: TaxRule, day: date, findings: list[Finding]
) -> tuple[TaxDecision | None, list[Finding]]:
    """Return the decision of a category without tax; a row of it names the legal basis."""
    home = facts.home_country
    national = [r for r in facts.tax_rates if r.country == home and not r.region]
    bases = [r for r in national if r.category == rule.category and r.window.covers(day)]
    if len(bases) > 1:
        rows = [r.rate_id for r in bases[:2]]
        return None, [conflict("legal bases", rows, place.path)]
    basis = bases[0].source if bases else rule.note
    code = VATEX.get(rule.category, "") if home in facts.zones["EU"] else ""
    decision = TaxDecision(
        category=rule.category,
        rate=ZERO,
        note=rule.note,
        rule_id=rule.rule_id,
        source=f"{place.path}; {basis}",
        jurisdiction=home if rule.category in ("G", "Z", "E") else place.country,
        reason_code=code,
        needs_human=bool(findings),
    )
    return decision, findings


def _exempted(
    decision: TaxDecision,
    certificates: Iterable[Exemption],
    ship_to: tuple[str, str],
    day: date,
    findings: list[Finding],
) -> tuple[TaxDecision, list[Finding]]:
    country, region = ship_to
    rule, fix = "TAX-EXEMPT-E", "verify a certificate that holds here, and price again"
    for one in sorted(certificates, key=lambda c: c.certificate_id):
        severity, name = Severity.INFO, one.certificate_id
        if country not in one.jurisdictions and f"{country}-{region}" not in one.jurisdictions:
            code, why = "EXEMPTION_ELSEWHERE", f"does not hold in {country}"
        elif one.status == "unverified":
            code, why = "EXEMPTION_UNVERIFIED", "is not verified"
        elif one.status != "verified" or not one.window.covers(day):
            code, why = "EXEMPTION_EXPIRED", f"is not in force on {day}"
            severity = Severity.WARNING
        else:
            exempt = replace(
                decision,
                category="E",
                rate=ZERO,
                taxes=(),
                note=f"Exempt: {one.reason}, certificate {one.number}",
                rule_id=rule,
                source=f"{decision.source}; {name}",
                reason_code=one.reason_code,
            )
            return exempt, findings
        said = f"exemption certificate {name} {why}: tax is charged"
        findings.append(finding(code, severity, said, subject=name, rule_id=rule, fix=fix))
    return decision, findings


def _no_rate(answer: RateAnswer, provider: str, place: Place, rule: TaxRule) -> Finding:
    if answer.conflict:
        return conflict("tax rates", answer.conflict, place.path)
    regional = answer.jurisdiction == place.country and "a region of" in answer.missing
    where = "give the ship-to address its region, or " if regional else ""
    return undetermined(
        f"the tax of {answer.jurisdiction} is outside the coverage of the {provider}",
        [place.path, rule.rule_id, answer.coverage],
        f"{where}supply {answer.missing}, as rows of tax_jurisdictions and tax_rates to import, or "
        "connect a provider of tax rates that covers it",
    )


def place_doubts(
    facts: PricingFacts, ship_to: str, ship_method: str, *, services: bool
) -> list[Finding]:
    home, zones, seat = facts.home_country, facts.zones, facts.customer.country
    here = zone_of(ship_to, home, zones)
    findings = []
    if services and here != zone_of(seat, home, zones):
        said = "services go where the customer has its seat, the goods go elsewhere"
        where = f"seat {seat}, ship-to {ship_to}"
        findings.append(doubtful("TAX_PLACE_OF_SUPPLY", said, "ask tax to confirm", where))
    if ship_method == "PICKUP" and here != "HOME":
        said = (
            "the customer collects goods that leave the country: proof of transport is "
            "needed for the tax treatment shown"
        )
        where = f"ship-to {ship_to}"
        findings.append(doubtful("TAX_PICKUP_ABROAD", said, "ask tax to confirm", where))
    return findings


def rate_changes(
    rates: Iterable[TaxRate], used: Iterable[tuple[str, str]], day: date, days: int
) -> list[Finding]:
    """Say so when a rate in use is known to change while the quote would still be open.

    `used` are the jurisdictions (DE, US-OR) and product classes of the taxed lines.
    """
    until = day + timedelta(days=days)
    general = {(place, "standard") for place, kind in used if kind in UNDER_STANDARD}
    wanted = general.union(used)
    found = []
    for rate in sorted(rates, key=lambda r: (r.window.first or date.min, r.rate_id)):
        place = f"{rate.country}-{rate.region}" if rate.region else rate.country
        first = rate.window.first
        if (place, rate.tax_class) not in wanted or rate.category not in ("S", "Z"):
            continue
        if first is not None and day < first <= until:
            said = (
                f"the {rate.tax_class} rate of {place} becomes {percent(rate.percent)}% on "
                f"{first}, while the quote may still be open"
            )
            fix, source = "tell the customer that the rate of the delivery day holds", [rate.source]
            code, rule = "TAX_RATE_CHANGES", rate.rate_id
            found.append(
                finding(code, Severity.WARNING, said, rule_id=rule, evidence=source, fix=fix)
            )
    return found


def undetermined(message: str, evidence: Sequence[str], fix: str) -> Finding:
    return doubtful("TAX_UNDETERMINED", message, fix, *filter(None, evidence))


def conflict(what: str, ids: Sequence[str], path: str) -> Finding:
    said = f"two {what} of equal rank cover this supply: {' and '.join(ids)}"
    code, fix = "RULE_CONFLICT", "end one of them"
    return finding(code, Severity.ERROR, said, rule_id="TAX", evidence=[path], fix=fix)


def doubtful(
    code: str, said: str, fix: str, *evidence: str, subject: str = "", rule_id: str = "TAX"
) -> Finding:
    about = {"subject": subject, "rule_id": rule_id, "fix": fix}
    return finding(code, Severity.NEEDS_HUMAN, said, evidence=evidence, **about)
