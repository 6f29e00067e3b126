"""From the lines asked for to lines with an amount: unit price, quantity, volume tier.

Lines are worked on in the order of their ids, firm ones first, so that it never matters in which
order they were given; they are given back as they were asked.
"""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.prices.bundles import is_firm
from servers.finance.prices.contracts import commitments
from servers.finance.prices.tiers import apply_tiers
from servers.finance.prices.unit import Lookup, unit_price
from servers.finance.prices.units import UnitPrice
from servers.finance.schemas import LineIn, PriceRequest
from servers.finance.subscriptions.proration import times
from servers.finance.subscriptions.terms import Term, agreed_prices, put_term, terms_of
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import round_money, six_decimals


def priced_lines(
    facts: PricingFacts,
    request: PriceRequest,
    ship_to: str,
    currency: str,
    begin_tax: Callable[[Work], None],
) -> tuple[list[Work], list[Finding]]:
    """Return the lines with their amounts after volume tiers, and what is said of contracts.

    `begin_tax` decides the tax of a line, which may change a unit price that includes it.
    """
    lookup = Lookup.of(facts, ship_to, currency, request.order_date)
    terms = terms_of(request.lines, facts.subscriptions, request.order_date)
    works: dict[str, Work] = {}
    for line in sorted(request.lines, key=_canonical):
        work = works[line.line_id] = _start(line, terms[line.line_id], request, lookup)
        begin_tax(work)
        if work.price.amount is not None:
            _amount(work, currency)
    apply_tiers(list(works.values()), facts, request.order_date, currency)
    said = commitments(facts.contracts, lookup.taken)
    return [works[line.line_id] for line in request.lines], said


def _canonical(line: LineIn) -> tuple[bool, int, str]:
    """Sort firm lines first, then by id: l2 comes before l10."""
    return (not is_firm(line), len(line.line_id), line.line_id)


def _start(line: LineIn, term: Term, request: PriceRequest, lookup: Lookup) -> Work:
    item = lookup.facts.items.get(line.sku)
    if item is None:
        unknown = UnitPrice(line_id=line.line_id)
        fix = "choose another product, or add the item to finance"
        unknown.say("UNKNOWN_ITEM", Severity.ERROR, f"finance has no item {line.sku}", "ITEMS", fix)
        return Work(line, None, unknown, term)
    if term.impossible:
        return Work(line, item, UnitPrice(), term)
    agreed = agreed_prices(term, line, lookup.contracts_for(item), request.order_date)
    price = unit_price(line, item, request.lines, agreed, lookup)
    put_term(price, line, term)
    return Work(line, item, price, term)


def _amount(work: Work, currency: str) -> None:
    """Multiply; where a contract covers a part only, take the difference off the cheaper part."""
    price, line = work.price, work.line
    agreed, rest = price.amount, price.rest
    assert agreed is not None  # noqa: S101 - called only with a price
    if rest is not None:
        rest = six_decimals(times(rest, Fraction(*price.term_factor)))
        price.amount = max(agreed, rest)
    unit = price.amount or agreed
    work.gross = work.running = round_money(unit * line.quantity, currency)
    note = f"{line.quantity} x {plain(unit)}"
    work.trace.append(step(line.line_id, "gross", "QUANTITY", after=work.gross, note=note))
    if rest is not None and rest != agreed:
        _split(work, agreed, rest, currency)


def _split(work: Work, agreed: Decimal, rest: Decimal, currency: str) -> None:
    price, contract = work.price, work.price.contract
    assert contract is not None and work.gross is not None  # noqa: S101, PT018 - a contract split it
    upper, lower = price.ratio
    covered = (price.covered or Decimal(0)) * lower / upper
    open_ = Decimal(work.line.quantity) - covered
    many, cheaper = (covered, "contract") if agreed < rest else (open_, "list")
    work.take_off(
        min(work.gross, round_money(abs(rest - agreed) * many, currency)),
        "contract",
        contract.contract_id,
        currency,
        label=f"{cheaper.capitalize()} price for {percent(many)} of {work.line.quantity}",
        source=contract.document,
        note=f"{percent(covered)} x {plain(agreed)} + {percent(open_)} x {plain(rest)}",
    )
