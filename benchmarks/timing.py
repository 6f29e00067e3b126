"""Interleaved timing: every case once per round, so that drift of the machine hits all alike.

CPU time is what is compared: others who use the machine, and its disk, hardly change it.
"""

import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping

from servers.toolkit.database import journal_mode

Case = Callable[[], Awaitable[object]]


async def interleaved(cases: Mapping[str, Case], rounds: int, *, warm: int = 3) -> dict[str, float]:
    """Return the median CPU seconds of each case over rounds in which all cases take turns."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for place in range(rounds + warm):
        for name, case in cases.items():
            start = time.process_time()
            await case()
            if place >= warm:
                times[name].append(time.process_time() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def report(medians: Mapping[str, float], floor: str, unit: str = "ms") -> None:
    """Print each case as a ratio to the floor, and the mode it ran in."""
    print(f"SQLite {sqlite3.sqlite_version}, journal mode {journal_mode()}, synchronous FULL")
    for name, median in medians.items():
        print(f"{median / medians[floor]:8.2f}x  {median * 1000:9.2f} {unit}  {name}")
