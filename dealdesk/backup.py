"""The whole house in one file, at one point in time, and a new house from it.

All databases are locked for writing while they are copied, so no copy knows what another does not.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from shutil import copyfileobj, rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import sqlalchemy as sa

from dealdesk.privacy import FILE as ERASURES
from dealdesk.privacy import open_house
from dealdesk.settings import DATABASES, Settings, load_settings
from dealdesk.settings import FILE as SETTINGS
from orchestrator.durable.engine import Engine
from orchestrator.errors import EnvironmentProblem, UsageError
from servers.registry import after_restore
from servers.toolkit import privacy
from servers.toolkit.errors import DomainError
from servers.toolkit.private_files import make_file, private_folder

FORMAT = 1
MANIFEST, INSIDE = "manifest.json", "home/"
PUBLIC_KEYS, KEYS = ("desk_keys.json",), ("desk.pem", "statement.key")
"""The key of grants is in no backup: a restored house makes its own, which ends older grants."""
LOCKED = 30
STOPPED = {
    "type": "EnvironmentProblem",
    "message": "this house was restored from a backup, and what the run did after that is unknown",
    "fix": "look at its quote and the CRM; then `dealdesk runs resume`, or `runs cancel`",
    "step": "the restore",
}


def make_backup(settings: Settings, target: Path, *, with_keys: bool) -> dict[str, Any]:
    """Write the whole house into a new file, and return what the file says of itself."""
    found = _databases(settings)
    if target.exists() or target.is_relative_to(settings.home):
        where = "there already" if target.exists() else "inside the house"
        raise UsageError(f"{target} is {where}", fix="name a new file outside the data folder")
    said: dict[str, Any] = {"format": FORMAT, "dealdesk": version("dealdesk"), "keys": with_keys}
    in_home = TemporaryDirectory(dir=settings.home, prefix=".backup-")
    with in_home as folder, _no_writers(found.values()):
        said["made_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        copies = {f"{name}.db": _copy(path, Path(folder)) for name, path in found.items()}
        files = {**copies, **_files(settings.home, with_keys=with_keys)}
        make_file(target, lambda new: _pack(new, files, said))
    return said


def _databases(settings: Settings) -> dict[str, Path]:
    """Return the files of the databases, in the order in which they are locked."""
    urls = {**{name: settings.urls[name] for name in DATABASES}, "runs": settings.runs_url}
    parsed = {name: sa.make_url(url) for name, url in urls.items()}
    others = sorted(n for n, url in parsed.items() if url.get_backend_name() != "sqlite")
    if others:
        raise UsageError(
            f"{', '.join(others)}: PostgreSQL has its own backup, and this one takes files only",
            fix="stop the workers and servers, `pg_dump --format=custom` each database, and copy "
            f"{settings.home}",
        )
    found = {name: Path(url.database or "") for name, url in parsed.items()}
    there = {name: path for name, path in found.items() if path.exists()}
    if not {"crm", "finance"} <= there.keys():
        raise UsageError(f"{settings.home} holds no house", fix="name the data folder: --home")
    return there


@contextmanager
def _no_writers(paths: Iterable[Path]) -> Iterator[None]:
    """Hold the write lock of every database; readers go on."""
    with ExitStack() as stack:
        for path in paths:
            connection = stack.enter_context(
                closing(sqlite3.connect(path, timeout=LOCKED, isolation_level=None))
            )
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as problem:
                raise EnvironmentProblem(
                    f"{path} stayed locked: {problem}", fix="try again when less is going on"
                ) from problem
        yield


def _copy(path: Path, folder: Path) -> Path:
    copy = folder / path.name
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # all in one file
    return copy


def _files(home: Path, *, with_keys: bool) -> dict[str, Path]:
    """Return the other files of a home: settings, quotes, the list of erasures, keys that go."""
    keys = {*PUBLIC_KEYS, *(KEYS if with_keys else ())}
    found = {}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        database = ".db" in path.name or name.parts[0].endswith("-seats")
        hidden = any(part.startswith(".") for part in name.parts)
        mine = name.parts[0] != "keys" or path.name in keys
        if path.is_file() and not path.is_symlink() and mine and not database and not hidden:
            found[name.as_posix()] = path
    return found


def _pack(target: Path, files: Mapping[str, Path], said: dict[str, Any]) -> None:
    said["files"] = {}
    with ZipFile(target, "w", compression=8, compresslevel=3) as archive:
        for name, path in files.items():
            said["files"][name] = _digest(path)
            archive.write(path, INSIDE + name)
        archive.writestr(ZipInfo(MANIFEST), json.dumps(said, indent=1), compress_type=8)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def restore_backup(
    source: Path, home: Path, *, erasures: Path | None, last_number: int | None
) -> dict[str, Any]:
    """Make a new house from a backup, whole or not at all; return what is different in it."""
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(f"{home} is there already", fix="name a new folder: --home NEW")
    private_folder(home.parent)
    half = Path(mkdtemp(dir=home.parent, prefix=".restore-"))
    try:
        said = _unpack(source, half)
        told = await _settle(half, said, _erased(erasures), last_number)
        if home.exists():
            home.rmdir()
        half.rename(home)
    except BaseException:
        rmtree(half, ignore_errors=True)
        raise
    return {"made_at": said["made_at"], "keys": said["keys"], **told}


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    """Write the files of a backup that are as it says into a folder."""
    damaged = UsageError(f"{source} is no whole backup of ours", fix="use another copy of it")
    try:
        with ZipFile(source) as archive:
            said: dict[str, Any] = json.loads(archive.read(MANIFEST))
            if said.get("format") != FORMAT:
                raise UsageError(f"{source} is of a newer dealdesk", fix="restore it with that one")
            for name, digest in said["files"].items():
                parts = PurePosixPath(name).parts
                if ".." in parts or parts[0] == "/" or "\\" in name:
                    raise damaged
                path = folder.joinpath(*parts)
                private_folder(path.parent)
                path.touch(0o600)
                with archive.open(INSIDE + name) as packed, path.open("wb") as file:
                    copyfileobj(packed, file)
                if _digest(path) != digest:
                    raise damaged
    except OSError as problem:
        raise UsageError(f"{source} cannot be read: {problem.strerror}") from problem
    except (BadZipFile, KeyError, ValueError, AttributeError, TypeError) as problem:
        raise damaged from problem
    return said


def _erased(path: Path | None) -> privacy.Erasures | None:
    try:
        return privacy.read_erasures(None if path is None else path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        fix = f"name a copy of {ERASURES}"
        raise UsageError(f"{path} is no list of erasures", fix=fix) from problem


async def _settle(
    home: Path, said: Mapping[str, Any], given: privacy.Erasures | None, last_number: int | None
) -> dict[str, Any]:
    """Let a restored house repeat no number, trust no token, go on with no run, know nobody again.

    Its settings may name databases elsewhere, which are not its own: they are put aside.
    """
    told: dict[str, Any] = {"settings_aside": False}
    settings_file = home / SETTINGS
    if settings_file.exists() and "_url" in settings_file.read_text(encoding="utf-8"):
        settings_file.rename(home / f"{SETTINGS}.before")
        told["settings_aside"] = True
    own = {f"{name}_url": str(home / f"{name}.db") for name in DATABASES}
    settings = load_settings(home=home, **own)
    try:
        told["numbers"] = after_restore(settings.server_url("finance"), last_number)
    except DomainError as problem:
        raise EnvironmentProblem(problem.message, fix=problem.fix) from problem
    told["parked"] = []
    if "engine.db" in said["files"]:
        engine = Engine(settings.engine_url, lambda _: (), _never)
        try:
            told["parked"] = await engine.park_open(STOPPED)
        finally:
            await engine.stop()
    with open_house(settings) as house:
        told["erased_again"] = house.erase_again(given) if given is not None else 0
    return told


async def _never(*_: Any) -> Mapping[str, Any]:
    raise AssertionError("nothing is played while a house is restored")
