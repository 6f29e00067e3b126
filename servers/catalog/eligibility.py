"""Rules about one line: may this be ordered that day, in that quantity, to that country."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from servers.catalog import rulebook as rb
from servers.catalog.compatibility import sold
from servers.catalog.schemas import Product
from servers.catalog.selection import Item, finding
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import whole_up


@dataclass(frozen=True)
class Destination:
    """Where the goods go, when they are ordered, and what is on file about going there."""

    country: str
    day: date
    certificates: Sequence[rb.Certificate] = ()
    lists: Sequence[rb.ExportList] = ()
    known_countries: frozenset[str] = frozenset()
    catalog: Mapping[str, Product] = field(default_factory=dict)

    def listed(self, test: str) -> rb.ExportList | None:
        """Return the first list of a kind that names the country."""
        return next((e for e in self.lists if e.test == test and self.country in e.countries), None)


def check_each(
    rules: Iterable[rb.Rule], items: Sequence[Item], destination: Destination
) -> list[Finding]:
    """Judge every line by the rules about one line that are in force, and pass over the others."""
    findings: list[Finding] = []
    for rule in rules:
        judge = _JUDGES.get(type(rule))
        if judge is None or not rule.holds_on(destination.day):
            continue
        for item in items:
            if rule.subject.picks(item.product):
                found = judge(rule, item, destination)
                findings += [found] if found is not None else []
    return findings


def _lifecycle(rule: rb.LifecycleRule, item: Item, where: Destination) -> Finding | None:
    product = item.product
    last = product.last_order_date
    states = {
        "planned": product.lifecycle == "planned",
        "ended": product.lifecycle != "planned" and not sold(product, where.day),
        "announced": last is not None and where.day <= last,
    }
    if not states[rule.state]:
        return None
    successor = where.catalog.get(product.successor_sku or "")
    fix = ""
    if rule.state == "ended":
        fix = "choose another product; suggest_substitutes names some"
        if successor is not None and sold(successor, where.day):
            fix = f"replace {product.sku} by {successor.sku}"
    evidence = [
        item.text,
        f"lifecycle {product.lifecycle}, last order date {last}, order date {where.day}",
    ]
    if product.successor_sku:
        evidence.append(f"successor {product.successor_sku}")
    return _found(rule, item, evidence, fix=fix, last=last)


def _region(rule: rb.Region, item: Item, where: Destination) -> Finding | None:
    if where.country not in rule.deny and (not rule.allow or where.country in rule.allow):
        return None
    evidence = [item.text, f"destination {where.country}"]
    if rule.allow:
        evidence.append(f"sold to {', '.join(rule.allow)}")
    return _found(rule, item, evidence, country=where.country)


def _certification(rule: rb.Certification, item: Item, where: Destination) -> Finding | None:
    if where.country not in rule.countries:
        return None
    held = [
        c for c in where.certificates if c.scheme in rule.schemes and c.covers.picks(item.product)
    ]
    if any(c.expires is None or where.day <= c.expires for c in held):
        return None
    evidence = [item.text, f"{where.country} asks for {' or '.join(rule.schemes)}"]
    evidence += [f"{c.scheme} {c.certificate_no} expired {c.expires}" for c in held]
    if not held:
        evidence.append("no certificate on file")
    return _found(rule, item, evidence, country=where.country, scheme=" or ".join(rule.schemes))


def _export(rule: rb.Export, item: Item, where: Destination) -> Finding | None:
    eccn = item.product.eccn
    evidence = [item.text, f"ECCN {eccn or 'unknown'}", f"destination {where.country}"]
    if rule.test == "unclassified":
        if eccn is not None:
            return None
        return _found(rule, item, evidence, country=where.country)
    embargo = where.listed("embargo")
    if rule.test == "embargo":
        if embargo is None:
            return None
        return _found(rule, item, [*evidence, embargo.evidence], country=where.country)
    if embargo is not None or where.listed("licence_free") is not None:
        return None
    evidence += [entry.evidence for entry in where.lists if entry.test == "licence_free"]
    evidence.append(f"{where.country} is not on it")
    return _found(rule, item, evidence, country=where.country)


def _qty_policy(rule: rb.QtyPolicy, item: Item, _where: Destination) -> Finding | None:
    asked = item.pieces
    legal = max(asked, Decimal(rule.minimum))
    if rule.multiple > 1:
        legal = Decimal(whole_up(legal / rule.multiple) * rule.multiple)
    legal = min(legal, Decimal(rule.maximum))
    if legal == asked:
        return None
    evidence = [
        item.text,
        f"minimum {rule.minimum}, multiple of {rule.multiple}, maximum {rule.maximum}",
        f"nearest allowed quantity {legal}",
    ]
    return _found(rule, item, evidence, fix=f"order {legal} x {item.product.sku}", legal=legal)


def _unit(rule: rb.UnitRule, item: Item, _where: Destination) -> Finding | None:
    allowed = ("each", item.product.base_uom, *item.product.units)
    if item.line.unit in allowed:
        return None
    return _found(
        rule,
        item,
        [item.text, f"unit {item.line.unit}, sold by {', '.join(dict.fromkeys(allowed))}"],
        fix=f"give the quantity by {item.product.base_uom}",
        unit=item.line.unit,
    )


def _term(rule: rb.Term, item: Item, _where: Destination) -> Finding | None:
    months = item.line.term_months
    if months is None or rule.minimum <= months <= rule.maximum:
        return None
    evidence = [item.text, f"term {months} months, allowed {rule.minimum} to {rule.maximum}"]
    return _found(rule, item, evidence, months=months, maximum=rule.maximum)


def _country_attr(rule: rb.Plug, item: Item, where: Destination) -> Finding | None:
    value = str(item.product.attributes.get(rule.attribute))
    fitting = [name for name, countries in rule.countries.items() if where.country in countries]
    if not fitting or value not in rule.countries or value in fitting:
        return None
    evidence = [item.text, f"{rule.attribute} {value}", f"{where.country} uses {fitting[0]}"]
    return _found(rule, item, evidence, value=value, country=where.country, fitting=fitting[0])


def _found(
    rule: rb.RuleBase, item: Item, evidence: Iterable[str], *, fix: str = "", **facts: object
) -> Finding:
    facts |= {"sku": item.product.sku, "quantity": item.pieces}
    return finding(rule, item.line.line_id, evidence, fix=fix, **facts)


def old_lists(where: Destination) -> list[Finding]:
    """Say which lists of destinations are older than whoever keeps them allows."""
    return [
        Finding(
            code="EXPORT_LIST_STALE",
            severity=Severity.WARNING,
            message=f"{one.name} is of {one.date}, more than {one.max_age_days} days ago.",
            subject=one.list_id,
            rule_id="catalog.old-list",
            evidence=[one.evidence],
            fix="import the current list",
        )
        for one in where.lists
        if one.max_age_days is not None and (where.day - one.date).days > one.max_age_days
    ]


def unknown_jurisdiction(items: Sequence[Item], where: Destination) -> Finding | None:
    """Say that no rule on file covers a country that electrical goods would go to.

    An embargoed country is left to the export rules: there the first question is another. A house
    without any such rule checks no certification: that is said, and asks nobody.
    """
    if where.country in where.known_countries or where.listed("embargo") is not None:
        return None
    goods = [item for item in items if item.product.kind == "goods"]
    if not goods:
        return None
    if not where.known_countries:
        return Finding(
            code="CERTIFICATION_OFF",
            severity=Severity.INFO,
            message="The house has no certification rules: nobody checks what a country requires.",
            subject=where.country,
            rule_id="catalog.unknown-jurisdiction",
            fix="to check it, import certification rules",
        )
    return Finding(
        code="CERTIFICATION_UNKNOWN",
        severity=Severity.NEEDS_HUMAN,
        message=f"No certification rule on file covers {where.country}.",
        subject=where.country,
        rule_id="catalog.unknown-jurisdiction",
        evidence=[item.text for item in goods][:12],
        fix=f"ask product compliance what {where.country} requires",
    )


_JUDGES: dict[type, Callable[..., Finding | None]] = {
    rb.LifecycleRule: _lifecycle,
    rb.Region: _region,
    rb.Certification: _certification,
    rb.Export: _export,
    rb.QtyPolicy: _qty_policy,
    rb.UnitRule: _unit,
    rb.Term: _term,
    rb.Plug: _country_attr,
}
