"""Change the rules in one place at a time, and see whether a fast test notices.

    pip install cosmic-ray
    nice python scripts/mutants.py                        # all packages, 60 changes each
    nice python scripts/mutants.py toolkit --at v0.1.0    # one package, at a commit
    nice python scripts/mutants.py finance --only 3,17    # only these of the draw again

The changes are cosmic-ray's; which 60 of them is drawn by SEED. Each is made in a copy of the
commit, and the tests run until one fails. Nobody installs cosmic-ray with dealdesk: this measures
the tests, not the product. What was found is in docs/decisions/0010-exact-boundaries.md.
"""

import argparse
import difflib
import importlib
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parents[1]
SEED = 9
DRAWN = 60
LONGEST = 1800  # seconds that the tests of one change may take on a busy machine
COLLECT = "--collect-only"
WARM = ("fastmcp", "sqlmodel", "alembic.command", "hypothesis.strategies", "babel", "pycountry")
"""Imported once, before the runs of the tests are forked off."""


@dataclass(frozen=True)
class Package:
    """The modules to change and the tests that have to notice, by pattern.

    Tests named for a module, or importing it, run first; then those in `whole`.
    """

    modules: tuple[str, ...]
    tests: str
    whole: tuple[str, ...] = ("*.py",)


PACKAGES = {
    "finance": Package(
        ("servers/finance/**/*.py",),
        "tests/finance/test_*.py",
        ("test_pricing.py", "test_threshold*.py", "test_terms.py", "test_clauses.py"),
    ),
    "catalog": Package(("servers/catalog/**/*.py",), "tests/catalog/test_*.py"),
    "toolkit": Package(
        tuple(
            f"servers/toolkit/{name}.py"
            for name in ("gate", "grants", "scope", "idempotency", "money", "statements", "paging")
        ),
        "tests/toolkit/test_*.py",
    ),
    "verify": Package(
        ("orchestrator/workflows/*/verify*.py",), "tests/orchestrator/test_verify*.py"
    ),
}
NO_RULES = (
    *("*/facts/*", "*/tables/*", "*/store/*", "*/load/*", "*/tools/*", "*/render/*", "*/card/*"),
    *("*/repository/*", "*/load/*", "*/migrations/*", "*/models*.py"),
    *("*/schemas*.py", "*/facts.py", "*/blocks.py", "*/documents.py", "*/repository.py"),
    *("*/seed.py", "*/server.py", "*/profiles.py", "*/resources.py", "*/prompts.py"),
    *("*/overview.py", "*/logo.py", "*/__init__.py", "*/__main__.py"),
)
"""Modules of a server that hold no rule: rows, shapes of data, tools, texts, what is drawn."""
SLOW = (
    *("test_printed_sums.py", "test_*postgres.py", "test_upgrade.py", "test_migrations.py"),
    *("test_pdf.py", "test_card.py", "test_surface.py", "test_importing.py"),
)
"""Tests that take long, need a database server, or look at nothing a rule decides."""
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


def tests_of(package: Package, module: Path) -> list[str]:
    """Return the test files to run: named for a module or its folder, or importing it, or else."""
    fast = [p for p in sorted(Path().glob(package.tests)) if not any(p.match(s) for s in SLOW)]
    stem, parent = module.stem, ".".join(module.parent.parts)
    folder = module.parent.name.rstrip("s")
    named = re.compile(rf"test_(\w+_)?({stem}|{folder}s?)(_\w+)?\.py")
    imports = re.compile(rf"{parent}\.{stem}\b|from {parent} import .*\b{stem}\b")
    near = sorted((p for p in fast if named.fullmatch(p.name)), key=lambda p: stem not in p.name)
    near += [p for p in fast if p not in near and imports.search(p.read_text(encoding="utf-8"))]
    rest = [p for p in fast if p not in near and any(p.match(one) for one in package.whole)]
    return [str(p) for p in (*near, *rest)]


def _run(arguments: list[str], log: Path) -> None:
    """Run pytest in this process, which ends with its code."""
    with log.open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    sys.path.insert(0, os.getcwd())
    # what is compiled of the tests is kept; of a changed module never: its cure is seconds away
    sys.dont_write_bytecode = COLLECT not in arguments
    common = ["-n", "0", "-x", "-p", "no:cacheprovider", "-o", "timeout=240", "--tb=no"]
    warm = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    os._exit(pytest.main([*common, *warm, *arguments]))


def passing(arguments: list[str], log: Path) -> bool:
    """Run tests in a process of their own; False also when they never end."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(arguments, log))
    process.start()
    process.join(LONGEST)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def noticed(one: Mutant, package: Package, log: Path) -> tuple[bool, str]:
    """Make a change and run the tests; say whether one failed, and which or what was changed."""
    path = Path(one.path)
    kept, before = path.with_suffix(".kept"), path.read_text(encoding="utf-8")
    tests = tests_of(package, path)
    shutil.copy2(path, kept)  # with its time, so that what was compiled of it stays good
    after = mutate_code(before, get_operator(f"core/{one.operator}")(), one.occurrence) or ""
    path.write_text(after, encoding="utf-8")
    passed = passing(tests, log)
    shutil.move(kept, path)
    if passed:
        diff = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
        return False, "\n".join(["", *(f"    {text}" for text in [*diff][2:])])
    lines = log.read_text(errors="replace").splitlines()
    by = [text for text in lines if text.startswith(("FAILED", "ERROR"))]
    return True, by[0][:150] if by else "the run never ended"


def measure(name: str, only: set[int], log: Path) -> str:
    """Make the changes drawn for a package; print each, and return how many were noticed."""
    package = PACKAGES[name]
    everything = mutants(package)
    dice = random.Random(f"{SEED} {name}")  # noqa: S311 - a draw anybody can repeat
    drawn = dice.sample(everything, min(DRAWN, len(everything)))
    passing([COLLECT, *map(str, Path().glob(package.tests))], log)
    killed = 0
    wanted = [(n, one) for n, one in enumerate(drawn, 1) if not only or n in only]
    for number, one in wanted:
        found, words = noticed(one, package, log)
        killed += found
        said = "killed  " if found else "SURVIVED"
        print(f"{name} {number:2} {said} {one.path}:{one.line} {words}", flush=True)
    share = f"{killed} of {len(wanted)} killed ({killed / max(len(wanted), 1):.0%})"
    return f"{name}: {share}, of {len(everything)} possible"


def main() -> None:
    """Measure the packages asked for, in a copy of a commit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("packages", nargs="*", help=", ".join(PACKAGES))
    parser.add_argument("--at", default="HEAD", help="the commit to measure")
    parser.add_argument("--only", default="", help="numbers of the draw, 3,17")
    asked = parser.parse_args()
    only = {int(number) for number in asked.only.split(",") if number}
    for library in WARM:
        importlib.import_module(library)
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        tree.mkdir()
        git = ["git", "archive", asked.at]
        packed = subprocess.run(git, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-x"], cwd=tree, input=packed, check=True)
        subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=tree, check=True)
        os.chdir(tree)
        names = asked.packages or list(PACKAGES)
        print("\n".join(measure(name, only, Path(scratch, name)) for name in names))


if __name__ == "__main__":
    main()
