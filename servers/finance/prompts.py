"""The job story of an explanation, for a desktop client's own model. It holds no rows."""

from servers.toolkit.components import job_story, prompt_for
from servers.toolkit.declare import prompt
from servers.toolkit.fields import QuoteId


@prompt_for(prompt("Explain a quote"))
def explain_quote(quote_id: QuoteId) -> str:
    """Explain a stored quote to a colleague: its prices, terms, and what it waits for."""
    return job_story(__package__, "explain_quote", quote_id=quote_id)
