"""Make a data folder for one's own company: keys, empty databases, and the company itself."""

from __future__ import annotations

from pathlib import Path

from dealdesk.keys import signing_key
from dealdesk.settings import Settings
from orchestrator.errors import EnvironmentProblem
from orchestrator.servers import set_up_company
from servers.registry import NAMES
from servers.toolkit.errors import DomainError


def make_empty(settings: Settings, company: Path | None = None) -> list[str]:
    """Make the keys and databases without data; return a sentence per part of a company."""
    from servers.toolkit.database import Database
    from servers.toolkit.seeding import mark_seeded

    signing_key(settings)
    try:
        for name in NAMES:
            database = Database.open(settings.server_url(name), name)
            if (how := database.setting("seeded")) not in (None, "empty"):
                raise EnvironmentProblem(
                    f"the {name} database holds the {how} data already",
                    fix="choose another folder with --home",
                )
            if how is None:
                with database.write() as session:
                    mark_seeded(session, "empty")
            database.close()
        return put_company(settings, company) if company is not None else []
    except DomainError as problem:
        raise EnvironmentProblem(problem.message, fix=problem.fix) from problem


def put_company(settings: Settings, company: Path) -> list[str]:
    """Write the company into finance; return one sentence for a person per thing written."""
    try:
        return set_up_company(settings.server_url("finance"), company)
    except DomainError as problem:
        raise EnvironmentProblem(problem.message, fix=problem.fix) from problem
