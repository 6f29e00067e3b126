"""Re-add every gold quote by hand rules and print a table; exit 1 on any mismatch.

A gold total that is the product's own output would prove nothing, so this file imports nothing
from `servers/` and keeps its own small copy of the price rules. It reads the gold records, the
price entries, the items and the customers, and does the sums again in fractions: list or contract
price, the extras of options, the parts of bundles, the price of a running subscription, the term in
months, volume tier, promotion and discount one after the other, rounded half up once at the end of
the line; freight per started kilogram; tax once per group of category and rate.

    python evals/check_gold.py
"""

from __future__ import annotations

import calendar
import csv
import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
GOLD = ROOT / "evals" / "quotes" / "gold"
FINANCE = ROOT / "seed_data" / "finance"

TIERS = {
    "switches": ((50, "12"), (25, "8"), (10, "5")),
    "sensors": ((100, "10"), (50, "7"), (20, "4")),
    "cameras": ((100, "10"), (50, "7"), (20, "4")),
    "cables": ((200, "18"), (50, "10")),
    "servers": ((10, "6"), (5, "3")),
    "bundles": ((10, "4"), (3, "2")),
}
TOGETHER = frozenset(("bundles",))  # the tier counts the family over the whole quote
FIXED_CONTRACTS = {("acc_002", "SW-P16-240"): "598.00"}
PERCENT_CONTRACTS = {("acc_003", "sensors"): "12"}
PERCENT_PROMOTIONS = {"EDGE5": ("servers", "5", 5000)}
FREE_SHIPPING = {"SHIPFREE": 2500}
EXPIRED_PROMOTIONS = {"WINTER25"}
FREIGHT = {  # EUR: base, per started kilogram
    ("ROAD-STD", "DE"): ("14.90", "0.60"),
    ("ROAD-STD", "EU"): ("29.00", "1.10"),
    ("ROAD-STD", "UKCH"): ("49.00", "1.60"),
    ("AIR-STD", "WORLD"): ("120.00", "7.50"),
    ("SEA-STD", "WORLD"): ("180.00", "1.90"),
    ("DIGITAL", "WORLD"): ("0.00", "0.00"),
}
CURRENCY_FACTOR = {"EUR": "1", "GBP": "0.87", "USD": "1.10", "CHF": "0.97"}
AUTO_ISSUE = {"EUR": 25_000, "GBP": 22_000, "USD": 27_500, "CHF": 24_000}
FREE_DISCOUNT_BP = 500
EU = frozenset(
    re.findall(
        "[A-Z]+", "AT BE BG CY CZ DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
    )
)
ZERO = Fraction(0)
PRICED = frozenset(("issued", "waiting"))

STEP = re.compile(
    r"^(?P<line>l\d+) (?P<sku>\S+): (?P<count>\d+) x (?P<price>\d+\.\d\d) "
    r"\[(?P<source>[^\]]+)\](?: x (?P<months>\d+)/12 \[term[^\]]*\])?"
    r"(?P<cuts>(?: - [\d.]+% \[[^\]]+\])*) = (?P<net>\d+\.\d\d)"
    r"(?P<aside> \((?:optional|alternative))?"
)
WEIGHT = re.compile(r"= (\d+) g -> (\d+) kg$")
CARRIAGE = re.compile(r"^(\S+) (\S+) ([A-Z]{3}): ([\d.]+) \+ (\d+) x ([\d.]+) = ([\d.]+)$")

Gold = dict[str, Any]


