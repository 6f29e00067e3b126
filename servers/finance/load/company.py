"""Who the house is, as a company file or the files of `sellers` and `people` say it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from babel.core import get_global
from babel.numbers import get_territory_currencies
from pydantic import AfterValidator, Field, model_validator
from sqlmodel import Session, select
from stdnum import iban
from stdnum.eu import vat

from servers.finance.facts.blocks import AddressBlock, BankBlock, TaxIdBlock
from servers.finance.load.base import table
from servers.finance.logo import checked_uri, data_uri
from servers.finance.tables.base import AnyCountry, AnyCurrency, EntityId, PersonId, Place
from servers.finance.tables.house import Person, Seller
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.fields import Country
from servers.toolkit.seeding import mark_own
from servers.toolkit.shipped import shipped
from servers.toolkit.tables import Around, Row, Values

FORMAT = re.compile(r"^[A-Za-z0-9/_.-]*\{year\}[A-Za-z0-9/_.-]*\{n:0[1-9]d\}[A-Za-z0-9/_.-]*$")
LIMITS, UNLIMITED = ("max_discount_bp", "max_total"), "unlimited"
NO_BANK = {"bank_name": "", "account_holder": ""}
ZONES: dict[str, str] = shipped(__package__, "time_zones")
"""Where most of a country with several time zones lives."""


def usual_zone(country: str) -> str:
    """Return a country's time zone; ValueError where it has several and none is the usual one."""
    zones = get_global("territory_zones").get(country, [])
    if country in ZONES or len(zones) == 1:
        return ZONES.get(country) or str(zones[0])
    raise ValueError(f"give the time_zone: {country} has {', '.join(zones[:9]) or 'none we know'}")


def _plain(name: str) -> str:
    """Return a name in lower-case letters and digits with hyphens between its words."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", letters)) or "house"


def _format(text: str) -> str:
    if not FORMAT.match(text):
        raise ValueError("write it like Q-{year}-{n:06d}: letters, digits, the year, the number")
    return text


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone such as Europe/Berlin")
    return name


def _logo(uri: str) -> str:
    try:
        return checked_uri(uri) if uri.startswith("data:") else uri
    except InvalidInputError as problem:
        raise ValueError(problem.message) from problem


class SellerAddress(Row):
    """Where an entity is."""

    lines: list[str] = Field(min_length=1)
    city: str = Field(min_length=1)
    region: str = ""
    postal_code: str = ""
    country: AnyCountry = Field(default="", description="the entity's own, when left out")


class SellerBank(Row):
    """The seller's own account: an IBAN, or a number where there is none."""

    bank_name: str = Field(default="", max_length=120)
    account_holder: str = Field(default="", max_length=200, description="else the legal name")
    iban: str = Field(default="", max_length=42)
    bic: str = Field(default="", max_length=11)
    account_number: str = Field(default="", max_length=40)
    routing_number: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _has_a_number(self) -> "SellerBank":
        if not self.iban and not self.account_number:
            raise ValueError("give an iban, or an account_number where there is none")
        if self.iban and not iban.is_valid(self.iban, check_country=False):
            raise ValueError(f"{self.iban!r} is no IBAN: its check digits are wrong")
        return self


class SellerTaxId(Row):
    """A tax number of the seller beside the VAT id."""

    scheme: str = Field(pattern="^[a-z]{2}_[a-z_]{2,20}$")
    country: Country
    value: str = Field(min_length=1, max_length=40)


class SellerRegistration(Row):
    """Where the entity is registered for tax, beside the country of its VAT id."""

    jurisdiction: Place
    scheme: Literal["vat", "gst", "sales_tax", "oss"]
    number: str = Field(min_length=1, max_length=40)
    establishment: bool = False


class Signatory(Row):
    """Who signs for the entity."""

    name: str = Field(min_length=1, max_length=120)
    title: str = Field(default="", max_length=120)


