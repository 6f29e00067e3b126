"""`dealdesk quote revise`: a person changes a quote by hand, and sees what differs first."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from cyclopts import Parameter

from dealdesk.cli.as_person import decider
from dealdesk.cli.comparing import print_diff
from dealdesk.cli.deciding import As, Flag, refuse_if_run_waits
from dealdesk.cli.output import clean, describe, money, print_json, result
from orchestrator.errors import UsageError

Many = Annotated[list[str] | None, Parameter(negative="")]
WHOLE = "all"
"""How an adjustment names the whole document instead of a line."""
SETTABLE = ("quantity", "term_months", "optional")


@Parameter(name="*")
@dataclass(frozen=True)
class Change:
    """What changes; the rest of the quote stays.

    Attributes
    ----------
    set
        What changes on a line: l1.quantity=20, l2.term_months=24, l3.optional=yes.
    remove
        A line to leave out: l2.
    add
        An item to put in: SKU=3, or SKU=3:license:24 with its unit and term in months.
    adjust
        What comes off by hand, and why: l1:percent:3:competitive_match,
        all:amount:100:agreed_rounding, l2:override:99.50:pricing_error.
    drop_adjustments
        Take back what came off by hand before.
    discount
        The discount on every line, in percent.
    promo
        The promotion codes, instead of those of the quote.
    ship
        The shipping method.
    terms
        The payment terms: NET14.
    validity
        How many days it is valid, instead of the house's own.
    """

    set: Many = None
    remove: Many = None
    add: Many = None
    adjust: Many = None
    drop_adjustments: Annotated[bool, Flag] = False
    discount: str | None = None
    promo: Many = None
    ship: str | None = None
    terms: str | None = None
    validity: int | None = None

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
        }
        return {name: value for name, value in given.items() if value not in (None, [])}


NOTHING = Change()


async def revise_quote(
    quote_id: str,
    /,
    *,
    change: Change = NOTHING,
    person: Annotated[str | None, As] = None,
    dry_run: Annotated[bool, Flag] = False,
    yes: Annotated[bool, Flag] = False,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Make a quote's next revision by hand; no agent runs, finance works everything out again.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    change
        What changes.
    person
        Who changes it, and so cannot approve it: an id in finance (default: DEALDESK_PERSON).
    dry_run
        Store nothing; only show what would differ.
    yes
        Do not ask again.
    home
        The data folder.
    json
        Print one JSON document at the end.
    """
    from dealdesk.desk import Desk

    async with Desk.open(decider(home, person), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        refuse_if_run_waits(desk, quote_id)
        quote = await desk.quote(quote_id)
        arguments = {"quote_id": quote_id, "digest": quote["digest"]}
        arguments |= change.arguments([line["line_id"] for line in quote["lines"]])
        seen = await desk.look("finance", "revise_quote", {**arguments, "preview": True})
        if not json:
            _show(seen)
        if dry_run or not _sure(yes=yes, json=json):
            if json:
                print_json(seen)
            return 0
        made = await desk.look("finance", "revise_quote", arguments)
        trouble = await _noted(desk, quote, made)
    if json:
        print_json({**made, "crm_trouble": trouble})
        return 0
    total = money(made["total_minor"], made["currency"])
    words = f"{made['quote_id']} is revision {made['revision']}: {total}."
    words += f" The CRM took no note of it: {trouble}" if trouble else ""
    result().print(clean(f"{words} {made['next_step']['say']}", 2000), markup=False)
    return 0


async def _noted(desk: Any, quote: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """Tell the CRM of the new draft, and that one in work gave way to it."""
    from dealdesk.people import record_outcome

    person = desk.settings.person or ""
    about = {"opportunity_id": quote["opportunity_id"], "number": None, **made}
    words = f"Revision {made['revision']} of the quote made by hand by {person}."
    trouble = await record_outcome(desk.servers, desk.signing, person, about, "draft", words)
    if quote["status"] in ("draft", "waiting", "approved"):
        words = f"Quote {quote['quote_id']} gave way to revision {made['revision']}."
        gone = await record_outcome(desk.servers, desk.signing, person, quote, "withdrawn", words)
        trouble = trouble or gone
    return trouble


def set_lines(words: Sequence[str]) -> list[dict[str, Any]]:
    """Return `l1.quantity=20` and the like as changes, one per line.

    Raises:
        UsageError: it is not of that form.
    """
    changes: dict[str, dict[str, Any]] = {}
    for word in words:
        place, equals, value = word.partition("=")
        line_id, dot, name = place.partition(".")
        if not (equals and dot) or name not in SETTABLE:
            raise UsageError(f"--set {word!r} is not understood", fix="write --set l1.quantity=20")
        changes.setdefault(line_id, {"line_id": line_id})[name] = (
            value.lower() in ("yes", "true", "1") if name == "optional" else whole(value, word)
        )
    return list(changes.values())


def added_lines(words: Sequence[str], taken: Sequence[str]) -> list[dict[str, Any]]:
    """Return `SKU=3:license:24` and the like as lines, with ids that are free.

    Raises:
        UsageError: it is not of that form.
    """
    last = max((int(line_id[1:]) for line_id in taken), default=0)
    lines: list[dict[str, Any]] = []
    for place, word in enumerate(words, start=1):
        sku, equals, rest = word.partition("=")
        quantity, *more = rest.split(":")
        if not equals or len(more) > 2:
            raise UsageError(f"--add {word!r} is not understood", fix="write --add SKU=3")
        line: dict[str, Any] = {"line_id": f"l{last + place}", "sku": sku}
        line["quantity"] = whole(quantity, word)
        if more:
            line["unit"] = more[0]
        if len(more) == 2:
            line["term_months"] = whole(more[1], word)
        lines.append(line)
    return lines


def adjustments(words: Sequence[str]) -> list[dict[str, Any]]:
    """Return `l1:percent:3:competitive_match` and the like as adjustments.

    Raises:
        UsageError: it is not of that form.
    """
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
    """Return a percentage in basis points: 2.5 is 250.

    Raises:
        UsageError: it is no percentage, or finer than a hundredth.
    """
    try:
        points = Decimal(percent.rstrip("%")) * 100
    except InvalidOperation:
        points = Decimal(-1)
    if points != points.to_integral_value() or not 0 <= points <= 10_000:
        raise UsageError(f"{percent!r} is no percentage", fix="write --discount 5 or 2.25")
    return int(points)


def whole(value: str, word: str) -> int:
    """Return a whole number.

    Raises:
        UsageError: it is none.
    """
    if not value.isdecimal():
        raise UsageError(f"{word!r} has no whole number", fix="write --set l1.quantity=20")
    return int(value)


def _show(seen: Mapping[str, Any]) -> None:
    print_diff(seen["diff"], f"revision {seen['revision']}")
    for finding in seen["findings"]:
        result().print(f"  ! {describe(finding)}", markup=False)


def _sure(*, yes: bool, json: bool) -> bool:
    if yes or json or not sys.stdin.isatty():
        return True
    return input("Store this as the next revision? [y/N] ").strip().lower() in ("y", "yes")
