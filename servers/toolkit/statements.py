"""Statements: what one server of the desk says to another, carried by whoever calls both.

`6a4f2c1e.ok+STOCK_SHORT.Yw3...`: until when it holds (hex seconds), the verdict with the codes of
all findings from a warning up, and a 128-bit MAC over both and over what they are about. A caller
can leave a statement out or give an old one, and can change nothing of it.
"""

import hashlib
import hmac
import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from servers.toolkit.database import Database
from servers.toolkit.errors import StorageError
from servers.toolkit.findings import Finding, Severity, at_least
from servers.toolkit.private_files import make_file, private_folder, secret_text
from servers.toolkit.starting import data_home

Kind = Literal["lines", "deal"]
VALID = timedelta(hours=24)
PATTERN = r"^[0-9a-f]{8}\.[A-Za-z0-9_+]{1,1000}\.[A-Za-z0-9_-]{22}$"


@dataclass(frozen=True)
class Statement:
    """A statement that proved to be this desk's, about exactly what was asked."""

    verdict: str
    codes: tuple[str, ...]
    until: datetime


class StatementKey:
    """The key that the desk's servers share; whoever has it can say anything in their name."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def of(cls, database: Database) -> "StatementKey":
        """Load the key of the desk's keys, or of the folder that a server's database lies in."""
        return cls.load(database.keys or (database.folder or data_home()) / "keys")

    @classmethod
    def load(cls, folder: Path) -> "StatementKey":
        """Load `DEALDESK_STATEMENT_KEY` (64 hex digits) or a folder's key, made on first use.

        Raises:
            StorageError: it cannot be read or written, is too short, or others can read it.
        """
        path = folder / "statement.key"
        text = os.environ.get("DEALDESK_STATEMENT_KEY", "")
        try:
            if not text:
                if not path.exists():
                    private_folder(folder)
                    made = secrets.token_hex(32)
                    make_file(path, lambda new: new.write_text(made, encoding="ascii"))
                text = secret_text(path)
            secret = bytes.fromhex(text.strip())
        except (OSError, ValueError) as problem:
            raise StorageError(
                "the key of the servers' statements cannot be used",
                fix=f"make {folder} writable, or remove {path.name} there to make a new one",
            ) from problem
        if len(secret) < 32:
            raise StorageError(
                "the key of the servers' statements is too short",
                fix="set DEALDESK_STATEMENT_KEY to 64 hex digits, the same for every server",
            )
        return cls(secret)

    def state(
        self,
        kind: Kind,
        about: Mapping[str, Any],
        verdict: str,
        findings: Iterable[Finding],
        now: datetime | None = None,
    ) -> str:
        """Return a statement that holds for 24 hours from now."""
        codes = sorted({f.code for f in findings if at_least(f, Severity.WARNING)})
        until = f"{int(((now or datetime.now(UTC)) + VALID).timestamp()):08x}"
        said = "+".join((verdict, *codes))
        return f"{until}.{said}.{self._mac(kind, about, until, said)}"

    def read(
        self, text: str, kind: Kind, about: Mapping[str, Any], now: datetime
    ) -> Statement | None:
        """Return what a statement says, or None where it is stale, of other things, or forged."""
        until, _, rest = text.partition(".")
        said, _, mac = rest.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(kind, about, until, said).encode()):
            return None
        end = datetime.fromtimestamp(int(until, 16), UTC)
        verdict, *codes = said.split("+")
        return Statement(verdict, tuple(codes), end) if now < end else None

    def _mac(self, kind: Kind, about: Mapping[str, Any], until: str, said: str) -> str:
        text = json.dumps([kind, about, until, said], sort_keys=True, separators=(",", ":"))
        mac = hmac.new(self._secret, text.encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def about_lines(lines: Iterable[BaseModel], country: str, order_date: date) -> dict[str, Any]:
    """Return what a check is of: every line with its unit, the country and the day."""
    return {
        "lines": [line.model_dump(mode="json") for line in lines],
        "country": country,
        "order_date": order_date.isoformat(),
    }


def about_deal(account_id: str, opportunity_id: str) -> dict[str, Any]:
    return {"account_id": account_id, "opportunity_id": opportunity_id}


StatementText = Annotated[
    str, Field(pattern=PATTERN, max_length=1200, description="`statement` of a server's check")
]
