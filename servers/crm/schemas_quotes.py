"""What the CRM's tools give back about needs, quotes and readiness."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from servers.crm.schemas import NeedStatus, Outcome, Unit
from servers.toolkit.findings import Finding


class Check(BaseModel):
    """One line of the checklist."""

    code: str
    passed: bool
    evidence: list[str] = Field(description="ids and dates, never words of a customer")


class OpenQuote(BaseModel):
    """A quote of this opportunity that is still open."""

    quote_id: str
    number: str
    revision: int
    outcome: Outcome


class Readiness(BaseModel):
    """Whether the records stand in the way of a quote. No text was understood for this."""

    opportunity_id: str
    account_id: str
    verdict: Literal["quote", "ask", "do_not_quote"]
    checks: list[Check]
    open_quotes: list[OpenQuote]
    findings: list[Finding]


class NeedRow(BaseModel):
    """A need, with the words of the customer and where they stand."""

    need_id: str
    opportunity_id: str
    source_id: str
    start: int
    end: int
    statement: str = Field(description="re-read from the source when it was recorded")
    quantity: int | None
    unit: Unit | None
    optional: bool
    status: NeedStatus
    version: int
    recorded_at: datetime
    recorded_by: str
    replayed: bool = False


class NeedPage(BaseModel):
    """A page of needs, oldest first."""

    items: list[NeedRow]
    total: int
    next_cursor: str | None


class QuoteEvent(BaseModel):
    """One step in a quote's life."""

    outcome: Outcome
    at: datetime
    actor: str


class QuoteRow(BaseModel):
    """A quote revision and how it went."""

    quote_id: str
    opportunity_id: str | None
    account_id: str
    number: str
    revision: int
    outcome: Outcome
    total_minor: int
    currency: str
    at: datetime
    events: list[QuoteEvent]
    replayed: bool = False


class QuotePage(BaseModel):
    """A page of quotes, newest first."""

    items: list[QuoteRow]
    total: int
    next_cursor: str | None
