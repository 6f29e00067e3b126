"""Where a tax rate comes from: jurisdictions, registrations, and providers of rates.

A provider answers which rates hold at a place on a day, and says what it covers. The one built in
reads the table of rates; where a tax depends on more than the table knows (a street in the USA,
a province in Canada) it says so, and nobody guesses. Another provider is any object of this shape.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from servers.finance.facts.taxes import Jurisdiction, RateAnswer, Tax, TaxRate
from servers.finance.tax.stack import with_included

UNDER_STANDARD = frozenset({"standard", "service", "digital"})
"""Product classes that the standard rate covers where a place has no rate of their own."""


@dataclass(frozen=True)
class TableProvider:
    """The rates in finance's own table, no more and no less."""

    rates: Sequence[TaxRate]
    jurisdictions: Mapping[str, Jurisdiction]
    name: str = "tax table"

    def find(self, country: str, region: str, tax_class: str, day: date) -> RateAnswer:
        here = self.jurisdictions.get(f"{country}-{region}") if region else None
        nation = self.jurisdictions.get(country)
        place = f"{country}-{region}" if here else country
        if here is None and nation is not None and nation.coverage == "by_region":
            where = f"{country}-{region}" if region else f"a region of {country}"
            return RateAnswer((), country, coverage_of(nation), missing=f"rates of {where}")
        row = here or nation
        coverage = coverage_of(row) if row else "no row for the place"
        if row is not None and row.coverage == "outside":
            return RateAnswer((), place, coverage, missing=f"rules and rates of {place}")
        fits = [
            r
            for r in self.rates
            if r.country == country
            and (r.category in ("S", "Z") or (r.region and r.category in ("E", "O")))
            and r.region in ("", region if here else "")
            and r.window.covers(day)
        ]
        mine = [r for r in fits if r.tax_class == tax_class]
        if not mine and tax_class in UNDER_STANDARD:
            mine = [r for r in fits if r.tax_class == "standard"]
        if not mine:
            missing = f"a rate of {place} for the class {tax_class} on {day}"
            return RateAnswer((), place, coverage, missing=missing)
        if twins := equal_rank(mine):
            return RateAnswer((), place, coverage, conflict=twins)
        stacked = {r.sequence: r for r in sorted(mine, key=lambda r: r.region)}
        return RateAnswer(tuple(stacked[n] for n in sorted(stacked)), place, coverage)


def coverage_of(row: Jurisdiction) -> str:
    return f"{row.note or row.name}; {row.source}"


def equal_rank(rates: Iterable[TaxRate]) -> tuple[str, ...]:
    """Return the ids of two rates of equal rank that hold on one day, if there are any.

    Equal rank is the same country, region, class and sequence. A region's rate stands above its
    country's of the same sequence; different sequences are added up.
    """
    seen: dict[tuple[str, str, str, int], list[TaxRate]] = {}
    for rate in sorted(rates, key=lambda r: r.rate_id):
        key = (rate.country, rate.region, rate.tax_class, rate.sequence)
        if rate.category not in ("S", "Z"):
            key = (rate.country, rate.region, f"{rate.category} {rate.tax_class}", rate.sequence)
        for other in seen.setdefault(key, []):
            if rate.window.overlaps(other.window):
                return other.rate_id, rate.rate_id
        seen[key].append(rate)
    return ()


def effective(taxes: Sequence[Tax]) -> Decimal:
    """Return what a stack's percentages come to, in percent of the net; 5 and 9.975 is 14.975."""
    hundred = Decimal(100)
    inside = [replace(t, included=True) for t in taxes if t.kind != "fixed"]
    if len(taxes) == 1 and inside and inside[0].kind == "percent":
        return taxes[0].amount
    return with_included(inside, hundred, Decimal(1)) - hundred
