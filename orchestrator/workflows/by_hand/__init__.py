"""A quote by hand: a person gives the account and the lines, and no agent is asked.

    claim -> ( check | stock | ship ) -> price -> ( terms | credit | screen ) -> draft -> request
          -> [approval] -> issue

Every call is the engine's own, with what the person gave (`run.given`). What holds after the draft
is the quote workflow's. An account without a deal is quoted too: what belongs to a deal is then
done for none, and the CRM states about the account alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.workflow import Effect, Ending, Fact, Gate, Workflow
from orchestrator.workflows import quote
from orchestrator.workflows.quote import facts, gates, of

Rows = Sequence[Mapping[str, Any]]
LINES = {
    "lines": "run.given.lines",
    "ship_to_country": "run.given.ship_to_country",
    "order_date": "run.order_date",
}
PRICED = {
    **of("run.given", "account_id", "lines", "ship_to_address_id", "currency", "discount_bp"),
    "ship_method": "facts.ship_method",
    "order_date": "run.order_date",
}
PARTY = {"account_id": "run.given.account_id", "currency": "price.currency"}


def of_deal(quotes: Rows | None, deal: str | None) -> Rows:
    """Return the quotes of the deal; an account without one has none that stand in the way."""
    return (quotes or ()) if deal else ()


def listed(value: str | None) -> list[str]:
    return [value] if value else []


def alone(account_id: str | None, deal: str | None) -> list[str]:
    """Return the account, when no deal stands for it."""
    return listed(None if deal else account_id)


def chosen_method(asked: str | None, recommended: str | None, options: Rows | None) -> str | None:
    """Return the way of shipping a person named, where it is allowed, else the catalog's."""
    if asked is None:
        return recommended
    allowed = {one["method"] for one in options or () if one["allowed"]}
    return asked if asked in allowed else None


def together(*found: Rows | None) -> list[Mapping[str, Any]]:
    return [one for some in found for one in some or ()]


def method_not_allowed(asked: str | None, method: str | None) -> Ending | None:
    """The person named a way of shipping that the catalog does not allow for these lines."""
    if asked is None or method is not None:
        return None
    return {"outcome": "blocked", "reason": f"{asked} is no allowed way of shipping these lines"}


def not_stored(refused: str | None) -> Ending | None:
    """Finance refused the draft: an error that nobody can approve away."""
    return {"outcome": "blocked", "reason": refused} if refused else None


QUOTES = {effect.name: effect for effect in quote.EFFECTS}


def later(name: str, **arguments: str) -> Effect:
    """Return an effect of the quote workflow with some of its arguments from elsewhere."""
    effect = QUOTES[name]
    return replace(effect, arguments={**effect.arguments, **arguments})


def found_by(name: str, tool: str, arguments: Mapping[str, str], **keeps: str) -> Effect:
    """Return an effect whose findings concern the result."""
    return Effect(name, tool, arguments, keeps={"findings": "findings", **keeps}, reports=True)


ALONE = {
    "crm.quote_readiness": "crm.account_readiness",
    "crm.record_quote_outcome": "crm.record_account_quote",
}
"""What the CRM is asked, where there is no deal, about the account."""


def either(
    effect: Effect, deals: str = "facts.deals", accounts: str = "facts.alone"
) -> tuple[Effect, Effect]:
    """Return an effect for the deal, and its like for an account without one: one is made."""
    rest = {name: path for name, path in effect.arguments.items() if name != "opportunity_id"}
    return (
        replace(effect, arguments={**rest, "opportunity_id": "item"}, each=deals),
        replace(
            effect,
            name=f"{effect.name}_alone",
            tool=ALONE.get(effect.tool, effect.tool),
            arguments={**rest, "account_id": "item"},
            each=accounts,
        ),
    )


