"""The clause library: which approved texts a quote carries, and why, as a pure function of facts.

A clause applies when every key of its conditions holds. Of several versions the newest one that
is approved and in force counts. Each topic has one clause; what must be covered and is not, what
is there twice, and what does not go together are findings for legal.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from servers.finance.facts.legal import DEFAULT_LANGUAGE, Clause
from servers.finance.facts.policy import Policy
from servers.finance.facts.prices import Item
from servers.finance.findings import finding
from servers.finance.schemas import DeviationIn
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import from_minor

LAW = "governing_law"
STARTER = "dealdesk-starter"
"""Who stands as the approver of our own texts, until the house has read them."""
AS_SELECTED = "take the clause_ids of select_terms, or ask legal to approve"
Key = Literal[
    "kinds",
    "zones",
    "countries",
    "not_countries",
    "flags",
    "not_flags",
    "families",
    "industries",
    "payment",
    "currencies",
    "min_total",
]


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
    payment: str = ""
    seller_country: str = ""
    industry: str = ""
    language: str = ""
    families: frozenset[str] = frozenset()


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def flags_of(items: Iterable[Item]) -> frozenset[str]:
    return frozenset().union(*({item.kind, *item.flags} for item in items))


def in_force(clauses: Iterable[Clause], day: date) -> dict[tuple[str, str], Clause]:
    """Return the newest approved version of each clause and language that holds on a day."""
    newest: dict[tuple[str, str], Clause] = {}
    for clause in sorted(clauses, key=lambda c: c.version):
        if clause.status == "approved" and clause.window.covers(day):
            newest[clause.clause_id, clause.language] = clause
    return newest


def select_clauses(
    facts: TermsFacts, clauses: Iterable[Clause], policy: Policy
) -> tuple[list[Clause], dict[str, str], list[Finding]]:
    """Return the clauses whose rules fire, why each does by its id, and what legal must see.

    They are in the customer's language where all of them have it, and in a fixed order.
    """
    known = in_force(clauses, facts.day)
    reasons: dict[str, str] = {}
    for (clause_id, language), clause in sorted(known.items()):
        if language == DEFAULT_LANGUAGE and (why := applies(clause, facts)):
            reasons[clause_id] = why
    chosen, said = in_language(list(reasons), known, facts.language)
    order = {topic: place for place, topic in enumerate(policy.mandatory_topics)}
    chosen.sort(key=lambda c: (order.get(c.topic, len(order)), c.topic, c.clause_id))
    ordered = {clause.clause_id: reasons[clause.clause_id] for clause in chosen}
    return chosen, ordered, [*check_set(chosen, facts, policy), *said]


def in_language(
    clause_ids: Sequence[str], known: Mapping[tuple[str, str], Clause], language: str
) -> tuple[list[Clause], list[Finding]]:
    """Return the clauses in one language: the customer's, or else the default, which is said.

    A contract is in one language, so one missing translation decides for all of them.
    """
    wanted = language or DEFAULT_LANGUAGE
    lacking = [clause_id for clause_id in clause_ids if (clause_id, wanted) not in known]
    if not lacking or wanted == DEFAULT_LANGUAGE:
        return [known[clause_id, wanted] for clause_id in clause_ids], []
    said = f"{len(lacking)} of {len(clause_ids)} clauses have no approved text in {language}; "
    said += f"all are in {DEFAULT_LANGUAGE}"
    found = finding("CLAUSE_LANGUAGE", Severity.INFO, said, rule_id="TERMS", evidence=lacking)
    return [known[clause_id, DEFAULT_LANGUAGE] for clause_id in clause_ids], [found]


def applies(clause: Clause, facts: TermsFacts) -> str:
    why = []
    if clause.jurisdiction:
        if clause.jurisdiction != facts.seller_country:
            return ""
        why.append(f"jurisdiction: {clause.jurisdiction}")
    for key, values in clause.when.items():
        met = HOLDS[key](facts, frozenset(values))
        if not met:
            return ""
        why.append(f"{key}: {', '.join(sorted(met))}")
    return "; ".join(why) or "always"


def check_set(clauses: Sequence[Clause], facts: TermsFacts, policy: Policy) -> list[Finding]:
    """Say which topic is not covered, which is covered twice, and what does not go together."""
    topics = Counter(clause.topic for clause in clauses)
    findings = [_missing(topic, facts) for topic in needed(facts, policy) if topic not in topics]
    for topic in (topic for topic, times in topics.items() if times > 1):
        said = f"two clauses cover {topic.replace('_', ' ')}"
        ids = [clause.clause_id for clause in clauses if clause.topic == topic]
        found = for_a_person("CLAUSE_CONFLICT", said, "ask legal which one holds", topic, ids)
        if topic == LAW:  # two laws cannot govern one contract, whoever approves
            change = {"severity": Severity.ERROR, "fix": "take one of them"}
            found = found.model_copy(update=change)
        findings.append(found)
    held = {clause.clause_id for clause in clauses}
    pairs = {
        tuple(sorted((clause.clause_id, other)))
        for clause in clauses
        for other in clause.conflicts_with
        if other in held and other != clause.clause_id
    }
    for one, other in sorted(pairs):
        said, fix = f"{one} and {other} do not go together", "ask legal which one holds"
        findings.append(for_a_person("CLAUSE_CONFLICT", said, fix, one, [one, other]))
    return findings


def needed(facts: TermsFacts, policy: Policy) -> list[str]:
    return [t for t, flag in policy.mandatory_topics.items() if not flag or flag in facts.flags]


def check_mandatory(
    selected: Sequence[Clause], given: Sequence[Clause], facts: TermsFacts, policy: Policy
) -> list[Finding]:
    covered = {clause.topic for clause in given}.union(needed(facts, policy))
    topics = [c.topic for c in selected if c.mandatory and c.topic not in covered]
    return [_missing(topic, facts) for topic in dict.fromkeys(topics)]


def deviations(
    selected: Sequence[Clause], given: Sequence[Clause], stated: Sequence[DeviationIn] = ()
) -> list[Finding]:
    """Say in which points a quote was given other clauses than the rules select, and why.

    A clause that is left out and one that is added on the same topic are one deviation. Each
    asks legal by itself; a reason is a code, and a deviation without one says so.
    """
    out = [c for c in selected if c.clause_id not in {g.clause_id for g in given}]
    added = [c for c in given if c.clause_id not in {s.clause_id for s in selected}]
    reasons = {one.clause_id: one.reason for one in stated}
    found = []
    for clause in out:
        instead = next((c for c in added if c.topic == clause.topic), None)
        if instead is not None:
            added.remove(instead)
        found.append(_deviation(clause, instead, reasons))
    found += [_deviation(None, clause, reasons) for clause in added]
    if not found and [c.clause_id for c in selected] != [c.clause_id for c in given]:
        said = "the clauses are in another order than the rules give"
        found.append(for_a_person("CLAUSE_DEVIATION", said, AS_SELECTED, rule_id="clause:order"))
    return found


def _deviation(out: Clause | None, added: Clause | None, reasons: Mapping[str, str]) -> Finding:
    named = [clause.clause_id for clause in (added, out) if clause is not None]
    reason = next((reasons[name] for name in named if name in reasons), "not stated")
    evidence = [] if out is None else [f"left out: {out.clause_id}"]
    evidence += [] if added is None else [f"added: {added.clause_id} version {added.version}"]
    said = f"{named[0]} stands in for {named[-1]}"
    if len(named) == 1:
        said = f"{named[0]} is {'added' if out is None else 'left out'}"
    said += f"; reason: {reason.replace('_', ' ')}"
    evidence.append(f"reason: {reason}")
    rule = f"clause:{named[0]}"
    return for_a_person("CLAUSE_DEVIATION", said, AS_SELECTED, named[0], evidence, rule)


def _missing(topic: str, facts: TermsFacts) -> Finding:
    said = f"no approved clause covers {topic.replace('_', ' ')}"
    whose = [f"{facts.customer_kind}, {facts.country}, {facts.zone}"]
    return for_a_person("MISSING_CLAUSE", said, "ask legal for a clause", topic, whose)


def for_a_person(
    code: str,
    said: str,
    fix: str,
    subject: str = "",
    evidence: Iterable[str] = (),
    rule_id: str = "TERMS",
) -> Finding:
    severity = Severity.NEEDS_HUMAN
    return finding(
        code, severity, said, subject=subject, rule_id=rule_id, evidence=evidence, fix=fix
    )


def _of(name: str) -> Callable[[TermsFacts, frozenset[str]], frozenset[str]]:
    """Return the test of a fact that is one word; an unknown one meets nothing."""

    def met(facts: TermsFacts, values: frozenset[str]) -> frozenset[str]:
        return values & {getattr(facts, name)} - {""}

    return met


def _elsewhere(facts: TermsFacts, values: frozenset[str]) -> frozenset[str]:
    return frozenset() if facts.country in values else frozenset({facts.country})


def _without(facts: TermsFacts, values: frozenset[str]) -> frozenset[str]:
    return frozenset() if facts.flags & values else frozenset(f"no {one}" for one in values)


def _reached(facts: TermsFacts, thresholds: frozenset[str]) -> frozenset[str]:
    """Return the thresholds ("EUR 50000.00") that the total reaches in its own currency."""
    total = from_minor(facts.total_minor, facts.currency)
    mine = [one for one in thresholds if one.startswith(f"{facts.currency} ")]
    return frozenset(one for one in mine if total >= Decimal(one.split(" ", 1)[1]))


HOLDS: Mapping[str, Callable[[TermsFacts, frozenset[str]], frozenset[str]]] = {
    "kinds": _of("customer_kind"),
    "zones": _of("zone"),
    "countries": _of("country"),
    "not_countries": _elsewhere,
    "flags": lambda facts, values: facts.flags & values,
    "not_flags": _without,
    "families": lambda facts, values: facts.families & values,
    "industries": _of("industry"),
    "payment": _of("payment"),
    "currencies": _of("currency"),
    "min_total": _reached,
}
"""How each key of a clause's conditions is met; they are the words of `when`."""
