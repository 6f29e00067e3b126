"""The tools with consequences: decide, issue, and how a quote ends; and a person's revision."""

from functools import partial
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
from servers.finance.store import approvals, closing, issue, revisions
from servers.finance.store.database import FinanceDatabase
from servers.finance.tools.pricing import DisplayCurrency
from servers.toolkit.components import tool
from servers.toolkit.declare import writes
from servers.toolkit.fields import ApprovalId, Digest, LineId, QuoteId
from servers.toolkit.statements import StatementText

ONE = ("quote_id",)
Dropped = Annotated[
    str,
    Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,39}$", max_length=40, description="claim or warning"),
]
DropReason = Annotated[str, Field(max_length=300, description="why these no longer hold")]
BOTH = ("quote_id", "by_quote_id")
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


@tool(writes("Decide an approval", rows="bound", binds=("approval_id",), person_only=True))
def decide_approval(
    finance: FinanceDatabase,
    approval_id: ApprovalId,
    decision: Literal["approve", "reject"],
    note: Note = "",
) -> Decision:
    """Decide one approval as a person; only a named person's grant can call this.

    The decision holds for exactly the quote it was asked for. Whoever asked cannot decide,
    and rejecting closes the quote.
    """
    return finance.once("decide_approval", Decision, approvals.decide, approval_id, decision, note)


@tool(writes("Issue a quote", rows="bound", binds=("quote_id", "digest"), card=CARD))
def issue_quote(
    finance: FinanceDatabase,
    quote_id: QuoteId,
    digest: Digest,
    catalog_statement: StatementText | None = None,
    crm_statement: StatementText | None = None,
) -> Issued:
    """Issue a quote: it gets its number and is binding from then on.

    digest is that of create_quote or get_quote. Finance works the quote out again and refuses
    it when anything changed, when an approval is missing or expired, or when it may not issue
    by itself. The statements are fresh ones of check_configuration and quote_readiness; without
    them those of the draft must still be valid.
    """
    statements = finance.statements(catalog_statement, crm_statement)
    return finance.once("issue_quote", Issued, issue.issue, quote_id, digest, statements)


@tool(writes("Withdraw a quote", rows="bound", binds=ONE, destructive=True, person_only=True))
def withdraw_quote(
    finance: FinanceDatabase,
    quote_id: QuoteId,
    reason: Annotated[str, Field(min_length=3, max_length=300, description="why")],
) -> Withdrawn:
    """Take a quote back, as a person; an issued one keeps its number. quote_id: list_quotes."""
    return finance.once("withdraw_quote", Withdrawn, closing.withdraw, quote_id, reason)


@tool(writes("Accept a quote", rows="bound", binds=("quote_id", "digest"), person_only=True))
def accept_quote(
    finance: FinanceDatabase,
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
    return finance.once("accept_quote", Accepted, closing.accept, quote_id, digest, reference)


@tool(
    writes(
        "Close a quote for another", rows="bound", binds=BOTH, destructive=True, person_only=True
    )
)
def supersede_quote(
    finance: FinanceDatabase, quote_id: QuoteId, by_quote_id: QuoteId
) -> Superseded:
    """Close a quote in favour of another of the same account, as a person.

    A revision does that by itself when it is issued; this is for two quotes of which one is
    enough, of two opportunities say. Both ids come from list_quotes.
    """
    return finance.once("supersede_quote", Superseded, closing.supersede, quote_id, by_quote_id)


@tool(writes("Revise a quote", rows="bound", binds=("quote_id", "digest"), person_only=True))
def revise_quote(
    finance: FinanceDatabase,
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
    drop: Annotated[list[Dropped], Field(max_length=40)] = [],  # noqa: B006
    drop_reason: DropReason = "",
    preview: Annotated[bool, Field(description="store nothing; only say what differs")] = False,
    catalog_statement: StatementText | None = None,
    crm_statement: StatementText | None = None,
) -> Revised:
    """Change a quote by hand, as a person: the next revision, worked out again as a whole.

    Give only what changes. An adjustment has a reason_code and takes the place of those on its
    line; whoever makes one cannot approve it. Clauses are selected anew; a deviation from the
    rules stays. Without statements of the catalog and the CRM about what it then holds, it needs
    a person (UNCHECKED). Claims and warnings of the quote stay, unless `drop` names them.
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
        drop=tuple(drop),
        drop_reason=drop_reason,
    )
    statements, now = finance.statements(catalog_statement, crm_statement), finance.now()
    if preview:
        with finance.writing() as session:
            return revisions.revise(
                session, quote_id, digest, changes, statements, now, store=False
            )
    work = partial(revisions.revise, store=True)
    return finance.once("revise_quote", Revised, work, quote_id, digest, changes, statements)
