"""`dealdesk quote new`: a quote by hand, in one command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealdesk.by_hand import Order, find, price_for_prospect
from dealdesk.cli.exit_codes import OUTCOMES
from dealdesk.cli.options import Home, Json, Out, doc
from dealdesk.cli.output import clean, describe, money, print_json, progress, say, table
from dealdesk.cli.quote_revision import basis_points
from dealdesk.cli.quote_view import print_diff
from dealdesk.cli.run_result import follow, print_outcome
from dealdesk.questions import GOAL_MAX
from dealdesk.quote_files import output_folder
from dealdesk.settings import load_settings
from dealdesk.typed_lines import EXAMPLE, read_file, read_line
from orchestrator.errors import UsageError
from servers.toolkit.starting import started

if TYPE_CHECKING:
    from dealdesk.desk import Desk


NO_OFFER = "No offer: prices of this day, at what anybody is charged; a quote needs an account."


@Parameter(name="*")
@dataclass(frozen=True)
class Asked:
    """What is to be quoted, to whom."""

    account: Annotated[str | None, doc("Who buys: an account's id or name.")] = None
    prospect: Annotated[
        str | None,
        doc("Who asks, without an account: gets prices, and no quote; with --country, --currency."),
    ] = None
    country: Annotated[str | None, doc("The prospect's country (DE).")] = None
    line: Annotated[
        list[str] | None,
        doc('How many of what: "12 x SKU", "3 boxes of network cable". As many as you like.'),
    ] = None
    file: Annotated[
        Path | None,
        doc("Lines in a .csv, .xlsx or .json file with the columns sku (or product), quantity."),
    ] = None
    copy: Annotated[
        str | None,
        doc("An old quote whose lines are quoted again, at today's prices; discounts stay behind."),
    ] = None
    opportunity: Annotated[str | None, doc("The deal it belongs to.")] = None
    discount: Annotated[str | None, doc("The discount on every line, in percent.")] = None
    reason: Annotated[str, doc("Why there is a discount; kept with the run.")] = ""
    ship_to: Annotated[
        str | None, doc("An address on file by its id, or the country it is in (DE).")
    ] = None
    method: Annotated[str | None, doc("The way of shipping, instead of the catalog's.")] = None
    currency: Annotated[str | None, doc("The currency, instead of the customer's own.")] = None

    def order(self) -> Order:
        """Read what was typed, before any server is asked."""
        typed, of_file = read_file(self.file) if self.file is not None else ([], None)
        typed = [*typed, *(read_line(one) for one in self.line or ())]
        if not typed and self.copy is None:
            raise UsageError("no line is given", fix=EXAMPLE)
        if self.prospect is not None:
            if not self.country or not self.currency or self.account or self.discount or not typed:
                fix = "give --country, --currency and lines; no --account and no --discount"
                raise UsageError("a prospect gets prices only", fix=fix)
        elif self.account is None and self.opportunity is None and self.copy is None:
            raise UsageError("who buys?", fix="name the account: --account, or --opportunity")
        percent = self.discount or of_file
        return Order(
            typed,
            self.account,
            self.opportunity,
            self.ship_to,
            self.method,
            self.currency,
            0 if percent is None else basis_points(percent),
        )


NOTHING = Asked()


async def new_quote(
    *,
    asked: Asked = NOTHING,
    revise: Annotated[bool, doc("Make the next revision of the deal's open quote.")] = False,
    person: Annotated[
        str | None, doc("The person who makes it; they cannot approve it.", name="--as")
    ] = None,
    order_date: Annotated[
        str | None, doc("The day that decides prices and windows (YYYY-MM-DD; default: today).")
    ] = None,
    out: Out = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Quote lines by hand: no agent reads anything, and every check is a run's.

    What is unclear (which account, which product) is asked, with what it may be.
    """
    from dealdesk.desk import Desk

    order, folder = asked.order(), output_folder(out)
    settings = load_settings(home=home, model="playbook", person=person, order_date=order_date)
    day = settings.order_date or date.today()  # noqa: DTZ011 - the user's own day
    async with Desk.open(settings, work=asked.prospect is None) as desk:
        started()
        if asked.prospect is not None:
            return await _prices(desk, asked, order, day, json)
        before = await desk.quote(await desk.quote_id(asked.copy)) if asked.copy else None
        order = order if before is None else with_lines_of(order, before)
        found = await find(desk.look, order, day)
        for note in found.notes:
            progress().print(clean(note), markup=False)
        if found.questions:
            return _ask(found.questions, json)
        run_id = await desk.submit(
            goal_of(order, found.given, asked.reason),
            opportunity_id=order.opportunity_id,
            revise=revise,
            workflow="by_hand",
            given=found.given,
        )
        title = f"By hand for {found.given['account_id']}"
        code = await follow(desk, run_id, title, out=folder, as_json=json)
        after = desk.run_row(run_id)["quote_id"]
        if before is not None and after and not json:
            pair = {"quote_id": before["quote_id"], "other_quote_id": after}
            print_diff(await desk.whole("finance", "diff_quotes", pair), "the new quote")
        return code


async def _prices(desk: Desk, asked: Asked, order: Order, day: date, as_json: bool) -> int:
    """Print what lines cost a prospect."""
    found, priced = await price_for_prospect(desk.look, order, asked.country or "", day)
    if found.questions:
        return _ask(found.questions, as_json)
    blocked = priced["outcome"] == "blocked"
    if as_json:
        print_json({"prospect": asked.prospect, "notice": NO_OFFER, **priced})
    elif blocked:
        print_outcome({"run_id": None, "files": [], **priced})
    else:
        _show(asked, priced, day)
    return OUTCOMES["blocked"] if blocked else 0


def _show(asked: Asked, priced: Mapping[str, Any], day: date) -> None:
    currency = priced["currency"]
    say(f"Prices for {asked.prospect} ({asked.country}), {day}. {NO_OFFER}")
    rows = [
        [line["quantity"], line["sku"], line["name"], money(line["net_minor"], currency)]
        for line in priced["lines"]
    ]
    totals = priced["totals"]
    rows += [
        ["", "", name, money(totals[f"{key}_minor"], currency)]
        for name, key in (("freight", "freight"), ("net", "net"), ("with tax", "total"))
    ]
    table(("quantity", "SKU", "product", "net"), rows, right=(0, 3))
    for finding in priced["findings"]:
        if finding["severity"] != "info":
            say(f"  ! {describe(finding)}")


def with_lines_of(order: Order, quote: Mapping[str, Any]) -> Order:
    """Return the order with an old quote's lines, for its account where no other is named."""
    account = order.account or (None if order.opportunity_id else quote["account_id"])
    return replace(order, account=account, copied=quote["to_check"]["lines"])


def goal_of(order: Order, given: dict[str, Any], reason: str) -> str:
    """Return what stands as the goal of the run: the lines as typed, for whom, and why so cheap."""
    said = [f"{one.quantity} {one.unit or 'x'} {one.words}" for one in order.lines]
    said = [f"{line['quantity']} x {line['sku']}" for line in order.copied] + said
    lines = "; ".join(said)
    words = f"By hand for {given['account_id']}: {lines}"
    return words[: GOAL_MAX - 400] + (f" (discount: {reason[:300]})" if reason else "")


def _ask(questions: list[dict[str, Any]], as_json: bool) -> int:
    """Print what is unclear; nothing was begun, so the command is given again."""
    report: dict[str, Any] = {"run_id": None, "outcome": "needs_input", "questions": questions}
    report["files"] = []
    if as_json:
        print_json(report)
    else:
        print_outcome(report)
    return OUTCOMES["needs_input"]
