"""The tools that judge a customer and select terms; and the one with which legal reviews a hit."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from servers.finance.facts.copies import block
from servers.finance.facts.legal import CreditFacts, PaymentTerms
from servers.finance.law import balance, credit, screening
from servers.finance.law.select import parties_of, select_for
from servers.finance.schemas import (
    AmountMinor,
    Balance,
    CreditCheck,
    Lines,
    PriceRequest,
    ReviewDecision,
    Screening,
    ScreeningReviewed,
    SelectedTerms,
    TermsCode,
)
from servers.finance.store import legal
from servers.finance.store.collect import collect
from servers.finance.store.credit import credit_facts, credit_policy, find_open_bills
from servers.finance.store.customers import find_customer
from servers.finance.store.database import FinanceDatabase
from servers.finance.store.policy import setting
from servers.finance.tools.decisions import Note
from servers.toolkit.components import tool
from servers.toolkit.declare import reads, writes
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.fields import AccountId, AddressId, CurrencyCode

BY_ACCOUNT = ("account_id",)
SELECTED_BY = ("account_id", "lines", "ship_to_address_id", "total_minor", "currency")
EntryId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}$",
        max_length=60,
        description="entry of the screening list: the subject of a finding of screen_party",
    ),
]


@tool(reads("Check credit", rows="bound", binds=("account_id", "amount_minor")))
def check_credit(
    finance: FinanceDatabase,
    account_id: AccountId,
    amount_minor: AmountMinor,
    currency: CurrencyCode,
    payment_terms: TermsCode | None = None,
) -> CreditCheck:
    """Check whether an amount fits a customer's credit line, and show the numbers.

    amount_minor is the total of price_quote, in its currency; payment_terms are those of
    select_terms, none means the ones on file: what is paid in advance is no exposure. A
    verdict of needs_human means that finance must decide; the findings say why.
    """
    with finance.session() as session:
        row, customer = find_customer(session, account_id)
        policies = setting(session, "policies")
        policy = credit_policy(policies)
        facts = credit_facts(session, row, customer.family_tree, policy)
        known = legal.find_payment_terms(session)
    code = payment_terms or customer.payment_terms_code
    if payment_terms is not None and payment_terms not in known:
        raise InvalidInputError(
            f"there are no payment terms {code}", fix=f"use one of {', '.join(sorted(known))}"
        )
    terms = known.get(code) or known[policies["standard_terms"]]
    judged = credit.judge(facts, amount_minor, currency, terms, finance.now().date())
    return _credit_answer(facts, judged, currency, terms)


@tool(reads("Get a balance", rows="bound", binds=BY_ACCOUNT))
def get_balance(finance: FinanceDatabase, account_id: AccountId) -> Balance:
    """Get what an account owes and what is overdue, by currency, and what its limit still allows.

    Of today, from open invoices; `oldest` is the one that was due first. An amount in another
    currency than the limit's is not taken off the limit. Whether a new amount fits is for
    check_credit. account_id comes from the CRM's resolve_account.
    """
    day = finance.now().date()
    with finance.session() as session:
        row, customer = find_customer(session, account_id)
        policy = credit_policy(setting(session, "policies"))
        facts = credit_facts(session, row, customer.family_tree, policy)
        bills = find_open_bills(session, account_id)
    line = replace(facts.line, currency=facts.line.currency or customer.currency)
    return Balance(
        account_id=account_id,
        as_of=day,
        owed=balance.owed(line, bills, day),
        limit_minor=line.limit_minor,
        limit_currency=line.currency,
        left_minor=balance.left(line, day),
        family_left_minor=balance.left(facts.family, day),
        hold=line.hold or bool(facts.family and facts.family.hold),
    )


@tool(reads("Screen a party", rows="bound", binds=BY_ACCOUNT))
def screen_party(finance: FinanceDatabase, account_id: AccountId) -> Screening:
    """Compare a customer's name, and those that go with it, with the screening list.

    Every hit needs a person; no hit only says that this list of this date has no such name.
    A hit that legal reviewed stays visible, with who decided what and until when.
    """
    with finance.session() as session:
        _, customer = find_customer(session, account_id)
        parties = parties_of(customer, legal.find_parties(session, account_id))
        reviews = legal.find_reviews(session, account_id)
        listed = legal.find_screening(session)
    findings = screening.screen(parties, listed, finance.now().date(), reviews)
    return Screening(
        verdict=screening.verdict_of(findings),
        list_name=listed.name,
        list_as_of=listed.as_of.isoformat(),
        screened=[party.role for party in parties],
        findings=findings,
    )


@tool(reads("Select terms", rows="bound", binds=SELECTED_BY))
def select_terms(
    finance: FinanceDatabase,
    account_id: AccountId,
    lines: Lines,
    ship_to_address_id: AddressId,
    total_minor: AmountMinor,
    currency: CurrencyCode,
    payment_terms_asked: TermsCode | None = None,
) -> SelectedTerms:
    """Select the approved clauses and the payment terms of a quote, by rules.

    Give the lines that were priced and the total of price_quote. payment_terms_asked is what
    the customer asks for: it is reported, never applied. Hand clause_ids and payment_terms to
    create_quote as they are; anything else needs approval.
    """
    request = PriceRequest(
        account_id=account_id,
        lines=tuple(lines),
        ship_to_address_id=ship_to_address_id,
        ship_method="DIGITAL",
        order_date=finance.now().date(),
        currency=currency,
    )
    with finance.session() as session:
        facts = collect(session, request.checked())
    money = (total_minor, currency)
    terms = select_for(facts, request, money, asked=payment_terms_asked)
    return SelectedTerms(
        clause_ids=terms.clause_ids,
        payment_terms=terms.payment.code,
        reasons=dict(terms.reasons),
        findings=list(terms.findings),
    )


@tool(writes("Review a hit", rows="bound", binds=BY_ACCOUNT, person_only=True))
def review_screening(
    finance: FinanceDatabase,
    account_id: AccountId,
    entry_id: EntryId,
    decision: ReviewDecision,
    note: Note = "",
    valid_days: Annotated[int, Field(ge=1, le=365, description="days it holds")] = 180,
) -> ScreeningReviewed:
    """Record, as a person of legal, whether a hit of screen_party is the same party.

    The hit stays visible, as reviewed. different_party lets quotes pass until the review
    lapses, or a name changes; same_party blocks them.
    """
    given = (account_id, entry_id, decision, note, valid_days)
    return finance.once("review_screening", ScreeningReviewed, legal.review, *given)


def _credit_answer(
    facts: CreditFacts, judged: credit.Judgement, currency: str, terms: PaymentTerms
) -> CreditCheck:
    """Return the numbers where they are in the currency that was asked about."""
    line, own, row = credit.line_of(facts, currency), judged.numbers, judged.row
    same = line.currency == currency
    shared = facts.family is not None and facts.family.currency == currency
    family = judged.family if shared else None
    return block(
        CreditCheck,
        own if same else None,
        verdict=screening.verdict_of(judged.findings),
        limit_minor=line.limit_minor if same else None,
        exposure_minor=own.exposure_minor if same else None,
        currency=currency,
        rating=line.rating,
        payment_terms=terms.code,
        overdue_days=own.overdue_days,
        other_currencies=own.other,
        family_limit_minor=facts.family.limit_minor if facts.family and shared else None,
        family_exposure_minor=None if family is None else family.exposure_minor,
        policy_rule=None if row is None else row.rule_id,
        max_days=None if row is None else row.max_days,
        in_advance_percent=None if row is None else f"{row.in_advance.normalize():f}",
        advance_percent_needed=judged.advance_percent,
        findings=list(judged.findings),
    )
