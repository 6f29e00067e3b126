"""Adapters for cases about promotions: (inputs, expected) -> what our own functions answer.

How the systems differ, and what is made of it here:

- Medusa applies codes one after the other on what is left, so each code is a stacking group of its
  own, with falling priority. Its "fixed each" is an amount per line, at most the worth of
  `max_quantity` units; its customer group is our segment; its product and category are a SKU and a
  family; a shipping method is a part that is no line. A budget is the campaign's there and the
  promotion's here. An adjustment that is already in the cart is taken out there and written anew;
  here nothing is kept between two pricings, so all of them are out.
- ERPNext picks one rule by priority, an item before a group: one group that picks by priority. Of
  rules marked as stackable each is a group of its own, and the lowest number counts first. Its
  percentages add up (base "list") or count on the discounted rate (base "running"). A fixed rate
  is a price of a book there as here, and 0 means none; a margin is a surcharge of a book.
- Saleor's promotions of a catalogue never stack: one group, the best for the customer. Its voucher
  is a promotion on the order, its manual discount one on the document, in the order of the case.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from servers.finance import adjustments
from servers.finance.facts.customers import Customer
from servers.finance.facts.prices import Entry, Formula, Item, ItemUnit
from servers.finance.facts.promotions import BuyGet, Conditions, Gift, Limits, Promotion, Selector
from servers.finance.facts.windows import Window
from servers.finance.prices.books import Ask, choose, keys_of
from servers.finance.prices.formula import formula_price
from servers.finance.prices.units import Units
from servers.finance.promotions.effects import Part, canonical
from servers.finance.promotions.rules import Order, Outcome, refusal, settle
from servers.finance.schemas import Adjustment

CURRENCY, DAY, ZERO = "USD", date(2026, 1, 1), Decimal(0)
GROUP = "customer.customer_group.id"
SELECTED = {"product_category.id": "family", "product.id": "sku"}


def item_of(sku: str, family: str = "") -> Item:
    """Return goods of a family."""
    return Item(sku, sku, "", family, "goods", 0, None, CURRENCY, "standard")


def customer_of(segment: str = "") -> Customer:
    """Return a customer of a segment."""
    return Customer(
        account_id="acc_1",
        legal_name="A",
        country="US",
        kind="business",
        channel="direct",
        currency=CURRENCY,
        payment_terms_code="NET30",
        family_tree=("acc_1",),
        segment=segment,
    )


def promotion_of(code: str, kind: Any, place: int = 0, **more: Any) -> Promotion:
    """Return a promotion that always holds, in a group of its own unless it is told another."""
    given: dict[str, Any] = {
        "stack_group": code,
        "priority": -place,
        "conditions": Conditions(minimum={CURRENCY: ZERO}),
        **more,
    }
    return Promotion(f"PRO-{code}", code, kind, Window(), **given)


def decide(
    promotions: Sequence[Promotion], parts: Iterable[Part], customer: Customer
) -> tuple[Outcome, dict[str, str]]:
    """Return what applies, and the finding's code of every promotion that does not hold."""
    order = Order(customer, DAY, CURRENCY, canonical(parts))
    refused = {p.code: why.code for p in promotions if (why := refusal(p, order)) is not None}
    outcome = settle(
        [p for p in promotions if p.code not in refused], order.parts, CURRENCY
    ).outcome
    refused |= {
        p.code: outcome.refused[p.promotion_id].code
        for p in promotions
        if p.promotion_id in outcome.refused
    }
    return outcome, refused


# Medusa --------------------------------------------------------------------------------------


