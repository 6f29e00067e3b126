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
    if fitting:
        names = " and ".join(one.entity_id for one in fitting)
        return finding(
            "RULE_CONFLICT",
            Severity.ERROR,
            f"{names} both make offers to customers in {country}",
            rule_id="SELLER",
            fix="let one of them serve the country: `dealdesk init --company FILE`",
        )
    return finding(
        "NO_SELLER",
        Severity.ERROR,
        f"no legal entity makes offers to customers in {country}",
        rule_id="SELLER",
        evidence=[f"{one.entity_id} serves {', '.join(sorted(one.countries))}" for one in every],
        fix="name the company: `dealdesk init --company FILE`",
    )
