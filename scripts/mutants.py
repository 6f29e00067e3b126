"""Change the rules in one place at a time, and see whether a fast test notices.

    pip install cosmic-ray coverage
    nice python scripts/mutants.py                        # all packages, 60 changes each
    nice python scripts/mutants.py toolkit --at v0.1.0    # one package, at a commit
    nice python scripts/mutants.py finance --only 3,17    # only these of the draw again

The changes are cosmic-ray's; which 60 of them is drawn by SEED. Each is made in a copy of the
commit, and the tests run until one fails. Nobody installs cosmic-ray with dealdesk: this measures
the tests, not the product. What was found is in docs/decisions/0009-mutants.md.
"""

import argparse
import difflib
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import coverage
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parents[1]
SEED = 9
DRAWN = 60
MOST_TESTS = 150
"""How many tests that come by a line are tried, beside those named for its module."""
LONGEST = 1800  # seconds that the tests of one change may take on a busy machine


@dataclass(frozen=True)
class Package:
    """The modules to change, by pattern, and the tests that have to notice."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


NO_RULES = (
    *("*/facts/*", "*/tables/*", "*/store/*", "*/load/*", "*/tools/*", "*/render/*", "*/card/*"),
    *("*/repository/*", "*/importers/*", "*/seeds/*", "*/migrations/*", "*/models*.py"),
    *("*/schemas*.py", "*/facts.py", "*/blocks.py", "*/documents.py", "*/repository.py"),
    *("*/seed.py", "*/server.py", "*/profiles.py", "*/resources.py", "*/prompts.py"),
    *("*/overview.py", "*/logo.py", "*/__init__.py", "*/__main__.py"),
)
"""Modules of a server that hold no rule: rows, shapes of data, tools, texts, what is drawn."""
PACKAGES = {
    "finance": Package(("servers/finance/**/*.py",), ("tests/finance",)),
    "catalog": Package(("servers/catalog/**/*.py",), ("tests/catalog",)),
    "toolkit": Package(
        tuple(
            f"servers/toolkit/{name}.py"
            for name in ("gate", "grants", "scope", "idempotency", "money", "statements", "paging")
        ),
        ("tests/toolkit",),
    ),
    "verify": Package(
        ("orchestrator/workflows/*/verify*.py",),
        ("tests/orchestrator/test_verify*.py",),
    ),
}
# Tests that take long, need a database server, or look at nothing a rule decides.
SLOW = (
    *("test_printed_sums.py", "test_*postgres.py", "test_upgrade.py", "test_migrations.py"),
    *("test_pdf.py", "test_card.py", "test_surface.py", "test_importing.py"),
)
# Not drawn: decorators, exception types and unlike operators (`+` to `<<`), which stop any program
# at once; `|`, which is nearly always a type here. Texts and docstrings are never changed.
OPERATORS = (
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in (
            *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
            *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
        )
    ),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul")),
    *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not", "AddNot"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    "NumberReplacer",
)


@dataclass(frozen=True)
class Mutant:
    """One change: in which file, by which operator, where."""

    path: str
    operator: str
    occurrence: int
    line: int


def mutants(package: Package) -> list[Mutant]:
    """Return every change that can be made in a package's modules, in order."""
    found = []
    for path in sorted({p for glob in package.modules for p in Path().glob(glob)}):
        if any(fnmatch(str(path), pattern) for pattern in NO_RULES):
            continue
        nodes = list(ast_nodes(get_ast(path.read_text(encoding="utf-8"))))
        for name in OPERATORS:
            operator = get_operator(f"core/{name}")()
            places = [at for node in nodes for at in operator.mutation_positions(node)]
            found += [Mutant(str(path), name, n, at[0][0]) for n, at in enumerate(places)]
    return found


class _Watch:
    """Tell the coverage which test runs, and note how long each takes."""

    def __init__(self, covered: coverage.Coverage) -> None:
        self.covered = covered
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.covered.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration


def _run(arguments: list[str], log: Path, *, data: Path | None = None) -> None:
    """Run pytest in this process, which ends with its code."""
    with log.open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    sys.path.insert(0, os.getcwd())
    watched = []
    if data is not None:
        covered = coverage.Coverage(data_file=data, source=["servers", "orchestrator"])
        covered.start()
        watched.append(_Watch(covered))
    else:
        sys.dont_write_bytecode = True  # a change and its cure are seconds apart
    common = ["-n", "0", "-x", "-p", "no:cacheprovider", "-o", "timeout=240", "--tb=no"]
    code = pytest.main([*common, *arguments], plugins=watched)
    if data is not None:
        covered.stop()
        covered.save()
        data.with_suffix(".json").write_text(json.dumps(watched[0].seconds))
    os._exit(code)