def medusa_actions(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    context, codes = inputs["context"], inputs["codes"]
    used = [p for p in inputs["promotions"] if p["code"] in codes or p["is_automatic"]]
    used.sort(key=lambda p: codes.index(p["code"]) if p["code"] in codes else len(codes))
    used = [p for p in used if _met(p.get("rules", []), context)]
    same = _listed_together(used)
    promotions = [_medusa_promotion(p, n, inputs, same) for n, p in enumerate(used)]
    names = {p["code"]: p for p in used}
    parts = [
        Part(
            part_id=one["id"],
            quantity=Decimal(one["quantity"]),
            start=Decimal(str(one["subtotal"])),
            item=item_of(
                *(
                    same.get(name, name)
                    for name in (
                        one.get("product", {}).get("id", ""),
                        one.get("product_category", {}).get("id", ""),
                    )
                )
            ),
        )
        for one in context.get("items", [])
    ]
    group = context.get("customer", {}).get("customer_group", {}).get("id", "")
    methods = context.get("shipping_methods", [])
    wanted = {value for p in used for rule in p.get("target_rules", []) for value in rule["values"]}
    parts += [
        Part(one["id"], Decimal(1), Decimal(str(one["subtotal"])))
        for one in methods
        if one["shipping_option"]["id"] in wanted
    ]
    outcome, refused = decide(promotions, parts, customer_of(group))
    actions = [
        {"action": f"remove{what}Adjustment", "adjustment_id": old["id"], "code": old["code"]}
        for what, ones in (("Item", context.get("items", [])), ("ShippingMethod", methods))
        for one in ones
        for old in one.get("adjustments", [])
    ]
    for applied in outcome.applied:
        ships = names[applied.promotion.code]["target_type"] == "shipping_methods"
        what, key = ("ShippingMethod", "shipping_method_id") if ships else ("Item", "item_id")
        actions += [
            {
                "action": f"add{what}Adjustment",
                key: name,
                "amount": off,
                "code": applied.promotion.code,
            }
            for name, off in _as_listed(applied, [*context.get("items", []), *methods])
        ]
    actions += [
        {"action": "campaignBudgetExceeded", "code": code}
        for code, why in refused.items()
        if why == "PROMO_BUDGET"
    ]
    return {"actions": actions}


def _as_listed(applied: Any, listed: list[dict[str, Any]]) -> list[tuple[str, Decimal]]:
    """Return amounts as Medusa lists them: by cart line, rewards in the order they are taken."""
    offs = applied.effect.offs
    if applied.promotion.kind == "buy_x_get_y":
        return list(offs.items())
    return [(one["id"], offs[one["id"]]) for one in listed if one["id"] in offs]


def _met(rules: list[dict[str, Any]], context: dict[str, Any]) -> bool:
    """Say whether what a promotion asks of the cart holds; the customer's group is left to us."""
    for rule in rules:
        if rule["attribute"] == GROUP:
            continue
        found: Any = context
        for key in rule["attribute"].split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if found not in rule["values"]:
            return False
    return True


def _listed_together(promotions: list[dict[str, Any]]) -> dict[str, str]:
    """Return one name for the products or categories that a rule lists together."""
    rules = [r for p in promotions for key in ("target_rules", "buy_rules") for r in p.get(key, [])]
    return {name: r["values"][0] for r in rules for name in r["values"][1:]}


def _medusa_promotion(
    said: dict[str, Any], place: int, inputs: dict[str, Any], same: dict[str, str]
) -> Promotion:
    campaign = inputs.get("campaigns", {}).get(said.get("campaign"), {})
    used, limit = Decimal(campaign.get("used", "0")), Decimal(campaign.get("limit", "0"))
    limits = Limits(max_quantity=said.get("max_quantity"))
    if campaign.get("budget") == "usage":
        limits = replace(limits, usage=int(limit), used=int(used))
    elif campaign:
        limits = replace(limits, budget={CURRENCY: limit}, spent={CURRENCY: used})
    groups = tuple(
        value
        for rule in said.get("rules", [])
        if rule["attribute"] == GROUP
        for value in rule["values"]
    )
    value = Decimal(str(said["value"]))
    more: dict[str, Any] = {
        "conditions": Conditions(minimum={CURRENCY: ZERO}, segments=groups),
        "on": _medusa_selector(said.get("target_rules", []), same),
        "target": {"items": "lines", "order": "order"}.get(said["target_type"], "shipping"),
    }
    if more["target"] == "shipping":
        more["on"] = Selector()
    if "buy_rules" in said:
        of = _medusa_selector(said["buy_rules"], same)
        more["buy_get"] = BuyGet(said["buy_rules_min_quantity"], said["apply_to_quantity"], of)
        more |= {
            "percent": Decimal(100),
            "limits": limits,
        }  # every case is worth at least its units
        return promotion_of(said["code"], "buy_x_get_y", place, **more)
    across = said.get("allocation") == "across" or more["target"] == "order"
    if across:
        limits = replace(limits, max_quantity=None)
    more |= {"limits": limits, "allocation": "across" if across else "each"}
    if said["type"] == "percentage":
        return promotion_of(said["code"], "percent", place, percent=value, **more)
    more["per"] = "order" if across else "line"
    return promotion_of(said["code"], "amount", place, amount={CURRENCY: value}, **more)


def _medusa_selector(rules: list[dict[str, Any]], same: dict[str, str]) -> Selector:
    chosen = {
        SELECTED[rule["attribute"]]: same.get(rule["values"][0], rule["values"][0])
        for rule in rules
        if rule["attribute"] in SELECTED
    }
    return Selector(**chosen)


MARGINS = ("margin_percent", "margin_amount")


# ERPNext -------------------------------------------------------------------------------------


def erpnext_rule(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    context, quantity = inputs.get("context", {}), inputs.get("quantity", "1")
    rules = [] if inputs.get("ignore_pricing_rules") else inputs["rules"]
    if any(key in rule for rule in rules for key in ("fixed_rate", *MARGINS)):
        inputs = {**inputs, "price_list_rate": _book_price(inputs, context, rules)}
        rules = [r for r in rules if "discount_percent" in r or "discount_amount" in r]
    lines = inputs.get("lines") or [
        {
            "item": context.get("item", "A"),
            "rate": inputs.get("price_list_rate") or "100",
            "quantity": quantity,
        }
    ]
    parts = [
        Part(
            part_id=f"l{n}",
            quantity=Decimal(one["quantity"]),
            start=Decimal(one["rate"]) * int(one["quantity"]),
            item=item_of(one["item"], "template" if one["item"] == "variant" else "group"),
            unit=inputs.get("uom", "each"),
            ratio=(int(inputs.get("uom_factor", "1")), 1),
        )
        for n, one in enumerate(lines, 1)
    ]
    holding = [rule for rule in rules if _known_to(rule, context)]
    promotions = [_erpnext_promotion(rule, n) for n, rule in enumerate(holding)]
    outcome, _ = decide(promotions, parts, customer_of())
    off = [
        sum((a.effect.offs.get(part.part_id, ZERO) for a in outcome.applied), ZERO)
        for part in parts
    ]
    rates = [(p.start - taken) / p.quantity for p, taken in zip(parts, off, strict=True)]
    shares = [taken * 100 / p.start for p, taken in zip(parts, off, strict=True)]
    free = [
        {
            "same_item": gift.sku == parts[0].item.sku,
            "item": gift.sku,
            "qty": gift.quantity,
            "rate": ZERO,
        }
        for applied in outcome.applied
        for gift in applied.effect.gifts
        if parts[0].item is not None
    ]
    return {
        "discount_percent": shares[0],
        "rate": rates[0],
        "line_discounts": shares,
        "free_lines": free,
    }


def _book_price(
    inputs: dict[str, Any], context: dict[str, Any], rules: list[dict[str, Any]]
) -> Decimal:
    """Return the price of a book whose entries are the rules; a rate of 0 is no entry."""
    unit, currency = inputs.get("uom", "each"), context.get("currency", CURRENCY)
    factor = int(inputs.get("uom_factor", "1"))
    units = Units([ItemUnit("A", "each", 1), ItemUnit("A", unit, factor)])
    entries = [
        Entry(
            entry_id=rule["name"],
            book="B",
            currency=rule.get("currency", currency),
            channel="",
            country="",
            window=Window(),
            sku="A",
            unit=rule.get("uom", ""),
            default_term_months=None,
            amount=Decimal(rule["fixed_rate"]),
            min_qty=Decimal(rule.get("min_qty", "0")),
            max_qty=Decimal(rule["max_qty"]) + 1 if "max_qty" in rule else None,
        )
        for rule in rules
        if _known_to(rule, context) and Decimal(rule.get("fixed_rate", "0"))
    ]
    keys = keys_of(customer_of(), "US", {})
    quantity = Decimal(inputs.get("quantity", "1")) * factor
    amount = choose(Ask("A", unit, quantity, currency, DAY, keys), entries, units).amount
    share, on_top = (sum((Decimal(rule.get(key, "0")) for rule in rules), ZERO) for key in MARGINS)
    base = Decimal(inputs["price_list_rate"]) if amount is None else amount
    return formula_price(base, Formula(percent=-share, surcharge=on_top))


def _known_to(rule: dict[str, Any], context: dict[str, Any]) -> bool:
    """Say whether a rule is for the customer and the campaign of the order."""
    asks = {key: rule[key] for key in ("customer", "campaign") if key in rule}
    if said := rule.get("condition"):
        key, value = said.split(" == ")
        asks[key] = value.strip("'")
    return all(context.get(key) == value for key, value in asks.items())


def _erpnext_promotion(rule: dict[str, Any], place: int) -> Promotion:
    """Translate a rule; what ERPNext picks by (priority, then how narrow) is our priority."""
    narrow = {"item": 2, "variant_of": 1}.get(rule.get("apply_on", "item"), 0)
    measured = Selector(sku=rule["trigger_item"]) if "trigger_item" in rule else None
    item = {"item A": "A", "variant": "variant"}.get(rule["name"], rule.get("apply_to_item", ""))
    family = "template" if rule.get("apply_on") == "variant_of" else ""
    least, most = (int(rule[key]) if key in rule else None for key in ("min_qty", "max_qty"))
    more: dict[str, Any] = {
        "priority": (-10 if rule.get("stack") else 10) * rule.get("priority", 0) + narrow,
        "stack_group": rule["name"] if rule.get("stack") else "rules",
        "pick": "benefit" if rule.get("stack") else "priority",
        "on": Selector(sku=item, family=family),
        "conditions": Conditions(
            minimum={CURRENCY: Decimal(rule.get("min_amount", "0"))},
            min_quantity=least,
            max_quantity=most,
            measured=measured,
        ),
    }
    if "free_qty" in rule:
        every = int(rule["recurse_for"]) if "recurse_for" in rule else None
        more["gift"] = Gift(int(rule["free_qty"]), rule.get("free_item", ""), every)
        return promotion_of(rule["name"], "free_item", place, **more)
    if "discount_amount" in rule:
        amount = {CURRENCY: Decimal(rule["discount_amount"])}
        return promotion_of(rule["name"], "amount", place, amount=amount, per="unit", **more)
    more["base"] = "running" if rule.get("on_discounted_rate") else "list"
    rate = Decimal(rule["discount_percent"])
    return promotion_of(rule["name"], "percent", place, percent=rate, **more)


# Saleor --------------------------------------------------------------------------------------


def best_promotion(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    price = Decimal(inputs["price"])
    promotions = [
        promotion_of(f"P{n}", "percent", n, percent=Decimal(value), stack_group="catalogue")
        if kind == "percentage"
        else promotion_of(
            f"P{n}", "amount", n, amount={CURRENCY: Decimal(value)}, stack_group="catalogue"
        )
        for n, (kind, value) in enumerate(inputs["promotions"])
    ]
    outcome, _ = decide(promotions, [Part("l1", Decimal(1), price, item_of("A"))], customer_of())
    return {"price": price - outcome.benefit}


def voucher_min_quantity(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    asks = Conditions(minimum={CURRENCY: ZERO}, min_quantity=inputs["min_quantity"])
    return _voucher(asks, inputs["quantity"], Decimal(10))


def voucher_min_spend(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    asks = Conditions(minimum={CURRENCY: Decimal(inputs["min_spent"])})
    return _voucher(asks, 1, Decimal(inputs["total"]))


def _voucher(asks: Conditions, quantity: int, start: Decimal) -> dict[str, Any]:
    voucher = promotion_of("V", "percent", percent=Decimal(10), conditions=asks)
    outcome, _ = decide(
        [voucher], [Part("l1", Decimal(quantity), start, item_of("A"))], customer_of()
    )
    return {"applicable": bool(outcome.applied)}


def percent_by_line(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    parts = [
        Part(f"l{n}", Decimal(1), Decimal(price), item_of("A"))
        for n, price in enumerate(inputs["unit_prices"], 1)
    ]
    promotion = promotion_of("P", "percent", percent=Decimal(inputs["percent"]))
    outcome, _ = decide([promotion], parts, customer_of())
    offs = outcome.applied[0].effect.offs
    return {"line_discounts": [offs[part.part_id] for part in parts], "total": outcome.benefit}


def order_discount_stack(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    goods, carriage = Decimal(inputs["subtotal"]), Decimal(inputs["shipping"])
    amounts = []
    for said in inputs["discounts"]:
        if said["kind"] == "manual":
            shares = _document(said, [goods, carriage])
        else:
            shares = [_order_voucher(said, goods), ZERO]
        goods, carriage = goods - shares[0], carriage - shares[1]
        amounts.append(sum(shares))
    return {"total": goods + carriage, "discount_amounts": amounts}


def _order_voucher(said: dict[str, Any], goods: Decimal) -> Decimal:
    value, percent = Decimal(said["value"]), said["value_type"] == "percentage"
    more: dict[str, Any] = {"percent": value} if percent else {"amount": {CURRENCY: value}}
    kind = "percent" if percent else "amount"
    voucher = promotion_of("V", kind, target="order", allocation="across", per="order", **more)
    outcome, _ = decide([voucher], [Part("l1", Decimal(1), goods, item_of("A"))], customer_of())
    return outcome.benefit


def split_subtotal_and_shipping(inputs: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    goods, carriage = _document(inputs, [Decimal(inputs["subtotal"]), Decimal(inputs["shipping"])])
    return {"subtotal_discount": goods, "shipping_discount": carriage}


def _document(said: dict[str, Any], weights: list[Decimal]) -> list[Decimal]:
    kind = "percent" if said["value_type"] == "percentage" else "amount"
    discount = Adjustment(kind=kind, value=said["value"], reason_code="agreed_rounding")
    return adjustments.document_shares(discount, weights, CURRENCY)


ADAPTERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "promotion_actions": medusa_actions,
    "pricing_rule": erpnext_rule,
    "best_promotion": best_promotion,
    "voucher_min_quantity": voucher_min_quantity,
    "voucher_min_spend": voucher_min_spend,
    "percent_promo_line_rounding": percent_by_line,
    "order_discount_stack": order_discount_stack,
    "discount_split_subtotal_shipping": split_subtotal_and_shipping,
}
