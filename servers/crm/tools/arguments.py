"""The argument types that only the CRM's tools use."""

from typing import Annotated

from pydantic import Field

from servers.crm.schemas import Outcome, Stage

SomeText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="a company, short name, person, mail address, or a phrase that holds one",
    ),
]
Words = Annotated[str, Field(max_length=200, description="words to look for; empty for all")]
Body = Annotated[str, Field(min_length=1, max_length=10_000, description="what happened")]
NewStage = Annotated[Stage, Field(description="one of get_opportunity's next_stages")]
NewOutcome = Annotated[Outcome, Field(description="how the quote stands now")]
Revision = Annotated[int, Field(ge=1, le=999, description="the quote's revision")]
TotalMinor = Annotated[int, Field(ge=0, le=10**15, description="total in minor units (cents)")]
Number = Annotated[
    str, Field(max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]*$", description="quote number")
]

ACCOUNT = ("account_id",)
DEAL = ("opportunity_id",)
