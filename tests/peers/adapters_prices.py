"""Adapters for cases about prices: (inputs, expected) -> what our own functions answer.

How the words of the systems are put into ours:

- Medusa's prices and price lists are entries of books, their rules further keys; its quantities
  include both ends, ours exclude the upper one (the importer's own conversion). Its "original" is
  the price without the lists that are a sale.
- A percentage of an Odoo pricelist that shows as a discount is a tier; one that makes the price is
  a derived book. A unit with a factor is a unit of the item.
- Salesforce's discount schedules are ours; what is aggregated elsewhere is the account's history.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from servers.finance import adjustments
from servers.finance.charges import Freight
from servers.finance.facts.prices import (
    Band,
    Book,
    Entry,
    Formula,
    History,
    Item,
    ItemUnit,
    Option,
    Schedule,
)
from servers.finance.facts.windows import Window
from servers.finance.line_in_work import Work
from servers.finance.load.base import exclusive
from servers.finance.prices.books import Ask, Choice, choose
from servers.finance.prices.formula import all_entries
from servers.finance.prices.lines import add_options
from servers.finance.prices.tiers import Lot, measure, pick, reduce_lot
from servers.finance.prices.units import UnitPrice, Units
from servers.finance.schemas import Adjustment, LineIn, PriceRequest
from servers.finance.subscriptions.terms import Term

SKU, CURRENCY, DAY, ONE = "ITEM", "EUR", date(2026, 1, 15), Decimal(1)
NOBODY = {"account": frozenset[str]()}


def entry(amount: Any, **more: Any) -> Entry:
    """Return an entry of the list, per base unit."""
    plain = {
        "entry_id": "LIST",
        "book": "LIST",
        "currency": CURRENCY,
        "channel": "",
        "country": "",
        "window": Window(),
        "sku": SKU,
        "unit": "",
        "default_term_months": None,
        "amount": Decimal(str(amount)),
    }
    return Entry(**{**plain, **more})


def ask(quantity: Any = 1, unit: str = "each", day: date = DAY) -> Ask:
    return Ask(SKU, unit, Decimal(str(quantity)), CURRENCY, day, NOBODY)


def units_of(inputs: dict[str, Any]) -> Units:
    """Return the base unit, and the unit of the case with its factor."""
    factor = int(inputs.get("uom_factor", 1))
    return Units([ItemUnit(SKU, "each", 1), ItemUnit(SKU, "box", factor)])


def listed(amount: Any, formulas: Iterable[Formula], window: Window | None = None) -> list[Entry]:
    """Return the entry of the last of a chain of books, each derived from the one before."""
    books, name = {"LIST": Book("LIST", CURRENCY)}, "LIST"
    for place, formula in enumerate(formulas):
        following = f"BOOK-{place}"
        books[following] = Book(
            following, CURRENCY, window=window or Window(), derived_from=name, formula=formula
        )
        name = following
    made = all_entries(books, [entry(amount)], {})
    return [one for one in made if one.book == name]


def price_of(entries: Iterable[Entry], asked: Ask) -> Choice:
    return choose(asked, entries, Units([]))


def schedule(rule: dict[str, Any], window: Window | None = None) -> Schedule:
    """Return a percentage from a quantity on."""
    lower = Decimal(rule.get("min_quantity", 0))
    band = Band("RULE", lower, None, Decimal(rule["percent"]))
    return Schedule("RULE", "sku", SKU, window or Window(), (band,))


def discount(lot: Lot, schedules: list[Schedule], day: date = DAY) -> tuple[Decimal, Decimal]:
    """Return what a lot costs after the schedule that holds, and the discount in percent."""
    net = lot.net
    for found in pick(schedules, SKU, "", CURRENCY, day):
        net -= reduce_lot(found, lot, measure(found, [lot])).amount
    return net, (lot.net - net) * 100 / lot.net


def lot_of(unit_price: Decimal, quantity: Any, factor: Any = 1) -> Lot:
    amount = Decimal(str(quantity))
    ratio = (int(factor), 1)
    return Lot("l1", SKU, "", amount, ratio, unit_price, unit_price * amount)


def price_selection(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Choose among prices and price lists by currency, quantity and rules."""
    context = dict(inputs["context"])
    currency, quantity = context.pop("currency"), Decimal(str(context.pop("quantity", 1)))
    keys = {**NOBODY, **{key: frozenset({value}) for key, value in context.items()}}
    asked = Ask(inputs["price_set"], "each", quantity, currency, DAY, keys)
    base = [_medusa_price(row) for row in inputs["prices"]]
    sales, overrides = [], []
    for place, row in enumerate(inputs["price_lists"]):
        of_type = sales if row["type"] == "sale" else overrides
        of_type += _medusa_list(row, f"LIST-{place}", asked.sku)
    calculated = choose(asked, base + overrides + sales, Units([])).amount
    original = choose(asked, base + overrides, Units([])).amount
    absent = {key: None if value is None else "NULL" for key, value in expected.items()}
    return {
        "calculated": absent["calculated"] if calculated is None else calculated,
        "original": absent["original"] if original is None else original,
    }


