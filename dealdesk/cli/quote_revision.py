"""`dealdesk quote revise`: a person changes a quote by hand, and sees what differs first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealdesk.cli.options import ASKED, Asked, QuoteId, doc
from dealdesk.cli.output import describe, money, print_json, say, tell
from dealdesk.cli.quote_decisions import refuse_if_run_waits, sure
from dealdesk.cli.quote_view import print_diff
from dealdesk.cli.session import acting_as
from dealdesk.people import advice, record_outcome, statements
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk

WHOLE = "all"
"""How an adjustment names the whole document instead of a line."""
Words = list[str] | None


@Parameter(name="*")
@dataclass(frozen=True)
class Change:
    """What changes; the rest of the quote stays."""

    set: Annotated[
        Words, doc("What changes on a line: l1.quantity=20, l2.term_months=24, l3.optional=yes.")
    ] = None
    remove: Annotated[Words, doc("A line to leave out: l2.")] = None
    add: Annotated[
        Words,
        doc("An item to put in: SKU=3, or SKU=3:license:24 with its unit and term in months."),
    ] = None
    adjust: Annotated[
        Words,
        doc(
            "What comes off by hand, and why: l1:percent:3:competitive_match, "
            "all:amount:100:agreed_rounding, l2:override:99.50:pricing_error."
        ),
    ] = None
    drop_adjustments: Annotated[bool, doc("Take back what came off by hand before.")] = False
    discount: Annotated[str | None, doc("The discount on every line, in percent.")] = None
    promo: Annotated[Words, doc("The promotion codes, instead of those of the quote.")] = None
    ship: Annotated[str | None, doc("The shipping method.")] = None
    terms: Annotated[str | None, doc("The payment terms: NET14.")] = None
    validity: Annotated[
        int | None, doc("How many days it is valid, instead of the seller's own.")
    ] = None
    drop: Annotated[Words, doc("A claim or a warning that no longer holds: discount.")] = None
    drop_reason: Annotated[str | None, doc("Why it no longer holds.")] = None

    def arguments(self, taken: Sequence[str]) -> dict[str, Any]:
        """Return the arguments of revise_quote; `taken` are the ids of the lines there are."""
        given: dict[str, Any] = {
            "change_lines": set_lines(self.set or ()),
            "remove_lines": self.remove,
            "add_lines": added_lines(self.add or (), taken),
            "adjustments": adjustments(self.adjust or ()),
            "drop_adjustments": self.drop_adjustments or None,
            "discount_bp": None if self.discount is None else basis_points(self.discount),
            "promo_codes": self.promo,
            "ship_method": self.ship,
            "payment_terms": self.terms,
            "validity_days": self.validity,
            "drop": self.drop,
            "drop_reason": self.drop_reason,
        }
        return {name: value for name, value in given.items() if value not in (None, [])}


NOTHING = Change()


async def revise_quote(
    quote_id: QuoteId,
    /,
    *,
    change: Change = NOTHING,
    dry_run: Annotated[bool, doc("Store nothing; only show what would differ.")] = False,
    acting: Asked = ASKED,
) -> int:
    """Change a quote by hand: its next revision.

    No agent runs; finance works everything out again. Whoever changes it cannot approve it.
    """
    async with acting_as(acting) as desk:
        quote = await desk.quote(await desk.quote_id(quote_id))
        refuse_if_run_waits(desk, quote["quote_id"])
        arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"]}
        arguments |= change.arguments([line["line_id"] for line in quote["lines"]])
        seen = await desk.look("finance", "revise_quote", {**arguments, "preview": True})
        if not acting.json:
            print_diff(seen["diff"], f"revision {seen['revision']}")
            for finding in seen["findings"]:
                say(f"  ! {describe(finding)}")
        if dry_run or not sure("Store this as the next revision?", yes=acting.yes or acting.json):
            if acting.json:
                print_json(seen)
            return 0
        stated = await statements(desk.look, seen["to_check"], quote)
        made = await desk.look("finance", "revise_quote", {**arguments, **stated})
        trouble = await _note_both(desk, quote, made)
    total = money(made["total_minor"], made["currency"])
    words = f"{made['quote_id']} is revision {made['revision']}: {total}."
    words += f" {advice(made['quote_id'], made['next_step'])}"
    tell({**made, "crm_trouble": trouble}, words, acting.json)
    return 0


async def _note_both(desk: Desk, quote: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """Tell the CRM of the new draft, and that one in work gave way to it."""
    about = {**{name: quote[name] for name in ("account_id", "opportunity_id")}, "number": None}
    about |= made
    words = f"Revision {made['revision']} of the quote made by hand by {desk.settings.person}."
    trouble = await record_outcome(desk.look, about, "draft", words)
    if quote["status"] in ("draft", "waiting", "approved"):
        words = f"Quote {quote['quote_id']} gave way to revision {made['revision']}."
        gone = await record_outcome(desk.look, quote, "superseded", words)
        trouble = trouble or gone
    return trouble


def set_lines(words: Sequence[str]) -> list[dict[str, Any]]:
    changes: dict[str, dict[str, Any]] = {}
    for word in words:
        place, equals, value = word.partition("=")
        line_id, dot, name = place.partition(".")
        if not (equals and dot) or name not in SETTABLE:
            raise UsageError(f"--set {word!r} is not understood", fix="write --set l1.quantity=20")
        changes.setdefault(line_id, {"line_id": line_id})[name] = SETTABLE[name](value, word)
    return list(changes.values())


def added_lines(words: Sequence[str], taken: Sequence[str]) -> list[dict[str, Any]]:
    last = max((int(line_id[1:]) for line_id in taken), default=0)
    lines: list[dict[str, Any]] = []
    for place, word in enumerate(words, start=1):
        sku, equals, rest = word.partition("=")
        quantity, *more = rest.split(":")
        if not equals or len(more) > 2:
            raise UsageError(f"--add {word!r} is not understood", fix="write --add SKU=3")
        line: dict[str, Any] = {"line_id": f"l{last + place}", "sku": sku}
        line["quantity"] = number(quantity, word)
        if more:
            line["unit"] = more[0]
        if len(more) == 2:
            line["term_months"] = whole(more[1], word)
        lines.append(line)
    return lines


def adjustments(words: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for word in words:
        parts = word.split(":")
        if len(parts) != 4:
            raise UsageError(
                f"--adjust {word!r} is not understood",
                fix="write --adjust LINE:percent|amount|override:VALUE:REASON, with LINE `all` "
                "for the whole quote",
            )
        line_id, kind, value, reason = parts
        one = {"kind": kind, "value": value, "reason_code": reason}
        found.append(one if line_id == WHOLE else {**one, "line_id": line_id})
    return found


def basis_points(percent: str) -> int:
    try:
        points = Decimal(percent.rstrip("%")) * 100
    except InvalidOperation:
        points = Decimal(-1)
    if points != points.to_integral_value() or not 0 <= points <= 10_000:
        raise UsageError(f"{percent!r} is no percentage", fix="write --discount 5 or 2.25")
    return int(points)


def number(value: str, word: str) -> int | str:
    """Return a quantity: a whole number, or the decimal number as it stands."""
    if value.isdecimal():
        return int(value)
    if not re.fullmatch(r"\d+\.\d+", value):
        raise UsageError(f"{word!r} has no number", fix="write --set l1.quantity=20, or 2.5")
    return value


def whole(value: str, word: str) -> int:
    if not value.isdecimal():
        raise UsageError(f"{word!r} has no whole number", fix="write --set l1.quantity=20")
    return int(value)


def yes(value: str, word: str) -> bool:  # noqa: ARG001 - called like the others
    return value.lower() in ("yes", "true", "1")


SETTABLE: dict[str, Callable[[str, str], object]] = {
    "quantity": number,
    "term_months": whole,
    "optional": yes,
}