def half_up(value: Fraction) -> Fraction:
    """Return a non-negative amount rounded half up to cents."""
    return Fraction((value * 200 + 1) // 2, 100)


def money(value: Fraction) -> str:
    """Return an amount with two decimals."""
    cents = value * 100
    return (
        f"{cents.numerator // 100}.{cents.numerator % 100:02d}" if cents.denominator == 1 else "?"
    )


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a finance file."""
    with (FINANCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Facts:
    """What the sums are checked against: prices, items and customers as they are in the seed."""

    def __init__(self) -> None:
        self.prices = {
            (r["book"], r["sku"], r["unit"]): Fraction(r["amount"]) for r in rows("prices.csv")
        }
        self.items = {row["sku"]: row for row in rows("items.csv")}
        self.units = {(r["sku"], r["unit"]): int(r["numerator"]) for r in rows("units.csv")}
        self.parts = rows("bundles.csv")
        self.options = rows("options.csv")
        self.subscriptions = {row["subscription_id"]: row for row in rows("subscriptions.csv")}
        self.addresses = {row["address_id"]: row for row in rows("addresses.csv")}
        self.tax_ids = rows("customer_tax_ids.csv")

    def ship_to(self, gold: Gold) -> str:
        """Return the country a gold quote ships to."""
        found = self.addresses.get(gold["ship_to_address_id"] or "", {})
        mine = found.get("account_id") == gold["account_id"]
        return found["country"] if mine else "?"

    def pieces(self, line: Gold) -> int:
        """Return a line's quantity in pieces: four boxes of twenty are eighty."""
        factor = self.units.get((line["sku"], line.get("unit", "each")), 1)
        return int(line["quantity"]) * factor

    def inside(self, bundle: str, optional: str = "false") -> list[dict[str, str]]:
        """Return the parts of a bundle that are always in it, or the optional ones."""
        return [r for r in self.parts if (r["bundle_sku"], r["optional"]) == (bundle, optional)]

    def weight(self, line: Gold) -> int:
        """Return the grams of a line; a bundle weighs what is in it."""
        parts = self.inside(line["sku"])
        if parts:
            grams = {p["sku"]: int(self.items[p["sku"]]["weight_g"] or 0) for p in parts}
            return line["quantity"] * sum(int(p["quantity"]) * grams[p["sku"]] for p in parts)
        if self.items[line["sku"]]["kind"] != "goods":
            return 0
        return int(self.items[line["sku"]]["weight_g"] or 0) * self.pieces(line)

    def price(self, gold: Gold, line: Gold) -> Fraction | None:
        """Return the unit price of a line for its price list's standard term."""
        fixed = FIXED_CONTRACTS.get((gold["account_id"], line["sku"]))
        if fixed:
            return Fraction(fixed)
        if line.get("change"):
            return self._running(gold, line)
        each = self._listed(gold["price_book"], line["sku"], line.get("unit", "each"))
        if each is None:
            priced = [p for p in self.inside(line["sku"]) if p["price_mode"] == "priced"]
            found = [(p, self._listed(gold["price_book"], p["sku"], "each")) for p in priced]
            if not found or any(price is None for _, price in found):
                return None
            each = sum((_less(p, price) * int(p["quantity"]) for p, price in found if price), ZERO)
        if line.get("part_of"):
            owner = next(x["sku"] for x in gold["lines"] if x["line_id"] == line["part_of"])
            parts = self.inside(owner, "true")
            each = _less(next(p for p in parts if p["sku"] == line["sku"]), each)
        return each + sum((self._extra(gold, line, code) for code in line.get("options", ())), ZERO)

    def _listed(self, book: str, sku: str, unit: str) -> Fraction | None:
        """Return the book's price by that unit, else that of its pieces."""
        found = self.prices.get((book, sku, unit))
        if found is not None or (sku, unit) not in self.units:
            return found
        each = self.prices.get((book, sku, "each"))
        return each and each * self.units[sku, unit]

    def _extra(self, gold: Gold, line: Gold, code: str) -> Fraction:
        family = self.items[line["sku"]]["family"]
        return next(
            Fraction(row["amount"])
            for row in self.options
            if (row["code"], row["currency"]) == (code, gold["currency"])
            and row["selector"] in (line["sku"], family)
        )

    def _running(self, gold: Gold, line: Gold) -> Fraction:
        """Return the price of more of a subscription, or of going on with it."""
        held = self.subscriptions[line["subscription_id"]]
        price, locked = Fraction(held["unit_price"]), held["lock_until"] or ""
        listed = self._listed(gold["price_book"], line["sku"], line["unit"]) or ZERO
        if line["change"] == "amend":
            return price if locked >= gold["order_date"] else listed
        if locked > held["last"] or held["renewal"] == "same":
            return price
        cap = Fraction(held["cap"]) if held.get("cap") else None
        if held["renewal"] == "list":
            return listed if cap is None else min(listed, price * (1 + cap / 100))
        rise = Fraction(held["uplift"])
        return price * (1 + (rise if cap is None else min(rise, cap)) / 100)

    def months(self, gold: Gold, line: Gold) -> int:
        """Return the months a line is paid for: a month that is begun counts."""
        end, start = line.get("end"), line.get("start")
        if line.get("change"):
            held = self.subscriptions[line["subscription_id"]]
            if line["change"] == "amend":
                end, start = held["last"], start or gold["order_date"]
            elif not line.get("term_months"):
                return int(held["term_months"])
        if end is None:
            return int(line.get("term_months") or 12)
        first, last = date.fromisoformat(start), date.fromisoformat(end)
        count = 0
        while _months_later(first, count) <= last:
            count += 1
        return count

    def tax(self, gold: Gold, sku: str) -> tuple[str, str]:
        """Return category and rate of an item: seller in Germany, registered nowhere else."""
        goods = self.items[sku]["kind"] == "goods"
        country = self.ship_to(gold)
        if country not in EU and country != "DE":
            return ("G" if goods else "O", "0")
        ids = [row for row in self.tax_ids if row["account_id"] == gold["account_id"]]
        verified = any(i["scheme"] == "eu_vat" and i["verified_at"] for i in ids)
        if country == "DE" or not verified:
            return ("S", "19")
        return ("K" if goods else "AE", "0")


def _less(part: dict[str, str], price: Fraction) -> Fraction:
    """Return what a part costs in its bundle."""
    if part["price_mode"] == "included":
        return ZERO
    return price * (1 - Fraction(part["percent_off"] or "0") / 100)


def _months_later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    days = calendar.monthrange(first.year + years, month + 1)[1]
    return date(first.year + years, month + 1, min(first.day, days))


def check(gold: Gold, facts: Facts) -> Iterator[str]:
    """Yield what does not add up in one record."""
    if gold["outcome"] not in PRICED:
        for key in ("currency", "freight", "net_total", "total"):
            if gold[key] is not None:
                yield f"{key} should be null for {gold['outcome']}"
        return
    steps = {found["line"]: found for text in gold["arithmetic"] if (found := STEP.match(text))}
    if len(steps) != len(gold["arithmetic"]) or set(steps) != {x["line_id"] for x in gold["lines"]}:
        yield "not one readable step for each line"
        return
    bases: dict[tuple[str, str], Fraction] = {}
    for line in gold["lines"]:
        step = steps[line["line_id"]]
        yield from _check_line(gold, line, step, facts)
        if not _aside(line):
            group = facts.tax(gold, line["sku"])
            bases[group] = bases.get(group, Fraction(0)) + Fraction(step["net"])
    yield from _check_freight(gold, facts)
    main = facts.tax(gold, next(x["sku"] for x in gold["lines"] if not _aside(x)))
    bases[main] = bases.get(main, Fraction(0)) + Fraction(gold["freight"])
    yield from _check_totals(gold, bases)
    yield from _check_outcome(gold)


def _aside(line: Gold) -> bool:
    return bool(line.get("optional") or line.get("alternative_of"))


def _check_line(gold: Gold, line: Gold, step: re.Match[str], facts: Facts) -> Iterator[str]:
    name, sku = line["line_id"], line["sku"]
    if step["sku"] != sku or int(step["count"]) != line["quantity"]:
        yield f"{name}: the step is about {step['count']} x {step['sku']}"
    if bool(step["aside"]) != _aside(line):
        yield f"{name}: in the total or not?"
    fixed = (gold["account_id"], sku) in FIXED_CONTRACTS or line.get("change")
    price = facts.price(gold, line)
    if price != Fraction(step["price"]) or step["source"].startswith("contract") != bool(fixed):
        yield f"{name}: price {step['price']}, the books say {price and money(price)}"
    if int(step["months"] or 12) != facts.months(gold, line):
        yield f"{name}: term {step['months']} is not the line's"
    cuts = re.findall(r"- ([\d.]+)% ", step["cuts"])
    due = _cuts(gold, line, facts)
    if [Fraction(c) for c in cuts] != [Fraction(c) for c in due]:
        yield f"{name}: takes off {cuts}, the rules say {due}"
    net = line["quantity"] * Fraction(step["price"]) * Fraction(int(step["months"] or 12), 12)
    for cut in cuts:
        net *= 1 - Fraction(cut) / 100
    if half_up(net) != Fraction(step["net"]):
        yield f"{name}: net {step['net']}, re-added {money(half_up(net))}"


def _tier(gold: Gold, line: Gold, facts: Facts) -> list[str]:
    family, count = facts.items[line["sku"]]["family"], facts.pieces(line)
    if family in TOGETHER:
        firm = [x for x in gold["lines"] if not _aside(x)]
        count = sum(facts.pieces(x) for x in firm if facts.items[x["sku"]]["family"] == family)
    return [cut for lower, cut in TIERS.get(family, ()) if count >= lower][:1]


def _cuts(gold: Gold, line: Gold, facts: Facts) -> list[str]:
    """Return the percentages that come off a line, in the order of the waterfall."""
    family, account = facts.items[line["sku"]]["family"], gold["account_id"]
    discount = [str(Fraction(gold["discount_bp"], 100))] if gold["discount_bp"] else []
    if (account, line["sku"]) in FIXED_CONTRACTS or line.get("change"):
        return discount
    if agreed := PERCENT_CONTRACTS.get((account, family)):
        return [agreed, *discount]
    promotions = [
        PERCENT_PROMOTIONS[code][1]
        for code in gold["promo_codes"]
        if code in PERCENT_PROMOTIONS
        and PERCENT_PROMOTIONS[code][0] == family
        and _merchandise(gold, facts) >= PERCENT_PROMOTIONS[code][2]
    ]
    return [*_tier(gold, line, facts), *promotions, *discount]


def _merchandise(gold: Gold, facts: Facts) -> Fraction:
    """Return what the lines come to after tiers and before promotions; codes have a minimum."""
    total = Fraction(0)
    for line in (x for x in gold["lines"] if not _aside(x)):
        net = line["quantity"] * (facts.price(gold, line) or ZERO)
        for cut in _tier(gold, line, facts):
            net *= 1 - Fraction(cut) / 100
        total += net
    return total


def _check_freight(gold: Gold, facts: Facts) -> Iterator[str]:
    weight, carriage = (
        WEIGHT.search(gold["freight_steps"][0]),
        CARRIAGE.match(gold["freight_steps"][1]),
    )
    if weight is None or carriage is None:
        yield "freight: steps cannot be read"
        return
    method, zone, currency, base, kilos, per_kilo, result = carriage.groups()
    grams = sum(facts.weight(line) for line in gold["lines"] if not _aside(line))
    if int(weight[1]) != grams or int(kilos) != -(-grams // 1000) or weight[2] != kilos:
        yield f"freight: {weight[1]} g and {kilos} kg, the items weigh {grams} g"
    country = facts.ship_to(gold)
    places = {"DE": {"DE"}, "GB": {"UKCH"}, "CH": {"UKCH"}, "NO": {"UKCH"}}
    allowed = places.get(country, {"EU"} if country in EU else set()) | {"WORLD"}
    if zone not in allowed or (method, zone) not in FREIGHT or method != gold["ship_method"]:
        yield f"freight: {method} {zone} to {country}"
        return
    factor = Fraction(CURRENCY_FACTOR[currency])
    due = [half_up(Fraction(amount) * factor) for amount in FREIGHT[(method, zone)]]
    if [Fraction(base), Fraction(per_kilo)] != due or currency != gold["currency"]:
        yield f"freight: rate {base} + {per_kilo}, the table says {[money(d) for d in due]}"
    gross = Fraction(base) + int(kilos) * Fraction(per_kilo)
    if gross != Fraction(result):
        yield f"freight: {result}, re-added {money(gross)}"
    free = any(
        _merchandise(gold, facts) >= FREE_SHIPPING[code]
        for code in gold["promo_codes"]
        if code in FREE_SHIPPING
    )
    if Fraction(gold["freight"]) != (0 if free else gross):
        yield f"freight: {gold['freight']} on the quote"
    for code in gold["promo_codes"]:
        if code not in PERCENT_PROMOTIONS | FREE_SHIPPING.keys() and code not in EXPIRED_PROMOTIONS:
            yield f"promotion {code} is not known"


def _check_totals(gold: Gold, bases: dict[tuple[str, str], Fraction]) -> Iterator[str]:
    stated = {(row["category"], row["rate"]): row for row in gold["tax"]}
    if set(stated) != set(bases):
        yield f"tax groups {sorted(stated)}, re-added {sorted(bases)}"
        return
    net, tax = sum(bases.values(), Fraction(0)), Fraction(0)
    for group, base in bases.items():
        due = half_up(base * Fraction(group[1]) / 100)
        tax += due
        if Fraction(stated[group]["base"]) != base or Fraction(stated[group]["tax"]) != due:
            yield f"tax {group}: {stated[group]}, re-added {money(base)} and {money(due)}"
    if Fraction(gold["net_total"]) != net:
        yield f"net total {gold['net_total']}, re-added {money(net)}"
    if Fraction(gold["total"]) != net + tax:
        yield f"total {gold['total']}, re-added {money(net + tax)}"


def _check_outcome(gold: Gold) -> Iterator[str]:
    """What is issued without a person is small, plain and claims nothing."""
    large = Fraction(gold["total"]) > AUTO_ISSUE[gold["currency"]]
    over = gold["discount_bp"] > FREE_DISCOUNT_BP
    held = bool(large or over or gold["claims"] or gold["findings"])
    if held != (gold["outcome"] == "waiting"):
        yield f"outcome {gold['outcome']}, but held: {held}"
    if held != bool(gold["approvals"]):
        yield "who approves?"


def load() -> list[Gold]:
    """Return the gold records in order of their opportunities."""
    return [json.loads(p.read_text(encoding="utf-8")) for p in sorted(GOLD.glob("opp_*.json"))]


def main() -> int:
    """Check every record and print the table."""
    facts, wrong = Facts(), 0
    for gold in load():
        problems = list(check(gold, facts))
        wrong += bool(problems)
        total = f"{gold['total']:>10} {gold['currency']}" if gold["total"] else " " * 14
        verdict = "ok" if not problems else "; ".join(problems)
        print(f"{gold['opportunity_id']}  {gold['outcome']:<11} {total}  {verdict}")
    print(f"{wrong} records do not add up" if wrong else "every record adds up")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
