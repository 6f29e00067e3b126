"""The quote workflow: a master agent and seven agents that each do one narrow job.

    plan -> qualify -> ( profile | match ) -> check -> price -> terms -> assemble
         -> [approval] -> issue

When check finds errors that other lines could mend, match and check go again, at most twice.
What a step is given and bound to says when its turn is; there is no other list of the order.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.workflow import AgentSpec, Decision, Rework, Workflow, effects_in
from orchestrator.workflows.quote import contracts, verify
from orchestrator.workflows.quote.facts import FACTS
from orchestrator.workflows.quote.gates import FINISH, GATES


def mendable(check: Mapping[str, Any]) -> bool:
    """Say whether other lines could mend what check found: errors, and nothing blocked."""
    severities = {finding["severity"] for finding in check.get("findings", ())}
    return not check.get("ok") and "error" in severities and "blocked" not in severities


def of(step: str, *names: str) -> dict[str, str]:
    """Take values of one step under their own names."""
    return {name: f"{step}.{name}" for name in names}


PRICED = {
    "account_id": "plan.account_id",
    "lines": "facts.lines",
    "ship_to_address_id": "profile.shipping_address_id",
    "ship_method": "check.ship_method",
    "order_date": "run.order_date",
    "currency": "plan.constraints.currency",
    "promo_codes": "qualify.promo_codes",
    "discount_bp": "plan.constraints.discount_bp",
}
"""The arguments that decide a price. All are bound: no agent can move one."""

AGENTS = (
    AgentSpec(
        name="plan",
        tools=("crm.resolve_account", "crm.search_opportunities", "crm.get_opportunity"),
        output=contracts.Assignment,
        gives={
            "goal": "run.goal",
            "opportunity_id": "run.opportunity_id",
            "today": "run.order_date",
        },
        reads_untrusted=True,
        reports=False,
        verify=verify.verify_assignment,
    ),
    AgentSpec(
        name="qualify",
        tools=(
            "crm.get_opportunity",
            "crm.list_activities",
            "crm.read_message",
            "crm.read_document",
            "crm.search_text",
            "crm.quote_readiness",
        ),
        output=contracts.Qualification,
        gives={
            "opportunity_id": "plan.opportunity_id",
            "today": "run.order_date",
            "revises": "facts.open_quote.quote_id",
        },
        bind={"opportunity_id": "plan.opportunity_id"},
        reads_untrusted=True,
        verify=verify.verify_qualification,
    ),
    AgentSpec(
        name="profile",
        tools=(
            "crm.get_account",
            "crm.list_contacts",
            "crm.list_addresses",
            "crm.list_documents",
            "crm.list_interactions",
            "crm.quote_history",
        ),
        output=contracts.Profile,
        gives={"account_id": "plan.account_id", "ship_to_country": "qualify.ship_to_country"},
        bind={"account_id": "plan.account_id"},
        reads_untrusted=True,
        verify=verify.verify_profile,
    ),
    AgentSpec(
        name="match",
        tools=(
            "catalog.search_products",
            "catalog.get_product",
            "catalog.compare_products",
            "catalog.match_need",
            "catalog.complete_configuration",
            "catalog.suggest_substitutes",
        ),
        output=contracts.Match,
        gives={
            "needs": "facts.needs",
            "ship_to_country": "facts.ship_to_country",
            "order_date": "run.order_date",
            "previous_lines": "previous.lines",
            "findings": "previous.findings",
        },
        verify=verify.verify_match,
    ),
    AgentSpec(
        name="check",
        tools=(
            "catalog.check_configuration",
            "catalog.check_availability",
            "catalog.shipping_options",
            "catalog.suggest_substitutes",
        ),
        output=contracts.Check,
        gives={"needed_by": "facts.needed_by", "prefer": "facts.mode"},
        bind={
            "lines": "facts.lines",
            "ship_to_country": "profile.ship_to_country",
            "order_date": "run.order_date",
            "needed_by": "facts.needed_by",
            "prefer": "facts.mode",
        },
        verify=verify.verify_check,
    ),
    AgentSpec(
        name="price",
        tools=("finance.price_quote", "finance.what_if", "finance.explain_price"),
        output=contracts.Price,
        gives={"discount_bp": "plan.constraints.discount_bp", "promo_codes": "qualify.promo_codes"},
        bind=PRICED,
        verify=verify.verify_price,
    ),
    AgentSpec(
        name="terms",
        tools=("finance.select_terms", "finance.check_credit", "finance.screen_party"),
        output=contracts.Terms,
        gives={"payment_terms_asked": "qualify.payment_terms_asked"},
        bind={
            "account_id": "plan.account_id",
            "lines": "facts.lines",
            "ship_to_address_id": "profile.shipping_address_id",
            "total_minor": "price.total_minor",
            "amount_minor": "price.total_minor",
            "currency": "price.currency",
        },
        verify=verify.verify_terms,
    ),
    AgentSpec(
        name="assemble",
        tools=("finance.create_quote", "finance.request_approval"),
        output=contracts.Assembly,
        gives={"revises": "facts.open_quote.quote_id", "renews": "facts.renews"},
        bind={
            **PRICED,
            "opportunity_id": "plan.opportunity_id",
            "contact_id": "profile.contact_id",
            "payment_terms": "terms.payment_terms",
            "clause_ids": "terms.clause_ids",
            "claims": "facts.claims",
            "warnings": "facts.warnings",
            "revises": "facts.open_quote.quote_id",
            "generated_by": "run.generated_by",
            "catalog_statement": "state_lines.statement",
            "crm_statement": "state_deal.statement",
        },
        writes=True,
        verify=verify.verify_assembly,
    ),
)

EFFECTS = effects_in(__name__)

WORKFLOW = Workflow(
    name="quote",
    package=__name__,
    agents=AGENTS,
    effects=EFFECTS,
    gates=GATES,
    finish=FINISH,
    facts=FACTS,
    decision=Decision(
        "decision",
        about=of("read_draft", "quote_id", "digest", "approvals"),
        unless="read_draft.auto_issue",
    ),
    rework=Rework(
        judge="check",
        redo=("match", "check"),
        needed=mendable,
        keeps={
            "lines": "match.lines",
            "findings": "findings.check",
            "ship_to_country": "profile.ship_to_country",
        },
    ),
    report={
        **of("plan", "account_id", "opportunity_id"),
        "lines": "facts.lines_so_far",
    },
)