def _medusa_price(row: dict[str, Any]) -> Entry:
    lower, last = row["qty"]
    upper = exclusive("max_qty")({"max_qty_inclusive": last})["max_qty"]
    return entry(
        row["amount"],
        entry_id=row["id"],
        sku=row["set"],
        currency=row["currency"],
        unit="each",
        rules={key: (value,) for key, value in row["rules"].items()},
        min_qty=Decimal(lower),
        max_qty=Decimal(upper),
    )


def _medusa_list(row: dict[str, Any], name: str, sku: str) -> list[Entry]:
    rules = {key: tuple(values) for key, values in row["rules"].items()}
    return [
        entry(
            amount,
            entry_id=f"{name}/{code}",
            book=name,
            sku=sku,
            currency=code,
            unit="each",
            rules=rules,
        )
        for code, amount in row["amounts"].items()
    ]


def pricelist_chain(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    chain = [Formula(percent=Decimal(one)) for one in inputs["chain"]]
    found = price_of(listed(inputs["list_price"], chain), ask()).amount
    assert found is not None
    full = Decimal(inputs["list_price"])
    return {"subtotal": found, "discount_percent": (full - found) * 100 / full}


def pricelist_date(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """The order's date decides; the clock of the case is nowhere an input here."""
    rule, day = inputs["rule"], _day(inputs["order_date"])
    window = Window(_day(rule["date_start"]), _day(rule["date_end"]))
    if "discount" in rule:
        entries = listed(inputs["list_price"], [Formula(percent=Decimal(rule["discount"]))], window)
        return {"unit_price": price_of(entries, ask(day=day)).amount}
    lot = lot_of(Decimal(inputs["list_price"]), 1)
    return {"discount_percent": discount(lot, [schedule(rule, window)], day)[1]}


def _day(said: str) -> date:
    """Return the day of 'D+1', 'D 00:00 +23h' or a date with a time."""
    if not said.startswith("D"):
        return date.fromisoformat(said[:10])
    if hours := re.fullmatch(r"D 00:00 ([+-]\d+)h", said):
        return DAY + timedelta(days=int(hours[1]) // 24)
    return DAY + timedelta(days=int(said[1:] or 0))


def pricelist_formula(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    rule = inputs["rule"]
    formula = Formula(
        percent=Decimal(rule.get("discount", 0)),
        surcharge=Decimal(rule.get("surcharge", 0)),
        min_qty=Decimal(rule.get("min_quantity", 0)),
    )
    entries = listed(inputs["list_price"], [formula])
    return {"unit_price": price_of(entries, ask(inputs["quantity"])).amount}


def pricelist_min_qty(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """A minimum in base units, for a quantity in another unit."""
    unit = "box" if inputs["uom"] == "dozen" else "each"
    asked = ask(inputs["quantity"], unit)
    unit_price = choose(asked, [entry(inputs["list_price"])], units_of(inputs)).amount
    assert unit_price is not None
    lot = lot_of(unit_price, inputs["quantity"], inputs["uom_factor"])
    return {
        "unit_price": unit_price,
        "discount_percent": discount(lot, [schedule(inputs["rule"])])[1],
    }


def surcharge(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    formula = Formula(percent=Decimal(inputs["rule"]["percent"]))
    found = price_of(listed(inputs["list_price"], [formula]), ask()).amount
    assert found is not None
    return {"unit_price": found, "discount_percent": discount(lot_of(found, 1), [])[1]}


def supplier_tier(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    entries = [
        entry(tier["price"], entry_id=f"FROM-{tier['min_qty']}", min_qty=Decimal(tier["min_qty"]))
        for tier in inputs["tiers"]
    ]
    return {"unit_price": price_of(entries, ask(inputs["quantity"])).amount}


def uom_price(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    asked = ask(inputs["quantity"], "box")
    found = choose(asked, [entry(inputs["list_price"])], units_of(inputs)).amount
    assert found is not None
    return {"unit_price": found, "total": found * Decimal(inputs["quantity"])}


def currency_price(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """A book in another currency than its base states its rate."""
    books = {
        "LIST": Book("LIST", "USD"),
        "ABROAD": Book(
            "ABROAD",
            CURRENCY,
            derived_from="LIST",
            formula=Formula(rate=Decimal(inputs["rate"])),
        ),
    }
    made = all_entries(books, [entry(inputs["list_price"], currency="USD")], {})
    found = choose(ask(inputs["quantity"], "box"), made, units_of(inputs)).amount
    assert found is not None
    lot = lot_of(found, inputs["quantity"], inputs["uom_factor"])
    total, percent = discount(lot, [schedule(inputs["rule"])])
    return {"total": total, "discount_percent": percent}


def attribute_extra_price(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    price = UnitPrice(amount=Decimal(inputs["list_price"]))
    item = Item(SKU, SKU, "", "", "goods", 0, None, CURRENCY, "standard")
    extra = Decimal(inputs["attribute_value_extra"])
    option = Option("sku", SKU, "OPT", "Option", CURRENCY, extra)
    add_options(price, ["OPT"], item, [option], CURRENCY)
    return {"unit_price": price.amount}


def bands(inputs: dict[str, Any]) -> tuple[Band, ...]:
    return tuple(
        Band(str(t["lower"]), Decimal(t["lower"]), Decimal(t["upper"]), Decimal(t["discount"]))
        for t in inputs["tiers"]
    )


def tier_aggregation(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    plan = Schedule(
        *("PLAN", "sku", SKU, Window(), bands(inputs)),
        type=inputs["type"],
        aggregation="account_history",
    )
    lot = lot_of(Decimal(100), inputs["quantity"])
    had = [History(SKU, "", Decimal(inputs["aggregated_other"]))]
    off = reduce_lot(plan, lot, measure(plan, [lot], had)).amount
    return {"discount_percent": off * 100 / lot.net}


def tier_slab(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    plan = Schedule(*("PLAN", "sku", SKU, Window(), bands(inputs)), type=inputs["type"])
    lot = lot_of(Decimal(inputs["list_price"]), inputs["quantity"])
    return {"total": lot.net - reduce_lot(plan, lot, measure(plan, [lot])).amount}


def waterfall(inputs: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """A list price, an amount taken off by hand, then the partner's percentage on what is left."""
    amount = Decimal(inputs["list"])
    line = LineIn(line_id="l1", sku=SKU, quantity=1)
    item = Item(SKU, SKU, "", "", "goods", 0, None, CURRENCY, "standard")
    work = Work(line, item, UnitPrice(amount=amount), Term("l1"), gross=amount, running=amount)
    by_hand = [
        Adjustment(line_id="l1", kind=kind, value=inputs[name], reason_code="strategic_account")
        for kind, name in (("amount", "manual_amount"), ("percent", "partner_percent"))
    ]
    request = PriceRequest(
        account_id="acc_1",
        lines=(line,),
        ship_to_address_id="adr_1",
        ship_method="PICKUP",
        order_date=DAY,
        adjustments=tuple(by_hand),
    )
    adjustments.take([work], Freight("PICKUP", "Pickup", 0), request, {}, CURRENCY)
    return {"net": work.running}


ADAPTERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "price_selection": price_selection,
    "pricelist_chain": pricelist_chain,
    "pricelist_date": pricelist_date,
    "pricelist_formula": pricelist_formula,
    "pricelist_min_qty": pricelist_min_qty,
    "surcharge": surcharge,
    "supplier_tier": supplier_tier,
    "uom_price": uom_price,
    "currency_price": currency_price,
    "attribute_extra_price": attribute_extra_price,
    "tier_aggregation": tier_aggregation,
    "tier_slab": tier_slab,
    "waterfall": waterfall,
}
