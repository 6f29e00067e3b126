"""Terms: which approved clauses and payment terms a quote carries, and the deviations from them.

Agents name clause ids; no agent writes the text of a clause. What is mandatory and missing, or
there twice, goes to legal; longer payment terms than agreed go to finance.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from servers.finance.facts.customers import Address, Customer
from servers.finance.facts.legal import DEFAULT_LANGUAGE, Clause, Party, PaymentTerms
from servers.finance.facts.policy import Policy
from servers.finance.facts.pricing import QuoteFacts
from servers.finance.law.clauses import (
    TermsFacts,
    check_mandatory,
    check_set,
    deviations,
    flags_of,
    for_a_person,
    in_force,
    in_language,
    select_clauses,
)
from servers.finance.law.payment import longer
from servers.finance.law.screening import CUSTOMER
from servers.finance.schemas import DeviationIn, PriceRequest
from servers.finance.tax.places import zone_of
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding


@dataclass(frozen=True)
class Terms:
    """The selected clauses in their fixed order, the payment terms, and why."""

    clauses: tuple[Clause, ...]
    payment: PaymentTerms
    reasons: Mapping[str, str]
    findings: tuple[Finding, ...]

    @property
    def clause_ids(self) -> list[str]:
        return [clause.clause_id for clause in self.clauses]


def select(
    facts: TermsFacts,
    clauses: Iterable[Clause],
    known: Mapping[str, PaymentTerms],
    policy: Policy,
    *,
    asked: str | None = None,
    chosen: str | None = None,
) -> Terms:
    """Select the clauses and payment terms of a quote; only approved clauses in force count.

    `asked` is what the customer asks for: reported, never applied by itself. `chosen` is what the
    seller chose for the quote; terms longer than agreed need approval.
    """
    agreed = known.get(facts.on_file) or known[policy.standard_terms]
    if facts.credit_hold:
        agreed = known["PREPAY"]
    findings = []
    if asked is not None and asked != agreed.code:
        words = f"the customer asks for {asked}; {agreed.code} is agreed"
        if asked not in known:
            words = f"there are no payment terms {asked}"
        fix = "decide with finance whether to grant it"
        findings.append(for_a_person("PAYMENT_TERMS_ASKED", words, fix, asked))
    picked = known.get(chosen or "", agreed)
    if longer(picked, agreed):
        more = "longer" if picked.discount <= agreed.discount else "more generous"
        words = f"{picked.code} is {more} than the agreed {agreed.code}"
        fix = f"use {agreed.code}, or ask a finance_director to approve"
        findings.append(for_a_person("PAYMENT_TERMS_NONSTANDARD", words, fix, picked.code))
    facts = replace(facts, payment=picked.code)
    chosen_clauses, reasons, found = select_clauses(facts, clauses, policy)
    findings += found
    if facts.customer_kind not in ("business", "government", "reseller"):
        words = f"there are no approved terms for a customer of kind {facts.customer_kind}"
        findings.append(for_a_person("CUSTOMER_KIND", words, "ask legal"))
    if facts.flags >= {"personal_data", "hosted_outside"}:
        words = "personal data would be hosted outside the European Economic Area"
        fix = "legal names the transfer mechanism, or takes another hosting place"
        findings.append(for_a_person("CLAUSE_TRANSFER", words, fix))
    return Terms(tuple(chosen_clauses), picked, reasons, tuple(findings))


def policy_of(facts: QuoteFacts) -> Policy:
    assert facts.pricing.policy is not None  # noqa: S101
    return facts.pricing.policy


def ship_to_of(customer: Customer, address_id: str) -> Address:
    """Return the ship-to address; one that is not on file for this customer is refused."""
    found = customer.address(address_id)
    if found is None:
        raise InvalidInputError(
            "the ship-to address is not on file for this account",
            fix="use an address_id from list_addresses",
        )
    return found


def select_for(
    facts: QuoteFacts,
    request: PriceRequest,
    total: tuple[int, str],
    *,
    asked: str | None = None,
    chosen: str | None = None,
) -> Terms:
    """Select the terms of a request; an address or payment terms that do not exist are refused."""
    if chosen is not None and chosen not in facts.payment_terms:
        raise InvalidInputError(
            f"there are no payment terms {chosen}",
            fix=f"use one of {', '.join(sorted(facts.payment_terms))}",
        )
    about, known = terms_facts(facts, request, total), facts.payment_terms
    return select(about, facts.clauses, known, policy_of(facts), asked=asked, chosen=chosen)


def terms_facts(facts: QuoteFacts, request: PriceRequest, total: tuple[int, str]) -> TermsFacts:
    customer, items = facts.pricing.customer, facts.pricing.items
    ship_to = ship_to_of(customer, request.ship_to_address_id)
    sold = [items[line.sku] for line in request.lines if line.sku in items]
    family, seller = facts.credit.family, facts.seller
    return TermsFacts(
        customer_kind=customer.kind,
        country=customer.country,
        zone=zone_of(ship_to.country, facts.pricing.home_country, facts.pricing.zones),
        flags=flags_of(sold),
        day=request.order_date,
        on_file=customer.payment_terms_code,
        total_minor=total[0],
        currency=total[1],
        credit_hold=facts.credit.line.hold or (family is not None and family.hold),
        seller_country="" if isinstance(seller, Finding) else seller.block.address.country,
        industry=customer.industry,
        language=customer.language,
        families=frozenset(item.family for item in sold),
    )


def given_clauses(
    facts: QuoteFacts, clause_ids: Sequence[str], request: PriceRequest
) -> list[Clause]:
    """Return the clauses named by id, once each, in the newest approved version in force."""
    known = in_force(facts.clauses, request.order_date)
    unknown = [one for one in clause_ids if (one, DEFAULT_LANGUAGE) not in known]
    if unknown or len(set(clause_ids)) != len(clause_ids):
        raise InvalidInputError(
            f"no approved clause {unknown[0]}" if unknown else "a clause is named twice",
            fix="take the clause_ids of select_terms",
        )
    return in_language(clause_ids, known, facts.pricing.customer.language)[0]


def term_findings(
    facts: QuoteFacts,
    request: PriceRequest,
    total: tuple[int, str],
    terms: Terms,
    given: Sequence[Clause],
    stated: Sequence[DeviationIn],
) -> list[Finding]:
    found = deviations(terms.clauses, given, stated)
    if not found:
        return list(terms.findings)
    about, policy = terms_facts(facts, request, total), policy_of(facts)
    lacking = check_mandatory(terms.clauses, given, about, policy)
    said = [*found, *check_set(given, about, policy), *lacking, *terms.findings]
    return list({(f.code, f.subject, f.message): f for f in said}.values())


def parties_of(customer: Customer, others: Sequence[Party]) -> list[Party]:
    """Return the names to screen, the customer's own first."""
    return [Party(CUSTOMER, customer.legal_name, customer.country), *others]
