"""What people put on file: accounts with the names they go by, contacts, addresses."""

import secrets
from collections.abc import Sequence
from typing import Any

from babel.numbers import get_territory_currencies
from sqlalchemy import select
from sqlmodel import Session

from servers.crm.account_schemas import AddedAccount, AddedAddress, AddedContact
from servers.crm.matching import domain_of, fold, normalize
from servers.crm.reading.cleaning import clean_line
from servers.crm.store.rows import all_visible, column, count_visible, the_row, write_for
from servers.crm.tables import Account, AccountAlias, Address, Contact
from servers.toolkit import scope
from servers.toolkit.errors import ConflictError, ForbiddenError, InvalidInputError
from servers.toolkit.idempotency import once
from servers.toolkit.money import exponent


def create_account(
    session: Session, *, name: str, legal_name: str, country: str, currency: str, **values: str
) -> AddedAccount:
    """Put a prospect on file, unless its name is on file in that country already."""
    if scope.grant().bind:
        raise ForbiddenError(
            "this grant is bound to records that are there", fix="leave new accounts to a person"
        )

    def make() -> AddedAccount:
        called = line(name, "name")
        _check_new(session, called, country)
        row = Account(
            account_id=f"acc_{secrets.token_hex(8)}",
            name=called,
            legal_name=clean_line(legal_name) or called,
            country=country,
            currency=currency or _own_currency(country),
            status="prospect",
            **values,
        )
        exponent(row.currency)  # refuses what nobody can quote in
        session.add(row)
        session.flush()
        for one in dict.fromkeys((row.name, row.legal_name)):
            session.add(AccountAlias(**alias_of(row.account_id, one)))
        return AddedAccount.model_validate(row, from_attributes=True)

    def seen(stored: AddedAccount) -> None:
        the_row(session, Account, account_id=stored.account_id)

    return once(session, "create_account", make, AddedAccount, seen)


def line(text: str, what: str, limit: int = 200) -> str:
    """Return what a person typed, cleaned, on one line; InvalidInputError where nothing is left."""
    if cleaned := clean_line(text, limit):
        return cleaned
    raise InvalidInputError(f"the {what} holds no text", fix=f"say the {what}")


def alias_of(account_id: str, name: str) -> dict[str, Any]:
    folded, core = fold(name)[:200], normalize(name).core[:200]
    return {"account_id": account_id, "name": name, "normalized": folded, "core": core}


def person_of(name: str, email: str) -> dict[str, str]:
    """Return the columns of a contact's name and address, and those it is found by."""
    found_by = {"normalized": fold(name)[:200], "domain": domain_of(email)}
    return {"name": name, "email": email, **found_by}


def _check_new(session: Session, name: str, country: str) -> None:
    called = select(column(AccountAlias, "account_id")).filter_by(normalized=fold(name)[:200])
    same = column(Account, "account_id").in_(called)
    for row in all_visible(session, Account, same, country=country):
        raise ConflictError(
            f"{name} is on file already as {row.account_id}",
            fix="use that account, or give a name that tells the two apart",
        )


def _own_currency(country: str) -> str:
    own = get_territory_currencies(country)
    if len(own) == 1:
        return str(own[0])
    raise InvalidInputError(f"{country} has no one currency", fix="say the account's currency")


def add_contact(
    session: Session, account_id: str, *, name: str, email: str, phone: str, role: str, **may: Any
) -> AddedContact:
    """Put a person at an account on file, unless their address is on file there already."""

    def make(account: Account) -> AddedContact:
        mine: dict[str, Any] = {"account_id": account.account_id, "email": email.lower()}
        for row in all_visible(session, Contact, **mine) if email else ():
            raise ConflictError(f"{row.contact_id} has that address", fix="use that contact")
        found_by: dict[str, Any] = person_of(line(name, "name"), email.lower())
        row = Contact(
            contact_id=f"con_{secrets.token_hex(8)}",
            account_id=account.account_id,
            **found_by,
            **may,
            phone=clean_line(phone),
            role=clean_line(role),
        )
        session.add(row)
        session.flush()
        return AddedContact.model_validate(row, from_attributes=True)

    return write_for(session, "add_contact", account_id, make, AddedContact)


def add_address(
    session: Session, account_id: str, *, kind: str, lines: Sequence[str], city: str, **more: str
) -> AddedAddress:
    """Put an address of an account on file; the first of its kind is the default."""

    def make(account: Account) -> AddedAddress:
        mine = {"account_id": account.account_id, "kind": kind}
        told: dict[str, Any] = {name: clean_line(value) for name, value in more.items()}
        row = Address(
            address_id=f"adr_{secrets.token_hex(8)}",
            **mine,
            **told,
            lines=[line(one, "address") for one in lines],
            city=line(city, "city"),
            is_default=not count_visible(session, Address, is_default=True, **mine),
        )
        session.add(row)
        session.flush()
        return AddedAddress.model_validate(row, from_attributes=True)

    return write_for(session, "add_address", account_id, make, AddedAddress)
