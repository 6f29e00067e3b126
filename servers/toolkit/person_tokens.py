"""The token by which a person proves to be that person, and who knows whether it is good.

Whoever shows it is taken for them: it is random, shown once, and stored as a digest. It is no
grant: it names no tools, and the server that knows the people looks it up at every request.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from servers.toolkit.grants import Grant

PREFIX = "ddp."
VARIABLE = "DEALDESK_PERSON_TOKEN"
IN_THE_DEMO = "demo, nobody authenticated"
"""What the audit says of a name that was taken without a token, which only the demo does."""


class People(Protocol):
    """What a server that knows people says about whoever claims to be one of them."""

    def by_token(self, token: str) -> Grant | None:
        """Return what a person's token opens, or None when it proves nothing (any more)."""

    def by_name(self, grant: Grant) -> Grant:
        """Return a grant that only names a person as what it is worth here."""


def new_token(person_id: str) -> str:
    return f"{PREFIX}{person_id}.tok_{secrets.token_hex(6)}.{secrets.token_urlsafe(32)}"


def named_in(token: str) -> tuple[str, str]:
    """Return the person and the token's id that a token names; empty when it is none."""
    parts = token.split(".")
    return (parts[1], parts[2]) if token.startswith(PREFIX) and len(parts) == 4 else ("", "")


def digest_of_token(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