class SellerFile(Row):
    """A legal entity of the house; what may be left out is worked out, or not printed."""

    entity_id: Annotated[EntityId, Field(description="else made from the name")] = ""
    legal_name: str = Field(min_length=1, max_length=200)
    country: Country
    vat_id: str = Field(default="", max_length=40)
    tax_ids: list[SellerTaxId] = Field(default_factory=list, max_length=10)
    registration: str = Field(default="", max_length=200)
    tax_registrations: list[SellerRegistration] = Field(default_factory=list, max_length=100)
    address: SellerAddress
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=120)
    phone: str = Field(default="", max_length=40)
    website: str = Field(default="", max_length=120)
    bank: SellerBank | None = None
    signatory: Signatory | None = None
    quote_number_format: Annotated[
        str,
        AfterValidator(_format),
        Field(max_length=60, description="else the name's initials, the year and five digits"),
    ] = ""
    time_zone: Annotated[
        str, AfterValidator(_zone), Field(description="else the country's most usual one")
    ] = ""
    place_of_business: str = Field(default="", max_length=120, description="else the city")
    logo: Annotated[
        str, AfterValidator(_logo), Field(description="an SVG or PNG file beside this one")
    ] = ""
    countries: list[Country] = Field(
        default_factory=list, max_length=250, description="whose quotes it makes"
    )
    default: bool = Field(default=False, description="it serves every other country")

    @model_validator(mode="after")
    def _complete(self) -> "SellerFile":
        """Work out what follows from the rest, and was left out."""
        initials = "".join(word[0] for word in _plain(self.legal_name).split("-"))
        self.entity_id = self.entity_id or f"ent_{_plain(self.legal_name)[:40].strip('-')}"
        self.quote_number_format = self.quote_number_format or (
            f"{initials[:4].upper()}-{{year}}-{{n:05d}}"
        )
        self.time_zone = self.time_zone or usual_zone(self.country)
        self.address.country = self.address.country or self.country
        self.place_of_business = self.place_of_business or self.address.city
        if self.bank:
            self.bank.account_holder = self.bank.account_holder or self.legal_name
        return self

    @model_validator(mode="after")
    def _has_a_tax_number(self) -> "SellerFile":
        european = self.vat_id[:2].lower() in vat.MEMBER_STATES
        if european and not vat.is_valid(self.vat_id):
            raise ValueError(f"{self.vat_id!r} does not have the form of a VAT id")
        if self.country.lower() in vat.MEMBER_STATES and not self.vat_id and not self.tax_ids:
            raise ValueError("give a vat_id, or tax_ids where there is none")
        return self


def _limits_read(row: Values) -> Values:
    """Return a person whose limits may be `unlimited`; an empty one is refused, not no limit."""
    return {**row, **{name: None for name in LIMITS if row.get(name) == UNLIMITED}}


class PersonFile(Row):
    """Who may decide, and how far; None is no limit."""

    person_id: PersonId
    name: str = Field(min_length=1, max_length=120)
    title: str = Field(default="", max_length=120)
    roles: list[Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]]
    max_discount_bp: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        description=f"the largest discount in hundredths of a percent, or {UNLIMITED}"
    )
    max_total: dict[str, Decimal] | None = Field(
        description=f"the largest total in each currency, or {UNLIMITED}"
    )

    _unlimited = model_validator(mode="before")(_limits_read)


