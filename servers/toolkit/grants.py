"""Grants: what one agent, person or local user may use on one server, and until when.

A grant crosses a wire as a JWT signed with Ed25519 (RFC 8037). The orchestrator holds the
private key; a server needs only the public one. Nothing in a token is secret, and nothing in
it can be changed without the private key.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from servers.toolkit.errors import ForbiddenError, StorageError
from servers.toolkit.private_files import make_file, private_folder, secret_text

ISSUER = "dealdesk"
ALGORITHM: Literal["Ed25519"] = "Ed25519"
MAX_LIFETIME = 24 * 3600
LEEWAY = 5
DECIDING_TOOLS = frozenset({"decide_approval"})
"""Tools that only a person's grant can hold (design law 6)."""
_SETS = ("tools", "resources", "prompts")
_TEXTS = ("agent", "person", "run", "requester", "proof")
"""Claims of a token that have the names of a grant's fields."""


class GrantError(Exception):
    """A token that proves nothing: unsigned, foreign, expired or malformed."""


@dataclass(frozen=True)
class Grant:
    """The right to use some components of one server.

    `bind` maps an argument name to the values it may take. A value that is not a string is
    held as its digest (see `digest_of`), so that a grant stays small however long a list is.
    `calls` caps how often a tool may be called under this grant. `proof` says for the audit how
    the person was proved; it gives no right.
    """

    id: str
    audience: str
    tools: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    prompts: frozenset[str] = frozenset()
    bind: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    agent: str = ""
    person: str = ""
    run: str = ""
    requester: str = ""
    expires: int = 0
    key_id: str = ""
    proof: str = ""

    @property
    def actor(self) -> str:
        """Who acts under this grant, as the audit columns name it."""
        if self.person:
            return f"person:{self.person}"
        return f"agent:{self.agent}@{self.run}" if self.agent else "local-user"

    @property
    def caller(self) -> str:
        """To whom an idempotency key belongs: the actor, and of local users each profile."""
        return self.actor if self.person or self.agent else self.id

    def narrow(
        self,
        *,
        tools: Iterable[str] | None = None,
        bind: Mapping[str, Iterable[object]] | None = None,
    ) -> "Grant":
        """Return a grant that may do less; asking for more is ignored, never added."""
        kept = self.tools if tools is None else self.tools & frozenset(tools)
        merged = dict(self.bind)
        for name, values in (bind or {}).items():
            wanted = tuple(bound_value(value) for value in values)
            merged[name] = tuple(v for v in wanted if v in merged.get(name, wanted))
        return replace(self, tools=kept, bind=merged)


