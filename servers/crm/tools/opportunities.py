"""Tools about opportunities: finding the right one, reading where it stands, moving it on."""

from datetime import date

from sqlmodel import Session

from servers.crm.schemas import (
    OpportunityDetail,
    OpportunityPage,
    Outcome,
    QuotePage,
    QuoteRow,
    Readiness,
    Stage,
    Version,
)
from servers.crm.store import opportunities, quotes
from servers.crm.tools.arguments import (
    ACCOUNT,
    DEAL,
    Assignee,
    Contacts,
    Day,
    InStage,
    NewOutcome,
    NewStage,
    Number,
    OwnCurrency,
    Owner,
    Revision,
    TotalMinor,
    Typed,
    Words,
)
from servers.toolkit.components import tool
from servers.toolkit.database import Database
from servers.toolkit.declare import reads, writes
from servers.toolkit.fields import AccountId, CurrencyCode, Cursor, Limit, OpportunityId, QuoteId
from servers.toolkit.statements import StatementKey, about_deal


@tool(reads("Search opportunities", rows="filtered", binds=ACCOUNT, integrity="untrusted"))
def search_opportunities(
    session: Session,
    query: Words = "",
    account_id: AccountId | None = None,
    open_only: bool = True,
    stage: InStage = "",
    owner: Owner = "",
    closes_from: Day = "",
    closes_to: Day = "",
    limit: Limit = 20,
    cursor: Cursor = "",
) -> OpportunityPage:
    """Find open opportunities by topic, best fit first, then the latest activity first.

    The words of the query are looked for in names, needs, subjects and messages; small
    words ("the", "quote", "last week") do not count. `score`, `reasons` and
    `last_activity_at` say how well each fits; without a query all are listed. Two that fit
    alike are a question to a person. `open_only=false` adds closed ones; stage, owner and the
    days they may close on narrow. account_id comes from resolve_account.
    """
    said = {"stage": stage, "owner": owner, "closes_from": closes_from, "closes_to": closes_to}
    return opportunities.search_opportunities(
        session, query, account_id, open_only=open_only, limit=limit, cursor=cursor, **said
    )


@tool(reads("Get an opportunity", rows="bound", binds=DEAL, integrity="untrusted"))
def get_opportunity(session: Session, opportunity_id: OpportunityId) -> OpportunityDetail:
    """Get where an opportunity stands: account, stage, contacts, counts, version.

    opportunity_id comes from search_opportunities.
    """
    return opportunities.get_opportunity(session, opportunity_id)


@tool(reads("Check quote readiness", rows="bound", binds=DEAL))
def quote_readiness(database: Database, opportunity_id: OpportunityId) -> Readiness:
    """Check whether the records stand in the way of a quote; call it before reading.

    `do_not_quote`: the account is on hold or closed, or the opportunity is closed. `ask`:
    nobody said anything, or nobody we know. `quote`: nothing on record speaks against it;
    whether the texts really ask for a quote is for the reader to judge. An open quote does
    not change the verdict: it is to be revised, not doubled. `statement` is what finance takes
    as crm_statement of create_quote.
    """
    with database.session() as session:
        ready = quotes.quote_readiness(session, opportunity_id)
    ready.statement = StatementKey.of(database).state(
        "deal", about_deal(ready.account_id, opportunity_id), ready.verdict, ready.findings
    )
    return ready


@tool(reads("Check an account's readiness", rows="bound", binds=ACCOUNT))
def account_readiness(database: Database, account_id: AccountId) -> Readiness:
    """Check whether the records allow a quote to an account that belongs to no opportunity.

    `do_not_quote`: the account is on hold or closed. Where there is an opportunity, use
    quote_readiness. `statement` is what finance takes as crm_statement of create_quote
    without an opportunity_id. account_id comes from resolve_account.
    """
    with database.session() as session:
        ready = quotes.account_readiness(session, account_id)
    ready.statement = StatementKey.of(database).state(
        "deal", about_deal(ready.account_id, ""), ready.verdict, ready.findings
    )
    return ready


@tool(reads("Quote history", rows="bound", binds=ACCOUNT, narrowed=DEAL, integrity="untrusted"))
def quote_history(
    session: Session,
    account_id: AccountId,
    with_lines: bool = False,
    limit: Limit = 20,
    cursor: Cursor = "",
) -> QuotePage:
    """List what an account was offered and how it went, newest first, each step dated.

    with_lines adds what was bought, of quotes from before dealdesk.
    """
    return quotes.quote_history(session, account_id, limit, cursor, with_lines=with_lines)


@tool(writes("Open an opportunity", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def open_opportunity(
    session: Session,
    account_id: AccountId,
    name: Typed,
    stage: Stage = Stage.PROSPECTING,
    owner: Assignee = "",
    close_date: date | None = None,
    amount_minor: TotalMinor | None = None,
    currency: OwnCurrency = "",
    contact_ids: Contacts | None = None,
) -> OpportunityDetail:
    """Put a deal that may come on file. Look with search_opportunities first.

    amount_minor is what it may be worth, in the account's currency unless another is said.
    contact_ids come from list_contacts.
    """
    return opportunities.open_opportunity(
        session,
        account_id,
        name=name,
        stage=stage,
        owner=owner,
        close_date=close_date,
        amount=(amount_minor, currency),
        contact_ids=contact_ids or [],
    )


@tool(writes("Update the stage", rows="bound", binds=DEAL, integrity="untrusted"))
def update_stage(
    session: Session, opportunity_id: OpportunityId, stage: NewStage, expected_version: Version
) -> OpportunityDetail:
    """Move an opportunity to one of its next_stages and leave a note of it.

    Read version and next_stages with get_opportunity first. A closed opportunity stays.
    """
    return opportunities.update_stage(session, opportunity_id, stage, expected_version)


@tool(writes("Record a quote's outcome", rows="bound", binds=DEAL))
def record_quote_outcome(
    session: Session,
    opportunity_id: OpportunityId,
    quote_id: QuoteId,
    revision: Revision,
    outcome: NewOutcome,
    total_minor: TotalMinor,
    currency: CurrencyCode,
    number: Number | None = None,
) -> QuoteRow:
    """Record how a quote revision stands: drafted, issued, accepted, rejected, withdrawn.

    One row per revision; every step is kept. A quote never goes back to an earlier outcome.
    The stage follows: proposal when issued, closed_won when accepted, back when none is open.
    Earlier quotes of the deal that give way to this one become superseded by themselves.
    quote_id, revision, number and total come from finance's get_quote.
    """
    quote = {"quote_id": quote_id, "revision": revision}
    said = {"number": number, "total_minor": total_minor, "currency": currency}
    return quotes.record_quote_outcome(session, opportunity_id, quote, Outcome(outcome), said)


@tool(writes("Record an account's quote", rows="bound", binds=ACCOUNT))
def record_account_quote(
    session: Session,
    account_id: AccountId,
    quote_id: QuoteId,
    revision: Revision,
    outcome: NewOutcome,
    total_minor: TotalMinor,
    currency: CurrencyCode,
    number: Number | None = None,
) -> QuoteRow:
    """Record how a quote stands that belongs to no opportunity, as record_quote_outcome does.

    quote_id, revision, number and total come from finance's get_quote.
    """
    quote = {"quote_id": quote_id, "revision": revision}
    said = {"number": number, "total_minor": total_minor, "currency": currency}
    return quotes.record_account_quote(session, account_id, quote, Outcome(outcome), said)
