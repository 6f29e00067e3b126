"""Random quotes out of the real waterfall, in any currency, from the facts of a demo order."""

import random
from dataclasses import replace
from decimal import Decimal

from finance_support import acting, asking, everyone, line
from paper_support import PLAIN

from servers.finance.documents import Pricing, QuoteDocument
from servers.finance.facts.pricing import PricingFacts
from servers.finance.pricing import price
from servers.finance.schemas import Adjustment, PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database
from servers.toolkit.money import exponent

SKUS = (
    *("SW-P8-120", "SW-P16-240", "SRV-D1-16", "SEN-T4", "CAM-D4", "CBL-C6-05"),
    *("SUB-DM-STD", "SVC-INST-D"),
)
CODES = ("EDGE5", "SHIPFREE")


def demo_facts(database: Database) -> PricingFacts:
    """Everything that an order of these SKUs by a German customer may look at."""
    order = asking(*(line(f"l{n}", sku) for n, sku in enumerate(SKUS, 1)), promo_codes=list(CODES))
    with acting(everyone()), database.session() as session:
        return collect(session, PriceRequest.model_validate(order)).pricing


def in_currency(facts: PricingFacts, currency: str, dice: random.Random) -> PricingFacts:
    """The same facts in another currency, with random prices of up to four decimals."""
    shift = dice.choice((0, 2, 4))
    policy = facts.policy
    assert policy is not None
    coins = {currency: 5 * Decimal(1).scaleb(-exponent(currency))} if dice.random() < 0.3 else {}
    return replace(
        facts,
        customer=replace(facts.customer, currency=currency),
        currencies=frozenset({currency}),
        items={
            sku: replace(item, tax_class=dice.choice((item.tax_class, "reduced")))
            for sku, item in facts.items.items()
        },
        entries=tuple(
            replace(one, currency=currency, amount=Decimal(dice.randint(1, 10**7)).scaleb(-shift))
            for one in facts.entries
        ),
        contracts=(),
        promotions=tuple(
            replace(one, conditions=replace(one.conditions, minimum={currency: Decimal(0)}))
            for one in facts.promotions
        ),
        freight=tuple(
            replace(one, currency=currency, base=Decimal(dice.randint(0, 5000)))
            for one in facts.freight
        ),
        fees=tuple(
            replace(
                fee,
                amount=dict.fromkeys((currency,), Decimal(9)),
                below={currency: Decimal(10**6)} if fee.below else {},
            )
            for fee in facts.fees
        ),
        policy=replace(policy, cash_rounding=coins),
    )


def random_request(dice: random.Random) -> PriceRequest:
    """One to six lines, some optional, with codes, a discount and reductions by hand."""
    lines = [
        line(
            f"l{n}",
            dice.choice(SKUS),
            dice.randint(1, 60),
            optional=n > 1 and dice.random() < 0.15,
        )
        for n in range(1, dice.randint(2, 7))
    ]
    order = asking(
        *lines,
        promo_codes=[code for code in CODES if dice.random() < 0.3],
        discount_bp=dice.choice((0, 0, 250, 1333)),
    )
    by_hand = [
        Adjustment(
            line_id=dice.choice((None, "l1")),
            kind="percent",
            value=Decimal(dice.randint(1, 1500)) / 100,
            reason_code="agreed_rounding",
        )
        for _ in range(dice.choice((0, 0, 1)))
    ]
    request = PriceRequest.model_validate(order)
    return request.model_copy(update={"adjustments": tuple(by_hand)})


def document_of(pricing: Pricing) -> QuoteDocument:
    """A quote that prints what was priced."""
    return PLAIN.model_copy(
        update={
            "currency": pricing.currency,
            "lines": pricing.lines,
            "freight": pricing.freight,
            "charges": pricing.charges,
            "taxes": pricing.taxes,
            "totals": pricing.totals,
            "recurring": pricing.recurring,
        }
    )


def priced_quote(facts: PricingFacts, dice: random.Random, currency: str) -> QuoteDocument:
    """A random quote in a currency, out of the functions that price quotes."""
    return document_of(price(in_currency(facts, currency, dice), random_request(dice)))
