"""From the lines asked for to lines with an amount: unit price, quantity, volume tier.

A unit price is that of the book or bundle, then of a contract, and options add to it (steps 1 to
3). Lines are worked on in the order of their ids, firm ones first, so that it never matters in
which order they were given; they are given back as they were asked.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from servers.finance.facts.blocks import OptionBlock
from servers.finance.facts.prices import Contract, Entry, Item, Option
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import finding, percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.prices.books import Ask, Choice, Keys, choose, keys_of, unit_mismatch
from servers.finance.prices.bundles import Parts, find_part, is_firm, part_price, summed_price
from servers.finance.prices.contracts import Buying, apply_contract, commitments
from servers.finance.prices.tiers import apply_tiers
from servers.finance.prices.units import UnitPrice, Units, in_base
from servers.finance.schemas import LineIn, PriceRequest
from servers.finance.subscriptions.proration import times
from servers.finance.subscriptions.terms import Term, agreed_prices, put_term, terms_of
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import exponent, round_money, six_decimals


@dataclass
class Lookup:
    """What one pricing looks up, sorted once so that no line looks through all of it.

    `taken` counts what its lines have taken of contracts.
    """

    facts: PricingFacts
    currency: str
    day: date
    keys: Keys
    units: Units
    parts: Parts
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    contracts: dict[tuple[str, str], list[Contract]] = field(default_factory=dict)
    options: dict[tuple[str, str], list[Option]] = field(default_factory=dict)
    taken: dict[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: PricingFacts, ship_to: str, currency: str, day: date) -> "Lookup":
        keys = keys_of(facts.customer, ship_to, facts.zones)
        lookup = cls(facts, currency, day, keys, Units(facts.units), Parts(facts.components))
        for entry in facts.entries:
            lookup.entries.setdefault(entry.sku, []).append(entry)
        for one in facts.contracts:
            lookup.contracts.setdefault((one.scope, one.selector), []).append(one)
        for option in facts.options:
            lookup.options.setdefault((option.scope, option.selector), []).append(option)
        return lookup

    def contracts_for(self, item: Item) -> list[Contract]:
        known = self.contracts
        return known.get(("sku", item.sku), []) + known.get(("family", item.family), [])

    def list_price(self, sku: str, unit: str, quantity: Decimal, subject: str) -> Choice:
        ratio = self.units.ratio(sku, unit)
        pieces = quantity if ratio is None else in_base(quantity, ratio)
        if self.parts.summed(sku):
            return summed_price(sku, pieces, subject, self.parts, self._part)
        ask = Ask(sku, unit, pieces, self.currency, self.day, self.keys, subject)
        return choose(ask, self.entries.get(sku, ()), self.units)

    def _part(self, sku: str, pieces: Decimal, subject: str) -> Choice:
        return self.list_price(sku, self.units.base_unit(sku), pieces, subject)


def unit_price(
    line: LineIn, item: Item, lines: Sequence[LineIn], contracts: Iterable[Contract], lookup: Lookup
) -> UnitPrice:
    """Return the unit price of a line for the standard term: list, else contract, and options.

    The day is the order's, never the clock's. Nothing is guessed: two entries of equal rank, or
    none, give a finding and no price.
    """
    price = UnitPrice(line_id=line.line_id)
    ratio, quantity = lookup.units.ratio(line.sku, line.unit), line.quantity
    if ratio is None:
        price.findings.append(unit_mismatch(line.sku, line.unit, line.line_id))
        return price
    price.ratio = ratio
    choice = lookup.list_price(line.sku, line.unit, quantity, line.line_id)
    if choice.entry is None or choice.amount is None:
        price.findings += choice.findings
        return price
    _listed(price, line, choice, choice.entry, lookup)
    if line.part_of is not None:
        found = find_part(line, lines, lookup.parts)
        if isinstance(found, Finding):
            price.findings.append(found)
            price.amount = None
        else:
            part_price(price, *found)
    else:
        pieces, facts = in_base(quantity, ratio), lookup.facts
        about = (line.sku, item.family, pieces, is_firm(line), lookup.currency, lookup.day)
        apply_contract(price, Buying(facts.customer, *about, lookup.taken), contracts)
    family = lookup.options.get(("family", item.family), [])
    own = lookup.options.get(("sku", item.sku), [])
    add_options(price, line.options, item, [*family, *own], lookup.currency)
    return price


def _listed(price: UnitPrice, line: LineIn, choice: Choice, entry: Entry, lookup: Lookup) -> None:
    price.amount = price.list_amount = choice.amount
    price.book, price.entry_id, price.currency = entry.book or None, entry.entry_id, lookup.currency
    price.default_term_months, price.proration = entry.default_term_months, entry.proration
    price.book_country, price.tax_inclusive = entry.country, entry.tax_inclusive
    price.components = lookup.parts.blocks(line.sku, lookup.facts.items)
    where = f"book {entry.book}, " if entry.book else ""
    note = f"{where}{lookup.currency}, order date {lookup.day}"
    if entry.unit and entry.unit != line.unit:
        note += f", {price.ratio[0]}/{price.ratio[1]} times the price per {entry.unit}"
    if entry.note:
        note += f"; {entry.note}"
    price.note("list", "LIST-PRICE", None, note, source=entry.entry_id, lost=choice.lost)


def add_options(
    price: UnitPrice, codes: Iterable[str], item: Item, options: Iterable[Option], currency: str
) -> None:
    """Add the extras of a line's options; an option that is not known leaves no price.

    Of `options` with the same code the later one counts: an item's own after its family's.
    """
    known = {one.code: one for one in options if one.currency == currency}
    elsewhere = {one.code for one in options if one.currency != currency}
    asked = sorted(codes)
    for code in sorted(set(asked)):
        if code in known and asked.count(code) == 1:
            if price.amount is not None:
                _add(price, price.amount, known[code])
            continue
        if code in known:
            name, said = "OPTION_TWICE", f"option {code} is named twice on one line"
            fix = "name each option once; a second one needs a code of its own"
        elif code in elsewhere:
            name, said = (
                "OPTION_CURRENCY",
                f"option {code} of {item.sku} has no price in {currency}",
            )
            fix = "quote in another currency, or add the option's price"
        else:
            name, said = "OPTION_UNKNOWN", f"{item.sku} has no option {code}"
            fix = "use one of the options of the item, or leave it out"
        all_ = f"options: {', '.join(sorted(known)) or 'none'}"
        price.say(name, Severity.ERROR, said, "OPTIONS", fix, all_)
        price.amount = None


def _add(price: UnitPrice, before: Decimal, option: Option) -> None:
    """Add an option to a unit price before the term and volume tiers (step 3)."""
    upper, lower = price.ratio
    extra = six_decimals(option.amount * upper / lower)
    price.amount = six_decimals(before + extra)
    if price.rest is not None:
        price.rest = six_decimals(price.rest + extra)
    if price.extra_cost is not None:
        cost = option.cost
        price.extra_cost = None if cost is None else price.extra_cost + cost * upper / lower
    price.options.append(OptionBlock(code=option.code, label=option.label, unit_extra=plain(extra)))
    note = f"{option.label}: {plain(extra)} more per unit"
    source = f"{option.selector}/{option.code}/{option.currency}"
    price.note("option", f"OPTION-{option.code}", before, note, source=source)


def unknown_currency(currency: str, books: AbstractSet[str]) -> Finding | None:
    try:
        exponent(currency)
        known = currency in books
    except InvalidInputError:
        known = False
    if known:
        return None
    said, all_ = f"there is no price book in {currency}", f"books: {', '.join(sorted(books))}"
    fix = "quote in a currency that has a price book"
    return finding(
        "UNKNOWN_CURRENCY", Severity.ERROR, said, rule_id="LIST-PRICE", evidence=[all_], fix=fix
    )


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
    open_ = work.line.quantity - covered
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
