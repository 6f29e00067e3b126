"""Hand-written JSON-RPC of a caller who may use one tool and tries for everything else."""

import base64
import hmac
import json
import time
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from joserfc import jwt
from joserfc.jwk import OKPKey

from servers.toolkit.grants import ALGORITHM, ISSUER, Grant, SigningKey, new_grant_id

from .wire import MODERN, SERVERS

ERAS = ("2026-07-28", "2025-11-25")
NO_CHANGE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Target:
    """One server: the tool its caller may use, and what there is beside it."""

    server: str
    allowed: str
    arguments: dict[str, Any]
    tools: dict[str, dict[str, Any]]
    uris: tuple[str, ...]
    prompts: tuple[str, ...]

    @property
    def grant(self) -> Grant:
        """A fresh grant of the one tool."""
        return Grant(
            id=new_grant_id(),
            audience=self.server,
            agent="raw",
            run="run_raw",
            tools=frozenset({self.allowed}),
        )


@dataclass(frozen=True)
class Attempt:
    """One message: its bytes, and the HTTP headers that a client would send with it."""

    label: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def message(
    label: str,
    method: Any,
    params: dict[str, Any],
    era: str,
    name: str | None = None,
    top: Mapping[str, Any] = NO_CHANGE,
) -> Attempt:
    """Return a request in an era, with the headers of that era."""
    headers = {"MCP-Protocol-Version": era}
    if era == ERAS[0]:
        params = {**params, "_meta": {**MODERN, **params.get("_meta", {})}}
        headers |= {"Mcp-Method": _header(str(method))}
        if name is not None:
            headers |= {"Mcp-Name": _header(name)}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **top}
    return Attempt(f"{era} {label}", json.dumps(body).encode(), headers)


def _header(text: str) -> str:
    if text.isascii() and text.isprintable() and text == text.strip():
        return text
    return f"=?base64?{base64.b64encode(text.encode('utf-8', 'surrogatepass')).decode()}?="


def call(
    label: str,
    name: Any,
    arguments: Any,
    era: str,
    meta: Any = None,
    top: Mapping[str, Any] = NO_CHANGE,
) -> Attempt:
    """Return a tool call."""
    params: dict[str, Any] = {"name": name, "arguments": arguments}
    if meta is not None:
        params["_meta"] = meta
    return message(label, "tools/call", params, era, str(name), top)


def disguises(name: str) -> Iterator[Any]:
    """Return a tool's name, and what might be taken for it."""
    yield from (name, name.upper(), name.title(), name.swapcase(), name.replace("_", "-"))
    yield from (f" {name}", f"{name} ", f"{name}\n", f"\t{name}", f"{name}\0", f"{name}\0.txt")
    yield from (f"\ufeff{name}", f"{name}\u200b", name.replace("_", "\u00ad_"), f"\u202e{name}")
    yield name.replace("e", "\u0435").replace("a", "\u0430").replace("o", "\u043e")
    yield "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    yield unicodedata.normalize("NFD", name.replace("e", "\u00e9"))
    yield from (f"{prefix}{name}" for prefix in ("crm_", "crm.", "/", "../", "tools/", "tool:"))
    yield from (f"{name}{suffix}" for suffix in ("@1", "@latest", "@", "#1", "?v=1", "/", "%20"))
    yield from ("", "*", ".", "__class__", "constructor", f"{name},{name}", f'"{name}"')
    yield from (None, True, 1, [name], {"name": name}, "x" * 100_000)


VERSIONS: tuple[Any, ...] = (
    {"fastmcp": {"version": "1"}},
    {"fastmcp": {"version": None}},
    {"fastmcp": {"name": "anything", "task_id": "t"}},
    {"fastmcp": "version=1"},
    {"version": "1"},
    {"_fastmcp": {"version": "1"}},
    {"io.modelcontextprotocol/task": {"ttl": 1000}},
    {"dealdesk/grant": "g_other", "authorization": "Bearer x"},
)
METHODS: tuple[Any, ...] = (
    "Tools/Call", "TOOLS/CALL", "tools/call ", " tools/call", "tools//call", "tools/call/",
    "tools.call", "tools/call\0", "tools/\u200bcall", "tools/invoke", "tasks/get", "tasks/result",
    "rpc.call", "", None, 1, ["tools/call"], "resources/subscribe", "subscriptions/listen",
    "sampling/createMessage", "elicitation/create", "roots/list", "notifications/tools/call",
)  # fmt: skip


def plainly(target: Target, era: str) -> Iterator[Attempt]:
    """Return a request for each thing there is that the caller may not use."""
    for name, arguments in target.tools.items():
        yield call(f"tool {name}", name, arguments, era)
    for uri in target.uris:
        yield message(f"uri {uri}", "resources/read", {"uri": uri}, era, uri)
    for name in target.prompts:
        yield message(f"prompt {name}", "prompts/get", {"name": name}, era, name)


def trickily(target: Target, name: str, era: str) -> Iterator[Attempt]:
    """Return requests for one tool, one resource and one prompt that look like something else."""
    arguments = target.tools[name]
    for other in disguises(name):
        yield call(f"disguise {other!r:.40}", other, arguments, era)
    for meta in VERSIONS:
        yield call(f"version game {meta}", name, arguments, era, meta)
    for meta in VERSIONS[:4]:  # of the granted tool: no other version of it either
        yield call(f"version game {meta}", target.allowed, target.arguments, era, meta)
    uri = target.uris[0]
    for method in METHODS:
        params = {"name": name, "arguments": arguments, "uri": uri}
        yield message(f"method {method!r}", method, params, era, name)
    for other in uri_tricks(uri):
        yield message(f"uri {other}", "resources/read", {"uri": other}, era, other)
    for other in disguises(target.prompts[0]):
        params = {"name": other, "arguments": {}}
        yield message(f"prompt {other!r:.40}", "prompts/get", params, era, str(other))
    yield from malformed(target, name, era)


