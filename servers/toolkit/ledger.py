"""What a server remembers about grants: the revoked ones, their call counts, and the audit."""

import atexit
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from servers.toolkit.database import Database
from servers.toolkit.errors import StorageError
from servers.toolkit.grants import MAX_LIFETIME, Grant
from servers.toolkit.migrate import audit_table, revoked_table

BATCH = 200
SECONDS = 2.0
REFRESH = 1.0
"""Seconds for which a grant that was not revoked is not looked up again in the database."""
KEPT_AFTER_EXPIRY = 3600
"""Seconds for which a revocation outlives its grant."""
_REVOKE = sa.text(
    "INSERT INTO revoked_grant (grant_id, at, expires) VALUES (:grant_id, :at, :expires) "
    "ON CONFLICT (grant_id) DO NOTHING"
)
_SPEND = sa.text(
    "INSERT INTO grant_call_count (grant_id, tool, used) VALUES (:grant_id, :tool, 1) "
    "ON CONFLICT (grant_id, tool) DO UPDATE SET used = grant_call_count.used + 1 "
    "WHERE grant_call_count.used < :most"
)


class Audit:
    """Who tried what on one database, and what came of it.

    Writes and denials are committed before they are answered; allowed reads are buffered and
    committed in batches, because a commit costs more than the read it records. Those who want a
    commit while one is being made share the next.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._buffer: list[dict[str, Any]] = []
        self._since = time.monotonic()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        atexit.register(self.close)

    def record(
        self,
        grant: Grant | None,
        method: str,
        component: str,
        arguments: Mapping[str, Any] | None,
        outcome: str,
        *,
        reason: str = "",
    ) -> bool:
        """Add a row, and say whether it is time to `flush`; this waits for no disk.

        `outcome` is `allowed`, `denied` or `error`.
        """
        row = audit_row(grant, method, component, arguments, outcome, reason)
        with self._lock:
            self._buffer.append(row)
            return len(self._buffer) >= BATCH or time.monotonic() - self._since > SECONDS

    def flush(self, also: Callable[[Session], None] | None = None) -> None:
        """Commit what is in the buffer, and another write; on failure keep it: no row is lost."""
        with self._turn:  # who waits here finds the own row written, together with others
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
            except BaseException:
                with self._lock:
                    self._buffer = rows + self._buffer
                raise

    def close(self) -> None:
        """Commit what is left in the buffer, or say what is lost: the work itself is done."""
        atexit.unregister(self.close)
        try:
            self.flush()
        except (SQLAlchemyError, StorageError) as problem:
            lost = f"{len(self._buffer)} audit rows of {self._database.server} were not written"
            logging.getLogger(__name__).warning("%s: %s", lost, type(problem).__name__)


def audit_row(
    grant: Grant | None,
    method: str,
    component: str,
    arguments: Mapping[str, Any] | None,
    outcome: str,
    reason: str = "",
) -> dict[str, Any]:
    """Return a row of the audit, for `Audit.record` or for a transaction of one's own."""
    canonical = json.dumps(arguments or {}, sort_keys=True, default=str)
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "actor": (grant.actor if grant else "nobody")[:120],
        "grant_id": grant.id if grant else "",
        "method": method[:40],
        "component": component.encode("utf-8", "replace").decode()[:200],
        "arguments_sha256": hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest(),
        "outcome": outcome,
        "reason": "; ".join(filter(None, (reason, grant.proof if grant else "")))[:200],
    }


class Ledger:
    """Revocations and call counts of one database, shared by all views of a server."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.audit = Audit(database)
        self._revoked: set[str] = set()
        self._asked: dict[str, float] = {}  # when a live grant was last looked up

    def known(self, grant_id: str) -> bool | None:
        """Say whether a grant is revoked, as far as is known without the database; else None."""
        if grant_id in self._revoked:
            return True
        asked = self._asked.get(grant_id)
        return False if asked is not None and time.monotonic() - asked <= REFRESH else None

    def is_revoked(self, grant_id: str) -> bool:
        """Say whether a grant was released, here at once or elsewhere within a second."""
        if (known := self.known(grant_id)) is not None:
            return known
        now = time.monotonic()
        mine = revoked_table.c.grant_id == grant_id
        with self._database.session() as session:
            found = session.connection().execute(sa.select(revoked_table.c.grant_id).where(mine))
            revoked = found.first() is not None
        if revoked:
            self._revoked.add(grant_id)
        else:
            live = {known: at for known, at in self._asked.items() if now - at <= REFRESH}
            self._asked = {**live, grant_id: now}
        return revoked

    def revoke(self, grant: Grant) -> None:
        """Revoke a grant for good; revoking it again changes nothing.

        The row stays until the grant would have ended by itself, and an hour more: should the
        clock be set back, it is still there.
        """
        if not (grant.agent or grant.person or grant.expires):
            return  # a local user's profile is no one's to give back
        if grant.id == grant.proof:
            return  # a person's token outlives the call; its owner ends it
        self._revoked.add(grant.id)
        self.audit.record(grant, "tools/call", "release_grant", None, "allowed")
        now = datetime.now(UTC)
        seconds = int(now.timestamp())
        row = {
            "grant_id": grant.id,
            "at": now.isoformat(timespec="seconds"),
            "expires": grant.expires or seconds + MAX_LIFETIME,
        }

        def write(session: Session) -> None:
            connection = session.connection()
            past = revoked_table.c.expires < seconds - KEPT_AFTER_EXPIRY
            connection.execute(revoked_table.delete().where(past))
            connection.execute(_REVOKE, row)

        self.audit.flush(also=write)

    def spend(self, grant: Grant, tool: str, limit: int) -> bool:
        """Count one call against a grant's budget, atomically; False when it is used up."""
        if limit < 1:
            return False
        mine = {"grant_id": grant.id, "tool": tool, "most": limit}
        with self._database.write() as session:
            return bool(session.connection().execute(_SPEND, mine).rowcount)
