"""What starting costs: `dealdesk --help` and a cold first run against `python -c pass`."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import report

GOAL = "Quote Alder & Finch for the switches they asked about last week"


def seconds(*command: str) -> float:
    """Run a command once and return its wall time."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main(rounds: int = 5) -> None:
    """Time the three, taking turns."""
    times: dict[str, list[float]] = {"python -c pass": [], "dealdesk --help": [], "cold run": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            home = str(Path(folder) / "home")
            times["python -c pass"].append(seconds(sys.executable, "-c", "pass"))
            times["dealdesk --help"].append(seconds(sys.executable, "-m", "dealdesk", "--help"))
            run = (sys.executable, "-m", "dealdesk", "run", GOAL, "--home", home)
            times["cold run"].append(seconds(*run, "--model", "playbook"))
    report({name: statistics.median(found) for name, found in times.items()}, "python -c pass")


if __name__ == "__main__":
    main()
