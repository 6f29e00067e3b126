"""What an entry says: the command that starts a server, or its address, in each client's words.

The command is always absolute: a program that is started from a desktop does not have the PATH of
a shell. Which command depends on how dealdesk came here:

- installed (a virtual environment, pipx, `uv tool install`): `dealdesk` beside Python;
- through `uvx`: that environment can vanish with uv's cache, so uv itself, told what to run;
- through `uv run` in a checkout: uv itself, told which checkout.

An entry holds no secret. `token_env` writes the *name* of a variable, which the client looks up.
"""

import base64
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

from dealdesk.connect.clients import Program
from dealdesk.settings import Settings
from orchestrator.errors import EnvironmentProblem, UsageError
from servers.registry import ABOUT

OURS = {"type", "command", "cmd", "args", "url", "uri", "headers", "env_keys"}
"""What an entry says about the way in; the rest (`disabled`, `timeout`) is left as found."""
CACHES = ("archive-v", "builds-v", "environments-v")
"""Folders of uv's cache that hold environments."""


def entry_name(server: str) -> str:
    return f"dealdesk-{server}"


@dataclass(frozen=True)
class Installation:
    """How dealdesk came here.

    `python` is not resolved: scripts lie beside it. `origin` is the package's `direct_url.json`,
    None when it came from an index; `uv` is where uv is, if it started us or can be found.
    """

    python: Path
    origin: Mapping[str, Any] | None
    version: str
    uv: Path | None
    windows: bool = False

    @classmethod
    def here(cls) -> "Installation":
        try:
            package = distribution("dealdesk")
        except PackageNotFoundError:
            raise EnvironmentProblem(
                "dealdesk is not installed for this Python", fix="pip install -e ."
            ) from None
        uv = os.environ.get("UV") or shutil.which("uv")
        origin = package.read_text("direct_url.json")
        return cls(
            python=Path(sys.executable).absolute(),
            origin=json.loads(origin) if origin else None,
            version=package.version,
            uv=Path(uv).absolute() if uv else None,
            windows=sys.platform == "win32",
        )

    @property
    def passing(self) -> bool:
        """Whether this environment lies in uv's cache, which uv may delete at any time."""
        return any(part.startswith(CACHES) for part in self.python.parts)

    def command(self, server: str) -> tuple[str, list[str]]:
        """Return the absolute command that starts a server, and its first arguments."""
        words = ["serve", server]
        if not self.passing:
            path = self.python.parent / ("dealdesk.exe" if self.windows else "dealdesk")
            if not path.exists():
                raise EnvironmentProblem(
                    f"{path} is not there", fix="install dealdesk again: pip install -e ."
                )
            return str(path), words
        if self.uv is None:
            raise EnvironmentProblem(
                "dealdesk runs from uv's cache, and uv cannot be found to start it again",
                fix="uv tool install dealdesk",
            )
        checkout, source = _source(self.origin, self.version)
        if checkout:
            return str(self.uv), ["run", "--isolated", "--directory", checkout, "dealdesk", *words]
        return str(self.uv), ["tool", "run", "--from", source, "dealdesk", *words]


def _source(origin: Mapping[str, Any] | None, version: str) -> tuple[str, str]:
    """Return the checkout that runs in place (or nothing), and what `uvx --from` would take."""
    if origin is None:
        return "", f"dealdesk=={version}"
    url = str(origin["url"])
    if "vcs_info" in origin:
        about = origin["vcs_info"]
        return "", f"{about['vcs']}+{url}@{about['commit_id']}"
    path = url2pathname(unquote(urlsplit(url).path)) if url.startswith("file:") else url
    return (path, path) if origin.get("dir_info", {}).get("editable") else ("", path)


def server_arguments(server: str, profile: str, settings: Settings) -> list[str]:
    arguments = ["--profile", profile, "--home", str(settings.home)]
    if settings.sources.get(f"{server}_url", "default") != "default":
        url = settings.server_url(server)
        if urlsplit(url).password:
            raise UsageError(
                f"the {server} database's URL holds a password, which does not belong in a "
                "client's settings",
                fix="keep the password in ~/.pgpass, or serve it yourself and use --http",
            )
        arguments += ["--database", url]
    return arguments


