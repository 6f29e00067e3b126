"""What can be imported into finance, table by table; `dealdesk import finance` reads this."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from servers.finance import models as m
from servers.finance import models_legal as ml
from servers.finance import models_prices as mp
from servers.finance.facts.prices import Component
from servers.finance.importers.table import Fill, Table, Values
from servers.finance.models_promotions import PromotionRow
from servers.finance.models_subscriptions import FeeRow, SubscriptionRow
from servers.finance.models_tax import TaxJurisdictionRow, TaxRegistrationRow
from servers.finance.prices.bundles import bundle_problems
from servers.finance.prices.tiers import schedule_problem
from servers.finance.seeds import rows_legal as legal
from servers.finance.seeds import rows_prices as prices
from servers.finance.seeds.legal import clause, payment_term
from servers.finance.seeds.prices import (
    SCHEDULE_COLUMNS,
    as_schedule,
    band_row,
    book_row,
    component_row,
    contract_row,
    entry_values,
    option_row,
)
from servers.finance.seeds.promotions import PromotionSeed, check_ranks, promotion_row
from servers.finance.seeds.rows import AddressSeed, ExchangeSeed, ItemSeed, Row
from servers.finance.seeds.subscriptions import FeeSeed, SubscriptionSeed, fee_row, subscription_row
from servers.finance.seeds.tax import (
    JurisdictionSeed,
    RegistrationSeed,
    TaxRateSeed,
    check_rates,
    rate_row,
)
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import from_micro, round_money, to_micro, to_minor

ACCOUNT = {"account_id": (m.CustomerRow, "account_id")}
SKU = {"sku": (m.ItemRow, "sku")}


class CostRow(Row):
    """The cost of an item that is there already."""

    sku: str
    cost_eur: Annotated[Decimal, Field(ge=0, decimal_places=6)]


class CustomerIn(Row):
    """A customer; addresses, tax ids and certificates have tables of their own."""

    account_id: str = Field(pattern=r"^acc_[A-Za-z0-9_-]{1,40}$")
    parent_account_id: str | None = None
    legal_name: str = Field(min_length=1, max_length=200)
    country: str = Field(pattern="^[A-Z]{2}$")
    kind: Literal["business", "consumer", "government", "reseller"]
    channel: str = Field(default="direct", max_length=20)
    currency: str = Field(pattern="^[A-Z]{3}$")
    payment_terms_code: str = Field(max_length=20)
    segment: str = Field(default="", max_length=40)
    language: str = Field(default="", pattern="^([a-z]{2})?$")
    industry: str = Field(default="", pattern="^[a-z_]{0,40}$")
    credit_limit: Annotated[Decimal, Field(ge=0)] | None = None
    credit_currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    credit_rating: str = Field(default="", max_length=4)
    credit_hold: bool = False


class AddressIn(AddressSeed):
    """An address of a customer."""

    address_id: str = Field(pattern=r"^adr_[A-Za-z0-9_-]{1,40}$")
    account_id: str


def _stored(make: Callable[[Any], SQLModel]) -> Callable[[Any], Values]:
    """Return the columns of what a seed file's row becomes; the database numbers its own rows."""
    return lambda row: make(row).model_dump(exclude={"id"})


def _item(row: ItemSeed) -> Values:
    cost = None if row.cost_eur is None else to_micro(row.cost_eur)
    stated = row.model_dump(exclude={"cost_eur"})
    return {**stated, "cost_micro": cost, "cost_currency": "EUR", "flags": []}


def _customer(row: CustomerIn) -> Values:
    if row.credit_limit is not None and not row.credit_currency:
        raise InvalidInputError(
            f"{row.account_id} has a credit limit without a currency", fix="give credit_currency"
        )
    limit = row.credit_limit
    if limit is not None and limit != round_money(limit, row.credit_currency):
        raise InvalidInputError(
            f"{row.account_id}: the credit limit has more decimals than {row.credit_currency}",
            fix="round it",
        )
    minor = None if limit is None else to_minor(limit, row.credit_currency)
    return {**row.model_dump(exclude={"credit_limit"}), "credit_limit_minor": minor}


def _rate(row: ExchangeSeed) -> Values:
    micro = to_micro(row.rate)
    return {"currency": row.quote, "rate_micro": micro, "as_of": row.date, "source": row.source}


