"""How a program starts in less time; its main function calls these."""

import gc
import os


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
