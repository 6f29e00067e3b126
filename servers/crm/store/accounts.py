"""Accounts, their contacts and addresses."""

from collections import defaultdict

from sqlalchemy import and_, select
from sqlmodel import Session

from servers.crm.matching import Known, fold, initials_of, normalize, rank
from servers.crm.schemas import (
    AccountDetail,
    AccountPage,
    AccountRow,
    AddressPage,
    AddressRow,
    Candidate,
    ContactPage,
    ContactRow,
    Resolution,
    TaxId,
)
from servers.crm.senders import Records
from servers.crm.stages import CLOSED_STAGES
from servers.crm.store.rows import (
    all_visible,
    column,
    count_visible,
    get_account_row,
    page_of,
    slice_of,
    visible,
)
from servers.crm.tables import (
    Account,
    AccountAlias,
    AccountTaxId,
    Address,
    Contact,
    Opportunity,
    SellerDomain,
)
from servers.toolkit.findings import Finding, Severity

CANDIDATES = 5


def resolve_account(session: Session, text: str) -> Resolution:
    ranking = rank(text, _known(session), CANDIDATES)
    rows = {
        row.account_id: row
        for row in all_visible(
            session,
            Account,
            column(Account, "account_id").in_([m.account_id for m in ranking.matches]),
        )
    }
    candidates = [
        Candidate(
            account_id=match.account_id,
            name=rows[match.account_id].name,
            country=rows[match.account_id].country,
            status=rows[match.account_id].status,
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


def _known(session: Session) -> list[Known]:
    names: dict[str, list[str]] = defaultdict(list)
    people: dict[str, list[tuple[str, str]]] = defaultdict(list)
    aliases = visible(
        select(column(AccountAlias, "account_id"), column(AccountAlias, "name")), AccountAlias
    )
    for account_id, name in session.execute(aliases):
        names[account_id].append(name)
    contacts = visible(
        select(column(Contact, "account_id"), column(Contact, "name"), column(Contact, "email")),
        Contact,
    )
    for account_id, name, email in session.execute(contacts):
        people[account_id].append((name, email))
    return [
        Known(
            account_id,
            tuple(normalize(name) for name in called),
            tuple(people[account_id]),
            initials_of(called),
        )
        for account_id, called in names.items()
    ]


def words_of_account(session: Session, account_id: str) -> frozenset[str]:
    """Return the words of an account's names and of its contacts' names, folded."""
    aliases = all_visible(session, AccountAlias, column(AccountAlias, "account_id") == account_id)
    contacts = all_visible(session, Contact, column(Contact, "account_id") == account_id)
    return frozenset(fold(" ".join(row.name for row in (*aliases, *contacts))).split())


def search_accounts(
    session: Session, query: str, country: str | None, limit: int, cursor: str | None
) -> AccountPage:
    """Return accounts with a name that holds every word of the query, else the most alike."""
    conditions = [] if country is None else [column(Account, "country") == country]
    words = fold(query).split()
    if not words:
        return AccountPage(items=[], total=0, next_cursor=None)
    holds = and_(
        *(column(AccountAlias, "normalized").contains(word, autoescape=True) for word in words)
    )
    named = select(column(AccountAlias, "account_id")).where(holds)
    order = (column(Account, "name"), column(Account, "account_id"))
    found = [*conditions, column(Account, "account_id").in_(named)]
    rows, total, after = page_of(session, Account, found, order, limit, cursor)
    if not total:
        near = [m.account_id for m in rank(query, _known(session), 20).matches]
        wanted = [*conditions, column(Account, "account_id").in_(near)]
        like = sorted(
            all_visible(session, Account, *wanted), key=lambda a: near.index(a.account_id)
        )
        rows, total, after = slice_of(like, limit, cursor)
    return AccountPage(items=[_row(row) for row in rows], total=total, next_cursor=after)


def _row(row: Account) -> AccountRow:
    return AccountRow.model_validate(row.model_dump(include=set(AccountRow.model_fields)))


def get_account(session: Session, account_id: str) -> AccountDetail:
    row = get_account_row(session, account_id)
    mine = column(AccountAlias, "account_id") == account_id
    aliases = [alias.name for alias in all_visible(session, AccountAlias, mine)]
    tax_ids = all_visible(session, AccountTaxId, column(AccountTaxId, "account_id") == account_id)
    deals = column(Opportunity, "account_id") == account_id
    still_open = column(Opportunity, "stage").notin_([stage.value for stage in CLOSED_STAGES])
    return AccountDetail.model_validate(
        row.model_dump()
        | {
            "aliases": [name for name in aliases if name not in (row.name, row.legal_name)],
            "tax_ids": [TaxId.model_validate(t.model_dump(exclude={"id"})) for t in tax_ids],
            "open_opportunities": count_visible(session, Opportunity, deals, still_open),
            "findings": _account_findings(row, tax_ids),
        }
    )


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
    get_account_row(session, account_id)
    order = (column(Contact, "is_signatory").desc(), column(Contact, "contact_id"))
    mine = [column(Contact, "account_id") == account_id]
    rows, total, after = page_of(session, Contact, mine, order, limit, cursor)
    items = [ContactRow.model_validate(row.model_dump()) for row in rows]
    return ContactPage(items=items, total=total, next_cursor=after)


def list_addresses(
    session: Session, account_id: str, limit: int, cursor: str | None
) -> AddressPage:
    """Return the addresses of an account, by kind, defaults first."""
    get_account_row(session, account_id)
    order = (
        column(Address, "kind"),
        column(Address, "is_default").desc(),
        column(Address, "address_id"),
    )
    mine = [column(Address, "account_id") == account_id]
    rows, total, after = page_of(session, Address, mine, order, limit, cursor)
    items = [AddressRow.model_validate(row.model_dump()) for row in rows]
    return AddressPage(items=items, total=total, next_cursor=after)


def records_of(session: Session, account_id: str) -> Records:
    """Return what senders of this account's messages are compared with."""
    contacts = all_visible(session, Contact, column(Contact, "account_id") == account_id)
    domains = session.execute(select(column(SellerDomain, "domain"))).scalars()
    return Records(
        frozenset(contact.email.lower() for contact in contacts if contact.email),
        frozenset(domains),
    )
