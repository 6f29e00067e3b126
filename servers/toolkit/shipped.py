"""Words and numbers that code reads, in TOML files beside it."""

import tomllib
from importlib.resources import files
from typing import Any


def shipped(package: str, name: str) -> dict[str, Any]:
    """Return what `<name>.toml` of a package holds."""
    return tomllib.loads((files(package) / f"{name}.toml").read_text(encoding="utf-8"))
