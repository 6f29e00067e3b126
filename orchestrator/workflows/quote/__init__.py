"""The quote workflow: a master agent and seven agents that each do one narrow job.

    plan -> qualify -> ( profile | match ) -> check -> price -> terms -> assemble
         -> [approval] -> issue

When check finds errors that other lines could mend, match and check go again, at most twice.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.workflow import AgentSpec, Rework, Workflow
from orchestrator.workflows.quote import verify
from orchestrator.workflows.quote.contracts import (
    Assembly,
    Assignment,
    Check,
    Match,
    Price,
    Profile,
    Qualification,
    Terms,
)
from orchestrator.workflows.quote.facts import quote_facts


def mendable(check: Mapping[str, Any]) -> bool:
    """Say whether other lines could mend what check found: errors, and nothing blocked."""
    severities = {finding["severity"] for finding in check.get("findings", ())}
    return not check.get("ok") and "error" in severities and "blocked" not in severities


PRICED = {
    "account_id": "plan.account_id",
    "lines": "facts.lines",
    "ship_to_address_id": "profile.shipping_address_id",
    "ship_method": "check.ship_method",
    "order_date": "run.order_date",
    "currency": "facts.currency",
    "promo_codes": "facts.promo_codes",
    "discount_bp": "facts.discount_bp",
}
"""The arguments that decide a price. All are bound: no agent can move one."""

WORKFLOW = Workflow(
    name="quote",
    version="1",
    package=__name__,
    facts=quote_facts,
    rework=Rework(judge="check", redo=("match", "check"), needed=mendable),
    agents=(
        AgentSpec(
            name="plan",
            tools=("crm.resolve_account", "crm.search_opportunities", "crm.get_opportunity"),
            output=Assignment,
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
            output=Qualification,
            after=("plan",),
            gives={"opportunity_id": "plan.opportunity_id", "today": "run.order_date"},
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
            output=Profile,
            after=("qualify",),
            gives={
                "account_id": "plan.account_id",
                "ship_to_country": "qualify.ship_to_country",
            },
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
            output=Match,
            after=("qualify",),
            gives={
                "needs": "facts.needs",
                "ship_to_country": "profile.ship_to_country",
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
            output=Check,
            after=("profile", "match"),
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
            output=Price,
            after=("check",),
            gives={"discount_bp": "facts.discount_bp", "promo_codes": "facts.promo_codes"},
            bind=PRICED,
            verify=verify.verify_price,
        ),
        AgentSpec(
            name="terms",
            tools=("finance.select_terms", "finance.check_credit", "finance.screen_party"),
            output=Terms,
            after=("price",),
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
            output=Assembly,
            after=("terms",),
            gives={"revises": "run.revises", "renews": "facts.renews"},
            bind={
                **PRICED,
                "opportunity_id": "plan.opportunity_id",
                "contact_id": "profile.contact_id",
                "payment_terms": "terms.payment_terms",
                "clause_ids": "terms.clause_ids",
                "claims": "facts.claims",
                "warnings": "facts.warnings",
                "revises": "run.revises",
                "generated_by": "run.generated_by",
            },
            writes=True,
            verify=verify.verify_assembly,
        ),
    ),
)
