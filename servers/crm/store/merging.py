"""Two accounts that are one company become one account: everything of the one goes to the other."""

from sqlalchemy import delete, update
from sqlmodel import Session

from servers.crm.account_schemas import Merged
from servers.crm.store.new_accounts import alias_of
from servers.crm.store.rows import all_visible, column, the_row, write_for
from servers.crm.tables import (
    Account,
    AccountAlias,
    AccountTaxId,
    Activity,
    Address,
    Contact,
    CrmTable,
    Document,
    Need,
    Opportunity,
    QuoteRecord,
    Task,
)
from servers.toolkit.errors import ConflictError, InvalidInputError
from servers.toolkit.findings import Finding, Severity

MOVED: tuple[type[CrmTable], ...] = (
    *(AccountAlias, AccountTaxId, Address, Contact, Opportunity, Task),
    *(Activity, Document, Need, QuoteRecord),
)


def merge_accounts(session: Session, account_id: str, duplicate_id: str) -> Merged:
    """Move all of a duplicate to an account; its names and its id mean that account from then on.

    The duplicate's row stays, closed, and says where it went.
    """

    def make(kept: Account) -> Merged:
        gone = the_row(session, Account, account_id=duplicate_id)
        _check_two(session, kept, gone)
        left = _known_to_finance(session, gone)
        gone.merged_into, gone.status = kept.account_id, "closed"
        session.add(gone)
        session.flush()
        _drop_doubles(session, kept, gone)
        moved = {str(table.__tablename__): _move(session, table, kept, gone) for table in MOVED}
        earlier = update(Account).where(column(Account, "merged_into") == gone.account_id)
        session.execute(earlier.values(merged_into=kept.account_id))
        session.add(AccountAlias(**alias_of(kept.account_id, gone.account_id)))
        return Merged(
            account_id=kept.account_id,
            merged_id=gone.account_id,
            moved={table: count for table, count in moved.items() if count},
            left_in_finance=left,
            findings=[_to_move(gone.account_id, kept.account_id)],
        )

    return write_for(session, "merge_accounts", account_id, make, Merged)


def _check_two(session: Session, kept: Account, gone: Account) -> None:
    if gone.merged_into is not None:
        raise ConflictError(
            f"{gone.account_id} was merged into {gone.merged_into} already", fix="use that account"
        )
    if gone.account_id == kept.account_id:
        raise InvalidInputError("these are one account", fix="name the duplicate as duplicate_id")
    quotes = (all_visible(session, QuoteRecord, account_id=one.account_id) for one in (kept, gone))
    mine, theirs = ({(one.quote_id, one.revision) for one in found} for found in quotes)
    for quote_id, revision in sorted(mine & theirs):
        raise ConflictError(
            f"both have {quote_id} revision {revision}, and the history of quotes is kept for good",
            fix="leave them two accounts, or have the owner of the data mend that quote",
        )


def _drop_doubles(session: Session, kept: Account, gone: Account) -> None:
    """Take away what both accounts have; a tax number stays verified if either one was."""
    mine = {one.name for one in all_visible(session, AccountAlias, account_id=kept.account_id)}
    theirs = {"account_id": gone.account_id}
    doubles = delete(AccountAlias).filter_by(**theirs)
    session.execute(doubles.where(column(AccountAlias, "name").in_(mine)))
    known = all_visible(session, AccountTaxId, account_id=kept.account_id)
    numbers = {(one.scheme, one.value): one for one in known}
    for double in all_visible(session, AccountTaxId, **theirs):
        if (own := numbers.get((double.scheme, double.value))) is not None:
            own.verified_at = own.verified_at or double.verified_at
            session.add(own)
            session.delete(double)
    addresses = all_visible(session, Address, account_id=kept.account_id, is_default=True)
    taken = {one.kind for one in addresses}
    for address in all_visible(session, Address, **theirs):
        address.is_default = address.is_default and address.kind not in taken
        session.add(address)
    session.flush()


def _move(session: Session, table: type[CrmTable], kept: Account, gone: Account) -> int:
    values = {"account_id": kept.account_id}
    if table is Opportunity:
        values["version"] = column(Opportunity, "version") + 1
    moving = update(table).where(column(table, "account_id") == gone.account_id).values(**values)
    return int(session.execute(moving).rowcount)  # type: ignore[attr-defined] # an update's


def _known_to_finance(session: Session, gone: Account) -> list[str]:
    """Return the ids of the duplicate that finance may have rows under; nobody asks finance."""
    of = {"account_id": gone.account_id}
    addresses = [one.address_id for one in all_visible(session, Address, **of)]
    quotes = [one.quote_id for one in all_visible(session, QuoteRecord, **of)]
    return [gone.account_id, *sorted(addresses), *sorted(set(quotes))]


def _to_move(gone: str, kept: str) -> Finding:
    return Finding(
        code="MOVE_IN_FINANCE",
        severity=Severity.NEEDS_HUMAN,
        message=f"Finance keeps what it has of {gone} under that id until a person moves it.",
        subject=gone,
        rule_id="crm.merge.finance",
        fix=f"Give {kept} in finance's files (customers, addresses, prices, receivables) and "
        "import them.",
    )
