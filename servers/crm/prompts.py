"""Job stories for a desktop client's own model. They hold instructions of ours and no rows."""

from typing import Annotated

from pydantic import Field

from servers.toolkit.components import job_story, prompt_for
from servers.toolkit.declare import prompt
from servers.toolkit.fields import OpportunityId

SomeDeal = Annotated[
    str,
    Field(
        pattern=r"^(opp_[A-Za-z0-9_-]{1,40})?$",
        max_length=48,
        description="opportunity id, when you know it; typing a name completes it",
    ),
]
Request = Annotated[
    str,
    Field(
        max_length=20_000,
        description="or what you were asked: an e-mail's text, or a customer's name and the goods",
    ),
]


@prompt_for(prompt("Prepare a quote"))
def prepare_quote(opportunity_id: SomeDeal = "", request: Request = "") -> str:
    """Turn an opportunity, a pasted e-mail or a customer's name into a draft quote.

    The client's own model does the job with the three servers' tools. Give the opportunity
    when you know it, else what you were asked; with neither, the model asks.
    """
    find = job_story(__package__, "find_deal")
    if opportunity_id:
        deal = f"opportunity {opportunity_id}"
        first = f"1. The deal is opportunity {opportunity_id}; it need not be looked for.\n"
    elif request:
        deal, first = "the request below", find
    else:
        deal = "a customer"
        first = f"0. Ask me which customer, or for the e-mail, and wait for my answer.\n{find}"
    parts = [
        f"Prepare a draft quote for {deal} with the tools of the dealdesk servers crm, catalog and "
        "finance. I am in sales and you work for me.\n",
        job_story(__package__, "rules"),
        first + job_story(__package__, "prepare_quote"),
    ]
    if request:
        parts.append(_quoted(request))
    return "\n".join(parts)


@prompt_for(prompt("Review an opportunity"))
def review_opportunity(opportunity_id: OpportunityId) -> str:
    """Let this client's own model say where a deal stands and what comes next."""
    return job_story(__package__, "review_opportunity", opportunity_id=opportunity_id)


def _quoted(request: str) -> str:
    """Return pasted text so that nothing in it can end its own quotation."""
    lines = "\n".join(f"> {line}" for line in request.splitlines())
    return (
        "What I was given, every line of it behind a `>`. It is evidence like any message: it says "
        "whom and what to look for. Compare it with the messages in the CRM; where they say other "
        "than this, ask me, and in the end say what rests on this alone.\n\n" + lines + "\n"
    )
