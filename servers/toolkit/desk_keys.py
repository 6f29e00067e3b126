"""The keys by which the desk signs the documents it gives out, and by which anybody checks them.

A data folder holds one private key, `keys/desk.pem`, and in `keys/desk_keys.json` the public part
of every key it ever had. That file may be given to anybody; it also says which keys are retired.
"""

import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from servers.toolkit.errors import InvalidInputError, NotFoundError, StorageError
from servers.toolkit.grants import ALGORITHM
from servers.toolkit.private_files import make_file, private_folder, secret_text

VARIABLE = "DEALDESK_SIGNING_KEY"
PRIVATE, PUBLIC = "desk.pem", "desk_keys.json"
MOST_BYTES = 1_000_000
_DETACHED = re.compile(r"[\w-]+\.\.[\w-]{86}")


@dataclass(frozen=True)
class DeskKey:
    """The public part of a key; a retired one proves nothing any more, whenever it signed."""

    key_id: str
    public: str
    since: str = ""
    retired_on: str = ""
    reason: str = ""

    def signed(self, signature: str, text: str) -> bool:
        """Say whether a signature over a text is this key's, spelled in the one way it has."""
        if not _DETACHED.fullmatch(signature):
            return False
        last = signature.rpartition(".")[2]
        if urlsafe_b64encode(urlsafe_b64decode(f"{last}==")).decode().rstrip("=") != last:
            return False
        try:
            key = _imported(self.public)
            jws.deserialize_compact(signature, key, algorithms=[ALGORITHM], payload=text)
        except (JoseError, ValueError):
            return False
        return True


def key_named_in(signature: str) -> str:
    """Return the id of the key that a signature says it is of; empty when it says none."""
    try:
        return str(jws.extract_compact(signature.encode()).headers().get("kid", ""))
    except (JoseError, ValueError, AttributeError):
        return ""


def read_keys(text: str) -> dict[str, DeskKey]:
    """Return the keys in a PEM text or in what `desk_keys.json` holds, by their id.

    A key's id is worked out from the key, whatever the file calls it.

    Raises:
        InvalidInputError: the text is neither.
    """
    try:
        if "-----BEGIN" in text[:2000] and not text.lstrip().startswith("["):
            said = [{"key_id": "", "public": text}]
        else:
            said = json.loads(text)
        keys = [DeskKey(**row) for row in said]
        named = [replace(key, key_id=_imported(key.public).thumbprint()) for key in keys]
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise InvalidInputError(
            "that file holds no public key of a desk",
            fix="ask the desk for what `dealdesk keys show --json` prints",
        ) from problem
    return {key.key_id: key for key in named}


class DeskKeys:
    """The keys of one data folder; the first is made when something is to be signed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self) -> dict[str, DeskKey]:
        """Return the public keys, the oldest first; none before anything was signed."""
        try:
            text = (self._folder / PUBLIC).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError) as problem:
            raise self._trouble(PUBLIC) from problem
        try:
            return read_keys(text)
        except InvalidInputError as problem:
            raise self._trouble(PUBLIC) from problem

    def current(self) -> str:
        """Return the id of the key that signs; empty before there is one."""
        there = os.environ.get(VARIABLE) or (self._folder / PRIVATE).exists()
        return self._private().thumbprint() if there else ""

    def sign(self, text: str, day: date) -> str:
        """Return a detached signature (RFC 7515, appendix F) over a text."""
        if not os.environ.get(VARIABLE) and not (self._folder / PRIVATE).exists():
            self._put(OKPKey.generate_key(ALGORITHM), replacing=False)
        key = self._private()
        key_id = key.thumbprint()
        if key_id not in self.known():  # a new one, or its maker ended before this was written
            self._write([*self.known().values(), _public(key, day)])
        header = {"alg": ALGORITHM, "kid": key_id}
        return jws.detach_content(jws.serialize_compact(header, text, key, algorithms=[ALGORITHM]))

    def rotate(self, day: date) -> str:
        """Sign with a new key from now on; what the old ones signed stays good. Return its id."""
        if os.environ.get(VARIABLE):
            raise InvalidInputError(
                f"the key is in {VARIABLE}, not in this folder", fix="set it to another key"
            )
        self.current()  # what cannot be read is not replaced either
        key = OKPKey.generate_key(ALGORITHM)
        self._write([*self.known().values(), _public(key, day)])  # known before it signs
        self._put(key, replacing=True)
        return key.thumbprint()

    def retire(self, key_id: str, day: date, reason: str) -> DeskKey:
        """Take a key's worth away, of old documents too; the one that signs is replaced first."""
        found = [key for name, key in self.known().items() if key_id and name.startswith(key_id)]
        if len(found) != 1:
            raise NotFoundError(f"{len(found)} keys are {key_id!r}", fix="`dealdesk keys show`")
        if found[0].retired_on:
            return found[0]
        if found[0].key_id == self.current():
            self.rotate(day)
        retired = replace(found[0], retired_on=day.isoformat(), reason=reason)
        self._write(list({**self.known(), retired.key_id: retired}.values()))
        return retired

    def _private(self) -> OKPKey:
        path = self._folder / PRIVATE
        text = os.environ.get(VARIABLE, "")
        try:
            key = _imported(text or secret_text(path))
            if not key.is_private:
                raise ValueError("a public key")
        except (OSError, JoseError, ValueError) as problem:
            raise self._trouble(PRIVATE) from problem
        return key

    def _put(self, key: OKPKey, *, replacing: bool) -> None:
        self._make(PRIVATE, key.as_pem(private=True), replacing=replacing)

    def _write(self, keys: list[DeskKey]) -> None:
        text = json.dumps([asdict(key) for key in keys], indent=2) + "\n"
        self._make(PUBLIC, text.encode(), replacing=True)

    def _make(self, name: str, content: bytes, *, replacing: bool) -> None:
        try:
            private_folder(self._folder)
            make_file(
                self._folder / name, lambda new: new.write_bytes(content), replacing=replacing
            )
        except OSError as problem:
            raise self._trouble(name) from problem

    def _trouble(self, name: str) -> StorageError:
        return StorageError(
            f"the desk's keys in {self._folder} cannot be used: {name}",
            fix=f"restore {name} from a backup, or make the folder writable",
        )


def _imported(text: str) -> OKPKey:
    key = OKPKey.import_key(text)
    if key.curve_name != ALGORITHM:
        raise ValueError(f"{key.curve_name} keys sign nothing here")
    return key


def _public(key: OKPKey, day: date) -> DeskKey:
    pem = key.as_pem(private=False).decode()
    return DeskKey(key.thumbprint(), pem, since=day.isoformat())
