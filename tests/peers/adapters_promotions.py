"""Adapters for cases about promotions: (inputs, expected) -> what our own functions answer."""

from collections.abc import Callable
from typing import Any

ADAPTERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {}
