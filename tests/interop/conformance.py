"""Run the official conformance suite once and read what it wrote."""

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .rows import found

SPECS = ("2026-07-28", "2025-11-25")


@dataclass
class Outcome:
    """What came of some scenarios."""

    scenarios: int = 0
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.scenarios} scenarios, {self.passed} checks passed, {len(self.failed)} failed"


def suite(*words: str) -> str:
    """Run the suite; its exit code is not asked, because every check is read."""
    program = found("node/node_modules/@modelcontextprotocol/conformance/dist/index.js")
    node = str(found("node/bin/node"))
    done = subprocess.run(
        [node, str(program), *words], capture_output=True, text=True, timeout=240, check=False
    )
    return done.stdout


def server_scenarios(*words: str) -> dict[str, set[str]]:
    """Return the server scenarios the suite lists, each with the versions it is for."""
    lines = suite("list", "--server", *words).split("Client scenarios")[0].splitlines()
    listed = [re.fullmatch(r"  - (\S+)(?: \[(.+)\])?", line) for line in lines]
    return {m[1]: set((m[2] or "").split(",")) for m in listed if m}


def checks(url: str, output: Path, *words: str) -> dict[str, list[dict[str, Any]]]:
    """Run the suite against a server; return each scenario's checks."""
    suite("server", "--url", url, *words, "-o", str(output))
    return {
        re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\dZ-]+$", "", file.parent.name): json.loads(
            file.read_text(encoding="utf-8")
        )
        for file in output.glob("*/checks.json")
    }


def judge(found_checks: dict[str, list[dict[str, Any]]], needless: set[str]) -> Outcome:
    """Count: a warning is a failure; a scenario that passed nothing is named as empty."""
    outcome = Outcome()
    for scenario, each in sorted(found_checks.items()):
        statuses = Counter[str]()
        for check in each:
            if check["id"] in needless:
                continue
            statuses[check["status"]] += 1
            if check["status"] in ("FAILURE", "WARNING"):
                said = check.get("errorMessage", "")
                outcome.failed.append(f"{scenario}: {check['id']}: {said}")
        outcome.scenarios += 1
        outcome.passed += statuses["SUCCESS"]
        if not statuses["SUCCESS"]:
            outcome.empty.append(scenario)
    return outcome
