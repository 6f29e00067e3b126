"""Tax in the whole waterfall: tax-inclusive books, rounding and carriage by policy."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line

from servers.finance.documents import Pricing
from servers.finance.explain import explain
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import RateAnswer, Registration, TaxRate
from servers.finance.facts.windows import Window
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database

FRANCE = TaxRate("FR-S", "FR", "S", Decimal(20), Window(date(2014, 1, 1)), "the law of France")


@pytest.fixture
def request_(database: Database) -> PriceRequest:
    lines = [line("l1", "SW-P8-120", 3), line("l2", "CBL-C6-02", 7), line("l3", "SUB-DM-STD", 1)]
    return PriceRequest.model_validate(asking(*lines))


@pytest.fixture
def facts(database: Database, request_: PriceRequest) -> PricingFacts:
    """A German consumer, and price books that include German tax."""
    with acting(everyone()), database.session() as session:
        found = collect(session, request_).pricing
    return replace(
        found,
        customer=replace(found.customer, kind="consumer", tax_ids=(), exemptions=()),
        entries=tuple(replace(e, tax_inclusive=True) for e in found.entries),
        tax_rates=(*found.tax_rates, FRANCE),
    )


def abroad(facts: PricingFacts, *registrations: Registration) -> PricingFacts:
    """Send the goods to France."""
    addresses = tuple(replace(a, country="FR", region="") for a in facts.customer.addresses)
    customer = replace(facts.customer, country="FR", addresses=addresses)
    return replace(facts, customer=customer, registrations=registrations)


def adds_up(pricing: Pricing) -> None:
    for row in pricing.lines:
        off = sum(a.amount_minor for a in row.allowances)
        assert row.gross_minor is not None
        assert row.net_minor == row.gross_minor - off - row.included_tax_minor
    totals = pricing.totals
    assert totals.net_minor == sum(block.taxable_minor for block in pricing.taxes)
    assert totals.total_minor == (totals.net_minor or 0) + (totals.tax_minor or 0)


def test_a_tag_with_tax_is_what_is_paid(facts: PricingFacts, request_: PriceRequest) -> None:
    pricing = price(facts, request_)
    adds_up(pricing)
    tags = sum((row.gross_minor or 0) for row in pricing.lines)
    reduced = sum(a.amount_minor for row in pricing.lines for a in row.allowances)
    freight = pricing.freight.net_minor or 0
    charges = sum(one.net_minor for one in pricing.charges)
    own = sum(row.included_tax_minor for row in pricing.lines)
    on_top = (pricing.totals.tax_minor or 0) - own
    assert pricing.totals.total_minor == tags - reduced + freight + charges + on_top
    assert all(row.tax_inclusive and row.included_tax_minor > 0 for row in pricing.lines)
    (step,) = (one for one in explain(pricing, "l1") if one.step == "tax")
    first = pricing.lines[0]
    inside = ((first.net_minor or 0) + first.included_tax_minor) / Decimal(100)
    assert (step.before, step.after) == (f"{inside:.2f}", f"{(first.net_minor or 0) / 100:.2f}")
    assert "included in the price" in step.note
    assert "determined" in step.note


def test_lines_never_matter_in_their_order(facts: PricingFacts, request_: PriceRequest) -> None:
    turned = request_.model_copy(update={"lines": request_.lines[::-1]})
    one, other = price(facts, request_), price(facts, turned)
    assert one.totals == other.totals
    nets = {row.line_id: row.net_minor for row in one.lines}
    assert {row.line_id: row.net_minor for row in other.lines} == nets


def test_another_tax_at_the_destination_keeps_the_net(
    facts: PricingFacts, request_: PriceRequest
) -> None:
    goods = request_.model_copy(update={"lines": request_.lines[:1]})
    oss = Registration("DE", "oss", establishment=False, window=Window())
    here, there = price(facts, goods), price(abroad(facts, oss), goods)
    adds_up(there)
    assert here.lines[0].unit_price == "389.00"
    assert there.lines[0].unit_price == "392.268908"  # 389 / 1.19 x 1.2
    assert there.lines[0].tax_rate == "20"
    steps = [one.step for one in explain(there, "l1")]
    assert "tax_price" in steps
    exported = replace(facts, entries=tuple(replace(e, tax_inclusive=False) for e in facts.entries))
    assert price(abroad(exported, oss), goods).lines[0].unit_price == "389.00", "a net price stays"


def test_a_book_whose_tax_nobody_knows_gives_no_price(
    facts: PricingFacts, request_: PriceRequest
) -> None:
    rates = tuple(r for r in facts.tax_rates if r.country != "DE")
    oss = Registration("DE", "oss", establishment=False, window=Window())
    pricing = price(abroad(replace(facts, tax_rates=rates), oss), request_)
    assert pricing.totals.total_minor is None
    assert "TAX_UNDETERMINED" in [one.code for one in pricing.findings]


def test_consumers_are_shown_prices_with_tax(facts: PricingFacts, request_: PriceRequest) -> None:
    bare = replace(facts, entries=tuple(replace(e, tax_inclusive=False) for e in facts.entries))
    assert "TAX_PRICE_DISPLAY" in [one.code for one in price(bare, request_).findings]
    assert "TAX_PRICE_DISPLAY" not in [one.code for one in price(facts, request_).findings]


def test_the_rounding_is_the_places_policy_and_is_stored(
    facts: PricingFacts, request_: PriceRequest
) -> None:
    whole = price(facts, request_).totals
    assert (whole.tax_rounding, whole.tax_rounding_source) == ("document", "tax_jurisdiction DE")
    by_line = replace(facts.jurisdictions["DE"], rounding="line")
    lines = price(replace(facts, jurisdictions={"DE": by_line}), request_)
    adds_up(lines)
    assert lines.totals.tax_rounding == "line"
    bare = price(replace(facts, jurisdictions={}), request_).totals
    assert (bare.tax_rounding, bare.tax_rounding_source) == ("document", "EN 16931")


class ByRegion:
    """A provider of rates that knows a region for which there is no row of law."""

    name = "by region"

    def find(self, country: str, *_rest: object) -> RateAnswer:
        return RateAnswer((replace(FRANCE, country=country),), f"{country}-BY", "covered")


def test_a_region_without_a_row_rounds_as_its_country_does(
    facts: PricingFacts, request_: PriceRequest
) -> None:
    totals = price(replace(facts, tax_provider=ByRegion()), request_).totals
    assert totals.tax_rounding_source == "tax_jurisdiction DE"


@pytest.mark.parametrize(
    ("policy", "rate"),
    [
        ({"shipping": "goods"}, "19"),
        ({"shipping": "class", "shipping_class": "reduced"}, "7"),
        ({"shipping": "weighted"}, "13.37"),
    ],
)
def test_carriage_is_taxed_by_the_places_policy(
    database: Database, policy: dict[str, Any], rate: str
) -> None:
    lines = [line("l1", "SW-P8-120", 10), line("l2", "SW-P16-240", 5)]
    request = PriceRequest.model_validate(asking(*lines))
    with acting(everyone()), database.session() as session:
        found = collect(session, request).pricing
    books = {**found.items}
    books["SW-P16-240"] = replace(books["SW-P16-240"], tax_class="reduced")
    place = replace(found.jurisdictions["DE"], **policy)
    pricing = price(replace(found, items=books, jurisdictions={"DE": place}), request)
    adds_up(pricing)
    nets = {row.line_id: row.net_minor or 0 for row in pricing.lines}
    if policy["shipping"] == "weighted":
        average = (nets["l1"] * 19 + nets["l2"] * 7) / Decimal(nets["l1"] + nets["l2"])
        rate = str(average.quantize(Decimal("0.01")))
    assert pricing.freight.tax_rate == rate


def test_a_known_change_is_said_while_the_quote_may_be_open(
    facts: PricingFacts, request_: PriceRequest
) -> None:
    later = TaxRate("DE-S-20", "DE", "S", Decimal(20), Window(date(2026, 12, 10)), "made up")
    until = tuple(
        replace(r, window=Window(r.window.first, date(2026, 12, 9)))
        if r.rate_id == "DE-S-19-2021"
        else r
        for r in facts.tax_rates
    )
    found = price(replace(facts, tax_rates=(*until, later)), request_)
    assert [one.rule_id for one in found.findings if one.code == "TAX_RATE_CHANGES"] == ["DE-S-20"]


def test_every_group_names_the_place_and_the_tax(
    facts: PricingFacts, request_: PriceRequest
) -> None:
    (group,) = price(facts, request_).taxes
    assert (group.jurisdiction, group.name, group.reason_code) == ("DE", "USt", "")


def test_what_a_promotion_asks_for_is_measured_before_tax(
    facts: PricingFacts, database: Database
) -> None:
    order = asking(line("l1", "SW-P8-120", 3), promo_codes=["SHIPFREE"])
    request = PriceRequest.model_validate(order)
    with acting(everyone()), database.session() as session:
        (found,) = (p for p in collect(session, request).pricing.promotions if p.code == "SHIPFREE")

    def codes(least: str) -> list[str]:
        conditions = replace(found.conditions, minimum={"EUR": Decimal(least)})
        asked = replace(found, conditions=conditions)
        pricing = price(replace(facts, promotions=(asked,)), request)
        return [one.code for one in pricing.findings if one.code == "PROMO_MINIMUM"]

    assert codes("980.67") == []  # 1167.00 with tax, 980.672 without
    assert codes("980.68") == ["PROMO_MINIMUM"]


@pytest.mark.parametrize("how", [{"optional": True}, {"alternative_of": "l1"}])
def test_what_does_not_count_has_its_own_tax_taken_out_too(
    facts: PricingFacts, how: dict[str, Any]
) -> None:
    lines = [line("l1", "SW-P8-120", 3), line("l2", "CBL-C6-02", 7, **how)]
    pricing = price(facts, PriceRequest.model_validate(asking(*lines)))
    adds_up(pricing)
    aside = pricing.lines[1]
    assert aside.gross_minor is not None
    assert aside.included_tax_minor == round(aside.gross_minor * 19 / 119)
