"""What only its owner may read: the data folder, and the databases, backups and quotes in it."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from servers.toolkit.errors import StorageError

OURS = ("*.db", "*.db-*", "*.db.*", "keys", "quotes", "quotes/*", "engine.db-seats/*")
"""What is closed in a data folder; a key that others can read is refused, not closed."""


def private_folder(path: Path) -> None:
    """Make a folder, and what is missing above it; one that is there stays as it is."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing or [path]):  # where a file is in the way, that is said
        one.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path, fill: Callable[[Path], object], *, replacing: bool = False) -> None:
    """Make a file that nobody sees before it is whole, for its owner alone.

    Where one is there it stays (of two makers the first wins), unless it is to be replaced.
    """
    half = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        half.touch(0o600)
        fill(half)
        if replacing:
            half.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(half, path)
    finally:
        half.unlink(missing_ok=True)


def secret_text(path: Path, what: str = "") -> str:
    """Return the text of a secret file; one that others can read is no secret.

    Raises:
        StorageError: others can read it; `what` says in the message what it is.
        OSError: it cannot be read.
    """
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise StorageError(f"{what} {path} can be read by others".lstrip(), fix=f"chmod 600 {path}")
    return path.read_text()


def close_to_others(path: Path) -> None:
    """Take from others what they may do with a file or folder of ours."""
    with suppress(PermissionError):  # it is somebody else's
        mode = path.stat().st_mode
        if os.name == "posix" and mode & 0o077 and not path.is_symlink():
            path.chmod(mode & 0o700)


def close_home(home: Path) -> Path:
    """Return a data folder, closed if an earlier version or somebody's `mkdir` left it open.

    A folder with only other things in it is not ours to close.
    """
    with suppress(OSError):  # what is wrong with the folder is said when it is used
        if os.name == "posix" and home.stat().st_mode & 0o077:
            ours = [path for pattern in OURS for path in home.glob(pattern)]
            if ours or not any(home.iterdir()):
                for path in (*ours, home):
                    close_to_others(path)
    return home
