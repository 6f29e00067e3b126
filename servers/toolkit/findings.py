"""Findings: how a server reports a judgement, as data a person and an agent can both use."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field


class Severity(StrEnum):
    """How much a finding matters, from a remark to a stop."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    NEEDS_HUMAN = "needs_human"
    BLOCKED = "blocked"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


class Finding(BaseModel):
    """One judgement: what was found, about what, by which rule, and what would mend it."""

    code: str = Field(max_length=40, pattern=r"^[A-Z][A-Z0-9_]*$", description="stable code")
    severity: Severity
    message: str = Field(max_length=500, description="one sentence for a person")
    subject: str = Field(default="", max_length=80, description="the id it is about")
    rule_id: str = Field(default="", max_length=80, description="the rule that fired")
    evidence: list[Annotated[str, Field(max_length=300)]] = Field(
        default_factory=list, max_length=20, description="the facts behind it"
    )
    fix: str = Field(default="", max_length=300, description="what would mend it")


def at_least(finding: Finding, severity: Severity) -> bool:
    return _RANK[finding.severity] >= _RANK[severity]
