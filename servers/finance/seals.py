"""The seal of an exported quote: a digest over every leaf of the file, and the desk's signature.

The leaves are those the document has, so what is added to a quote later is covered. Anybody can
make the digest again, so it shows what changed by mistake and proves no origin; only the desk can
make the signature, which is over that digest.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from servers.finance import digests
from servers.finance.facts.blocks import Block
from servers.toolkit.desk_keys import DeskKey, key_named_in
from servers.toolkit.errors import InvalidInputError

NAME = "seal"
Sign = Callable[[str], str]
"""Returns the desk's signature over a digest."""
MARK = 4
"""Characters of a leaf's mark. It only says where a change is; that there is one, the digest."""


class Seal(Block):
    """What shows that the file is as the desk gave it out."""

    marks: str = Field(
        pattern="^([0-9a-f]{4})*$",
        description="four hexadecimal digits per leaf, in the order of the file",
    )
    digest: str = Field(
        pattern="^[0-9a-f]{64}$", description="sha256 of the file's canonical JSON without seal"
    )
    signature: str = Field(
        default="", max_length=2000, description="of an issued quote: detached JWS over the digest"
    )


class Signature(Block):
    """What the signature of a file is worth."""

    state: Literal["good", "unchecked", "no offer", "missing", "unknown key", "retired", "wrong"]
    key_id: str
    say: str

    @property
    def fails(self) -> bool:
        return self.state not in ("good", "unchecked", "no offer")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of a JSON document with its place: `lines[0].net_minor`."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from leaves(part, f"{path}[{place}]")
    else:
        yield path, value


def sealed(data: dict[str, Any], sign: Sign | None) -> dict[str, Any]:
    """Return a document with its seal; what is an offer is signed."""
    marks = "".join(_mark(*leaf) for leaf in leaves(data))
    digest = _digest(data, marks)
    signature = sign(digest) if sign is not None and data.get("number") else ""
    return {**data, NAME: Seal(marks=marks, digest=digest, signature=signature).model_dump()}


def parse(text: str) -> Any:
    """Return a JSON document that every reader reads alike: no name is there twice."""
    return json.loads(text, object_pairs_hook=_once)


def broken(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the first leaf that is not as the file was made and what it says; None when all are.

    A document without a seal has none that could be wrong.
    """
    content, seal = _apart(data)
    if seal is None or _digest(content, seal.marks) == seal.digest:
        return None
    marks = [seal.marks[at : at + MARK] for at in range(0, len(seal.marks), MARK)]
    found = list(leaves(content))
    for (path, value), mark in zip(found, marks, strict=False):
        if _mark(path, value) != mark:
            return path, digests.text(value)
    if len(found) != len(marks):
        return "the document", f"{len(found)} values"
    return f"{NAME}.digest", seal.digest


def check_signature(data: Mapping[str, Any], keys: Mapping[str, DeskKey]) -> Signature:
    """Say what a document's signature is worth by keys that are known from elsewhere."""
    content, seal = _apart(data)
    signature = "" if seal is None else seal.signature
    named = key_named_in(signature)
    if not content.get("number") and not signature:
        return _worth("no offer", "", "it is no offer, so the desk signed nothing")
    if not keys:
        say = "no key was given and this data folder has none: nothing proves who made the file"
        return _worth("unchecked", named, say)
    if not signature:
        say = "the desk's signature is missing: made by an earlier version, or taken out"
        return _worth("missing", "", say)
    key = keys.get(named)
    if key is None:
        return _worth("unknown key", named, f"{named or 'no key'} is none of the desk's keys")
    if key.retired_on:
        why = f" ({key.reason})" if key.reason else ""
        say = f"key {named} was retired on {key.retired_on}{why} and proves nothing: ask again"
        return _worth("retired", named, say)
    if seal is None or not key.signed(signature, _digest(content, seal.marks)):
        return _worth("wrong", named, f"the signature is not what key {named} makes of this file")
    return _worth("good", named, f"signed by the desk, key {named}")


def _apart(data: Mapping[str, Any]) -> tuple[dict[str, Any], Seal | None]:
    content = {name: value for name, value in data.items() if name != NAME}
    return content, Seal.model_validate(data[NAME]) if NAME in data else None


def _digest(content: Mapping[str, Any], marks: str) -> str:
    return digests.digest({**content, NAME: marks})


def _mark(path: str, value: Any) -> str:
    return hashlib.sha256(f"{path}\n{digests.text(value)}".encode()).hexdigest()[:MARK]


def _worth(state: Any, key_id: str, say: str) -> Signature:
    return Signature(state=state, key_id=key_id, say=say)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInputError("a name is there twice", fix="give it an unchanged quote.json")
    return found
