"""Whether the records allow a quote: a checklist that does not try to understand texts. Pure.

What customers wrote is for a reader to judge; here count facts: the account's status, the stage,
quotes that are open, whether anybody we know said anything at all. Evidence is ids and dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from servers.crm.schemas import Stage, Trust
from servers.crm.schemas_quotes import Check, OpenQuote
from servers.crm.stages import CLOSED_STAGES
from servers.toolkit.findings import Finding, Severity

Verdict = Literal["quote", "ask", "do_not_quote"]


@dataclass(frozen=True)
class Heard:
    """One activity, with only what the checklist needs."""

    activity_id: str
    kind: str
    direction: str
    trust: Trust
    characters: int


@dataclass(frozen=True)
class Facts:
    """What the checklist is worked out from."""

    opportunity_id: str
    account_id: str
    account_status: str
    stage: Stage
    contact_ids: tuple[str, ...]
    heard: tuple[Heard, ...]
    open_quotes: tuple[OpenQuote, ...]
    has_shipping_address: bool


@dataclass(frozen=True)
class Rule:
    """One line of the checklist: what it proves, and what it says when it fails."""

    check: Check
    failing: Finding
    verdict: Verdict | None
    """What a failure makes of the verdict; None leaves it alone."""


def judge(facts: Facts) -> tuple[Verdict, list[Check], list[Finding]]:
    rules = [*_account_rules(facts), *_story_rules(facts), *_quote_rules(facts)]
    failed = [rule for rule in rules if not rule.check.passed]
    verdicts = {rule.verdict for rule in failed}
    verdict: Verdict = "quote"
    if "do_not_quote" in verdicts:
        verdict = "do_not_quote"
    elif "ask" in verdicts:
        verdict = "ask"
    return verdict, [rule.check for rule in rules], [rule.failing for rule in failed]


def _rule(
    code: str,
    *,
    passed: bool,
    evidence: Sequence[str],
    failing: tuple[str, Severity, str, str],
    subject: str,
    verdict: Verdict | None,
) -> Rule:
    finding_code, severity, message, fix = failing
    kept = list(evidence)[:20]
    return Rule(
        Check(code=code, passed=passed, evidence=kept),
        Finding(
            code=finding_code,
            severity=severity,
            message=message,
            subject=subject,
            rule_id=f"crm.readiness.{code.lower()}",
            evidence=kept,
            fix=fix,
        ),
        verdict,
    )


def _account_rules(facts: Facts) -> list[Rule]:
    live = facts.account_status in ("active", "prospect")
    return [
        _rule(
            "ACCOUNT_LIVE",
            passed=live,
            evidence=[f"{facts.account_id} {facts.account_status}"],
            failing=(
                "ACCOUNT_CLOSED" if facts.account_status == "closed" else "ACCOUNT_ON_HOLD",
                Severity.BLOCKED,
                f"The account is {facts.account_status}, so it gets no quotes.",
                "Finance lifts a hold.",
            ),
            subject=facts.account_id,
            verdict="do_not_quote",
        ),
        _rule(
            "OPPORTUNITY_OPEN",
            passed=facts.stage not in CLOSED_STAGES,
            evidence=[f"{facts.opportunity_id} {facts.stage.value}"],
            failing=(
                "OPPORTUNITY_CLOSED",
                Severity.BLOCKED,
                f"The opportunity is {facts.stage.value}.",
                "Open a new opportunity.",
            ),
            subject=facts.opportunity_id,
            verdict="do_not_quote",
        ),
        _rule(
            "SHIPPING_ADDRESS",
            passed=facts.has_shipping_address,
            evidence=[],
            failing=(
                "NO_SHIPPING_ADDRESS",
                Severity.WARNING,
                "The account has no shipping address on file.",
                "Ask the customer where the goods go, and add the address.",
            ),
            subject=facts.account_id,
            verdict=None,
        ),
    ]


def _story_rules(facts: Facts) -> list[Rule]:
    theirs = [h for h in facts.heard if h.kind == "email" and h.direction == "inbound"]
    notes = [h for h in facts.heard if h.kind != "email" and h.characters]
    known = [h for h in theirs if h.trust == "customer"]
    strangers = [h.activity_id for h in theirs if h.trust == "unknown"]
    said = [h.activity_id for h in (*theirs, *notes) if h.characters]
    return [
        _rule(
            "SOMETHING_WAS_SAID",
            passed=bool(said),
            evidence=said,
            failing=(
                "NO_MESSAGE",
                Severity.NEEDS_HUMAN,
                "Nobody at the customer said anything that is on record.",
                "Log the call, or import the customer's message.",
            ),
            subject=facts.opportunity_id,
            verdict="ask",
        ),
        _rule(
            "CONTACT_KNOWN",
            passed=bool(facts.contact_ids or known),
            evidence=[*facts.contact_ids, *(h.activity_id for h in known)],
            failing=(
                "NO_CONTACT",
                Severity.WARNING,
                "No contact of the account is named in this opportunity.",
                "Add the person the quote is for.",
            ),
            subject=facts.opportunity_id,
            verdict="ask",
        ),
        _rule(
            "SENDER_KNOWN",
            passed=not strangers,
            evidence=strangers,
            failing=(
                "SENDER_UNKNOWN",
                Severity.WARNING if known or notes else Severity.NEEDS_HUMAN,
                "Messages came from senders who are no contacts of this account.",
                "Check who they are before their words count.",
            ),
            subject=facts.opportunity_id,
            verdict=None if known or notes else "ask",
        ),
    ]


def _quote_rules(facts: Facts) -> list[Rule]:
    return [
        _rule(
            "NO_OPEN_QUOTE",
            passed=not facts.open_quotes,
            evidence=[f"{q.quote_id} r{q.revision} {q.outcome.value}" for q in facts.open_quotes],
            failing=(
                "OPEN_QUOTE",
                Severity.WARNING,
                "This opportunity has a quote that is open.",
                "Revise that quote instead of making a second one.",
            ),
            subject=facts.opportunity_id,
            verdict=None,
        )
    ]
