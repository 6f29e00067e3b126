"""Which MCP clients we know, and where each keeps its settings: a table and one pure function.

Claude Code has a command of its own for this (`claude mcp add-json`). We edit its user file
instead, as for every other client: it works when `claude` is not on the PATH of this shell, it
can be shown before it is done, and it is undone to the byte. `--config-path .mcp.json` enters
the servers for one project instead of for one person.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Literal

Form = Literal["json", "jsonc", "yaml"]


@dataclass(frozen=True)
class Program:
    """An MCP client: `key` holds its servers, `then` is what its user does next.

    `reference` is how it writes "the value of this variable"; empty when it takes no address of a
    running server, which is the only thing that needs one.
    """

    name: str
    title: str
    key: str
    form: Form
    reference: str
    then: str


PROGRAMS = {
    program.name: program
    for program in (
        Program("claude-desktop", "Claude Desktop", "mcpServers", "json", "",
                "Quit Claude Desktop and open it again."),
        Program("claude-code", "Claude Code", "mcpServers", "json", "${%s}",
                "Start a new Claude Code session; `/mcp` lists the servers."),
        Program("cursor", "Cursor", "mcpServers", "jsonc", "${env:%s}",
                "Switch the servers on in Cursor's settings, under MCP."),
        Program("vscode", "VS Code", "servers", "jsonc", "${env:%s}",
                "Run `MCP: List Servers` in VS Code to start and trust them."),
        Program("goose", "Goose", "extensions", "yaml", "${%s}",
                "Start a new Goose session."),
    )
}  # fmt: skip


def settings_file(client: str, platform: str, variables: Mapping[str, str], home: str) -> PurePath:
    """Return where a client keeps one person's settings; `platform` as `sys.platform` says it."""
    windows, mac = platform == "win32", platform == "darwin"
    person = PureWindowsPath(home) if windows else PurePosixPath(home)
    folder = _folder(windows=windows, variables=variables, person=person)
    library = person / "Library" / "Application Support" if mac else folder
    if client == "claude-desktop":
        return library / "Claude" / "claude_desktop_config.json"
    if client == "claude-code":
        own = variables.get("CLAUDE_CONFIG_DIR")
        return (type(person)(own) if own else person) / ".claude.json"
    if client == "cursor":
        return person / ".cursor" / "mcp.json"
    if client == "vscode":
        return library / "Code" / "User" / "mcp.json"
    if windows:
        return folder / "Block" / "goose" / "config" / "config.yaml"
    return folder / "goose" / "config.yaml"


def usual_file(client: str) -> Path:
    return Path(settings_file(client, sys.platform, os.environ, str(Path.home())))


def _folder(*, windows: bool, variables: Mapping[str, str], person: PurePath) -> PurePath:
    if windows:
        given = variables.get("APPDATA")
        return PureWindowsPath(given) if given else person / "AppData" / "Roaming"
    given = variables.get("XDG_CONFIG_HOME")
    return PurePosixPath(given) if given else person / ".config"


def is_there(path: Path) -> bool:
    """Say whether the client has left a trace: its settings, or the folder made for them."""
    return path.exists() or (path.parent != Path.home() and path.parent.is_dir())
