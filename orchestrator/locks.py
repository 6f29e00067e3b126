"""One process per run: a lock that the system drops when its holder dies."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa


class RunLocks:
    """The locks this process holds: files beside the database, or PostgreSQL advisory locks."""

    def __init__(self, url: str) -> None:
        """Keep locks where every process that shares the database sees them."""
        self._files: dict[str, int] = {}
        self._engine: sa.Engine | None = None
        self._connection: sa.Connection | None = None
        if url.startswith("sqlite"):
            self._folder = Path(str(sa.make_url(url).database)).parent / "locks"
            self._folder.mkdir(parents=True, exist_ok=True)
        else:
            self._engine = sa.create_engine(url, poolclass=sa.NullPool)
            autocommit: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
            self._connection = self._engine.connect().execution_options(**autocommit)

    def take(self, name: str) -> bool:
        """Take a lock, a run's id say; False when another live process has it."""
        if self._connection is not None:
            got = sa.text("SELECT pg_try_advisory_lock(hashtext(:key))")
            return bool(self._connection.execute(got, {"key": f"dealdesk:{name}"}).scalar())
        if name in self._files:
            return True
        handle = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(handle):
            os.close(handle)
            return False
        self._files[name] = handle
        return True

    def seat(self) -> int:
        """Take the first free seat: a small number no other live process has."""
        return next(n for n in itertools.count() if self.take(f"seat-{n}"))

    def close(self) -> None:
        """Give every lock back."""
        for handle in self._files.values():
            os.close(handle)  # the file stays: unlinking it would let two processes lock two files
        self._files.clear()
        if self._connection is not None and self._engine is not None:
            self._connection.close()
            self._engine.dispose()


def _lock(handle: int) -> bool:
    """Lock a file for this process, without waiting."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
