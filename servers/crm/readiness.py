"""Whether the records allow a quote: a checklist that does not try to understand texts. Pure.

What customers wrote is for a reader to judge; here count facts: the account's status, the stage,
quotes that are open, whether anybody we know said anything at all. Evidence is ids and dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from servers.crm.schemas import Check, OpenQuote, Stage, Trust
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
    """One line of the checklist: what it proves, and what is found when it fails."""

    code: str
    passed: bool
    evidence: Sequence[str]
    finding: str
    severity: Severity
    message: str
    fix: str
    subject: str
    verdict: Verdict | None = None
    """What a failure makes of the verdict; None leaves it alone."""

    @property
    def check(self) -> Check:
        return Check(code=self.code, passed=self.passed, evidence=list(self.evidence)[:20])

    @property
    def failing(self) -> Finding:
        return Finding(
            code=self.finding,
            severity=self.severity,
            message=self.message,
            subject=self.subject,
            rule_id=f"crm.readiness.{self.code.lower()}",
            evidence=list(self.evidence)[:20],
            fix=self.fix,
        )


def judge(facts: Facts) -> tuple[Verdict, list[Check], list[Finding]]:
    return _judged([*_record_rules(facts), *_story_rules(facts)])


def judge_account(
    account_id: str, status: str, *, has_shipping_address: bool
) -> tuple[Verdict, list[Check], list[Finding]]:
    """Judge an account whose quote belongs to no opportunity: nothing was said, nobody is named."""
    account = _account_rules(account_id, status, has_shipping_address=has_shipping_address)
    return _judged(account)


def _judged(rules: Sequence[Rule]) -> tuple[Verdict, list[Check], list[Finding]]:
    failed = [rule for rule in rules if not rule.passed]
    verdicts = {rule.verdict for rule in failed}
    verdict: Verdict = "quote"
    if "do_not_quote" in verdicts:
        verdict = "do_not_quote"
    elif "ask" in verdicts:
        verdict = "ask"
    return verdict, [rule.check for rule in rules], [rule.failing for rule in failed]


def _account_rules(account: str, status: str, *, has_shipping_address: bool) -> list[Rule]:
    return [
        Rule(
            "ACCOUNT_LIVE",
            status in ("active", "prospect"),
            [f"{account} {status}"],
            "ACCOUNT_CLOSED" if status == "closed" else "ACCOUNT_ON_HOLD",
            Severity.BLOCKED,
            f"The account is {status}, so it gets no quotes.",
            "Finance lifts a hold.",
            account,
            "do_not_quote",
        ),
        Rule(
            "SHIPPING_ADDRESS",
            has_shipping_address,
            [],
            "NO_SHIPPING_ADDRESS",
            Severity.WARNING,
            "The account has no shipping address on file.",
            "Ask the customer where the goods go, and add the address.",
            account,
        ),
    ]


def _record_rules(facts: Facts) -> list[Rule]:
    deal = facts.opportunity_id
    live, shipping = _account_rules(
        facts.account_id, facts.account_status, has_shipping_address=facts.has_shipping_address
    )
    return [
        live,
        Rule(
            "OPPORTUNITY_OPEN",
            facts.stage not in CLOSED_STAGES,
            [f"{deal} {facts.stage.value}"],
            "OPPORTUNITY_CLOSED",
            Severity.BLOCKED,
            f"The opportunity is {facts.stage.value}.",
            "Open a new opportunity.",
            deal,
            "do_not_quote",
        ),
        shipping,
    ]


def _story_rules(facts: Facts) -> list[Rule]:
    theirs = [h for h in facts.heard if h.kind == "email" and h.direction == "inbound"]
    notes = [h for h in facts.heard if h.kind != "email" and h.characters]
    known = [h for h in theirs if h.trust == "customer"]
    strangers = [h.activity_id for h in theirs if h.trust == "unknown"]
    said = [h.activity_id for h in (*theirs, *notes) if h.characters]
    return [
        Rule(
            "SOMETHING_WAS_SAID",
            bool(said),
            said,
            "NO_MESSAGE",
            Severity.NEEDS_HUMAN,
            "Nobody at the customer said anything that is on record.",
            "Log the call, or import the customer's message.",
            facts.opportunity_id,
            "ask",
        ),
        Rule(
            "CONTACT_KNOWN",
            bool(facts.contact_ids or known),
            [*facts.contact_ids, *(h.activity_id for h in known)],
            "NO_CONTACT",
            Severity.WARNING,
            "No contact of the account is named in this opportunity.",
            "Add the person the quote is for.",
            facts.opportunity_id,
            "ask",
        ),
        Rule(
            "SENDER_KNOWN",
            not strangers,
            strangers,
            "SENDER_UNKNOWN",
            Severity.WARNING if known or notes else Severity.NEEDS_HUMAN,
            "Messages came from senders who are no contacts of this account.",
            "Check who they are before their words count.",
            facts.opportunity_id,
            None if known or notes else "ask",
        ),
        Rule(
            "NO_OPEN_QUOTE",
            not facts.open_quotes,
            [f"{q.quote_id} r{q.revision} {q.outcome.value}" for q in facts.open_quotes],
            "OPEN_QUOTE",
            Severity.INFO,
            "This opportunity has a quote that is open.",
            "Revise that quote instead of making a second one.",
            facts.opportunity_id,
        ),
    ]
