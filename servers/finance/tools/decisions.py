"""The tools with consequences: decide, issue, and how a quote ends; and a person's revision."""

# mypy: disable-error-code="untyped-decorator"
# app.tool is overloaded, and mypy cannot choose an overload for `**reads(...)`

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from servers.finance.card import CARD
from servers.finance.quote_changes import Changes
from servers.finance.schemas import (
    Adjustment,
    AdjustmentReason,
    DiscountBp,
    LineIn,
    PromoCodes,
    ShipMethod,
    TermsCode,
)
from servers.finance.schemas_quotes import (
    Accepted,
    Decision,
    Issued,
    LineChange,
    Revised,
    Superseded,
    Withdrawn,
)
from servers.finance.store import closing, decisions, revisions
from servers.finance.store.expiry import writing
from servers.finance.tools.pricing import DisplayCurrency
from servers.toolkit.app import Server
from servers.toolkit.declare import writes
from servers.toolkit.fields import ApprovalId, Digest, LineId, QuoteId
from servers.toolkit.idempotency import once

ONE = ("quote_id",)
Note = Annotated[str, Field(max_length=300, description="why, for the record")]


class AdjustmentIn(BaseModel):
    """What a person takes off by hand; without a line_id it is off the whole document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_id: LineId | None = None
    kind: Literal["percent", "amount", "override"]
    value: Annotated[
        str,
        Field(
            pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$",
            max_length=19,
            description="percent, an amount in the quote's currency, or the new unit price",
        ),
    ]
    reason_code: AdjustmentReason


def add_decision_tools(app: Server, now: Callable[[], datetime]) -> None:
    database = app.database

    @app.tool(
        **writes("Decide an approval", rows="bound", binds=("approval_id",), person_only=True)
    )
    def decide_approval(
        approval_id: ApprovalId, decision: Literal["approve", "reject"], note: Note = ""
    ) -> Decision:
        """Decide one approval as a person; only a named person's grant can call this.

        The decision holds for exactly the quote it was asked for. Whoever asked cannot decide,
        and rejecting closes the quote.
        """
        with writing(database, now()) as session:
            return once(
                session,
                "decide_approval",
                lambda: decisions.decide(session, approval_id, decision, note, now()),
                Decision,
            )

    @app.tool(**writes("Issue a quote", rows="bound", binds=("quote_id", "digest"), card=CARD))
    def issue_quote(quote_id: QuoteId, digest: Digest) -> Issued:
        """Issue a quote: it gets its number and is binding from then on.

        digest is that of create_quote or get_quote. Finance works the quote out again and refuses
        it when anything changed, when an approval is missing or expired, or when it may not issue
        by itself.
        """
        with writing(database, now()) as session:
            return once(
                session,
                "issue_quote",
                lambda: decisions.issue(session, quote_id, digest, now()),
                Issued,
            )

    @app.tool(
        **writes("Withdraw a quote", rows="bound", binds=ONE, destructive=True, person_only=True)
    )
    def withdraw_quote(
        quote_id: QuoteId,
        reason: Annotated[str, Field(min_length=3, max_length=300, description="why")],
    ) -> Withdrawn:
        """Take a quote back, as a person; an issued one keeps its number. quote_id: list_quotes."""
        with writing(database, now()) as session:
            return once(
                session,
                "withdraw_quote",
                lambda: closing.withdraw(session, quote_id, reason, now()),
                Withdrawn,
            )

    @app.tool(
        **writes("Accept a quote", rows="bound", binds=("quote_id", "digest"), person_only=True)
    )
    def accept_quote(
        quote_id: QuoteId,
        digest: Digest,
        reference: Annotated[
            str, Field(max_length=120, description="the customer's order number, say")
        ] = "",
    ) -> Accepted:
        """Record, as a person, that the customer accepted an issued quote; that makes the deal.

        digest is that of get_quote: what was accepted is exactly that. Refused when its validity
        is over, an approval is not in force, or credit or screening says something now that
        nobody approved. Counts what the quote uses of promotions and contracts.
        """
        with writing(database, now()) as session:
            return once(
                session,
                "accept_quote",
                lambda: closing.accept(session, quote_id, digest, reference, now()),
                Accepted,
            )

    @app.tool(
        **writes(
            "Close a quote for another",
            rows="bound",
            binds=("quote_id", "by_quote_id"),
            destructive=True,
            person_only=True,
        )
    )
    def supersede_quote(quote_id: QuoteId, by_quote_id: QuoteId) -> Superseded:
        """Close a quote in favour of another of the same account, as a person.

        A revision does that by itself when it is issued; this is for two quotes of which one is
        enough, of two opportunities say. Both ids come from list_quotes.
        """
        with writing(database, now()) as session:
            return once(
                session,
                "supersede_quote",
                lambda: closing.supersede(session, quote_id, by_quote_id, now()),
                Superseded,
            )


def add_revision_tools(app: Server, now: Callable[[], datetime]) -> None:
    database = app.database

    @app.tool(
        **writes("Revise a quote", rows="bound", binds=("quote_id", "digest"), person_only=True)
    )
    def revise_quote(
        quote_id: QuoteId,
        digest: Digest,
        change_lines: Annotated[list[LineChange], Field(max_length=200)] = [],  # noqa: B006
        remove_lines: Annotated[list[LineId], Field(max_length=200)] = [],  # noqa: B006
        add_lines: Annotated[list[LineIn], Field(max_length=200)] = [],  # noqa: B006
        adjustments: Annotated[list[AdjustmentIn], Field(max_length=200)] = [],  # noqa: B006
        drop_adjustments: bool = False,
        discount_bp: DiscountBp | None = None,
        promo_codes: PromoCodes | None = None,
        ship_method: ShipMethod | None = None,
        payment_terms: TermsCode | None = None,
        display_currency: DisplayCurrency = None,
        validity_days: Annotated[
            int | None, Field(ge=1, le=366, description="days, instead of the house's own")
        ] = None,
        preview: Annotated[bool, Field(description="store nothing; only say what differs")] = False,
    ) -> Revised:
        """Change a quote by hand, as a person: the next revision, worked out again as a whole.

        Give only what changes. An adjustment has a reason_code and takes the place of those on its
        line; whoever makes one cannot approve it. Clauses are selected anew; a deviation from the
        rules stays. A line, quantity or carriage that the catalog has not checked needs a person.
        quote_id and digest come from get_quote; the answer says what differs, and what comes next.
        """
        changes = Changes(
            change_lines=tuple(change_lines),
            remove_lines=tuple(remove_lines),
            add_lines=tuple(add_lines),
            adjustments=tuple(Adjustment.model_validate(one.model_dump()) for one in adjustments),
            drop_adjustments=drop_adjustments,
            discount_bp=discount_bp,
            promo_codes=None if promo_codes is None else tuple(promo_codes),
            ship_method=ship_method,
            payment_terms=payment_terms,
            display_currency=display_currency,
            validity_days=validity_days,
        )
        with writing(database, now()) as session:
            if preview:
                return revisions.revise(session, quote_id, digest, changes, now(), store=False)
            return once(
                session,
                "revise_quote",
                lambda: revisions.revise(session, quote_id, digest, changes, now(), store=True),
                Revised,
            )
