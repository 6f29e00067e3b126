"""Ids and SKUs of a file as they stand here: ours made from theirs, SKUs as written before."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Table as DatabaseTable

from servers.toolkit.own_ids import PREFIXES, SKUS, normalised, own_id
from servers.toolkit.tables import Table


class Identified:
    """What reads the ids of one server's files."""

    def __init__(
        self, stored: Callable[[DatabaseTable, str], Iterable[str]], spelled: dict[str, str]
    ) -> None:
        """Ask `stored` for the SKUs there are; `spelled` is how all servers' files write one."""
        self._stored, self._spelled = stored, spelled
        self._skus: dict[DatabaseTable, dict[str, str]] = {}

    def read(self, table: Table, column: str, value: Any) -> Any:
        """Return our id for theirs, and a SKU as it is written already; anything else as it is."""
        if not isinstance(value, str) or not value:
            return value
        if column in PREFIXES:
            return own_id(PREFIXES[column], value)
        if column in SKUS and (column in table.references or table.key[:1] == (column,)):
            return self._spelling(*table.references.get(column, (table.stored, column)), value)
        return value

    def _spelling(self, target: DatabaseTable, at: str, written: str) -> str:
        if target not in self._skus:
            self._skus[target] = {normalised(sku): sku for sku in self._stored(target, at)}
        same = normalised(written)
        if same not in self._skus[target]:
            self._skus[target][same] = self._spelled.setdefault(same, " ".join(written.split()))
        return self._skus[target][same]