class CompanyFile(Row):
    """Who the house is: its legal entities, the people who may decide, and how it starts.

    `delivery` is what it costs to send something, whatever it weighs: to a country (DE), to the
    EU, or to the WORLD, which is everywhere else.
    """

    entities: list[SellerFile] = Field(min_length=1, max_length=50)
    people: list[PersonFile] = Field(default_factory=list, max_length=500)
    currency: AnyCurrency = ""
    delivery: dict[
        Annotated[str, Field(pattern="^([A-Z]{2}|WORLD)$")],
        Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)],
    ] = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _fits_together(self) -> "CompanyFile":
        if len(self.entities) == 1:
            self.entities[0].default = True
        people = (("person_id", [one.person_id for one in self.people]),)
        wrong = next(_problems([seller_row(one) for one in self.entities], people), None)
        if wrong is not None:
            raise ValueError(wrong)
        return self

    @property
    def money(self) -> str:
        """The currency of the house: its own word, or that of the country it is at home in."""
        return self.currency or get_territory_currencies(self.home.country)[0]

    @property
    def home(self) -> SellerFile:
        """The entity that serves every country no other one names."""
        return next(one for one in self.entities if one.default)


def _problems(sellers: list[Values], more: Iterable[tuple[str, list[str]]] = ()) -> Iterator[str]:
    """Yield what does not go together: something said twice, not exactly one default."""
    every = (
        ("entity_id", [one["entity_id"] for one in sellers]),
        *more,
        ("quote_number_format", [one["number_format"] for one in sellers]),
        ("country in countries", [c for one in sellers for c in sorted(one["countries"])]),
    )
    for what, values in every:
        if twice := next((value for value in values if values.count(value) > 1), ""):
            yield f"{what} {twice} is there twice"
    if sellers and sum(one["is_default"] for one in sellers) != 1:
        yield "exactly one entity has default: true"


def _sellers_hold(session: Session) -> Iterator[str]:
    yield from _problems([one.model_dump() for one in session.exec(select(Seller))])


def seller_row(row: SellerFile) -> Values:
    """Return an entity as the table's columns."""
    return {
        **{name: getattr(row, name) for name in Seller.model_fields if hasattr(row, name)},
        "number_format": row.quote_number_format,
        "countries": frozenset(row.countries),
        "is_default": row.default,
        "address": AddressBlock(**row.address.model_dump()),
        "tax_ids": tuple(TaxIdBlock(**one.model_dump()) for one in row.tax_ids),
        "bank": BankBlock(**(row.bank.model_dump() if row.bank else NO_BANK)),
        "signatory_name": row.signatory.name if row.signatory else "",
        "signatory_title": row.signatory.title if row.signatory else "",
    }


def _seller(row: SellerFile, around: Around) -> Values:
    values = seller_row(row)
    if row.logo and not row.logo.startswith("data:"):
        values["logo"] = data_uri(around.beside(row.logo))
    return values


def _told_seller(stored: Values, _around: Around) -> Values:
    return {
        **{name: stored[name] for name in SELLERS.fields if name in stored},
        "quote_number_format": stored["number_format"],
        "countries": sorted(stored["countries"]),
        "default": stored["is_default"],
        "address": stored["address"].model_dump(exclude={"address_id"}),
        "tax_ids": [one.model_dump() for one in stored["tax_ids"]],
        "bank": stored["bank"].model_dump() if stored["bank"].account_holder else None,
        "signatory": {"name": stored["signatory_name"], "title": stored["signatory_title"]}
        if stored["signatory_name"]
        else None,
    }


def person_row(row: PersonFile, _around: Any = None) -> Values:
    """Return a person as the table's columns."""
    return {**row.model_dump(), "roles": frozenset(row.roles)}


def _told_person(stored: Values, _around: Around) -> Values:
    unlimited = {name: UNLIMITED for name in LIMITS if stored[name] is None}
    return {**PEOPLE.plain_told(stored), **unlimited}


SELLERS = table(
    "sellers",
    Seller,
    "a legal entity of ours that makes offers",
    form=SellerFile,
    without=("tax_registrations",),
    make=_seller,
    tell=_told_seller,
    holds=_sellers_hold,
    as_json=True,
)
PEOPLE = table(
    "people",
    Person,
    "somebody of ours who may ask or approve, and how far",
    form=PersonFile,
    read=_limits_read,
    make=person_row,
    after=lambda around: mark_own(around.session),
    tell=_told_person,
    as_json=True,
)
