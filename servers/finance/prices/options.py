"""Step 3, configuration extras: what an option adds to the unit price, before term and tiers."""

from collections.abc import Iterable

from servers.finance.facts.blocks import OptionBlock
from servers.finance.facts.items import Item
from servers.finance.facts.prices import Option
from servers.finance.findings import finding, plain, step
from servers.finance.prices.unit_price import UnitPrice
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import six_decimals

RULE = "OPTIONS"


def add_options(
    price: UnitPrice,
    codes: Iterable[str],
    item: Item,
    options: Iterable[Option],
    currency: str,
    line_id: str,
) -> None:
    """Add the extras of a line's options; an option that is not known leaves no price."""
    known = {o.code: o for o in _of_item(options, item) if o.currency == currency}
    elsewhere = {o.code: o for o in _of_item(options, item) if o.currency != currency}
    asked = sorted(codes)
    for code in sorted(set(asked)):
        option = known.get(code)
        if option is None or asked.count(code) > 1:
            other = elsewhere.get(code)
            price.findings.append(_refused(code, item, line_id, known, option, other, currency))
            price.amount = None
        elif price.amount is not None:
            _add(price, option, line_id)


def _of_item(options: Iterable[Option], item: Item) -> list[Option]:
    """Return the options of an item, those of its family before its own, so that its own win."""
    family = [o for o in options if o.scope == "family" and o.selector == item.family]
    return family + [o for o in options if o.scope == "sku" and o.selector == item.sku]


def _add(price: UnitPrice, option: Option, line_id: str) -> None:
    before = price.amount
    assert before is not None  # noqa: S101 - called only with a price
    upper, lower = price.ratio
    extra = six_decimals(option.amount * upper / lower)
    price.amount = six_decimals(before + extra)
    if price.rest is not None:
        price.rest = six_decimals(price.rest + extra)
    if price.extra_cost is not None:
        cost = option.cost
        price.extra_cost = None if cost is None else price.extra_cost + cost * upper / lower
    price.options.append(OptionBlock(code=option.code, label=option.label, unit_extra=plain(extra)))
    price.trace.append(
        step(
            line_id,
            "option",
            f"OPTION-{option.code}",
            source=f"{option.selector}/{option.code}/{option.currency}",
            before=before,
            after=price.amount,
            note=f"{option.label}: {plain(extra)} more per unit",
        )
    )


def _refused(
    code: str,
    item: Item,
    line_id: str,
    known: Iterable[str],
    option: Option | None,
    other: Option | None,
    currency: str,
) -> Finding:
    if option is not None:
        name, message = "OPTION_TWICE", f"option {code} is named twice on one line"
        fix = "name each option once; a second one needs a code of its own"
    elif other is not None:
        name, message = "OPTION_CURRENCY", f"option {code} of {item.sku} has no price in {currency}"
        fix = "quote in another currency, or add the option's price"
    else:
        name, message = "OPTION_UNKNOWN", f"{item.sku} has no option {code}"
        fix = "use one of the options of the item, or leave it out"
    return finding(
        name,
        Severity.ERROR,
        message,
        subject=line_id,
        rule_id=RULE,
        evidence=[f"options: {', '.join(sorted(known)) or 'none'}"],
        fix=fix,
    )
