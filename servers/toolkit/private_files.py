"""What only its owner may read: the data folder, and the databases, backups and quotes in it."""

import os
from contextlib import suppress
from pathlib import Path

OURS = ("*.db", "*.db-*", "*.db.*", "keys", "quotes", "quotes/*", "engine.db-seats/*")
"""What is closed in a data folder; a key that others can read is refused, not closed."""


def private_folder(path: Path) -> None:
    """Make a folder, and what is missing above it; one that is there stays as it is."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing or [path]):  # where a file is in the way, that is said
        one.mkdir(mode=0o700, exist_ok=True)


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
