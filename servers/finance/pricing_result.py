"""The whole answer of a pricing, the margin included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.blocks import (
    ApprovalNeed,
    ChargeBlock,
    FreightBlock,
    InternalLine,
    MarginBlock,
    PresentationBlock,
    PromotionBlock,
    RecurringBlock,
    TaxBlock,
    TotalsBlock,
    TraceStep,
)
from servers.finance.facts.copies import block
from servers.finance.schemas import Priced
from servers.toolkit.findings import Finding


@dataclass(frozen=True)
class Pricing:
    """The whole answer, the margin included; what leaves the server is `public()`."""

    currency: str
    lines: list[InternalLine]
    freight: FreightBlock
    taxes: list[TaxBlock]
    totals: TotalsBlock
    findings: list[Finding]
    approvals: list[ApprovalNeed]
    trace: list[TraceStep]
    margin: MarginBlock | None
    digest: str
    charges: list[ChargeBlock] = field(default_factory=list)
    recurring: RecurringBlock | None = None
    presentation: PresentationBlock | None = None
    promotions: list[PromotionBlock] = field(default_factory=list)
    discount_bp: int = 0
    costs: Mapping[str, Decimal | None] = field(default_factory=dict)

    def public(self) -> Priced:
        return block(Priced, self, tax=self.taxes, approvals_needed=self.approvals)