def uri_tricks(uri: str) -> Iterator[str]:
    """Return other spellings of a resource's address."""
    scheme, _, path = uri.partition("://")
    yield from (
        uri.upper(),
        f"{scheme.upper()}://{path}",
        f"{scheme}:{path}",
        f"{scheme}:///{path}",
    )
    yield from (
        f"{uri}/",
        f"{uri}?x=1",
        f"{uri}#x",
        f" {uri}",
        f"{uri}\n",
        f"{uri}%00",
        f"{uri}/..",
    )
    yield from (f"{scheme}://x@{path}", f"{scheme}://./{path}", uri.replace("s/", "s%2F"))


def malformed(target: Target, name: str, era: str) -> Iterator[Attempt]:
    """Return messages that two parsers might read differently."""
    arguments = target.tools[name]
    attempt = call("", name, arguments, era)
    text = attempt.body.decode()
    allowed = call("", target.allowed, target.arguments, era).headers
    twice = f'"name": "{target.allowed}", "name": "{name}"'
    listing = text.replace("tools/call", "tools/list")
    deep = b"[" * 900 + b"]" * 900
    bodies: dict[str, bytes] = {
        "batch": f"[{text}]".encode(),
        "batch of a list and a call": f"[{listing}, {text}]".encode(),
        "nested batch": f"[[{text}]]".encode(),
        "empty batch": b"[]",
        "two messages": f"{text} {text}".encode(),
        "name twice": text.replace(f'"name": "{name}"', twice, 1).encode(),
        "method twice": text.replace('"method"', '"method": "tools/list", "method"', 1).encode(),
        "utf-16": text.encode("utf-16"),
        "byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "invalid utf-8": text.replace(name, f"{name}\\udcff").encode() + b"\xff",
        "escaped name": text.replace(name, "".join(f"\\u{ord(c):04x}" for c in name)).encode(),
        "comment": f"/* {name} */ {text}".encode(),
        "a string": json.dumps(text).encode(),
        "cut short": text[:-1].encode(),
        "deep": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + deep + b"}",
    }
    for label, body in bodies.items():
        yield Attempt(f"{era} {label}", body, attempt.headers)
        yield Attempt(f"{era} {label}, headers of {target.allowed}", body, allowed)
    yield replace(attempt, label=f"{era} headers of {target.allowed}", headers=allowed)
    yield replace(attempt, label=f"{era} no headers", headers={})
    yield replace(attempt, label=f"{era} other method", headers={**allowed, "Mcp-Method": "ping"})
    yield replace(attempt, label=f"{era} other era", headers={"MCP-Protocol-Version": "1999-01-01"})
    for label, top in {
        "notification": {"id": None},
        "no version": {"jsonrpc": "1.0"},
        "a list as id": {"id": [1]},
        "also a result": {"result": {}},
        "params as a list": {"params": [name, arguments]},
    }.items():
        yield call(label, name, arguments, era, top=top)
    notification = {k: v for k, v in json.loads(text).items() if k != "id"}
    yield Attempt(f"{era} no id", json.dumps(notification).encode(), attempt.headers)


def bad_tokens(signing: SigningKey, other: SigningKey, grant: Grant) -> Iterator[tuple[str, str]]:
    """Return tokens that open nothing, made from a grant that would open a tool."""
    good = signing.mint(grant, ttl=600)
    head, claims, signature = good.split(".")
    elsewhere = next(name for name in SERVERS if name != grant.audience)
    key = OKPKey.import_key(signing._key.as_pem(private=True))
    now = int(time.time())
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    def signed(**changes: Any) -> str:
        header = {"alg": ALGORITHM, "kid": key.thumbprint()}
        return jwt.encode(header, {**decoded, **changes}, key, algorithms=[ALGORITHM])

    yield from (("empty", ""), ("a word", "null"), ("dots", ".."), ("cut short", good[:-2]))
    yield "another's signature", f"{head}.{claims}.{signature[::-1]}"
    yield "no signature", f"{head}.{claims}."
    yield "more tools", f"{head}.{part({**decoded, 'tools': ['decide_approval']})}.{signature}"
    yield "no algorithm", f"{part({'alg': 'none'})}.{claims}."
    forged = f"{part({'alg': 'HS256'})}.{claims}"
    secret = key.as_pem(private=False)
    mac = hmac.digest(secret, forged.encode(), "sha256")
    yield "public key as secret", f"{forged}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    yield "another key", other.mint(grant, ttl=600)
    yield "another audience", signing.mint(replace(grant, audience=elsewhere), ttl=600)
    yield "all audiences", signed(aud=list(SERVERS))
    yield "another issuer", signed(iss=f"not-{ISSUER}")
    yield "expired", signed(iat=now - 900, exp=now - 1)
    yield "not yet", signed(iat=now + 600, exp=now + 900)
    yield "a year", signed(iat=now, exp=now + 365 * 24 * 3600)
    yield "an agent that decides", signed(tools=[*decoded["tools"], "decide_approval"])
    yield "tools as a word", signed(tools=next(iter(decoded["tools"])))
