"""What can be imported into finance, table by table; `dealdesk import finance` reads this."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from servers.finance.facts.prices import Component
from servers.finance.importers.table import Fill, Table, Values
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
from servers.finance.tables.charges import ExchangeRate, FeeRow
from servers.finance.tables.customers import CustomerAddress, CustomerRow, ReceivableRow
from servers.finance.tables.house import Seller
from servers.finance.tables.legal import ClauseRow, PaymentTerm
from servers.finance.tables.prices import (
    BundleComponent,
    ContractPrice,
    DiscountBand,
    DiscountSchedule,
    ItemOption,
    ItemRow,
    ItemUnitRow,
    PriceBook,
    PriceEntry,
)
from servers.finance.tables.promotions import PromotionRow
from servers.finance.tables.subscriptions import SubscriptionRow
from servers.finance.tables.taxes import TaxJurisdictionRow, TaxRateRow, TaxRegistrationRow
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import round_money, to_minor

ACCOUNT = {"account_id": (CustomerRow, "account_id")}
SKU = {"sku": (ItemRow, "sku")}


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

    def columns(row: Any) -> Values:
        made = make(row)
        return {name: getattr(made, name) for name in type(made).model_fields if name != "id"}

    return columns


def _item(row: ItemSeed) -> Values:
    stated = row.model_dump(exclude={"cost_eur"})
    return {**stated, "cost": row.cost_eur, "cost_currency": "EUR", "flags": frozenset()}


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
    return {"currency": row.quote, "rate": row.rate, "as_of": row.date, "source": row.source}


def _costed_items_exist(session: Session, rows: Sequence[CostRow]) -> None:
    """Refuse a cost of an item that is not there: it would make half an item."""
    known = set(session.exec(select(ItemRow.sku)))
    if unknown := next((row.sku for row in rows if row.sku not in known), None):
        raise InvalidInputError(f"there is no item {unknown}", fix="import items first")


def _make_room_for_bands(session: Session, rows: Sequence[prices.TierSeed]) -> None:
    """Take away the bands of the schedules that a file names: it says all of each."""
    named = sorted({row.schedule_id for row in rows})
    statement = delete(DiscountBand).where(col(DiscountBand.schedule_id).in_(named))
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
    check_rates(session.exec(select(TaxRateRow)).all())


def _bundles_hold(session: Session, _rows: Sequence[Any]) -> None:
    items = {one.sku: (one.kind, one.tax_class) for one in session.exec(select(ItemRow))}
    made = [
        Component(
            one.bundle_sku,
            one.sku,
            one.quantity,
            one.price_mode,
            one.optional,
            one.percent_off,
        )
        for one in session.exec(select(BundleComponent))
    ]
    priced = set(session.exec(select(PriceEntry.sku)))
    for problem in bundle_problems(made, items, priced):
        raise InvalidInputError(problem, fix="mend the bundle")


def _clauses_stand(session: Session, rows: Sequence[legal.ClauseSeed]) -> None:
    """Refuse another text under a version that is there: quotes name versions."""
    stored = {
        (one.clause_id, one.version, one.language): one.text
        for one in session.exec(select(ClauseRow))
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
        (Fill(ItemRow, ("sku",), _item, {"cost": "cost_eur", "flags": "-"}),),
    ),
    "costs": Table(
        "what an item costs us",
        CostRow,
        (
            Fill(
                ItemRow,
                ("sku",),
                lambda row: {"sku": row.sku, "cost": row.cost_eur},
                {"cost": "cost_eur"},
            ),
        ),
        before=_costed_items_exist,
    ),
    "customers": Table(
        "who buys",
        CustomerIn,
        (
            Fill(
                CustomerRow,
                ("account_id",),
                _customer,
                {"credit_limit_minor": "credit_limit"},
            ),
        ),
        {"payment_terms_code": (PaymentTerm, "code")},
    ),
    "addresses": Table(
        "addresses of customers",
        AddressIn,
        (Fill(CustomerAddress, ("address_id",), lambda row: row.model_dump()),),
        ACCOUNT,
    ),
    "price_books": Table(
        "price books", prices.BookSeed, (Fill(PriceBook, ("book",), _stored(book_row)),)
    ),
    "prices": Table(
        "prices of items in a book",
        prices.EntrySeed,
        (
            Fill(
                PriceEntry,
                ("book", "sku", "unit", "min_qty", "valid_from"),
                entry_values,
            ),
        ),
        {**SKU, "book": (PriceBook, "book")},
        also=("max_qty_inclusive",),
    ),
    "tiers": Table(
        "bands of volume discounts; a file says all bands of the schedules it names",
        prices.TierSeed,
        (
            Fill(
                DiscountSchedule,
                ("schedule_id",),
                lambda row: row.model_dump(include=set(SCHEDULE_COLUMNS)),
            ),
            Fill(DiscountBand, ("band_id",), _stored(band_row)),
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
            ),
        ),
        after=_ranks_hold,
    ),
    "contracts": Table(
        "prices agreed with accounts",
        prices.ContractSeed,
        (
            Fill(
                ContractPrice,
                ("contract_id",),
                _stored(contract_row),
            ),
        ),
        ACCOUNT,
    ),
    "options": Table(
        "configuration options",
        prices.OptionSeed,
        (
            Fill(
                ItemOption,
                ("scope", "selector", "code", "currency"),
                _stored(option_row),
                {"cost": "cost_eur"},
            ),
        ),
    ),
    "units": Table(
        "units of measure of items",
        prices.UnitSeed,
        (Fill(ItemUnitRow, ("sku", "unit"), lambda row: row.model_dump()),),
        SKU,
    ),
    "bundles": Table(
        "parts of bundles",
        prices.ComponentSeed,
        (
            Fill(
                BundleComponent,
                ("bundle_sku", "sku"),
                _stored(component_row),
                {"percent_off": "percent_off"},
            ),
        ),
        {**SKU, "bundle_sku": (ItemRow, "sku")},
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
        (Fill(TaxRateRow, ("rate_id",), _stored(rate_row)),),
        after=_rates_hold,
    ),
    "tax_registrations": Table(
        "where a legal entity is registered for tax",
        RegistrationSeed,
        (Fill(TaxRegistrationRow, ("registration_id",), lambda row: row.model_dump()),),
        {"entity_id": (Seller, "entity_id")},
    ),
    "payment_terms": Table(
        "payment terms",
        legal.PaymentTermSeed,
        (
            Fill(
                PaymentTerm,
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
                ClauseRow,
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
        (Fill(ReceivableRow, ("invoice_no",), lambda row: row.model_dump()),),
        ACCOUNT,
    ),
    "exchange_rates": Table(
        "what one EUR is in another currency",
        ExchangeSeed,
        (Fill(ExchangeRate, ("currency",), _rate, {"as_of": "date"}),),
    ),
}