EFFECTS = (
    Effect(
        "claim",
        "runs.claim",
        of("run.given", "account_id", "opportunity_id"),
        keeps={name: name for name in ("account_id", "opportunity_id", "holder")},
    ),
    Effect(
        "find_open_quote",
        "finance.list_quotes",
        of("claim", "account_id", "opportunity_id"),
        keeps={"quotes": "items"},
    ),
    found_by("check", "catalog.check_configuration", LINES, statement="statement", ok="ok"),
    found_by(
        "stock",
        "catalog.check_availability",
        {name: LINES[name] for name in ("lines", "order_date")},
    ),
    found_by(
        "ship",
        "catalog.shipping_options",
        {name: LINES[name] for name in ("lines", "ship_to_country")},
        recommended="recommended",
        options="options",
    ),
    *either(
        found_by("state_deal", "crm.quote_readiness", {}, statement="statement"),
    ),
    found_by(
        "price",
        "finance.price_quote",
        PRICED,
        total_minor="totals.total_minor",
        currency="currency",
    ),
    found_by(
        "terms",
        "finance.select_terms",
        {
            **PARTY,
            **of("run.given", "lines", "ship_to_address_id"),
            "total_minor": "price.total_minor",
        },
        clause_ids="clause_ids",
        payment_terms="payment_terms",
    ),
    found_by("credit", "finance.check_credit", {**PARTY, "amount_minor": "price.total_minor"}),
    found_by("screen", "finance.screen_party", {"account_id": "run.given.account_id"}),
    replace(
        found_by(
            "draft",
            "finance.create_quote",
            {
                **PRICED,
                "opportunity_id": "claim.opportunity_id",
                "contact_id": "run.given.contact_id",
                **of("terms", "payment_terms", "clause_ids"),
                "warnings": "facts.warnings",
                "cover": "facts.cover",
                "revises": "facts.open_quote.quote_id",
                "catalog_statement": "check.statement",
                "crm_statement": "facts.stated",
            },
            quote_id="quote_id",
            approvals_needed="approvals_needed",
        ),
        may_be_refused=True,
    ),
    Effect("request", "finance.request_approval", {"quote_id": "item"}, each="facts.undecided"),
    later("read_draft", quote_id="facts.drafted"),
    *either(later("record_draft")),
    later("state_lines_again", **{**LINES, "lines": "facts.decided_lines"}),
    *either(later("state_deal_again"), "facts.decided_deals", "facts.decided_alone"),
    later("issue", crm_statement="facts.stated_again"),
    *either(later("record_issue")),
    either(later("note_issue"))[0],
)

FACTS = {
    "quotes": Fact(("find_open_quote.quotes", "claim.opportunity_id"), of_deal),
    "open_quote": Fact(("facts.quotes",), facts.newest_open),
    "won": Fact(("facts.quotes",), facts.number_accepted),
    "ship_method": Fact(
        ("run.given.ship_method", "ship.recommended", "ship.options"), chosen_method
    ),
    "checked": Fact(("check.findings", "stock.findings", "ship.findings"), together),
    "warnings": Fact(
        ("facts.checked", "state_deal.findings", "state_deal_alone.findings"), facts.warning_codes
    ),
    "cover": Fact(("facts.open_quote",), lambda before: "revision" if before else "standard"),
    "undecided": Fact(
        ("draft.approvals_needed", "draft.quote_id"),
        lambda needed, quote_id: [quote_id] if needed else [],
    ),
    "drafted": Fact(("draft.quote_id", "request.count"), lambda quote_id, _: quote_id),
    "decided_lines": Fact(("run.given.lines", "decision.quote_id"), lambda lines, _: lines),
    "deals": Fact(("claim.opportunity_id",), listed),
    "alone": Fact(("claim.account_id", "claim.opportunity_id"), alone),
    "decided_deals": Fact(("facts.deals", "decision.quote_id"), lambda deals, _: deals),
    "decided_alone": Fact(("facts.alone", "decision.quote_id"), lambda accounts, _: accounts),
    "stated": Fact(("state_deal.statement", "state_deal_alone.statement"), facts.first),
    "stated_again": Fact(
        ("state_deal_again.statement", "state_deal_again_alone.statement"), facts.first
    ),
    "issue_note": Fact(("issue.number", "run.id"), facts.issue_note),
}

AS_EVER = {gate.name: gate for gate in gates.GATES}

WORKFLOW = Workflow(
    name="by_hand",
    package=__name__,
    agents=(),
    effects=EFFECTS,
    gates=(
        AS_EVER["held_by_another_run"],
        AS_EVER["quoted_already"],
        replace(AS_EVER["already_won"], reads=("facts.won", "claim.opportunity_id")),
        Gate(
            "method_not_allowed", ("run.given.ship_method", "facts.ship_method"), method_not_allowed
        ),
        replace(AS_EVER["not_allowed"], reads=("check.ok", "facts.checked", "facts.ship_method")),
        AS_EVER["no_price"],
        Gate("not_stored", ("draft.refused",), not_stored),
        AS_EVER["not_approved"],
        AS_EVER["issue_refused"],
    ),
    finish=gates.FINISH,
    facts=FACTS,
    decision=quote.WORKFLOW.decision,
    report={
        **of("claim", "account_id", "opportunity_id"),
        "lines": "run.given.lines",
    },
)
