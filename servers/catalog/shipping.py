"""How the lines may travel: methods by zone, dangerous goods by mode, the one to recommend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from servers.catalog import rulebook as rb
from servers.catalog.schemas import Mode, ShippingOption, ShippingOptions
from servers.catalog.selection import Item, finding
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import whole_up

PREFERENCE = ("road", "air", "sea")
"""Without a wish, the first of these that is allowed; collecting is never assumed."""


@dataclass(frozen=True)
class ShippingNetwork:
    """What is on file about transport."""

    methods: Sequence[rb.ShipMethod]
    zones: Mapping[str, str]
    other_zone: str
    hazmat: Sequence[rb.HazmatMode]
    rules: Sequence[rb.Rule] = ()

    def zone(self, country: str) -> str:
        return self.zones.get(country, self.other_zone)

    def limit(self, un_number: str, mode: str) -> rb.HazmatMode | None:
        """Return what is on file about a UN number and a mode, or None."""
        return next((h for h in self.hazmat if h.un_number == un_number and h.mode == mode), None)


def options(
    items: Sequence[Item],
    country: str,
    network: ShippingNetwork,
    prefer: Mode | None = None,
    found: Sequence[Finding] = (),
) -> ShippingOptions:
    """Return every method that serves the country, each allowed or not, and one to recommend.

    `found` are findings made before; they are kept in the answer.
    """
    goods = [item for item in items if item.product.kind == "goods"]
    weight = whole_up(sum(((i.product.weight_g or 0) * i.pieces for i in goods), Decimal(0)))
    zone = network.zone(country)
    served = [m for m in network.methods if zone in m.transit_days]
    made = [_option(m, zone, goods, weight, network) for m in served]
    recommended = _recommend(made, prefer)
    findings = [*found, *_hazmat_findings(goods, prefer, made, recommended, network)]
    findings += _weight_findings(goods, network.rules)
    if recommended is None:
        findings.append(
            Finding(
                code="NO_SHIPPING",
                severity=Severity.NEEDS_HUMAN,
                message=f"No method on file takes these goods to {country}.",
                subject=country,
                rule_id="catalog.no-shipping",
                evidence=[f"{o.method}: {o.reason}" for o in made if not o.allowed][:12],
                fix="ask logistics for a special transport",
            )
        )
    return ShippingOptions(options=made, recommended=recommended, findings=findings)


def _option(
    method: rb.ShipMethod, zone: str, goods: Sequence[Item], weight: int, network: ShippingNetwork
) -> ShippingOption:
    reason = _refusal(method, goods, weight, network)
    shortest, longest = method.transit_days[zone]
    return ShippingOption(
        method=method.method,
        name=method.name,
        mode=method.mode,
        transit_days_min=shortest,
        transit_days_max=longest,
        allowed=not reason,
        reason=reason or f"serves zone {zone}",
    )


def _refusal(
    method: rb.ShipMethod, goods: Sequence[Item], weight: int, network: ShippingNetwork
) -> str:
    """Say why a method cannot be used, or nothing."""
    if method.mode == "digital":
        return "there are goods to ship" if goods else ""
    if not goods:
        return "there is nothing to ship"
    for item in goods:
        number = item.product.un_number
        if number is None:
            continue
        limit = network.limit(number, method.mode)
        if limit is None:
            return (
                f"{item.product.sku} is {number}, and nothing is on file about it by {method.mode}"
            )
        if not limit.allowed:
            return f"{item.product.sku} is {number}: {limit.note}"
    if method.max_weight_g is not None and weight > method.max_weight_g:
        return f"{weight} g is more than the {method.max_weight_g} g that {method.method} takes"
    return ""


def _recommend(made: Sequence[ShippingOption], prefer: Mode | None) -> str | None:
    allowed = [option for option in made if option.allowed]
    order = (prefer, "digital", *PREFERENCE) if prefer else ("digital", *PREFERENCE)
    return next((o.method for mode in order for o in allowed if o.mode == mode), None)


def _hazmat_findings(
    goods: Sequence[Item],
    prefer: Mode | None,
    made: Sequence[ShippingOption],
    recommended: str | None,
    network: ShippingNetwork,
) -> list[Finding]:
    """One finding per dangerous product: a warning when it rules out the mode asked for."""
    rules = {r.test: r for r in network.rules if isinstance(r, rb.Hazmat)}
    instead = next((o.mode for o in made if o.method == recommended), "nothing on file")
    findings: list[Finding] = []
    for item in {i.product.sku: i for i in goods if i.product.un_number}.values():
        number = item.product.un_number or ""
        limits = [h for h in network.hazmat if h.un_number == number and not h.allowed]
        refused = [h.mode for h in limits]
        rule = rules.get("preferred_mode" if prefer in refused else "carried")
        if not limits or rule is None:
            continue
        findings.append(
            finding(
                rule,
                item.line.line_id,
                [item.text, *(_source(h) for h in limits)],
                sku=item.product.sku,
                un=number,
                mode=prefer if prefer in refused else " or ".join(refused),
                instead=instead,
            )
        )
    return findings


def _source(limit: rb.HazmatMode) -> str:
    return f"{limit.un_number} by {limit.mode}: {limit.note} ({limit.source}, {limit.as_of})"


def _weight_findings(goods: Sequence[Item], rules: Sequence[rb.Rule]) -> list[Finding]:
    rule = next((r for r in rules if isinstance(r, rb.Hazmat) and r.test == "unknown_weight"), None)
    if rule is None:
        return []
    return [
        finding(rule, item.line.line_id, [item.text], sku=item.product.sku)
        for item in goods
        if item.product.weight_g is None
    ]
