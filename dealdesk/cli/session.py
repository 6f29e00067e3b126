"""How a command uses the desk: to look, or as a named person who decides."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from getpass import getpass
from typing import TYPE_CHECKING

from dealdesk.cli.options import Acting
from dealdesk.cli.output import progress
from dealdesk.settings import Settings, load_settings
from orchestrator.errors import CredentialsError, UsageError
from servers.toolkit.person_tokens import VARIABLE, named_in

if TYPE_CHECKING:
    from dealdesk.desk import Desk


def looking(home: str | None) -> AbstractAsyncContextManager[Desk]:
    """Open the desk to look; nothing is run, and nobody need say who they are."""
    from dealdesk.desk import Desk

    return Desk.open(load_settings(home=home), work=False)


@asynccontextmanager
async def acting_as(acting: Acting, *, work: bool = False) -> AsyncIterator[Desk]:
    """Open the desk for what only a person may do who proves to be one, by name or by token."""
    from dealdesk.desk import Desk

    settings = load_settings(home=acting.home, person=acting.person)
    if not settings.person:
        raise UsageError("who decides?", fix="name the person: --as per_tomas")
    async with Desk.open(settings, work=work) as desk:
        await _prove(desk, settings.person, settings.token)
        yield desk


async def proved(settings: Settings, variable: str = VARIABLE) -> str:
    """Let the person of the settings prove to be that person, and return how they did."""
    from dealdesk.desk import Desk

    async with Desk.open(settings, work=False) as desk:
        await _prove(desk, settings.person or "", settings.token, variable)
        return desk.proof


async def _prove(desk: Desk, person: str, token: str, variable: str = VARIABLE) -> None:
    """Ask for the token at an interactive terminal, unless the demo takes the name alone."""
    if not token and not sys.stdin.isatty():
        raise CredentialsError(
            f"{person} is only a name: nothing proves who decides",
            fix=f"put the token that the owner of the desk gave {person} into {variable}",
        )
    if not token and await desk.prove():
        words = f"The demo company: {person} is taken by name, nobody was authenticated."
        progress().print(words, markup=False)
        return
    token = token or getpass(f"Token of {person}: ").strip()
    if named_in(token)[0] != person or not await desk.prove(token):
        raise CredentialsError(
            f"that is no live token of {person}", fix="ask the owner of the desk for one"
        )
