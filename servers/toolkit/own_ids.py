"""Ids as other programs write them, and ours, which are made from theirs: the same everywhere."""

import hashlib
import json
import re
from typing import Any

PREFIXES = {
    "account_id": "acc",
    "parent_account_id": "acc",
    "address_id": "adr",
    "contact_id": "con",
    "opportunity_id": "opp",
    "party_id": "pty",
}
"""Columns that hold an id of ours, and how it begins."""
SKUS = ("sku", "bundle_sku", "successor_sku", "stand_in")
MOST = 40
"""Characters behind the prefix."""


def normalised(theirs: str) -> str:
    """Return an id or SKU as two of them are compared: case and runs of spaces do not count."""
    return " ".join(theirs.split()).casefold()


def key_text(key: tuple[Any, ...]) -> str:
    """Return a row's key as one text: an id as it is, several parts as JSON."""
    return str(key[0]) if len(key) == 1 else json.dumps([str(part) for part in key])


def own_id(prefix: str, theirs: str) -> str:
    """Return our id for theirs: `BLAUW-3` is `acc_blauw-3`. One of our form stays as it is.

    Where a character is lost or it is too long, a digest of theirs keeps two apart.
    """
    if re.fullmatch(rf"{prefix}_[A-Za-z0-9_-]{{1,{MOST}}}", theirs):
        return theirs
    same = normalised(theirs)
    plain = re.sub(r"[^a-z0-9_-]+", "-", same)
    if plain != same or len(plain) > MOST:
        digest = hashlib.sha256(same.encode()).hexdigest()[:10]
        plain = f"{plain[: MOST - 11].strip('-')}-{digest}".lstrip("-")
    return f"{prefix}_{plain}"
