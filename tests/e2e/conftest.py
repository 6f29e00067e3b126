"""The whole command in this process, on copies of data folders that are made once."""

import fcntl
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))  # for fake_messages

from standing import seat

from dealdesk.cli.main import main
from servers.registry import NAMES, enrolment
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.errors import DomainError
from servers.toolkit.person_tokens import VARIABLE

from .wire import addresses, world  # noqa: F401 - fixtures of the tests of real servers

ALDER = "Quote Alder & Finch for the switches they asked about last week"
BERGWALD = "Quote Bergwald Holz for the rack servers with 8% off"
DAY = ("--order-date", "2026-11-23")


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    def fails(self, code: int, *words: str) -> None:
        """Assert that it ended with this code and one clear line that holds these words."""
        assert self.code == code, self
        assert self.out == "", self
        lines = self.err.splitlines()
        assert len(lines) == 1, self
        assert lines[0].startswith("dealdesk"), self
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err, self


Command = Callable[..., Said]
Warm = Callable[..., list[str]]
WARM = Path(__file__).parent.parent / "warm.py"


@pytest.fixture(scope="session")
def standing() -> Callable[[pytest.MonkeyPatch], None]:
    """Define each server once for all commands; each command seats it on its own database."""
    made: dict[str, Server] = {}

    def defined_once(name: str, create: Callable[[Database], Server]) -> Any:
        def create_server(database: Database) -> Server:
            if name not in made:
                made[name] = create(Database(database.engine, name))
            return seat(made[name], database)

        return create_server

    def stand(patch: pytest.MonkeyPatch) -> None:
        for name in NAMES:
            module = importlib.import_module(f"servers.{name}.server")
            patch.setattr(module, "create_server", defined_once(name, module.create_server))

    return stand


@pytest.fixture
def command(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    standing: Callable[[pytest.MonkeyPatch], None],
) -> Command:
    """Run `dealdesk` in this process, from an empty folder."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "person"))  # nobody's own programs are looked at
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is asked

    def run(*arguments: object, home: Path | None = None) -> Said:
        if home is not None:
            monkeypatch.setenv("DEALDESK_HOME", str(home))
        capfd.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            if VARIABLE not in os.environ:
                patch.setenv(
                    VARIABLE, token_of(Path(os.environ.get("DEALDESK_HOME", ".")), arguments)
                )
            standing(patch)
            return Said(_code(*arguments), *capfd.readouterr())

    return run


def token_of(home: Path, arguments: Sequence[object]) -> str:
    """Return a token of whom a command names, as the owner of the desk gives it."""
    words = [str(argument) for argument in arguments]
    if "--as" in words:
        person = words[words.index("--as") + 1]
    else:
        person = os.environ.get("DEALDESK_PERSON", "")
    if not person or not (home / "finance.db").exists():
        return ""
    with suppress(DomainError), enrolment(str(home / "finance.db")) as office:
        return office.enroll(person, 1)[0]
    return ""  # nobody of that name is on file, or the home is not as it should be


def _code(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Give the command that runs a module, or a file, in a process with the imports done."""
    if not hasattr(os, "pidfd_open"):  # not Linux: all processes begin cold

        def cold(what: str, *arguments: object) -> list[str]:
            file = what.endswith(".py")
            return [sys.executable, *([] if file else ["-m"]), what, *map(str, arguments)]

        yield cold
        return
    with (
        tempfile.TemporaryDirectory() as folder,  # a socket's path must be short
        subprocess.Popen(
            [sys.executable, str(WARM), "keep", f"{folder}/warm"],
            env=clean_environment(Path(folder)),
            cwd=WARM.parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as keeper,
    ):
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"ready\n"
        asking = [sys.executable, "-IS", str(WARM), "ask", f"{folder}/warm"]
        yield lambda what, *arguments: [*asking, what, *map(str, arguments)]
        keeper.stdin.close()


@pytest.fixture
def program(warm: Warm) -> Command:
    """Run `dealdesk`, or another of our programs, as a process of its own."""

    def run(
        *arguments: object, home: Path, module: str = "dealdesk", given: str = "", **variables: str
    ) -> Said:
        token = {VARIABLE: token_of(home, arguments)}
        done = subprocess.run(
            warm(module, *arguments),
            env=clean_environment(home) | token | variables,
            cwd=home.parent,
            input=given,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment without a developer's own settings and keys."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DEALDESK_", "ANTHROPIC_"))}
    return kept | {"DEALDESK_HOME": str(home), "NO_COLOR": "1"}


@dataclass(frozen=True)
class Folder:
    """A data folder and what was said when it was made."""

    home: Path
    said: Said

    @property
    def run_id(self) -> str:
        """The run that was made in it."""
        return str(self.said.json["run_id"])


def _made(
    factory: pytest.TempPathFactory,
    warm: Warm,
    name: str,
    *arguments: object,
    like: Path | None = None,
) -> Folder:
    """Make a data folder by one command in a process of its own, once for all test workers."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    home, kept = root / f"made-{name}" / "home", root / f"made-{name}.json"
    with (root / f"made-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            return Folder(home, Said(**json.loads(kept.read_text(encoding="utf-8"))))
        home.parent.mkdir()
        if like is not None:
            shutil.copytree(like, home)
        done = subprocess.run(
            warm("dealdesk", *arguments),
            env=clean_environment(home) | {"DEALDESK_PERSON": "per_lena"},
            cwd=home.parent,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        said = Said(done.returncode, done.stdout, done.stderr)
        kept.write_text(json.dumps(vars(said)), encoding="utf-8")
        return Folder(home, said)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory, warm: Warm) -> Folder:
    """The demo company, and no run yet."""
    return _made(tmp_path_factory, warm, "seeded", "init")


@pytest.fixture(scope="session")
def quoted(tmp_path_factory: pytest.TempPathFactory, warm: Warm, seeded: Folder) -> Folder:
    """The demo company with one issued quote."""
    return _made(tmp_path_factory, warm, "quoted", "run", ALDER, "--json", like=seeded.home)


@pytest.fixture(scope="session")
def waiting(tmp_path_factory: pytest.TempPathFactory, warm: Warm, quoted: Folder) -> Folder:
    """The demo company with one issued quote, and a run that waits for an approval."""
    return _made(
        tmp_path_factory, warm, "waiting", "run", BERGWALD, *DAY, "--json", like=quoted.home
    )


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Folder], Path]:
    """Copy a data folder for one test."""

    def copied(folder: Folder) -> Path:
        return Path(shutil.copytree(folder.home, tmp_path / "home"))

    return copied


def files_of(home: Path) -> dict[str, bytes]:
    """Return every file of a folder, to see that nothing was written."""
    return {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}
