"""What is said about promotions: in the trace always, in findings where a code was named."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.blocks import PromotionBlock, TraceStep
from servers.finance.facts.promotions import Promotion
from servers.finance.findings import finding, plain, step
from servers.finance.line_in_work import Work
from servers.finance.promotions.choice import Outcome, Settled
from servers.finance.promotions.rules import Order, Refusal
from servers.toolkit.findings import Finding, Severity


@dataclass
class Promoted:
    """What promotions made of a quote: its lines with the free ones, and what is said."""

    works: list[Work]
    gifts: dict[str, str] = field(default_factory=dict)
    freight: list[tuple[Promotion, Decimal]] = field(default_factory=list)
    blocks: list[PromotionBlock] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)


def warning(why: Refusal, code: str, rule_id: str) -> Finding:
    return finding(
        why.code, Severity.WARNING, why.message, subject=code, rule_id=rule_id, fix=why.fix
    )


def unknown_codes(findings: Sequence[Finding]) -> TraceStep:
    lost = [f"{one.subject}: {one.message}" for one in findings]
    return step("", "promotion", "PROMO-CODES", note="none applies", lost=lost)


class Said:
    """Says of every promotion why it does not hold, lost, or was held to a cap."""

    def __init__(self, promoted: Promoted, order: Order, named: set[str]) -> None:
        self.promoted, self.order, self.named = promoted, order, named
        self.lost = [f"{one.subject}: {one.message}" for one in promoted.findings]

    def refusals(self, promotions: Sequence[Promotion], refused: dict[str, Refusal | None]) -> None:
        for one in promotions:
            if why := refused[one.promotion_id]:
                self._refuse(one, why)
        for work in self.promoted.works:
            if work.item is None or not (work.exclusive or work.overridden):
                continue
            fit = [p for p in promotions if p.target == "lines" and p.on.fits(work.item, "")]
            self._shut_out(work, [p for p in fit if p.kind != "free_shipping"])

    def _shut_out(self, work: Work, promotions: Sequence[Promotion]) -> None:
        contract = work.price.contract if work.exclusive else None
        why = f"contract {contract.contract_id} is exclusive" if contract else "its price was set"
        work.trace += [
            step(
                work.line.line_id,
                "promotion",
                one.promotion_id,
                source=contract.contract_id if contract else "",
                before=work.running,
                after=work.running,
                note="not applied",
                lost=[f"{one.promotion_id}: {why}"],
            )
            for one in promotions
        ]

    def choice(self, holding: Sequence[Promotion], settled: Settled) -> None:
        outcome, currency = settled.outcome, self.order.currency
        for one, other in settled.conflicts:
            message = f"promotions {one.code} and {other.code} have equal priority in one group"
            self.lost += [f"{one.code}: {message}"]
            self.promoted.findings.append(
                finding(
                    "RULE_CONFLICT",
                    Severity.ERROR,
                    message,
                    subject=one.code,
                    rule_id=one.promotion_id,
                    fix="give one of them another priority",
                )
            )
        clashing = {p.promotion_id for pair in settled.conflicts for p in pair}
        won = {one.promotion.promotion_id for one in outcome.applied}
        for one in holding:
            if one.promotion_id not in won | clashing:
                self._lost(one, settled)
        self._capped(outcome)
        applied = [f"{a.promotion.code} {plain(a.amount)}" for a in outcome.applied]
        note = f"merchandise {plain(self.order.merchandise)} {currency}; " + (
            f"applied: {', '.join(applied)}" if applied else "none applies"
        )
        if applied or self.lost:
            self.promoted.trace.append(
                step("", "promotion", "PROMO-CODES", note=note, lost=self.lost)
            )

    def _lost(self, one: Promotion, settled: Settled) -> None:
        outcome = settled.outcome
        if why := outcome.refused.get(one.promotion_id):
            self._refuse(one, why)
        elif one in outcome.idle:
            self._inform(one, "PROMO_NO_EFFECT", f"promotion {one.code} takes nothing off here")
        else:
            self._inform(one, "PROMO_NOT_STACKABLE", self._against(one, settled))

    def _against(self, one: Promotion, settled: Settled) -> str:
        winners = [applied.promotion for applied in settled.outcome.applied]
        codes = ", ".join(p.code for p in winners) or "the price without it"
        same = [p.code for p in winners if p.stack_group == one.stack_group]
        alone, together = settled.alone, settled.together
        if one.exclusive or any(p.exclusive for p in winners):
            assert alone is not None  # noqa: S101 - one is exclusive
            assert together is not None  # noqa: S101
            currency, own = self.order.currency, alone.applied
            name = ", ".join(a.promotion.code for a in own) or one.code
            return (
                f"promotion {one.code} does not stack with {codes}: {name} alone takes "
                f"{plain(alone.benefit)} {currency} off, the others {plain(together.benefit)}"
            )
        return f"promotion {one.code} does not stack with {', '.join(same) or codes}"

    def _capped(self, outcome: Outcome) -> None:
        for applied in outcome.applied:
            if applied.effect.capped:
                amount = f"{plain(applied.amount)} {self.order.currency}"
                one = applied.promotion
                words = f"promotion {one.code} takes off at most {amount}"
                self._inform(one, "PROMO_CAPPED", words)

    def _refuse(self, one: Promotion, why: Refusal) -> None:
        self.lost.append(f"{one.code}: {why.message}")
        if one.promotion_id in self.named:
            self.promoted.findings.append(warning(why, one.code, one.promotion_id))

    def _inform(self, one: Promotion, code: str, message: str) -> None:
        self.lost.append(f"{one.code}: {message}")
        shipping = one.target == "shipping" or one.kind == "free_shipping"
        if one.promotion_id in self.named and not (code == "PROMO_NO_EFFECT" and shipping):
            self.promoted.findings.append(
                finding(code, Severity.INFO, message, subject=one.code, rule_id=one.promotion_id)
            )
