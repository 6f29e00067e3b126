"""Who is alive: every worker holds a lock that the system drops when its process dies.

A seat is a name no other worker ever had and a lock on it. "The lock is free" means "its owner
is dead", so there is no heartbeat and no clock, and work is taken over from the dead only.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from servers.toolkit.private_files import private_folder


class FileSeats:
    """Seats on one machine: locked files in a folder beside the database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine: IO[bytes] | None = None

    def take(self) -> str:
        """Take a new seat and return its name."""
        name = _new_name()
        private_folder(self._folder)
        self._path(name).touch(0o600)
        self._mine = self._path(name).open("ab")
        _lock(self._mine)
        return name

    def keep(self) -> None:
        """Do nothing: only the end of the process takes a file's lock away."""

    @contextmanager
    def dead(self, name: str) -> Iterator[bool]:
        """Say whether the owner of a seat is dead; its lock is held inside.

        A file that is gone (its owner left in order, or somebody cleared up) is made for the
        moment, so that of two who look only one is told so.
        """
        path = self._path(name)
        private_folder(self._folder)
        with path.open("ab") as file:
            if not _lock(file) or not _lies_at(file, path):
                yield False
                return
            yield True
            _remove(path)

    def leave(self) -> None:
        """Give the seat back; nothing happens when none was taken."""
        if self._mine is not None:
            self._mine.close()
            _remove(Path(self._mine.name))
            self._mine = None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"


class DatabaseSeats:
    """Seats on any number of machines: advisory locks of PostgreSQL sessions.

    A session lock needs a session: behind a pooler in transaction mode this does not work.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._name = ""
        self._mine: sa.Connection | None = None

    def take(self) -> str:
        self._name = _new_name()
        self._sit()
        return self._name

    def keep(self) -> None:
        """Sit down again when the database dropped the session."""
        if self._mine is None:
            return
        try:
            self._mine.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            self._mine.invalidate()
            self._sit()

    @contextmanager
    def dead(self, name: str) -> Iterator[bool]:
        """Say whether the owner of a seat is dead; its lock is held inside."""
        with self._engine.connect() as db:
            yield _try_lock(db, name)  # closing the session drops the lock

    def leave(self) -> None:
        if self._mine is not None:
            self._mine.close()
            self._mine = None
        self._engine.dispose()

    def _sit(self) -> None:
        self._mine = self._engine.connect()
        _try_lock(self._mine, self._name)


Seats = FileSeats | DatabaseSeats
"""One worker's own seat, and a look at those of others."""


def seats_for(url: str) -> Seats:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return FileSeats(Path(f"{parsed.database}-seats"))
    return DatabaseSeats(url)


def _lies_at(file: IO[bytes], path: Path) -> bool:
    """Say whether an open file is still at its path; its last owner may have removed it."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _remove(path: Path) -> None:
    with suppress(OSError):  # a file left behind is free, and so says the same as none
        path.unlink()


def _new_name() -> str:
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


def _try_lock(db: sa.Connection, name: str) -> bool:
    key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
    return bool(db.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar())


def _lock(file: IO[bytes]) -> bool:
    """Lock a file for as long as it is open; False when somebody else has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
