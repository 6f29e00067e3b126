"""What starting costs in CPU seconds, of the process and its children; and in another checkout.

    python benchmarks/start.py [ROUNDS] [OTHER]

OTHER is the folder of an older checkout: both then run in turn, with the same interpreter and
packages, and the last column says how much less this one takes.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import report

GOAL = "Quote Alder & Finch for the switches they asked about last week"
CASES = {
    "--help": ["--help"],
    "first run": ["run", GOAL, "--model", "playbook"],
    "the same again": ["run", GOAL, "--model", "playbook"],
    "runs list": ["runs", "list"],
    "quote list": ["quote", "list"],
}
HERE = Path(__file__).parents[1]


def cpu_of(command: list[str], **settings: str) -> float:
    """Run a command and return the CPU seconds of it and of what it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **settings}
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd="/")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one_round(checkout: Path) -> dict[str, float]:
    """Run every case once, in a new data folder."""
    package = "dealdesk" if (checkout / "dealdesk").is_dir() else "orchestrator"
    program = [sys.executable, "-m", package]
    with tempfile.TemporaryDirectory() as folder:
        settings = {"PYTHONPATH": str(checkout), "DEALDESK_HOME": f"{folder}/home"}
        return {name: cpu_of([*program, *words], **settings) for name, words in CASES.items()}


def main(rounds: int = 5, other: str = "") -> None:
    """Run the cases, the two checkouts in turn; the first round, which compiles, does not count."""
    checkouts = [HERE, *([Path(other).absolute()] if other else [])]
    found = [[one_round(checkout) for checkout in checkouts] for _ in range(rounds + 1)][1:]
    medians = [
        {name: statistics.median(turn[place][name] for turn in found) for name in CASES}
        for place in range(len(checkouts))
    ]
    report(medians[0], "runs list")
    for name, before in medians[1].items() if other else ():
        print(f"{name:16} {before:6.2f} s before, {medians[0][name]:6.2f} s now: "
              f"{before / medians[0][name]:.2f} times less")  # fmt: skip


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, str), sys.argv[1:], strict=False)))