def passing(arguments: list[str], log: Path, *, data: Path | None = None) -> bool:
    """Run tests in a process of their own; False also when they never end."""
    process = multiprocessing.get_context("fork").Process(
        target=_run, args=(arguments, log), kwargs={"data": data}
    )
    process.start()
    process.join(LONGEST)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def files_of(package: Package) -> list[str]:
    """Return a package's fast test files."""
    found = [p for one in package.tests for p in Path().glob(f"{one}/**/test_*.py")]
    found += [p for one in package.tests for p in Path().glob(one) if p.is_file()]
    return sorted(str(p) for p in found if not any(p.match(slow) for slow in SLOW))


def seen_by(data: Path) -> dict[tuple[str, int], list[str]]:
    """Return which tests came by each line of the product, the quickest first."""
    seconds = json.loads(data.with_suffix(".json").read_text())
    stored = coverage.CoverageData(data)
    stored.read()
    return {
        (os.path.relpath(path), line): sorted(filter(None, names), key=lambda n: (seconds[n], n))
        for path in stored.measured_files()
        for line, names in stored.contexts_by_lineno(path).items()
    }


def measure(name: str, only: set[int], log: Path) -> str:
    """Make the changes drawn for a package; print each, and return how many were noticed."""
    package = PACKAGES[name]
    everything, files = mutants(package), files_of(package)
    dice = random.Random(f"{SEED} {name}")  # noqa: S311 - a draw anybody can repeat
    drawn = dice.sample(everything, min(DRAWN, len(everything)))
    data = log.with_suffix(".coverage")
    if not passing(files, log, data=data):
        sys.exit(f"{name}: the tests fail before anything is changed\n{log.read_text()[-2000:]}")
    seen, killed, made = seen_by(data), 0, 0
    for number, one in enumerate(drawn, 1):
        if only and number not in only:
            continue
        path, made = Path(one.path), made + 1
        kept = path.with_suffix(".kept")
        shutil.copy2(path, kept)
        before = path.read_text(encoding="utf-8")
        after = mutate_code(before, get_operator(f"core/{one.operator}")(), one.occurrence) or ""
        path.write_text(after, encoding="utf-8")
        stem = path.stem if path.stem != "__init__" else path.parent.name
        near = [file for file in files if stem in file]
        rest = seen.get((one.path, one.line), []) or files  # what is imported is run by no test
        rest = [test for test in rest if test.split("::")[0] not in near][:MOST_TESTS]
        passed = all(passing(part, log) for part in (near, rest) if part)
        shutil.move(kept, path)
        killed += not passed
        lines = log.read_text(errors="replace").splitlines()
        by = next((text for text in lines if text.startswith(("FAILED", "ERROR"))), "")[:150]
        print(
            f"{name} {number:2} {'SURVIVED' if passed else 'killed  '} {one.path}:{one.line} {by}"
        )
        if passed:
            diff = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
            print("\n".join(f"    {text}" for text in [*diff][2:]))
        sys.stdout.flush()
    return f"{name}: {killed} of {made} killed ({killed / made:.0%}), of {len(everything)} possible"


def main() -> None:
    """Measure the packages asked for, in a copy of a commit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("packages", nargs="*", help=", ".join(PACKAGES))
    parser.add_argument("--at", default="HEAD", help="the commit to measure")
    parser.add_argument("--only", default="", help="numbers of the draw, 3,17")
    asked = parser.parse_args()
    only = {int(number) for number in asked.only.split(",") if number}
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        tree.mkdir()
        packed = subprocess.run(
            ["git", "archive", asked.at], cwd=ROOT, check=True, stdout=subprocess.PIPE
        )
        subprocess.run(["tar", "-x"], cwd=tree, input=packed.stdout, check=True)
        os.chdir(tree)
        results = [measure(name, only, Path(scratch, name)) for name in asked.packages or PACKAGES]
    print("\n".join(results))


if __name__ == "__main__":
    main()
