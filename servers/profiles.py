"""What a local user without a token may use, as the `profiles.toml` of each server says it.

`read` looks, `sales` also drafts, `admin` also keeps the data. No profile decides: the deciding
tools are in `person`, which only a named person's grant opens (design law 6). A test compares the
names with the live servers, so that each component is in a profile or a person's.
"""

import os
from functools import cache

from servers.toolkit.grants import Grant
from servers.toolkit.shipped import shipped

PROFILES = {"read": ("read",), "sales": ("read", "sales"), "admin": ("read", "sales", "admin")}


def components(server: str, profile: str) -> frozenset[str]:
    """Return every component that a profile names on a server."""
    return _names(server, *PROFILES[profile])


def persons(server: str) -> frozenset[str]:
    """Return the components that a named person's grant opens and no profile does."""
    return _names(server, "person", "run")


@cache
def _names(server: str, *rows: str) -> frozenset[str]:
    said = shipped(f"servers.{server}", "profiles")
    return frozenset(name for row in rows for name in said.get(row, ()))


def profile_grant(server: str, profile: str) -> Grant:
    """Return the grant of a local user: every component that the profile names on a server.

    `DEALDESK_PERSON` says who that is. It gives no right and takes one away: what is drafted is
    asked for in that person's name, and nobody approves what they asked for.
    """
    names = components(server, profile)
    return Grant(
        id=f"profile-{profile}",
        audience=server,
        tools=frozenset(name for name in names if "://" not in name),
        resources=frozenset(name for name in names if "://" in name),
        prompts=frozenset(name for name in names if "://" not in name),
        requester=os.environ.get("DEALDESK_PERSON", ""),
    )
