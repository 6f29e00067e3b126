"""From rows of the tables about prices to the facts that the rules read."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

from servers.finance import models_prices as m
from servers.finance.facts.items import ItemUnit
from servers.finance.facts.prices import (
    Band,
    Book,
    Component,
    Contract,
    Entry,
    Formula,
    Option,
    Schedule,
)
from servers.finance.facts.subscriptions import Proration
from servers.finance.facts.windows import Window
from servers.toolkit.money import from_micro


def book(row: m.PriceBook) -> Book:
    """Return a price book."""
    return Book(
        book=row.book,
        currency=row.currency,
        channel=row.channel,
        country=row.country,
        region=row.region,
        account_id=row.account_id,
        window=Window(row.valid_from, row.valid_to),
        rules={key: tuple(values) for key, values in sorted(row.rules.items())},
        derived_from=row.derived_from,
        formula=None if row.formula is None else formula(row.formula),
        tax_inclusive=row.tax_inclusive,
    )


def formula(said: Mapping[str, Any]) -> Formula:
    """Return a formula; its numbers are written as decimal strings."""
    numbers = {key: Decimal(value) for key, value in said.items() if key != "over"}
    return Formula(over=said.get("over", "book"), **numbers)


def entry(row: m.PriceEntry, of: Book) -> Entry:
    """Return a price entry with what its book says."""
    name = f"{row.book}/{row.sku}/{row.unit or 'base'}"
    if row.min_qty:
        name += f"/{row.min_qty}"
    if row.valid_from is not None:
        name += f"/{row.valid_from}"
    firsts = [day for day in (of.window.first, row.valid_from) if day is not None]
    lasts = [day for day in (of.window.last, row.valid_to) if day is not None]
    return Entry(
        entry_id=name,
        book=row.book,
        currency=of.currency,
        channel=of.channel,
        country=of.country,
        window=Window(max(firsts, default=None), min(lasts, default=None)),
        sku=row.sku,
        unit=row.unit,
        default_term_months=row.default_term_months,
        amount=from_micro(row.amount_micro),
        proration=cast(Proration, row.proration),
        region=of.region,
        account_id=of.account_id,
        rules=of.rules,
        tax_inclusive=of.tax_inclusive,
        min_qty=Decimal(row.min_qty),
        max_qty=None if row.max_qty is None else Decimal(row.max_qty),
    )


def contract(row: m.ContractPrice, used_micro: int | None) -> Contract:
    """Return a contract price with what accepted quotes have taken of it."""
    return Contract(
        contract_id=row.contract_id,
        account_id=row.account_id,
        scope=row.scope,
        selector=row.selector,
        kind=row.kind,
        amount=from_micro(row.amount_micro),
        currency=row.currency,
        window=Window(row.valid_from, row.valid_to),
        exclusive=row.exclusive,
        document=row.document,
        min_commit=quantity(row.min_commit_micro),
        max_quantity=quantity(row.max_quantity_micro),
        used=quantity(int(used_micro or 0)) or Decimal(0),
    )


def quantity(micro: int | None) -> Decimal | None:
    """Return a quantity that is kept in micro units."""
    return None if micro is None else (Decimal(micro) / 1_000_000).normalize() + 0


def schedules(
    rows: Iterable[m.DiscountSchedule], bands: Iterable[m.DiscountBand]
) -> tuple[Schedule, ...]:
    """Return the discount schedules with their bands in order."""
    of: dict[str, list[Band]] = {}
    for band in sorted(bands, key=lambda b: b.lower_micro):
        of.setdefault(band.schedule_id, []).append(
            Band(
                band.band_id,
                quantity(band.lower_micro) or Decimal(0),
                quantity(band.upper_micro),
                from_micro(band.value_micro),
            )
        )
    return tuple(
        Schedule(
            schedule_id=row.schedule_id,
            scope=row.scope,
            selector=row.selector,
            window=Window(row.valid_from, row.valid_to),
            bands=tuple(of.get(row.schedule_id, ())),
            type=row.type,
            unit=row.unit,
            basis=row.basis,
            aggregation=row.aggregation,
            currency=row.currency,
        )
        for row in rows
    )


def option(row: m.ItemOption) -> Option:
    """Return an option."""
    return Option(
        row.scope,
        row.selector,
        row.code,
        row.label,
        row.currency,
        from_micro(row.amount_micro),
        None if row.cost_micro is None else from_micro(row.cost_micro),
    )


def unit(row: m.ItemUnitRow) -> ItemUnit:
    """Return a unit of measure."""
    return ItemUnit(row.sku, row.unit, row.numerator, row.denominator)


def component(row: m.BundleComponent) -> Component:
    """Return a part of a bundle."""
    return Component(
        row.bundle_sku,
        row.sku,
        row.quantity,
        row.price_mode,
        row.optional,
        from_micro(row.percent_off_micro),
    )
