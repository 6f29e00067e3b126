"""`dealdesk grant`: scoped access for an agent of another stack, and its end."""

import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Annotated, Any

from dealdesk.cli.options import Home, Json, Server, doc
from dealdesk.cli.output import print_json
from dealdesk.settings import Settings, load_settings
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.minting import Wish
    from servers.toolkit.grants import Grant, SigningKey

Many = list[str] | None


async def mint_grant(
    *,
    agent: Annotated[str, doc("Who will hold it; the audit names every call so.")],
    tool: Annotated[
        Many, doc("A tool, `get_account` or `crm.get_account`; give it again for more.")
    ] = None,
    resource: Annotated[Many, doc("A resource or template, `crm://accounts/{account_id}`.")] = None,
    prompt: Annotated[Many, doc("A prompt.")] = None,
    bind: Annotated[
        Many,
        doc(
            "`account_id=acc_001`: the argument may take this value only; again for another value."
        ),
    ] = None,
    calls: Annotated[Many, doc("`search_text=5`: the tool may be called that often.")] = None,
    ttl: Annotated[int, doc("Seconds it lives, a day at most.")] = 3600,
    server: Annotated[Server | None, doc("The server, when the names do not say.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Print a token for a few tools.

    It opens them, of one server, and nothing else until it expires. The token goes to stdout,
    what it opens to stderr. A server takes it in DEALDESK_GRANT (stdio) or as
    `Authorization: Bearer` (http).
    """
    from dealdesk.minting import Wish, server_of, signed
    from servers.toolkit.grants import SigningKey

    wish = Wish(agent, tool or (), resource or (), prompt or (), _pairs(bind), _counts(calls))
    audience, wish = server_of(wish, server)
    settings = load_settings(home=home)
    signing = SigningKey.load(settings.home / "keys")
    grant, left_open = await _granted(wish, audience, settings, signing)
    token = signed(signing, grant, ttl)
    if json:
        print_json(_as_data(token, grant, left_open, int(time.time()) + ttl))
        return
    print(token)
    _tell(grant, left_open, ttl)


async def revoke_grant(
    token: Annotated[str, doc("The token, or - to read it from stdin.", allow_leading_hyphen=True)],
    /,
    *,
    home: Home = None,
) -> None:
    """End a grant at once, in every process that serves it."""
    from orchestrator.servers import Servers
    from servers.registry import NAMES
    from servers.toolkit.grants import Grant, GrantError, SigningKey

    settings = load_settings(home=home)
    key = SigningKey.load(settings.home / "keys").public
    text = (token if token != "-" else sys.stdin.read()).strip()  # noqa: S105 - stdin's name
    grant: Grant | None = None
    for name in NAMES:
        with suppress(GrantError):
            grant = key.verify(text, name)
    if grant is None:
        raise UsageError(
            "that is no live grant of this data folder", fix="an expired one needs no revoking"
        )
    place = {grant.audience: settings.server_url(grant.audience)}
    with closing(Servers(place, key)) as servers:
        servers.app(grant.audience).ledger.revoke(grant)
    print(f"{grant.id} of {grant.agent or grant.person} opens nothing any more.")


async def _granted(
    wish: "Wish", server: str, settings: Settings, signing: "SigningKey"
) -> tuple["Grant", list[str]]:
    from dealdesk.minting import checked
    from orchestrator.servers import Servers

    with closing(Servers({server: settings.server_url(server)}, signing.public)) as servers:
        made = await checked(servers, server, wish)
        if servers.created:
            _note(f"{settings.home} was new: it has the demo company's {server} data now.")
    return made


def _tell(grant: "Grant", left_open: list[str], ttl: int) -> None:
    names = ", ".join(sorted([*grant.tools, *grant.resources, *grant.prompts]))
    bound = "".join(f"; {n} is {' or '.join(v)}" for n, v in grant.bind.items())
    _note(f"{grant.agent} may use {names} of {grant.audience}{bound}, for {_span(ttl)}.")
    if left_open:
        _note(f"Not bound: {', '.join(left_open)}. --bind {left_open[0]}=... limits it to one.")


def _as_data(token: str, grant: "Grant", left_open: list[str], expires: int) -> dict[str, Any]:
    named = {"grant": grant.id, "server": grant.audience, "agent": grant.agent}
    opened = {name: sorted(getattr(grant, name)) for name in ("tools", "resources", "prompts")}
    bind = {name: list(values) for name, values in grant.bind.items()}
    limits = {"bind": bind, "calls": dict(grant.calls), "expires": expires}
    return {"token": token, **named, **opened, **limits, "left_open": left_open}


def _pairs(given: Iterable[str] | None) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{text!r} is not NAME=VALUE", fix="--bind account_id=acc_001")
        pairs.setdefault(name, []).append(value)
    return pairs


def _counts(given: Iterable[str] | None) -> dict[str, int]:
    counts = {}
    for text in given or ():
        name, _, number = text.partition("=")
        if not (name and number.isascii() and number.isdigit() and len(number) < 10):
            raise UsageError(f"{text[:80]!r} is not TOOL=NUMBER", fix="--calls search_text=5")
        counts[name] = int(number)
    return counts


def _span(seconds: int) -> str:
    for size, word in ((3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def _note(text: str) -> None:
    print(text, file=sys.stderr)