def digest_of(value: object) -> str:
    """Return the digest that stands for a structured value in `bind`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def bound_value(value: object) -> str:
    """Return how `bind` holds a value: a string as it is, anything else by its digest."""
    return value if isinstance(value, str) else digest_of(value)


def check_holder(grant: Grant) -> None:
    """Refuse a deciding tool that is granted to no named person, or to an agent too."""
    if grant.tools & DECIDING_TOOLS and (grant.agent or not grant.person):
        raise ForbiddenError(
            "a deciding tool can only be granted to a named person",
            fix="mint the grant with a person and without an agent",
        )


class SigningKey:
    """The private key that mints grants; its text never shows in a representation."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key

    @classmethod
    def load(cls, folder: Path) -> "SigningKey":
        """Load the key of a data folder, or make it (mode 0600) on first use.

        `DEALDESK_GRANT_KEY` (PEM text) takes the place of the file.

        Raises:
            StorageError: the file is readable by others, unreadable, or not an Ed25519 key.
        """
        text = os.environ.get("DEALDESK_GRANT_KEY", "")
        path = folder / "grant.pem"
        if not text and not path.exists():
            cls._create(folder)
        try:
            if not text:
                key = cls(OKPKey.import_key(secret_text(path, "the signing key")))
                key._publish(folder)
                return key
            return cls(OKPKey.import_key(text))
        except (OSError, JoseError, ValueError) as problem:
            raise StorageError(
                "the signing key cannot be used",
                fix=f"restore {path}, or remove it and the public key to make a new pair",
            ) from problem

    @staticmethod
    def _create(folder: Path) -> None:
        try:
            private_folder(folder)
            pem = OKPKey.generate_key(ALGORITHM).as_pem(private=True)
            make_file(folder / "grant.pem", lambda new: new.write_bytes(pem))
        except OSError as problem:
            raise StorageError(
                f"cannot write the signing key in {folder}", fix="make the folder writable"
            ) from problem

    def _publish(self, folder: Path) -> None:
        """Put the public key beside this one, unless it is there; anybody may read it."""
        path = folder / "grant.pub"
        if not path.exists() or path.stat().st_size == 0:

            def fill(new: Path) -> None:
                new.write_bytes(self._key.as_pem(private=False))
                new.chmod(0o644)

            make_file(path, fill, replacing=True)

    @property
    def public(self) -> "PublicKey":
        return PublicKey(OKPKey.import_key(self._key.as_pem(private=False)))

    def mint(self, grant: Grant, *, ttl: int) -> str:
        """Return a signed token for a grant that its holder may have, valid for `ttl` seconds."""
        check_holder(grant)
        if not 0 < ttl <= MAX_LIFETIME:
            raise ForbiddenError(
                f"a grant lives between 1 second and {MAX_LIFETIME} seconds", fix="shorten the ttl"
            )
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "aud": grant.audience, "jti": grant.id}
        claims |= {"iat": now, "exp": now + ttl, "calls": dict(grant.calls)}
        claims |= {name: sorted(getattr(grant, name)) for name in _SETS}
        claims |= {name: getattr(grant, name) for name in _TEXTS}
        claims["bind"] = {name: list(values) for name, values in grant.bind.items()}
        header = {"alg": ALGORITHM, "kid": self._key.thumbprint()}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


class PublicKey:
    """The key that checks grants; a server needs no other."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self._id = key.thumbprint()

    @classmethod
    def load(cls, folder: Path) -> "PublicKey":
        """Load the public key from `DEALDESK_GRANT_PUBLIC_KEY` (PEM text) or a data folder.

        Raises:
            StorageError: there is none, or it is not an Ed25519 public key.
        """
        text = os.environ.get("DEALDESK_GRANT_PUBLIC_KEY", "")
        try:
            return cls(OKPKey.import_key(text or (folder / "grant.pub").read_text()))
        except (OSError, JoseError, ValueError) as problem:
            raise StorageError(
                f"no usable public key for grants in {folder}",
                fix="set DEALDESK_GRANT_PUBLIC_KEY, or run `dealdesk init` to make a pair",
            ) from problem

    def verify(self, token: str, audience: str) -> Grant:
        """Return the grant a token proves.

        Raises:
            GrantError: bad signature, other algorithm, issuer, audience or key, expired, too
                long-lived, or claims of the wrong shape. The reason is for the audit only.
        """
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            claims = decoded.claims
            if decoded.header.get("kid") not in (None, self._id):
                raise GrantError("another key")
            if claims["iss"] != ISSUER or claims["aud"] != audience:
                raise GrantError("another issuer or audience")
            now = time.time()
            issued, expires = int(claims["iat"]), int(claims["exp"])
            if not issued - LEEWAY <= now < expires or expires - issued > MAX_LIFETIME:
                raise GrantError("expired or not yet valid")
            grant = _from_claims(claims, expires, self._id)
            check_holder(grant)
        except GrantError:
            raise
        except (JoseError, ForbiddenError, KeyError, TypeError, ValueError, AttributeError) as e:
            raise GrantError(type(e).__name__) from e
        return grant


def _from_claims(claims: Mapping[str, Any], expires: int, key_id: str) -> Grant:
    said: dict[str, Any] = {n: frozenset(str(one) for one in claims.get(n, ())) for n in _SETS}
    said |= {name: str(claims.get(name, "")) for name in _TEXTS}
    return Grant(
        id=str(claims["jti"]),
        audience=str(claims["aud"]),
        bind={str(k): tuple(str(v) for v in vs) for k, vs in claims.get("bind", {}).items()},
        calls={str(k): int(v) for k, v in claims.get("calls", {}).items()},
        expires=expires,
        key_id=key_id,
        **said,
    )


def new_grant_id() -> str:
    return "g_" + secrets.token_urlsafe(12)
