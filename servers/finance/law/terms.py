"""Terms: which approved clauses and payment terms a quote carries, as a pure function of facts.

Agents name clause ids; no agent writes the text of a clause. What is mandatory and missing, or
there twice, goes to legal; longer payment terms than agreed go to finance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from servers.finance.facts.clauses import Clause
from servers.finance.facts.payment import PaymentTerms
from servers.finance.facts.policy import Policy
from servers.finance.findings import finding
from servers.finance.law.clauses import TermsFacts, select_clauses
from servers.finance.law.payment import longer
from servers.toolkit.findings import Finding, Severity


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
    payment_terms: Mapping[str, PaymentTerms],
    policy: Policy,
    *,
    asked: str | None = None,
    chosen: str | None = None,
) -> Terms:
    """Select the clauses and payment terms of a quote; only approved clauses in force count.

    `asked` is what the customer asks for: reported, never applied by itself. `chosen` is what the
    seller chose for the quote; terms longer than agreed need approval.
    """
    payment, findings = _payment(facts, payment_terms, policy, asked, chosen)
    picked = select_clauses(replace(facts, payment=payment.code), clauses, policy)
    findings += picked.findings
    if facts.customer_kind not in ("business", "government", "reseller"):
        findings.append(
            finding(
                "CUSTOMER_KIND",
                Severity.NEEDS_HUMAN,
                f"there are no approved terms for a customer of kind {facts.customer_kind}",
                rule_id="TERMS",
                fix="ask legal",
            )
        )
    if "personal_data" in facts.flags and "hosted_outside" in facts.flags:
        findings.append(
            finding(
                "CLAUSE_TRANSFER",
                Severity.NEEDS_HUMAN,
                "personal data would be hosted outside the European Economic Area",
                rule_id="TERMS",
                fix="legal names the transfer mechanism, or takes another hosting place",
            )
        )
    return Terms(picked.clauses, payment, picked.reasons, tuple(findings))


def _payment(
    facts: TermsFacts,
    known: Mapping[str, PaymentTerms],
    policy: Policy,
    asked: str | None,
    chosen: str | None,
) -> tuple[PaymentTerms, list[Finding]]:
    agreed = known.get(facts.on_file) or known[policy.standard_terms]
    if facts.credit_hold:
        agreed = known["PREPAY"]
    findings = [
        _terms_finding(f"there are no payment terms {code}", code)
        for code in (asked, chosen)
        if code is not None and code not in known
    ]
    if asked in known and asked != agreed.code:
        findings.append(
            _terms_finding(f"the customer asks for {asked}; {agreed.code} is agreed", asked)
        )
    picked = known.get(chosen or "", agreed)
    if longer(picked, agreed):
        more = "longer" if picked.discount <= agreed.discount else "more generous"
        findings.append(
            finding(
                "PAYMENT_TERMS_NONSTANDARD",
                Severity.NEEDS_HUMAN,
                f"{picked.code} is {more} than the agreed {agreed.code}",
                subject=picked.code,
                rule_id="TERMS",
                fix=f"use {agreed.code}, or ask a finance_director to approve",
            )
        )
    return picked, findings


def _terms_finding(message: str, code: str | None) -> Finding:
    return finding(
        "PAYMENT_TERMS_ASKED",
        Severity.NEEDS_HUMAN,
        message,
        subject=code or "",
        rule_id="TERMS",
        fix="decide with finance whether to grant it",
    )
