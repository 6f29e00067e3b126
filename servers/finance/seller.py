"""Which legal entity makes an offer: a pure rule on the customer's country."""

from collections.abc import Iterable

from servers.finance.facts.policy import Entity
from servers.finance.findings import finding
from servers.toolkit.findings import Finding, Severity


def choose(entities: Iterable[Entity], country: str) -> Entity | Finding:
    every = sorted(entities, key=lambda one: one.entity_id)
    mine = [one for one in every if country in one.countries]
    fitting = mine or [one for one in every if one.is_default]
    if len(fitting) == 1:
        return fitting[0]
    code, fix = "NO_SELLER", "name the company: `dealdesk init --company FILE`"
    said = f"no legal entity makes offers to customers in {country}"
    evidence = [f"{one.entity_id} serves {', '.join(sorted(one.countries))}" for one in every]
    if fitting:
        code = "RULE_CONFLICT"
        fix = "let one of them serve the country: `dealdesk init --company FILE`"
        names = " and ".join(one.entity_id for one in fitting)
        said, evidence = f"{names} both make offers to customers in {country}", []
    return finding(code, Severity.ERROR, said, rule_id="SELLER", evidence=evidence, fix=fix)
