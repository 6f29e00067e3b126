"""Why a number is what it is: every step of a quote's trace, as data and in words.

A price's own steps are made where its rules are. Here are those of the figures under the lines, so
that every number on a quote has one, and the version of each row that decided: the day from which
it holds and a digest of it, so that an old quote tells which state of a row it was priced by.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from servers.finance import digests
from servers.finance.documents import Pricing, QuoteDocument
from servers.finance.facts.blocks import ToldStep, TraceStep
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.windows import Window
from servers.finance.findings import step
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import from_minor
from servers.toolkit.shipped import shipped

COUNTERS = ("used", "spent")
"""Fields that accepted quotes move; they are no part of a row's version."""
QUIET = ("items", "exchange", "customer", "policy")
"""Facts that are no rows of rules, cost among them."""
TITLES: dict[str, str] = shipped(__package__, "explain")["titles"]


def complete(facts: PricingFacts, pricing: Pricing) -> list[TraceStep]:
    trace = [*pricing.trace, *_figures(pricing)]
    named = {name for one in trace for name in (one.source, one.rule_id)}
    versions = _versions(facts, named)
    found = [versions.get(one.source) or versions.get(one.rule_id) or "" for one in trace]
    return [
        one if one.version else one.model_copy(update={"version": version})
        for one, version in zip(trace, found, strict=True)
    ]


def _figures(pricing: Pricing) -> Iterator[TraceStep]:
    totals, currency = pricing.totals, pricing.currency
    if totals.total_minor is None:
        return

    def figure(rule_id: str, minor: int | None, note: str, in_: str = "", **more: Any) -> TraceStep:
        after = None if minor is None else from_minor(minor, in_ or currency)
        return step("", "totals", rule_id, after=after, note=note, **more)

    yield figure("SUM-LINES", totals.lines_minor, "the net amounts of the lines that count")
    yield figure("SUM-FREIGHT", totals.freight_minor, "freight after what is taken off it")
    if pricing.charges:
        fees = ", ".join(one.label for one in pricing.charges)
        yield figure("SUM-CHARGES", totals.charges_minor, "fees: " + fees)
    yield figure("SUM-NET", totals.net_minor, "lines + freight + fees")
    for tax in pricing.taxes:
        where = f" in {tax.jurisdiction}" if tax.jurisdiction else ""
        on = f"{tax.category} {tax.rate}%{where} on {from_minor(tax.taxable_minor, currency)}"
        note = f"{on}, rounded once" + (f"; {tax.note}" if tax.note else "")
        yield figure(f"TAX-GROUP-{tax.category}", tax.tax_minor, note)
    yield figure("SUM-TAX", totals.tax_minor, "the tax of every group")
    yield figure("TOTALS", totals.total_minor, "lines + freight + fees = net; net + tax = total")
    total = from_minor(totals.total_minor, currency)
    if totals.payable_minor is not None:
        note = f"cash rounding of {from_minor(totals.rounding_minor, currency)}, outside tax"
        yield figure("CASH-ROUNDING", totals.payable_minor, note, before=total)
    if (shown := pricing.presentation) is not None:
        note = f"x {shown.rate} of {shown.rate_date}, in {shown.currency}, to read only"
        more = {"source": shown.source, "before": total}
        yield figure("PRESENTATION", shown.total_minor, note, shown.currency, **more)
    if (runs := pricing.recurring) is not None:
        for name, minor in (
            ("a month", runs.monthly_minor),
            ("a year", runs.annual_minor),
            ("over all terms", runs.contract_minor),
            ("once", runs.one_time_minor),
        ):
            yield figure("RECURRING", minor, f"net {name}; in no total")


def _versions(facts: PricingFacts, named: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in fields(facts):
        rows = getattr(facts, one.name)
        if one.name in QUIET or not isinstance(rows, tuple):
            continue
        for row in rows:
            if not is_dataclass(row) or isinstance(row, type):
                continue
            name = getattr(row, fields(row)[0].name)
            if name in named:
                found[name] = version_of(row)
    return found


def version_of(row: Any) -> str:
    """Return the version of a row: from when it holds, and a digest of what it says."""
    window = getattr(row, "window", None)
    first = window.first if isinstance(window, Window) else None
    mark = digests.digest(_plain(row))[:8]
    return f"{first} {mark}" if first else mark


def _plain(value: Any) -> Any:
    """Return a fact as plain data that is written the same everywhere."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name: _plain(getattr(value, one.name))
            for one in fields(value)
            if one.name not in COUNTERS
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(str(inner) for inner in value)
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


def explain(priced: Pricing | QuoteDocument, line_id: str | None) -> list[TraceStep]:
    """Return the trace of one line and the gifts beside it, or of the whole quote."""
    if line_id is None:
        return priced.trace
    if line_id not in {line.line_id for line in priced.lines}:
        raise InvalidInputError(f"no line {line_id}", fix="use a line_id of the lines")
    return [one for one in priced.trace if f"{one.line_id}.".startswith(f"{line_id}.")]


def told(trace: Iterable[TraceStep]) -> list[ToldStep]:
    return [ToldStep(**one.model_dump(), said=said(one)) for one in trace]


def said(one: TraceStep) -> str:
    title = TITLES.get(one.step, one.step.replace("_", " ").capitalize())
    if one.before is not None and one.after is not None and one.before != one.after:
        amount = f"{one.before} becomes {one.after}"
    elif one.after is not None:
        amount = one.after if one.before is None else f"stays {one.after}"
    else:
        amount = ""
    head = ": ".join(part for part in (title, amount) if part)
    row = one.source if one.source and one.source != one.rule_id else ""
    by = f"rule {one.rule_id}" + (f", row {row}" if row else "")
    by += f", version {one.version}" if one.version else ""
    parts = [head + (f" ({one.note})" if one.note else ""), by[:1].upper() + by[1:]]
    if one.lost:
        parts.append("Not used: " + "; ".join(one.lost))
    return ". ".join(part.rstrip(".") for part in parts) + "."
