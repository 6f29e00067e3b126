"""Grants for other agent stacks: checked against the live server, then signed.

A grant that names what is not there would open nothing, and a binding of an argument that no
tool takes would bind nothing. Both are refused here, so that what a grant says is what it does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from orchestrator.errors import UsageError
from orchestrator.servers import Servers
from servers.profiles import components, persons
from servers.registry import NAMES
from servers.toolkit.declare import OWNERS, declaration, within
from servers.toolkit.grants import MAX_LIFETIME, Grant, SigningKey, new_grant_id

AGENT = re.compile(r"[\w.-]{1,60}")
"""A name that a terminal and the audit show as it is; without one a grant cannot be revoked."""


@dataclass(frozen=True)
class Wish:
    """What a grant shall open: names of components, bound arguments, calls per tool."""

    agent: str
    tools: Sequence[str] = ()
    resources: Sequence[str] = ()
    prompts: Sequence[str] = ()
    bind: Mapping[str, Sequence[str]] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)


def server_of(wish: Wish, given: str | None) -> tuple[str, Wish]:
    """Return the one server a wish is about, and the wish without `server.` before its tools."""
    plain, named = [], {given} if given else set()
    for tool in wish.tools:
        server, dot, name = tool.rpartition(".")
        named |= {server} if dot else set()
        plain.append(name)
    if not named:
        for name in (*plain, *wish.resources, *wish.prompts):
            owners = [server for server in NAMES if name in _components(server)]
            scheme, is_uri, _ = name.partition("://")
            named |= {owners[0]} if len(owners) == 1 else {scheme} if is_uri else set()
    if unknown := sorted(named - set(NAMES)):
        raise UsageError(f"no server {unknown[0]!r}", fix=f"one of: {', '.join(NAMES)}")
    if len(named) > 1:
        servers = f"these are of {', '.join(sorted(named))}"
        fix = "mint one grant for each server"
        raise UsageError(f"a grant opens one server, and {servers}", fix=fix)
    if not named:
        raise _no_server([*plain, *wish.prompts])
    return named.pop(), replace(wish, tools=plain)


async def checked(servers: Servers, server: str, wish: Wish) -> tuple[Grant, list[str]]:
    """Return the grant, and the arguments it leaves open: any account, any quote."""
    if not (wish.tools or wish.resources or wish.prompts):
        raise _no_server(())
    if not AGENT.fullmatch(wish.agent):
        raise UsageError(
            "--agent takes a name of letters, digits, . _ or -, at most 60 of them",
            fix="--agent shopper; the audit names every call so",
        )
    provider = servers.app(server).local_provider
    tools = {tool.name: tool for tool in await provider.list_tools()}
    resources: dict[str, Any] = {str(r.uri): r for r in await provider.list_resources()}
    templates = {t.uri_template: t for t in await provider.list_resource_templates()}
    prompts = {prompt.name: prompt for prompt in await provider.list_prompts()}
    _known("tool", wish.tools, tools, server)
    _known("resource", wish.resources, resources | templates, server)
    _known("prompt", wish.prompts, prompts, server)
    _known("granted tool", wish.calls, wish.tools, server)
    for name in wish.tools:
        if declaration(tools[name])["person_only"]:
            raise UsageError(
                f"{name} is a person's: no agent may hold it",
                fix="leave it to people, each of whom has a token of their own",
            )
    takes = {argument for name in wish.tools for argument in tools[name].parameters["properties"]}
    takes |= {variable for uri in wish.resources if uri in templates for variable in _in(uri)}
    takes |= {a.name for name in wish.prompts for a in prompts[name].arguments or ()}
    granted = [declaration(tools[name]) for name in wish.tools]
    granted += [declaration((resources | templates)[uri]) for uri in wish.resources]
    if any(said["rows"] == "filtered" for said in granted):  # narrowed, whatever they take
        agents = [said for said in map(declaration, tools.values()) if not said["person_only"]]
        takes |= {argument for said in agents for argument in said["binds"]}
    _known("bindable argument", wish.bind, takes, server)
    for name in wish.tools:
        _fits(tools[name].parameters["properties"], wish.bind)
    for name, said in zip((*wish.tools, *wish.resources), granted, strict=True):
        if not within(wish.bind, said):
            wider = next((owner for owner in OWNERS if owner in said["binds"]), said["binds"][0])
            raise UsageError(
                f"{name} reaches what the grant binds nothing of: any {wider}",
                fix=f"--bind {wider}=ID too, or leave {name} out",
            )
    open_ = {
        argument
        for said in granted
        if said["rows"] != "public"
        for argument in said["binds"]
        if argument.endswith("_id") and argument not in wish.bind
    }
    grant = Grant(
        id=new_grant_id(),
        audience=server,
        tools=frozenset(wish.tools),
        resources=frozenset(wish.resources),
        prompts=frozenset(wish.prompts),
        bind={name: tuple(values) for name, values in wish.bind.items()},
        calls=dict(wish.calls),
        agent=wish.agent,
    )
    return grant, sorted(open_)


def signed(signing: SigningKey, grant: Grant, ttl: int) -> str:
    if not 0 < ttl <= MAX_LIFETIME:
        raise UsageError(f"a grant lives 1 to {MAX_LIFETIME} seconds", fix="give another --ttl")
    return signing.mint(grant, ttl=ttl)


def _fits(takes: Mapping[str, Mapping[str, Any]], bind: Mapping[str, Sequence[str]]) -> None:
    """Refuse values that an argument never takes: bound to one, it would open nothing."""
    for name in bind.keys() & takes.keys():
        options = takes[name].get("anyOf", (takes[name],))
        words = [option for option in options if option.get("type") == "string"]
        if not words:
            said = f"{name} is no word, and only words can be bound here"
            raise UsageError(said, fix="leave it out")
        for value in bind[name]:
            if not any(_is_one(value, option) for option in words):
                raise UsageError(f"{name} is never {value!r}", fix="look at the tool's schema")


def _is_one(value: str, option: Mapping[str, Any]) -> bool:
    longest = option.get("maxLength", len(value))
    allowed = option.get("enum", (value,))
    pattern = option.get("pattern", "")
    return value in allowed and len(value) <= longest and re.search(pattern, value) is not None


def _no_server(names: Sequence[str]) -> UsageError:
    if not names:
        return UsageError("a grant without a component opens nothing", fix="--tool match_need")
    everything = [name for server in NAMES for name in _components(server)]
    near = get_close_matches(names[0], everything, n=3)
    fix = f"{' or '.join(near)}" if near else "`dealdesk tools` lists them"
    return UsageError(f"no server has a {names[0]!r}", fix=fix)


def _components(server: str) -> frozenset[str]:
    return components(server, "admin") | persons(server)


def _in(template: str) -> list[str]:
    return [part.partition("}")[0].rstrip("*") for part in template.split("{")[1:]]


def _known(kind: str, asked: Iterable[str], there: Collection[str], server: str) -> None:
    for name in asked:
        if name not in there:
            fix = f"one of: {', '.join(sorted(there)) or 'none'}"
            raise UsageError(f"{server} has no {kind} {name!r}", fix=fix)
