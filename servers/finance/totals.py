"""From worked-out lines to the blocks of a document: lines, freight, tax breakdown, totals."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from servers.finance.charges import Charges
from servers.finance.facts.blocks import FreightBlock, InternalLine, TaxBlock, TotalsBlock
from servers.finance.findings import percent, plain
from servers.finance.freight import Freight
from servers.finance.line_in_work import Work
from servers.finance.prices.units import ONE
from servers.finance.subscriptions.proration import times
from servers.finance.tax.decisions import TaxDecision
from servers.finance.tax.document import document_sums
from servers.finance.tax.lines import Taxing
from servers.toolkit.money import from_minor, round_money, round_to, six_decimals, to_minor

ZERO = Decimal(0)


def minor(amount: Decimal | None, currency: str) -> int | None:
    return None if amount is None else to_minor(amount, currency)


def no_totals(freight_minor: int | None = None) -> TotalsBlock:
    """Return the totals of a quote that could not be priced: empty, never zero."""
    return TotalsBlock(
        lines_minor=None,
        freight_minor=freight_minor,
        net_minor=None,
        tax_minor=None,
        total_minor=None,
    )


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
    sums = document_sums(done.nets[: len(counted)], done.groups, charges=done.nets[len(counted) :])
    blocks = [
        TaxBlock(
            category=group.category,
            rate=percent(group.rate),
            taxable_minor=to_minor(group.taxable, currency),
            tax_minor=to_minor(group.tax, currency),
            note=words[(group.category, group.jurisdiction)].note,
            jurisdiction=group.jurisdiction,
            reason_code=words[(group.category, group.jurisdiction)].reason_code,
            name=group.name,
        )
        for group in done.groups
    ]
    rounding, source = taxing.rounding()
    return blocks, TotalsBlock(
        lines_minor=to_minor(sums.lines, currency),
        freight_minor=to_minor(freight.net, currency),
        charges_minor=to_minor(charges.net, currency),
        net_minor=to_minor(sums.net, currency),
        tax_minor=to_minor(sums.tax, currency),
        total_minor=to_minor(sums.total, currency),
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
    return InternalLine(
        position=position,
        line_id=line.line_id,
        sku=line.sku,
        name=item.name if item else line.sku,
        description=item.description if item else "",
        quantity=line.quantity,
        unit=line.unit,
        unit_price=None if price_.amount is None else plain(price_.amount),
        term_months=price_.term_months,
        start=line.start if days is None or days.first is None else days.first,
        end=None if days is None else days.last,
        segment_of=line.segment_of,
        change=line.change,
        subscription_id=line.subscription_id,
        optional=line.optional,
        alternative_of=line.alternative_of,
        free=work.free,
        part_of=line.part_of,
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
    return FreightBlock(
        method=freight.method,
        label=freight.label,
        weight_g=freight.weight_g,
        gross_minor=minor(freight.gross, currency),
        allowances=freight.allowances,
        net_minor=minor(freight.net, currency),
        tax_category=tax.category if tax else None,
        tax_rate=percent(tax.rate) if tax else None,
    )
