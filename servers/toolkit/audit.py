"""The audit of one server: who tried what, and what came of it.

Writes and denials are committed at once, each in its own transaction; allowed reads are
buffered and committed in batches, because a commit costs more than the read it records.
"""

import atexit
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from servers.toolkit.database import Database
from servers.toolkit.errors import StorageError
from servers.toolkit.grants import Grant
from servers.toolkit.migrate import audit_table

BATCH = 200
SECONDS = 2.0


class Audit:
    """Writes audit rows for one database."""

    def __init__(self, database: Database) -> None:
        """Start with an empty buffer; what is left in it is written when the process ends."""
        self._database = database
        self._buffer: list[dict[str, Any]] = []
        self._since = time.monotonic()
        self._lock = threading.Lock()
        atexit.register(self._flush_at_exit)

    def record(
        self,
        grant: Grant | None,
        method: str,
        component: str,
        arguments: Mapping[str, Any] | None,
        outcome: str,
        *,
        reason: str = "",
        at_once: bool = False,
    ) -> None:
        """Add a row: `outcome` is `allowed`, `denied` or `error`."""
        canonical = json.dumps(arguments or {}, sort_keys=True, default=str)
        row = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "actor": (grant.actor if grant else "nobody")[:120],
            "grant_id": grant.id if grant else "",
            "method": method[:40],
            "component": component.encode("utf-8", "replace").decode()[:200],
            "arguments_sha256": hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest(),
            "outcome": outcome,
            "reason": reason[:200],
        }
        with self._lock:
            self._buffer.append(row)
            due = len(self._buffer) >= BATCH or time.monotonic() - self._since > SECONDS
        if at_once or due:
            self.flush()

    def flush(self, also: Callable[[Session], None] | None = None) -> None:
        """Commit what is in the buffer; on failure keep it, so that no row is lost.

        Args:
            also: Another write to make in the same transaction: one commit instead of two.
        """
        with self._lock:
            rows, self._buffer = self._buffer, []
            self._since = time.monotonic()
        if not rows and also is None:
            return
        try:
            with self._database.write() as session:
                if also is not None:
                    also(session)
                if rows:
                    session.connection().execute(audit_table.insert(), rows)
        except (SQLAlchemyError, StorageError):
            with self._lock:
                self._buffer = rows + self._buffer
            raise

    def _flush_at_exit(self) -> None:
        try:
            self.flush()
        except (SQLAlchemyError, StorageError) as problem:
            lost = f"{len(self._buffer)} audit rows of {self._database.server} were not written"
            logging.getLogger(__name__).warning("%s: %s", lost, problem)
