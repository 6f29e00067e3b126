"""What `guide_price` answers: for named persons only, because its floor reveals cost."""

from typing import Literal

from pydantic import BaseModel, Field

from servers.finance.schemas import LEFT_OUT


class GuidedPrice(BaseModel):
    """An amount for the whole line, and what it means for the price of one."""

    amount_minor: int
    unit_price: str = Field(description="per unit for the whole term, cut to six decimals")
    discount_bp: int | None = Field(
        description="the requested discount that comes to it or just above; None for a surcharge"
    )
    why: str


class Comparable(BaseModel):
    """A line of an earlier quote of ours, and what became of the quote."""

    quote_id: str
    number: str
    account_id: str
    line_id: str
    sku: str
    quantity: int
    of_list: str = Field(description="percent of the price list at which it was offered")
    outcome: Literal["accepted", "open", "not_taken"]
    order_date: str


class LineGuidance(BaseModel):
    """Floor, target and stretch of one line; none of them sets anything."""

    line_id: str
    sku: str
    quantity: int
    list_minor: int
    standard_minor: int = Field(description="what it costs without a requested discount")
    offered_minor: int | None = Field(description="what the quote says now")
    floor: GuidedPrice | None
    target: GuidedPrice | None
    stretch: GuidedPrice | None
    said: list[str] = Field(description="where it comes from, and what could not be said")
    comparables: list[Comparable]


class PriceGuidance(BaseModel):
    """Guidance about a quote: a proposal inside the house's band, for a person to weigh."""

    quote_id: str
    currency: str
    band: str
    lines: list[LineGuidance]
    next_line: int | None = Field(default=None, description=LEFT_OUT)
    notice: str = (
        "Guidance proposes and sets nothing; a discount goes through the quote's own rules."
    )
