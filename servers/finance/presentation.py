"""The total in another currency, to read only (step 13): rate, date and source are shown with it.

The quote has one currency; nothing here changes a price. A rate that is missing or too old gives
a finding and no figure.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from servers.finance.facts.blocks import PresentationBlock, TotalsBlock
from servers.finance.facts.charges import Rate
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import finding
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import exponent, from_minor, round_money, round_to, to_minor

TEN = Decimal("0.0000000001")


def present(
    facts: PricingFacts, totals: TotalsBlock, currency: str, wanted: str | None, day: date
) -> tuple[PresentationBlock | None, Finding | None]:
    if wanted is None or wanted == currency or totals.total_minor is None:
        return None, None
    known = {rate.currency: rate for rate in facts.rates}
    days = None if facts.policy is None else facts.policy.rate_days
    missing = [code for code in (currency, wanted) if code not in known or not _is_money(code)]
    if missing or days is None:
        what = f"there is no rate for {missing[0]}" if missing else "no policy says how old one is"
        return None, _no_figure("FX_UNKNOWN", wanted, what, [])
    own, other = known[currency], known[wanted]
    as_of = min(own.as_of, other.as_of)
    if stale := [rate for rate in (own, other) if abs((day - rate.as_of).days) > days]:
        what = f"the rate of {stale[0].currency} is of {stale[0].as_of}"
        evidence = [f"at most {days} days from the order date {day}", stale[0].source]
        return None, _no_figure("FX_STALE", wanted, what, evidence)
    rate = round_to(other.rate / own.rate, TEN).normalize()
    total = from_minor(totals.total_minor, currency)
    return PresentationBlock(
        currency=wanted,
        rate=format(rate, "f"),
        rate_date=as_of,
        source="; ".join(_sources((own, other))),
        total_minor=to_minor(round_money(total * rate, wanted), wanted),
    ), None


def _is_money(code: str) -> bool:
    try:
        exponent(code)
    except InvalidInputError:
        return False
    return True


def _sources(rates: Iterable[Rate]) -> list[str]:
    return list(dict.fromkeys(rate.source for rate in rates))


def _no_figure(code: str, wanted: str, what: str, evidence: list[str]) -> Finding:
    return finding(
        code,
        Severity.INFO,
        f"the total is not shown in {wanted}: {what}",
        subject=wanted,
        rule_id="FX",
        evidence=evidence,
        fix="bring the exchange rates up to date",
    )
