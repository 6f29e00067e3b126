"""The terms of a quote and the deviations from them, from facts."""

from collections.abc import Sequence

from servers.finance.facts.clauses import DEFAULT_LANGUAGE, Clause
from servers.finance.facts.customers import Address, Customer
from servers.finance.facts.policy import Policy
from servers.finance.facts.quote import QuoteFacts
from servers.finance.facts.screening import Party
from servers.finance.law.clauses import (
    TermsFacts,
    check_mandatory,
    check_set,
    deviations,
    flags_of,
    in_force,
    in_language,
)
from servers.finance.law.screening import CUSTOMER
from servers.finance.law.terms import Terms, select
from servers.finance.schemas import DeviationIn, PriceRequest
from servers.finance.tax.places import zone_of
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding


def policy_of(facts: QuoteFacts) -> Policy:
    assert facts.pricing.policy is not None  # noqa: S101
    return facts.pricing.policy


def ship_to_of(customer: Customer, address_id: str) -> Address:
    """Return the ship-to address.

    Raises:
        InvalidInputError: it is not on file for this customer.
    """
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
    """Select the terms of a request.

    Raises:
        InvalidInputError: the ship-to is not on file, or there are no such payment terms.
    """
    if chosen is not None and chosen not in facts.payment_terms:
        raise InvalidInputError(
            f"there are no payment terms {chosen}",
            fix=f"use one of {', '.join(sorted(facts.payment_terms))}",
        )
    about = terms_facts(facts, request, total)
    known = facts.payment_terms
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
    """Return the clauses a quote was given, by id, in the newest approved version in force.

    Raises:
        InvalidInputError: an id is of no such clause, or is named twice.
    """
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
    checks = [
        *check_set(given, about, policy),
        *check_mandatory(terms.clauses, given, about, policy),
    ]
    said = [*found, *checks, *terms.findings]
    return list({(f.code, f.subject, f.message): f for f in said}.values())


def parties_of(customer: Customer, others: Sequence[Party]) -> list[Party]:
    """Return the names to screen, the customer's own first."""
    return [Party(CUSTOMER, customer.legal_name, customer.country), *others]