def _of_goose(server: str, kind: str, way: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": entry_name(server), "description": ABOUT[server]}
    return {"enabled": True, "type": kind, **named, **way, "timeout": 300}


def by_command(program: Program | None, server: str, command: str, words: list[str]) -> Any:
    if program and program.name == "goose":
        return _of_goose(server, "stdio", {"cmd": command, "args": words})
    typed = program and program.name in ("claude-code", "vscode")
    return {**({"type": "stdio"} if typed else {}), "command": command, "args": words}


def by_address(program: Program | None, server: str, url: str, token_env: str | None) -> Any:
    if program and not program.reference:
        raise UsageError(
            f"{program.title}'s settings take no address: it starts its servers itself",
            fix=f"leave out --http: dealdesk connect {program.name}",
        )
    headers: dict[str, Any] = {}
    if token_env:
        if program is None:
            raise UsageError("--token-env needs a client that looks up variables", fix="name one")
        headers = {"headers": {"Authorization": "Bearer " + program.reference % token_env}}
    if program and program.name == "goose":
        keys = {"env_keys": [token_env]} if token_env else {}
        return _of_goose(server, "streamable_http", {"uri": url, **keys, **headers})
    typed = program and program.name in ("claude-code", "vscode")
    return {**({"type": "http"} if typed else {}), "url": url, **headers}


def addresses(base: str, servers: Sequence[str]) -> dict[str, str]:
    """Return each server's address: the one given, or its path below the one given."""
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{base!r} is no address", fix="--http http://127.0.0.1:8000")
    if parts.username or parts.password:
        raise UsageError("the address holds a password", fix="--token-env NAME")
    if not base.rstrip("/").endswith("/mcp"):
        return {server: f"{base.rstrip('/')}/{server}/mcp" for server in servers}
    if len(servers) > 1:
        raise UsageError(
            "that is the address of one server",
            fix="say which with --server, or leave out /mcp for an address that serves all",
        )
    return {servers[0]: base}


def merged(found: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the entry to write: ours, with what the person or the client has added to it."""
    if not isinstance(found, dict):
        return wanted
    return {**wanted, **{name: value for name, value in found.items() if name not in OURS}}


def how_to_reach(entry: Any) -> tuple[str, tuple[str, ...], str]:
    """Return command, arguments and address of an entry; empty if not there."""
    if not isinstance(entry, dict):
        raise ValueError("is not an entry")
    command = entry.get("command") or entry.get("cmd") or ""
    arguments = entry.get("args") or []
    url = entry.get("url") or entry.get("uri") or ""
    if not isinstance(command, str) or not isinstance(arguments, list) or not (command or url):
        raise ValueError("names no command")
    return command, tuple(str(word) for word in arguments), str(url)


def links(client: str, server: str, profile: str) -> dict[str, str]:
    """Return a client's links for a server, by the place they are for; none if it has none.

    They hold no path of this machine: `uvx dealdesk` fetches the package.
    """
    name, command = entry_name(server), "uvx"
    words = ["dealdesk", "serve", server, "--profile", profile]
    entry = by_command(None, server, command, words)
    if client == "vscode":
        link = "vscode:mcp/install?" + quote(_compact({"name": name, **entry}), safe="")
        web = "https://insiders.vscode.dev/redirect?url=" + quote(link, safe="")
        return {"app": link, "web": web}
    if client == "cursor":
        config = quote(base64.b64encode(_compact(entry).encode()).decode(), safe="")
        path = f"cursor://anysphere.cursor-deeplink/mcp/install?name={name}"
        return {"app": f"{path}&config={config}"}
    if client == "goose":
        arguments = "".join(f"&arg={quote(word, safe='')}" for word in words)
        about = quote(ABOUT[server], safe="")
        shown = f"&id={name}&name={name}&description={about}"
        return {"app": f"goose://extension?cmd={command}{arguments}{shown}"}
    return {}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
