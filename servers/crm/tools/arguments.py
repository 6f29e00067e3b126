"""The argument types that only the CRM's tools use."""

from typing import Annotated

from pydantic import Field

from servers.crm.schemas import Outcome, Stage
from servers.toolkit.fields import ContactId

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
Typed = Annotated[str, Field(min_length=1, max_length=200)]
Maybe = Annotated[str, Field(max_length=200)]
Lines = Annotated[
    list[Typed], Field(min_length=1, max_length=6, description="street and what else stands above")
]
Email = Annotated[str, Field(pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$", max_length=254)]
Language = Annotated[str, Field(pattern="^[a-z]{2}(-[A-Z]{2})?$", max_length=5)]
OwnCurrency = Annotated[
    str, Field(pattern="^([A-Z]{3})?$", max_length=3, description="ISO 4217; empty for the usual")
]
Owner = Annotated[str, Field(max_length=120, description="who of us looks after it; empty: any")]
Assignee = Annotated[str, Field(max_length=120, description="who of us does it; empty: you")]
Day = Annotated[
    str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$", max_length=10, description="2026-11-23")
]
InStage = Annotated[
    str, Field(pattern="^[a-z_]*$", max_length=24, description="a stage; empty for every")
]
What = Annotated[str, Field(min_length=1, max_length=500, description="what is to be done")]
Contacts = Annotated[
    list[ContactId], Field(max_length=20, description="who takes part, the one addressed first")
]

ACCOUNT = ("account_id",)
DEAL = ("opportunity_id",)
