"""What an import changes, told to the person at the command, and who else lets it pass."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from dealdesk.cli.options import Person, doc
from dealdesk.cli.output import money
from dealdesk.cli.session import proved
from dealdesk.settings import Settings
from orchestrator.errors import UsageError

VARIABLE = "DEALDESK_APPROVER_TOKEN"
SHOWN = 20
"""How many changes of a kind are shown; `--json` has all."""


@Parameter(name="*")
@dataclass(frozen=True)
class Jump:
    """How far back an import is tried, and which two persons let one pass that moves prices far."""

    reprice: Annotated[
        int,
        Parameter(validator=Number(gte=1, lte=10_000), help="How many past quotes to try it on."),
    ] = 200
    person: Person = None
    approved_by: Annotated[
        str | None,
        doc(
            "A second person, where import_limits of the policies asks for one. Their token: "
            f"typed at a terminal, or in {VARIABLE}."
        ),
    ] = None

    def persons(self, settings: Settings) -> dict[str, str]:
        """Return who imports and who approves, once both have proved it, and how; or nobody."""
        if self.approved_by is None:
            return {}
        if not settings.person or settings.person == self.approved_by:
            said = "an import is approved by another than who imports it"
            raise UsageError(said, fix="--as PERSON --approved-by ANOTHER")
        token = os.environ.get(VARIABLE, "").strip()
        second = replace(settings, person=self.approved_by, token=token)
        proofs = [asyncio.run(proved(settings)), asyncio.run(proved(second, VARIABLE))]
        names = {"importer": settings.person, "approver": self.approved_by}
        return names | {"proof": ", ".join(proofs)}


NO_JUMP = Jump()


def told_effects(effects: Any) -> Iterator[str]:
    """Yield the lines that say what an import changes."""
    quotes, prices = effects.quotes, effects.prices
    asked = sum(bool(one.new_approvals) for one in quotes)
    totals = sum(one.before.total_minor != one.after.total_minor for one in quotes)
    low, lost = (
        sum(getattr(one, name) for one in quotes) for name in ("falls_below_floor", "stopped")
    )
    yield (
        f"Past quotes, priced again from what they were made of: {effects.repriced:,}. Another "
        f"total: {totals:,}, new approvals: {asked:,}, margin newly below the floor: {low:,}, "
        f"cannot be quoted any more: {lost:,}."
    )
    yield from _most(f"  {_quote(one)}" for one in quotes)
    if prices:
        yield f"Prices that change: {len(prices):,}."
        yield from _most(
            f"  {one.what}: {one.before:f} -> {one.after:f}{_percent(one.moved_bp)}"
            for one in prices
        )
    if effects.below_cost:
        yield f"Warning: prices that are now below cost: {len(effects.below_cost):,}."
        yield from _most(f"  {one}" for one in effects.below_cost)
    for one in effects.beyond:
        yield f"Needs a second person (--approved-by): {one}."


def _most(lines: Iterator[str]) -> Iterator[str]:
    every = list(lines)
    yield from every[:SHOWN]
    if len(every) > SHOWN:
        yield f"  ... and {len(every) - SHOWN:,} more (--json has all)"


def _quote(one: Any) -> str:
    before, after = one.before, one.after
    then = money(after.total_minor, after.currency) if not one.stopped else f"none: {after.why}"
    said = f"{one.what}: {money(before.total_minor, before.currency)} -> {then}"
    parts = [said + _percent(one.moved_bp)]
    if one.new_approvals:
        parts.append(f"new approvals: {', '.join(one.new_approvals)}")
    if before.margin_bp != after.margin_bp:
        earned = [_bp(bp) for bp in (before.margin_bp, after.margin_bp)]
        below = ", below the floor" if one.falls_below_floor else ""
        parts.append(f"goods earn {earned[0]} -> {earned[1]}{below}")
    return "; ".join(parts)


def _percent(bp: int | None) -> str:
    return f" ({bp / 100:+.4g}%)" if bp else ""


def _bp(bp: int | None) -> str:
    return "unknown" if bp is None else f"{bp / 100:g}%"
