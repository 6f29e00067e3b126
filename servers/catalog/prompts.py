"""The job story of a check, for a desktop client's own model. It holds instructions of ours."""

from typing import Annotated

from pydantic import Field

from servers.toolkit.components import job_story, prompt_for
from servers.toolkit.declare import prompt
from servers.toolkit.fields import Country

Parts = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        description="what to check, a position per line, say 2 x SRV-R2-128",
    ),
]


@prompt_for(prompt("Check a configuration"))
def check_configuration(parts: Parts, ship_to_country: Country) -> str:
    """Let this client's own model check and complete a list of parts."""
    listed = "\n".join(f"> {line}" for line in parts.splitlines())
    given = {"listed": listed, "ship_to_country": ship_to_country}
    return job_story(__package__, "check_configuration", **given)
