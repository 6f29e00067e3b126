"""From worked-out lines to the blocks of a document: lines, freight, tax breakdown, totals."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from servers.finance.charges import Charges, Freight
from servers.finance.facts.blocks import (
    FreightBlock,
    InternalLine,
    PresentationBlock,
    TaxBlock,
    TotalsBlock,
)
from servers.finance.facts.copies import block
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import finding, percent, plain
from servers.finance.line_in_work import Work
from servers.finance.prices.units import ONE
from servers.finance.subscriptions.proration import times
from servers.finance.tax.decisions import TaxDecision
from servers.finance.tax.lines import Taxing
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import (
    exponent,
    from_minor,
    round_money,
    round_to,
    six_decimals,
    to_minor,
)

ZERO, TEN = Decimal(0), Decimal("0.0000000001")


def minor(amount: Decimal | None, currency: str) -> int | None:
    return None if amount is None else to_minor(amount, currency)


def no_totals(freight_minor: int | None = None) -> TotalsBlock:
    """Return the totals of a quote that could not be priced: empty, never zero."""
    unknown = dict.fromkeys(("lines_minor", "net_minor", "tax_minor", "total_minor"))
    return TotalsBlock(freight_minor=freight_minor, **unknown)


def document_totals(
    counted: Sequence[Work],
    freight: Freight,
    freight_tax: TaxDecision | None,
    charges: Charges,
    taxing: Taxing,
) -> tuple[list[TaxBlock], TotalsBlock]:
    """Return the tax breakdown and totals; empty when any part has no price or no tax."""
    currency = taxing.currency
    if not counted or freight.net is None or freight_tax is None or not charges.whole:
        return [], no_totals(minor(freight.net, currency))
    extras = [(freight_tax, freight.net), *((tax, amount) for _, amount, tax in charges.rows)]
    done = taxing.document(counted, extras)
    if done is None:
        return [], no_totals(minor(freight.net, currency))
    taxed = [*(work.tax for work in counted if work.tax), *(tax for tax, _ in extras)]
    words = {(tax.category, tax.jurisdiction): tax for tax in taxed}
    blocks = [
        block(
            TaxBlock,
            group,
            rate=percent(group.rate),
            taxable_minor=to_minor(group.taxable, currency),
            tax_minor=to_minor(group.tax, currency),
            note=words[(group.category, group.jurisdiction)].note,
            reason_code=words[(group.category, group.jurisdiction)].reason_code,
        )
        for group in done.groups
    ]
    rounding, source = taxing.rounding()
    return blocks, TotalsBlock(
        lines_minor=to_minor(sum(done.nets[: len(counted)], ZERO), currency),
        freight_minor=to_minor(freight.net, currency),
        charges_minor=to_minor(charges.net, currency),
        net_minor=to_minor(done.net, currency),
        tax_minor=to_minor(done.tax, currency),
        total_minor=to_minor(done.total, currency),
        tax_rounding=rounding,
        tax_rounding_source=source,
    )


def cash_rounded(totals: TotalsBlock, steps: Mapping[str, Decimal], currency: str) -> TotalsBlock:
    """Return the totals with what is to be paid in coins, where the seller rounds to them.

    The total stays what it is, and so does its tax: the rounding is a line of its own below it.
    """
    coin = steps.get(currency)
    if coin is None or totals.total_minor is None:
        return totals
    payable = to_minor(round_to(from_minor(totals.total_minor, currency), coin), currency)
    rounding = payable - totals.total_minor
    return totals.model_copy(update={"rounding_minor": rounding, "payable_minor": payable})


def line_block(position: int, work: Work, currency: str) -> InternalLine:
    line, item, price_, decision = work.line, work.item, work.price, work.tax
    days = work.term.span if price_.default_term_months is not None else None
    return block(
        InternalLine,
        line,
        position=position,
        name=item.name if item else line.sku,
        description=item.description if item else "",
        unit_price=None if price_.amount is None else plain(price_.amount),
        term_months=price_.term_months,
        start=line.start if days is None or days.first is None else days.first,
        end=None if days is None else days.last,
        free=work.free,
        options=price_.options,
        components=price_.components,
        gross_minor=minor(work.gross, currency),
        allowances=work.allowances,
        tax_inclusive=price_.tax_inclusive,
        included_tax_minor=to_minor(work.included_tax, currency),
        net_minor=minor(work.running, currency),
        tax_category=decision.category if decision else None,
        tax_rate=percent(decision.rate) if decision else None,
        family=item.family if item else "",
        list_unit_price=None if price_.list_amount is None else plain(price_.list_amount),
        price_book=price_.book,
        contract_id=price_.contract.contract_id if price_.contract else None,
        base_quantity=None if price_.ratio == ONE else percent(work.pieces),
        contract_quantity=None if price_.covered is None else percent(price_.covered),
        list_minor=minor(_at_list(work, currency), currency),
    )


def _at_list(work: Work, currency: str) -> Decimal | None:
    listed = work.price.list_amount
    if listed is None:
        return None
    unit = six_decimals(times(listed, Fraction(*work.price.term_factor)))
    return round_money(unit * work.line.quantity, currency)


def freight_block(freight: Freight, tax: TaxDecision | None, currency: str) -> FreightBlock:
    return block(
        FreightBlock,
        freight,
        gross_minor=minor(freight.gross, currency),
        net_minor=minor(freight.net, currency),
        tax_category=tax.category if tax else None,
        tax_rate=percent(tax.rate) if tax else None,
    )


def present(
    facts: PricingFacts, totals: TotalsBlock, currency: str, wanted: str | None, day: date
) -> tuple[PresentationBlock | None, Finding | None]:
    """Return the total in another currency, to read only, or why a rate is missing or too old.

    The quote has one currency; nothing here changes a price.
    """
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
        source="; ".join(dict.fromkeys((own.source, other.source))),
        total_minor=to_minor(round_money(total * rate, wanted), wanted),
    ), None


def _is_money(code: str) -> bool:
    try:
        exponent(code)
    except InvalidInputError:
        return False
    return True


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