def _costed_items_exist(session: Session, rows: Sequence[CostRow]) -> None:
    """Refuse a cost of an item that is not there: it would make half an item."""
    known = set(session.exec(select(m.ItemRow.sku)))
    if unknown := next((row.sku for row in rows if row.sku not in known), None):
        raise InvalidInputError(f"there is no item {unknown}", fix="import items first")


def _make_room_for_bands(session: Session, rows: Sequence[prices.TierSeed]) -> None:
    """Take away the bands of the schedules that a file names: it says all of each."""
    named = sorted({row.schedule_id for row in rows})
    statement = delete(mp.DiscountBand).where(col(mp.DiscountBand.schedule_id).in_(named))
    session.connection().execute(statement)


def _schedules_hold(_session: Session, rows: Sequence[prices.TierSeed]) -> None:
    of: dict[str, list[prices.TierSeed]] = {}
    for row in rows:
        of.setdefault(row.schedule_id, []).append(row)
    for bands in of.values():
        if problem := schedule_problem(as_schedule(bands)):
            raise InvalidInputError(problem, fix="give every band of a schedule, none twice")


def _ranks_hold(session: Session, _rows: Sequence[Any]) -> None:
    check_ranks(session.exec(select(PromotionRow)).all(), "promotions")


def _rates_hold(session: Session, _rows: Sequence[Any]) -> None:
    check_rates(session.exec(select(m.TaxRateRow)).all())


def _bundles_hold(session: Session, _rows: Sequence[Any]) -> None:
    items = {one.sku: (one.kind, one.tax_class) for one in session.exec(select(m.ItemRow))}
    made = [
        Component(
            one.bundle_sku,
            one.sku,
            one.quantity,
            one.price_mode,
            one.optional,
            from_micro(one.percent_off_micro),
        )
        for one in session.exec(select(mp.BundleComponent))
    ]
    priced = set(session.exec(select(mp.PriceEntry.sku)))
    for problem in bundle_problems(made, items, priced):
        raise InvalidInputError(problem, fix="mend the bundle")


def _clauses_stand(session: Session, rows: Sequence[legal.ClauseSeed]) -> None:
    """Refuse another text under a version that is there: quotes name versions."""
    stored = {
        (one.clause_id, one.version, one.language): one.text
        for one in session.exec(select(ml.ClauseRow))
    }
    for row in rows:
        text = stored.get((row.clause_id, row.version, row.language), row.text)
        if text != row.text:
            raise InvalidInputError(
                f"{row.clause_id} version {row.version} has another text already",
                fix="import it as the next version",
            )


