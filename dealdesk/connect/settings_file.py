"""A client's settings file: read it, show a change, keep a copy, write it in one step."""

import difflib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dealdesk.connect import yaml_edit
from dealdesk.connect.clients import Program
from dealdesk.connect.json_edit import JsonEditor, TextProblem
from orchestrator.errors import EnvironmentProblem

SECRET = re.compile(
    r"""((?:key|token|secret|passw|auth|credential)[\w-]*["']?\s*[:=]\s*["']?)"""
    r"""(?!Bearer \$|[\[{"'])[^"',\s][^"',]*""",
    re.IGNORECASE,
)
"""Somebody else's secret beside the lines that change; a reference to a variable is none."""
WIDTH = 200
"""A longer line of a diff is cut, unless it is what we write."""


EDITORS = {
    "yaml": yaml_edit,
    "json": JsonEditor(comments=False),
    "jsonc": JsonEditor(comments=True),
}


@dataclass(frozen=True)
class SettingsFile:
    """The settings of one client as they are now; `before` is None when there is no file."""

    program: Program
    path: Path
    before: bytes | None

    @classmethod
    def read(cls, program: Program, path: Path) -> "SettingsFile":
        try:
            return cls(program, path, path.read_bytes())
        except FileNotFoundError:
            return cls(program, path, None)
        except OSError as problem:
            raise EnvironmentProblem(
                f"{path} cannot be read: {problem.strerror}", fix="--config-path names another file"
            ) from problem

    @property
    def text(self) -> str:
        try:
            return (self.before or b"").decode("utf-8")
        except UnicodeDecodeError:
            raise TextProblem("is not UTF-8") from None

    def servers(self) -> dict[str, Any]:
        """Return the servers that it names; if it is not valid, nothing here touches it."""
        with self._valid():
            return dict(self._edit.servers(self.text, self.program.key))

    def with_entries(self, entries: dict[str, Any]) -> bytes:
        with self._valid():
            return str(self._edit.put(self.text, self.program.key, entries)).encode()

    def without_entries(self, names: list[str]) -> bytes:
        """Return the file without these entries: as it was before them, if only they were added.

        Blank space in an object that was empty cannot be told from the text alone, so the copies
        are asked first: when one of them plus today's entries is today's file, it is what was there
        before.
        """
        edit, key = self._edit, self.program.key
        there = {name: entry for name, entry in self.servers().items() if name in names}
        with self._valid():
            plain = edit.cut(self.text, key, list(there))
        for old in self._copies() if there else ():
            with suppress(TextProblem):
                apart = not edit.servers(old, key).keys() & there
                if apart and edit.put(old, key, there) == self.text:
                    return old.encode()
        return str(plain).encode()

    @property
    def _edit(self) -> Any:
        return EDITORS[self.program.form]

    def _copies(self) -> Iterator[str]:
        for path in sorted(self.path.parent.glob(f"{self.path.name}.bak-*"), reverse=True):
            with suppress(OSError, UnicodeDecodeError):
                yield path.read_bytes().decode("utf-8")

    @contextmanager
    def _valid(self) -> Iterator[None]:
        """Refuse a file that cannot be read or edited."""
        try:
            yield
        except TextProblem as problem:
            raise EnvironmentProblem(
                f"{self.path}, {problem}" if problem.line else f"{self.path} {problem}",
                fix="mend the file, then run this again; nothing was changed",
            ) from None

    def difference(self, after: bytes) -> list[str]:
        """Return a unified diff of this file and another text, with other secrets covered."""
        old, new = self.text.splitlines(), after.decode("utf-8").splitlines()
        if len(old) == len(new) == 1:  # all on one line: only what differs can be read
            old, new = _middles(old[0], new[0])
        lines = difflib.unified_diff(old, new, "as it is", "as it will be", lineterm="", n=2)
        covered = (SECRET.sub(r"\1…", line) for line in lines)
        return [
            line if line.startswith("+") or len(line) <= WIDTH else line[: WIDTH - 1] + "…"
            for line in covered
        ]

    def write(self, after: bytes, now: datetime) -> Path | None:
        """Write the file in one step, and return the copy that was made of what was there."""
        if SettingsFile.read(self.program, self.path).before != self.before:
            raise EnvironmentProblem(
                f"{self.path} was changed by another program just now", fix="run this again"
            )
        target = self.path.resolve()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = target.stat().st_mode & 0o7777 if self.before is not None else 0o600
            copy = None
            if self.before is not None:
                copy = _free(self.path.with_name(f"{self.path.name}.bak-{now:%Y%m%dT%H%M%S}"))
                _write(copy, self.before, mode)
            _write(target, after, mode)
        except OSError as problem:
            raise EnvironmentProblem(
                f"{self.path} cannot be written: {problem.strerror or problem}",
                fix="close the program if it holds the file, or use --config-path",
            ) from problem
        return copy


def _middles(old: str, new: str) -> tuple[list[str], list[str]]:
    start = max(0, _alike(old, new) - 20)
    tail = max(0, _alike(old[start:][::-1], new[start:][::-1]) - 20)
    parts = (line[start : len(line) - tail] for line in (old, new))
    one, other = (f"{'…' if start else ''}{part}{'…' if tail else ''}" for part in parts)
    return [one], [other]


def _alike(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write beside the target and move over it, so that no one ever sees half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
