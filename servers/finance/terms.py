"""Terms: which approved clauses and payment terms a quote carries, as a pure function of facts.

Agents name clause ids; no agent writes the text of a clause. A clause applies when every key of
its conditions holds. What is mandatory and missing, or there twice, goes to legal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from servers.finance.facts import Item, Policy, Window
from servers.finance.say import finding
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import from_minor


@dataclass(frozen=True)
class Clause:
    """An approved clause in one version; `when` maps a key to the values of which one must hold."""

    clause_id: str
    version: int
    topic: str
    title: str
    text: str
    sha256: str
    window: Window
    when: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class PaymentTerms:
    """How long the customer may take to pay; prepaid terms are the shortest."""

    code: str
    description: str
    days: int
    prepaid: bool


@dataclass(frozen=True)
class TermsFacts:
    """What the choice of clauses depends on."""

    customer_kind: str
    country: str
    zone: str
    flags: frozenset[str]
    day: date
    on_file: str
    total_minor: int
    currency: str
    credit_hold: bool = False


@dataclass(frozen=True)
class Terms:
    """The selected clauses in their fixed order, the payment terms, and why."""

    clauses: tuple[Clause, ...]
    payment: PaymentTerms
    reasons: Mapping[str, str]
    findings: tuple[Finding, ...]

    @property
    def clause_ids(self) -> list[str]:
        """The ids of the selected clauses, in order."""
        return [clause.clause_id for clause in self.clauses]


def flags_of(items: Iterable[Item]) -> frozenset[str]:
    """Return what the products bring along: their kinds and their flags."""
    found = {item.kind for item in items}
    return frozenset(found.union(*(item.flags for item in items)) if found else found)


def select(
    facts: TermsFacts,
    clauses: Iterable[Clause],
    payment_terms: Mapping[str, PaymentTerms],
    policy: Policy,
    *,
    asked: str | None = None,
    chosen: str | None = None,
) -> Terms:
    """Select the clauses and payment terms of a quote.

    Args:
        facts: Who buys, where it goes and what it is.
        clauses: Every approved clause.
        payment_terms: Every code the house knows.
        policy: Mandatory topics and the standard terms.
        asked: What the customer asks for: said aloud, never applied by itself.
        chosen: What the seller chose for the quote; terms longer than agreed need approval.
    """
    payment, findings = _payment(facts, payment_terms, policy, asked, chosen)
    reasons: dict[str, str] = {}
    selected = []
    for clause in sorted(clauses, key=lambda c: (c.topic, c.clause_id)):
        if clause.window.covers(facts.day) and (why := _applies(clause, facts, payment)):
            selected.append(clause)
            reasons[clause.clause_id] = why
    order = {topic: place for place, topic in enumerate(policy.mandatory_topics)}
    selected.sort(key=lambda c: (order.get(c.topic, len(order)), c.topic, c.clause_id))
    findings += check_set(selected, facts, policy)
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
    return Terms(tuple(selected), payment, reasons, tuple(findings))


def check_set(clauses: Sequence[Clause], facts: TermsFacts, policy: Policy) -> list[Finding]:
    """Say which mandatory topic has no clause, and which topic has two."""
    topics = [clause.topic for clause in clauses]
    findings = []
    for topic, flag in policy.mandatory_topics.items():
        if flag and flag not in facts.flags:
            continue
        if topic not in topics:
            findings.append(
                finding(
                    "MISSING_CLAUSE",
                    Severity.NEEDS_HUMAN,
                    f"no approved clause covers {topic.replace('_', ' ')}",
                    subject=topic,
                    rule_id="TERMS",
                    evidence=[f"{facts.customer_kind}, {facts.country}, {facts.zone}"],
                    fix="ask legal for a clause",
                )
            )
        elif topics.count(topic) > 1:
            findings.append(
                finding(
                    "CLAUSE_CONFLICT",
                    Severity.NEEDS_HUMAN,
                    f"two clauses cover {topic.replace('_', ' ')}",
                    subject=topic,
                    rule_id="TERMS",
                    evidence=[c.clause_id for c in clauses if c.topic == topic],
                    fix="ask legal which one holds",
                )
            )
    return findings


def deviation(selected: Sequence[str], given: Sequence[str]) -> Finding | None:
    """Say so when a quote was given other clauses than the rules select."""
    if list(selected) == list(given):
        return None
    left = [f"left out: {clause_id}" for clause_id in selected if clause_id not in given]
    added = [f"added: {clause_id}" for clause_id in given if clause_id not in selected]
    return finding(
        "CLAUSE_DEVIATION",
        Severity.NEEDS_HUMAN,
        "the clauses are not those that the rules select",
        rule_id="TERMS",
        evidence=[*left, *added] or ["another order"],
        fix="take the clause_ids of select_terms, or ask legal to approve",
    )


def _applies(clause: Clause, facts: TermsFacts, payment: PaymentTerms) -> str:
    """Return why a clause applies; empty when it does not."""
    holds: dict[str, frozenset[str]] = {
        "kinds": frozenset({facts.customer_kind}),
        "zones": frozenset({facts.zone}),
        "countries": frozenset({facts.country}),
        "flags": facts.flags,
        "payment": frozenset({payment.code}),
    }
    why = []
    for key, values in clause.when.items():
        met = _reached(facts, values) if key == "min_total" else holds[key] & frozenset(values)
        if not met:
            return ""
        why.append(f"{key}: {', '.join(sorted(met))}")
    return "; ".join(why) or "always"


def _reached(facts: TermsFacts, thresholds: Iterable[str]) -> frozenset[str]:
    """Return the thresholds ("EUR 50000.00") that the total reaches in its own currency."""
    total = from_minor(facts.total_minor, facts.currency)
    pairs = [threshold.split(" ", 1) for threshold in thresholds]
    return frozenset(
        f"{code} {amount}"
        for code, amount in pairs
        if code == facts.currency and total >= Decimal(amount)
    )


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
    if picked.days > agreed.days:
        findings.append(
            finding(
                "PAYMENT_TERMS_NONSTANDARD",
                Severity.NEEDS_HUMAN,
                f"{picked.code} is longer than the agreed {agreed.code}",
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