TABLES: dict[str, Table] = {
    "items": Table(
        "what is sold",
        ItemSeed,
        (Fill(m.ItemRow, ("sku",), _item, {"cost_micro": "cost_eur", "flags": "-"}),),
    ),
    "costs": Table(
        "what an item costs us",
        CostRow,
        (
            Fill(
                m.ItemRow,
                ("sku",),
                lambda row: {"sku": row.sku, "cost_micro": to_micro(row.cost_eur)},
                {"cost_micro": "cost_eur"},
            ),
        ),
        before=_costed_items_exist,
    ),
    "customers": Table(
        "who buys",
        CustomerIn,
        (
            Fill(
                m.CustomerRow,
                ("account_id",),
                _customer,
                {"credit_limit_minor": "credit_limit"},
            ),
        ),
        {"payment_terms_code": (ml.PaymentTerm, "code")},
    ),
    "addresses": Table(
        "addresses of customers",
        AddressIn,
        (Fill(m.CustomerAddress, ("address_id",), lambda row: row.model_dump()),),
        ACCOUNT,
    ),
    "price_books": Table(
        "price books", prices.BookSeed, (Fill(mp.PriceBook, ("book",), _stored(book_row)),)
    ),
    "prices": Table(
        "prices of items in a book",
        prices.EntrySeed,
        (
            Fill(
                mp.PriceEntry,
                ("book", "sku", "unit", "min_qty", "valid_from"),
                entry_values,
                {"amount_micro": "amount"},
            ),
        ),
        {**SKU, "book": (mp.PriceBook, "book")},
        also=("max_qty_inclusive",),
    ),
    "tiers": Table(
        "bands of volume discounts; a file says all bands of the schedules it names",
        prices.TierSeed,
        (
            Fill(
                mp.DiscountSchedule,
                ("schedule_id",),
                lambda row: row.model_dump(include=set(SCHEDULE_COLUMNS)),
            ),
            Fill(mp.DiscountBand, ("band_id",), _stored(band_row)),
        ),
        before=_make_room_for_bands,
        after=_schedules_hold,
        also=("upper_inclusive",),
    ),
    "promotions": Table(
        "promotions",
        PromotionSeed,
        (
            Fill(
                PromotionRow,
                ("promotion_id",),
                _stored(promotion_row),
                {"percent_micro": "percent"},
            ),
        ),
        after=_ranks_hold,
    ),
    "contracts": Table(
        "prices agreed with accounts",
        prices.ContractSeed,
        (
            Fill(
                mp.ContractPrice,
                ("contract_id",),
                _stored(contract_row),
                {
                    "amount_micro": "amount",
                    "min_commit_micro": "min_commit",
                    "max_quantity_micro": "max_quantity",
                },
            ),
        ),
        ACCOUNT,
    ),
    "options": Table(
        "configuration options",
        prices.OptionSeed,
        (
            Fill(
                mp.ItemOption,
                ("scope", "selector", "code", "currency"),
                _stored(option_row),
                {"amount_micro": "amount", "cost_micro": "cost_eur"},
            ),
        ),
    ),
    "units": Table(
        "units of measure of items",
        prices.UnitSeed,
        (Fill(mp.ItemUnitRow, ("sku", "unit"), lambda row: row.model_dump()),),
        SKU,
    ),
    "bundles": Table(
        "parts of bundles",
        prices.ComponentSeed,
        (
            Fill(
                mp.BundleComponent,
                ("bundle_sku", "sku"),
                _stored(component_row),
                {"percent_off_micro": "percent_off"},
            ),
        ),
        {**SKU, "bundle_sku": (m.ItemRow, "sku")},
        after=_bundles_hold,
    ),
    "subscriptions": Table(
        "running subscriptions of accounts",
        SubscriptionSeed,
        (
            Fill(
                SubscriptionRow,
                ("subscription_id",),
                _stored(subscription_row),
                {
                    "unit_price_micro": "unit_price",
                    "uplift_micro": "uplift",
                    "cap_micro": "cap",
                },
            ),
        ),
        {**ACCOUNT, **SKU},
    ),
    "fees": Table("fees on whole quotes", FeeSeed, (Fill(FeeRow, ("fee_id",), _stored(fee_row)),)),
    "tax_jurisdictions": Table(
        "countries and regions with a tax law of their own",
        JurisdictionSeed,
        (Fill(TaxJurisdictionRow, ("jurisdiction",), lambda row: row.model_dump()),),
    ),
    "tax_rates": Table(
        "tax rates with their days and sources",
        TaxRateSeed,
        (Fill(m.TaxRateRow, ("rate_id",), _stored(rate_row), {"percent_micro": "percent"}),),
        after=_rates_hold,
    ),
    "tax_registrations": Table(
        "where a legal entity is registered for tax",
        RegistrationSeed,
        (Fill(TaxRegistrationRow, ("registration_id",), lambda row: row.model_dump()),),
        {"entity_id": (m.Seller, "entity_id")},
    ),
    "payment_terms": Table(
        "payment terms",
        legal.PaymentTermSeed,
        (
            Fill(
                ml.PaymentTerm,
                ("code",),
                _stored(payment_term),
                {"lines": "code", "days": "code", "prepaid": "code"},
            ),
        ),
    ),
    "clauses": Table(
        "approved texts; a version's text never changes",
        legal.ClauseSeed,
        (
            Fill(
                ml.ClauseRow,
                ("clause_id", "version", "language"),
                _stored(clause),
                {"conditions": "when", "sha256": "text"},
            ),
        ),
        before=_clauses_stand,
    ),
    "receivables": Table(
        "open invoices of customers",
        legal.ReceivableSeed,
        (Fill(ml.ReceivableRow, ("invoice_no",), lambda row: row.model_dump()),),
        ACCOUNT,
    ),
    "exchange_rates": Table(
        "what one EUR is in another currency",
        ExchangeSeed,
        (Fill(m.ExchangeRate, ("currency",), _rate, {"rate_micro": "rate", "as_of": "date"}),),
    ),
}
