"""Accounts, their contacts and addresses."""

import re
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from servers.crm.account_schemas import AccountDetail, AddressPage, ContactPage
from servers.crm.matching import fold
from servers.crm.schemas import AccountPage, Candidate, Resolution
from servers.crm.senders import Records
from servers.crm.store.meant import ranked
from servers.crm.store.overview import overview
from servers.crm.store.rows import (
    all_visible,
    column,
    page_of,
    slice_of,
    the_account,
)
from servers.crm.tables import (
    NAMES,
    Account,
    AccountAlias,
    AccountTaxId,
    Address,
    Contact,
    SellerDomain,
)
from servers.toolkit.external_ids import find_ours, find_theirs
from servers.toolkit.findings import Finding, Severity

CANDIDATES = 5


def resolve_account(session: Session, text: str) -> Resolution:
    for exact in (_of_another_program, _with_tax_id):
        if (only := exact(session, text)) is not None:
            return only
    ranking = ranked(session, text, CANDIDATES)
    ids = [match.account_id for match in ranking.matches]
    found = all_visible(session, Account, column(Account, "account_id").in_(ids))
    rows = {row.account_id: row.model_dump() for row in found}
    candidates = [
        Candidate(
            **rows[match.account_id],
            score=match.score,
            reason=match.reason,
            named_by=sorted(match.named_by),
        )
        for match in ranking.matches
    ]
    return Resolution(
        resolved=ranking.resolved,
        margin=ranking.margin,
        candidates=candidates,
        findings=_resolution_findings(ranking.resolved, candidates),
    )


def _of_another_program(session: Session, text: str) -> Resolution | None:
    """Return the one account that a program we import from calls exactly so."""
    sources = find_ours(session, "accounts", text)
    return _the_only(session, text, {one: f"its id in {source}" for one, source in sources.items()})


def _with_tax_id(session: Session, text: str) -> Resolution | None:
    """Return the one account that has a tax number, written as it is on file or without gaps."""
    written = {text.strip(), re.sub(r"[\s.-]", "", text).upper()}
    numbers = all_visible(session, AccountTaxId, column(AccountTaxId, "value").in_(written))
    return _the_only(session, text, {one.account_id: f"its {one.scheme} number" for one in numbers})


def _the_only(session: Session, text: str, reasons: dict[str, str]) -> Resolution | None:
    """Return the one account that these ids mean today, if it is one."""
    mine = column(Account, "account_id").in_(reasons)
    rows = all_visible(session, Account, mine) if reasons else []
    if len({row.merged_into or row.account_id for row in rows}) != 1:
        return None
    named = rows[0].account_id
    row = the_account(session, named)
    only = Candidate(**row.model_dump(), score=100, reason=reasons[named], named_by=[text])
    return Resolution(resolved=row.account_id, margin=100, candidates=[only], findings=[])


def _resolution_findings(resolved: str | None, candidates: list[Candidate]) -> list[Finding]:
    if resolved is not None:
        return []
    if not candidates:
        return [
            Finding(
                code="UNKNOWN_ACCOUNT",
                severity=Severity.NEEDS_HUMAN,
                message="No account on file is like this.",
                rule_id="crm.resolve.unknown",
                fix="Give the company's name as it is on file, or add the account.",
            )
        ]
    return [
        Finding(
            code="AMBIGUOUS_ACCOUNT",
            severity=Severity.NEEDS_HUMAN,
            message="No account is clearly ahead; a person must say which one is meant.",
            rule_id="crm.resolve.margin",
            evidence=[f"{c.account_id} {c.score}: {c.reason}" for c in candidates],
            fix="Name one of the candidates by its account_id.",
        )
    ]


def words_of_account(session: Session, account_id: str) -> frozenset[str]:
    """Return the words of an account's names and of its contacts' names, folded."""
    aliases = all_visible(session, AccountAlias, account_id=account_id)
    contacts = all_visible(session, Contact, account_id=account_id)
    names = [*(row.name for row in aliases), *(row.name for row in contacts)]
    return frozenset(fold(" ".join(names)).split())


def search_accounts(
    session: Session, query: str, country: str | None, limit: int, cursor: str | None
) -> AccountPage:
    """Return accounts with a name that holds every word of the query, else the most alike."""
    words = fold(query).split()
    if not words:
        return AccountPage(items=[], total=0, next_cursor=None)
    there: dict[str, Any] = {} if country is None else {"country": country}
    mine = column(Account, "account_id")
    holds = select(column(AccountAlias, "account_id")).where(NAMES.holds(session, words))
    named = mine.in_(holds)
    order = (column(Account, "name"), mine)
    found = page_of(session, AccountPage, Account, order, limit, cursor, named, **there)
    if found.total:
        return found
    near = [match.account_id for match in ranked(session, query, 20).matches]
    like = all_visible(session, Account, mine.in_(near), **there)
    like.sort(key=lambda row: near.index(row.account_id))
    return slice_of(AccountPage, like, limit, cursor)


def get_account(session: Session, account_id: str) -> AccountDetail:
    row = the_account(session, account_id)
    mine = {"account_id": row.account_id}
    aliases = [one.name for one in all_visible(session, AccountAlias, **mine)]
    tax_ids = all_visible(session, AccountTaxId, **mine)
    said = {
        **row.model_dump(),
        **overview(session, row.account_id),
        "aliases": [name for name in aliases if name not in (row.name, row.legal_name)],
        "tax_ids": tax_ids,
        "external_ids": find_theirs(session, "accounts", row.account_id),
        "findings": _account_findings(row, tax_ids),
    }
    return AccountDetail.model_validate(said, from_attributes=True)


def _account_findings(row: Account, tax_ids: list[AccountTaxId]) -> list[Finding]:
    found = []
    if row.status in ("on_hold", "closed"):
        found.append(
            Finding(
                code="ACCOUNT_ON_HOLD" if row.status == "on_hold" else "ACCOUNT_CLOSED",
                severity=Severity.BLOCKED,
                message=f"The account is {row.status}, so it gets no quotes.",
                subject=row.account_id,
                rule_id="crm.account.status",
                fix="Finance lifts a hold.",
            )
        )
    if any(tax_id.verified_at is None for tax_id in tax_ids):
        found.append(
            Finding(
                code="TAX_ID_UNVERIFIED",
                severity=Severity.INFO,
                message="A tax number of this account was never verified.",
                subject=row.account_id,
                rule_id="crm.account.tax_id",
            )
        )
    return found


def list_contacts(session: Session, account_id: str, limit: int, cursor: str | None) -> ContactPage:
    """Return the people at an account, signatories first."""
    account_id = the_account(session, account_id).account_id
    order = (column(Contact, "is_signatory").desc(), column(Contact, "contact_id"))
    return page_of(session, ContactPage, Contact, order, limit, cursor, account_id=account_id)


def list_addresses(
    session: Session, account_id: str, limit: int, cursor: str | None
) -> AddressPage:
    """Return the addresses of an account, by kind, defaults first."""
    account_id = the_account(session, account_id).account_id
    default = column(Address, "is_default").desc()
    order = (column(Address, "kind"), default, column(Address, "address_id"))
    return page_of(session, AddressPage, Address, order, limit, cursor, account_id=account_id)


def records_of(session: Session, account_id: str) -> Records:
    """Return what senders of this account's messages are compared with."""
    contacts = all_visible(session, Contact, account_id=account_id)
    domains = session.execute(select(column(SellerDomain, "domain"))).scalars()
    return Records(
        frozenset(contact.email.lower() for contact in contacts if contact.email),
        frozenset(domains),
    )
