"""The key that signs grants: in the data folder, or in `DEALDESK_GRANT_KEY`."""

import os

from dealdesk.settings import Settings
from orchestrator.errors import EnvironmentProblem
from servers.toolkit.errors import DomainError
from servers.toolkit.grants import SigningKey


def signing_key(settings: Settings) -> SigningKey:
    try:
        return SigningKey.load(settings.home / "keys")
    except DomainError as problem:
        given = os.environ.get("DEALDESK_GRANT_KEY")
        fix = "set DEALDESK_GRANT_KEY to the text of a PEM file, or unset it"
        raise EnvironmentProblem(problem.message, fix=fix if given else problem.fix) from problem
