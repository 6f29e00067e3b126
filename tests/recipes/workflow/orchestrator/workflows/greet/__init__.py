"""A small workflow: find the account that a goal names, and say who they are."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from orchestrator.workflow import AgentSpec, Effect, Gate, Workflow


class Found(BaseModel):
    account_id: str | None = None


class Greeting(BaseModel):
    kind: str


def nobody(account_id: str | None) -> Mapping[str, Any] | None:
    return None if account_id else {"outcome": "needs_input", "questions": []}


def greeted(kind: str, interactions: int) -> Mapping[str, Any]:
    return {"outcome": "done", "message": f"a {kind} with {interactions} interactions"}


WORKFLOW = Workflow(
    name="greet",
    package=__name__,
    agents=(
        AgentSpec(
            "find",
            ("crm.resolve_account",),
            Found,
            gives={"goal": "run.goal"},
            reads_untrusted=True,
        ),
        AgentSpec(
            "greet",
            ("crm.get_account",),
            Greeting,
            bind={"account_id": "find.account_id"},
            reads_untrusted=True,
        ),
    ),
    effects=(
        Effect(
            "count",
            "crm.list_interactions",
            {"account_id": "find.account_id"},
            keeps={"total": "total"},
        ),
    ),
    gates=(Gate("nobody", ("find.account_id",), nobody),),
    finish=Gate("greeted", ("greet.kind", "count.total"), greeted),
    report={"account_id": "find.account_id"},
)
