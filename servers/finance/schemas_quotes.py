"""What finance's tools answer about stored quotes."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from servers.finance.blocks import ApprovalBlock, ApprovalNeed, NextStep, Status
from servers.finance.schemas import Format, View
from servers.toolkit.fields import Digest
from servers.toolkit.findings import Finding


class QuoteDraft(BaseModel):
    """The quote that was stored."""

    quote_id: str
    revision: int
    status: Status
    digest: Digest
    currency: str
    total_minor: int
    approvals_needed: list[ApprovalNeed]
    auto_issue: bool
    auto_issue_reasons: list[str]
    findings: list[Finding]
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class QuoteRow(BaseModel):
    """A quote in a list."""

    quote_id: str
    number: str | None
    revision: int
    status: Status
    account_id: str
    opportunity_id: str
    currency: str
    total_minor: int
    order_date: date
    created_at: str


class QuotePage(BaseModel):
    """A page of quotes, newest first."""

    items: list[QuoteRow]
    total: int
    next_cursor: str | None


class ApprovalRequest(BaseModel):
    """The approvals a quote waits for."""

    quote_id: str
    status: Status
    approvals: list[ApprovalBlock]
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class Decision(BaseModel):
    """What a person decided, and what the quote still waits for."""

    approval_id: str
    quote_id: str
    decision: Literal["approve", "reject"]
    decided_by: str
    quote_status: Status
    still_pending: list[str] = Field(description="roles that have yet to decide")
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class Issued(BaseModel):
    """An issued quote: its number and how long it holds."""

    quote_id: str
    number: str
    revision: int
    status: Status
    digest: Digest
    issued_at: str
    valid_until: date
    total_minor: int
    currency: str
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class Withdrawn(BaseModel):
    """A quote that was taken back."""

    quote_id: str
    number: str | None
    status: Status
    replayed: bool = False


class Rendered(BaseModel):
    """A quote as text."""

    quote_id: str
    number: str | None
    format: Format
    view: View
    mime_type: str
    text: str = Field(description="at most 20,000 characters from `offset`, unless asked for whole")
    offset: int
    next_offset: int | None
    total_characters: int
    uri: str | None = Field(description="the resource that holds all of it; None for internal")
