"""Fill a new finance database from the seed files, all or nothing."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sqlmodel import Session

from servers.finance.facts.blocks import AddressBlock, BankBlock, TaxIdBlock
from servers.finance.seeds import legal as seed_legal
from servers.finance.seeds import prices as seed_prices
from servers.finance.seeds import rows
from servers.finance.seeds import rows_house as house
from servers.finance.seeds.promotions import promotions
from servers.finance.seeds.reading import read_json
from servers.finance.seeds.subscriptions import subscriptions_and_fees
from servers.finance.seeds.tax import taxes
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.charges import ExchangeRate, FreightRateRow
from servers.finance.tables.customers import (
    CustomerAddress,
    CustomerRow,
    CustomerTaxId,
    ExemptionRow,
    RelatedParty,
)
from servers.finance.tables.house import Person, Seller, Setting
from servers.finance.tables.prices import ItemRow
from servers.finance.tables.taxes import ZoneCountry
from servers.toolkit.errors import InvalidInputError

Part = Callable[[Path], Iterable[FinanceTable]]


def load(session: Session, folder: Path) -> dict[str, int]:
    """Load every seed file of a folder; return the rows per table.

    Raises:
        InvalidInputError: a file is wrong; names the file, the row and the field.
    """
    counts: dict[str, int] = {}
    for part in PARTS:
        made = list(part(folder))
        session.add_all(made)
        session.flush()
        for row in made:
            counts[str(row.__tablename__)] = counts.get(str(row.__tablename__), 0) + 1
    return counts


def _company(folder: Path) -> Iterator[FinanceTable]:
    path = folder / "seller.json"
    people = list(read_json(folder / "people.json"))
    said = read_json(path)
    entities = said if isinstance(said, list) else [said]
    for place, data in enumerate(people, start=1):
        rows.checked(house.PersonSeed, data, f"people.json, row {place}")
    company = {"entities": entities, "people": people}
    yield from company_rows(rows.checked(house.CompanySeed, company, path.name))


def company_rows(company: house.CompanySeed) -> Iterator[FinanceTable]:
    """Yield the rows of a company: its legal entities and its people."""
    for entity in company.entities:
        yield Seller(
            entity_id=entity.entity_id,
            legal_name=entity.legal_name,
            country=entity.country,
            number_format=entity.quote_number_format,
            time_zone=entity.time_zone,
            countries=frozenset(entity.countries),
            is_default=entity.default,
            address=AddressBlock(**entity.address.model_dump(exclude={"kind"})),
            place_of_business=entity.place_of_business,
            vat_id=entity.vat_id,
            tax_ids=tuple(TaxIdBlock(**one.model_dump()) for one in entity.tax_ids),
            registration=entity.registration,
            email=entity.email,
            phone=entity.phone,
            website=entity.website,
            bank=BankBlock(**entity.bank.model_dump()),
            signatory_name=entity.signatory.name,
            signatory_title=entity.signatory.title,
            logo=entity.logo,
        )
    for person in company.people:
        yield Person(
            person_id=person.person_id,
            name=person.name,
            title=person.title,
            roles=frozenset(person.roles),
            max_discount_bp=person.max_discount_bp,
            max_total=person.max_total,
        )


def _policies(folder: Path) -> Iterator[FinanceTable]:
    path = folder / "policies.json"
    said = read_json(path)
    rows.checked(house.PolicySeed, said, path.name)
    yield Setting(name="policies", value=said)
    for rate in rows.json_rows(folder / "exchange_rates.json", rows.ExchangeSeed):
        yield ExchangeRate(currency=rate.quote, rate=rate.rate, as_of=rate.date, source=rate.source)


def _items(folder: Path) -> Iterator[FinanceTable]:
    flags: dict[str, list[str]] = {}
    for flag in rows.csv_rows(folder / "item_flags.csv", rows.FlagSeed, needs=("sku", "flag")):
        flags.setdefault(flag.sku, []).append(flag.flag)
    needs = ("sku", "name", "family", "kind", "weight_g", "cost_eur", "tax_class")
    known = set()
    for item in rows.csv_rows(folder / "items.csv", rows.ItemSeed, needs=needs):
        known.add(item.sku)
        yield ItemRow(
            sku=item.sku,
            name=item.name,
            description=item.description,
            family=item.family,
            kind=item.kind,
            weight_g=item.weight_g,
            cost=item.cost_eur,
            tax_class=item.tax_class,
            flags=frozenset(flags.get(item.sku, ())),
        )
    if unknown := sorted(set(flags) - known):
        raise InvalidInputError(
            f"item_flags.csv names {unknown[0]}, which items.csv does not have", fix="mend the row"
        )


def _carriage(folder: Path) -> Iterator[FinanceTable]:
    path = folder / "freight.json"
    freight = read_json(path)
    for zone, countries in freight["zones"].items():
        for country in countries:
            yield ZoneCountry(zone=f"FREIGHT-{zone}", country=country)
    for rate in rows.json_rows(path, rows.FreightSeed, freight["rates"]):
        yield FreightRateRow(**rate.model_dump())


def _customers(folder: Path) -> Iterator[FinanceTable]:
    for customer in rows.json_rows(folder / "customers.json", rows.CustomerSeed):
        yield CustomerRow(
            account_id=customer.account_id,
            parent_account_id=customer.parent_account_id,
            legal_name=customer.legal_name,
            country=customer.country,
            kind=customer.kind,
            channel=customer.channel,
            currency=customer.currency,
            payment_terms_code=customer.payment_terms_code,
            credit_limit_minor=customer.credit.limit_minor,
            credit_currency=customer.credit.currency,
            credit_rating=customer.credit.rating,
            credit_hold=customer.credit.hold,
            open_minor=customer.credit.open_minor,
            segment=customer.segment,
            language=customer.language,
            industry=customer.industry,
        )


def _customer_parts(folder: Path) -> Iterator[FinanceTable]:
    for customer in rows.json_rows(folder / "customers.json", rows.CustomerSeed):
        owner = customer.account_id
        for tax_id in customer.tax_ids:
            yield CustomerTaxId(account_id=owner, **tax_id.model_dump())
        addresses = {address.address_id: address for address in customer.addresses}
        if (registered := customer.registered_address) and registered.address_id not in addresses:
            addresses[registered.address_id] = registered
        for address in addresses.values():
            yield CustomerAddress(account_id=owner, **address.model_dump())
        for exemption in customer.exemptions:
            yield ExemptionRow(account_id=owner, **exemption.model_dump())
        for party in customer.related_parties:
            yield RelatedParty(account_id=owner, **party.model_dump())


PARTS: tuple[Part, ...] = (
    _company,
    _policies,
    _items,
    *seed_prices.PARTS,
    promotions,
    _carriage,
    taxes,
    seed_legal.house,
    _customers,
    _customer_parts,
    *seed_prices.ACCOUNT_PARTS,
    subscriptions_and_fees,
    seed_legal.receivables,
)
STARTER_PARTS: tuple[Part, ...] = (_policies, _carriage, seed_legal.house)
"""What a new database needs beside its company and tax law, from the files in `starter`."""
