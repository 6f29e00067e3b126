"""How a program starts: where its data lies, and how it starts in less time."""

import gc
import os
from pathlib import Path

from servers.toolkit.private_files import close_home


def start_quickly() -> None:
    """Call before anything heavy is imported.

    Imports make objects that stay, and the collector would go through them again and again: a
    fifth of the time of a start. FastMCP's key_value would have every import of its own checked
    by beartype.
    """
    gc.disable()
    os.environ.setdefault("PY_KEY_VALUE_DISABLE_BEARTYPE", "true")


def started() -> None:
    """Call when everything is imported and open: from here on, garbage is collected as usual."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def data_home(given: str | None = None) -> Path:
    """Return the data folder: the argument, `DEALDESK_HOME`, or the platform's own place."""
    if chosen := given or os.environ.get("DEALDESK_HOME"):
        return close_home(Path(chosen).expanduser())
    from platformdirs import user_data_path

    return close_home(user_data_path("dealdesk", appauthor=False))
