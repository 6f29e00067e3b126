"""Real server processes: their console scripts, spoken to line by line or over a socket."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from servers.registry import NAMES as SERVERS
from servers.registry import open_server
from servers.toolkit.app import Server
from servers.toolkit.grants import SigningKey

DEADLINE = 120.0
T = TypeVar("T")
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
}
KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


@dataclass(frozen=True)
class World:
    """A seeded data folder, the servers open on it in this process, and the key pair."""

    home: Path
    apps: dict[str, Server]
    signing: SigningKey

    @property
    def public_key(self) -> str:
        return (self.home / "keys" / "grant.pub").read_text()


@dataclass
class Said:
    """One process's whole conversation."""

    answers: list[dict[str, Any]]
    stdout: list[str] = field(default_factory=list)
    stderr: str = ""
    code: int | None = None


def script(server: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / f"dealdesk-{server}")


def module(server: str) -> list[str]:
    return [sys.executable, "-m", f"servers.{server}"]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "DEALDESK_HOME": str(home), **more}


def request(number: int, method: str, params: dict[str, Any] | None = None) -> str:
    body = {"_meta": MODERN, **(params or {})}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": body})


async def talk(
    command: list[str], env: dict[str, str], asked: list[tuple[str, dict[str, Any]]]
) -> Said:
    """Start a server on pipes, ask everything in turn, close its stdin and see it end."""
    lines = [request(number, *one) for number, one in enumerate(asked)]
    return await talk_raw(command, env, lines, len(asked))


async def talk_raw(command: list[str], env: dict[str, str], lines: list[str], wait: int) -> Said:
    """As `talk`, with the lines given as they are; `wait` of them are to be answered."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin is not None
    assert stdout is not None
    assert stderr is not None
    said = Said([])

    async def converse() -> None:
        errors = asyncio.create_task(stderr.read())
        for text in lines:
            stdin.write(text.encode() + b"\n")
        await stdin.drain()
        while len(said.answers) < wait and (line := await stdout.readline()):
            said.stdout.append(line.decode())
            message = json.loads(line)
            if "id" in message:
                said.answers.append(message)
        stdin.close()
        said.stdout += (await stdout.read()).decode().splitlines(keepends=True)
        said.stderr = (await errors).decode()
        said.code = await process.wait()

    try:
        async with asyncio.timeout(DEADLINE):
            await converse()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said.answers.sort(key=lambda answer: (answer["id"] is None, answer["id"]))
    return said


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(url: str, body: bytes | None = None, **headers: str) -> int:
    """Return the status of a GET, or of a POST when there is a body."""
    asked = urllib.request.Request(url, body, headers)  # noqa: S310 - loopback only
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


@contextmanager
def http_server(
    server: str, home: Path, *arguments: str, command: list[str] | None = None
) -> Iterator[str]:
    """Run a server over HTTP on a free port, give its base URL, and see that it prints nothing."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [*(command or module(server)), "--transport", "http", "--port", str(port), *arguments],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            give_up = time.monotonic() + DEADLINE
            while not _answers(base):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.1)
                assert process.returncode is None, process.communicate()[0].decode()
                assert time.monotonic() < give_up, "the server did not answer in time"
            yield base
        finally:
            process.terminate()
            printed, _ = process.communicate(timeout=DEADLINE)
        assert printed == b"", printed.decode()


def _answers(base: str) -> bool:
    try:
        return status(f"{base}/health") == 200
    except OSError:
        return False


async def gathered(work: list[Coroutine[Any, Any, T]], at_once: int = 3) -> list[T]:
    """Return the results of coroutines, a few running at a time."""
    room = asyncio.Semaphore(at_once)

    async def one(task: Coroutine[Any, Any, T]) -> T:
        async with room:
            return await task

    return await asyncio.gather(*(one(task) for task in work))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, seeded: Any) -> Iterator[World]:
    """A copy of the seeded data folder with its keys, and the servers open on it."""
    home = Path(shutil.copytree(seeded.home, tmp_path_factory.mktemp("world") / "home"))
    apps = {name: open_server(name, str(home / f"{name}.db"))[0] for name in SERVERS}
    yield World(home, apps, SigningKey.load(home / "keys"))
    for app in apps.values():
        app.ledger.audit.flush()
        app.database.close()


@pytest.fixture(scope="session")
def addresses(world: World, warm: Callable[..., list[str]]) -> Iterator[dict[str, str]]:
    """The base URLs of the servers over HTTP, each in its own process."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                http_server(name, world.home, command=warm(f"servers.{name}"))
            )
            for name in SERVERS
        }
