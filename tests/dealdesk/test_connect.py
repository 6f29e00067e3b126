"""Where each client keeps its settings, what an entry says, and how a file is written."""

import base64
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from dealdesk.connect.clients import PROGRAMS, settings_file
from dealdesk.connect.entries import (
    Installation,
    addresses,
    by_address,
    by_command,
    how_to_reach,
    links,
    merged,
    server_arguments,
)
from dealdesk.connect.probe import scrubbed
from dealdesk.connect.settings_file import SettingsFile
from dealdesk.settings import load_settings
from orchestrator.errors import EnvironmentProblem, UsageError
from servers.registry import NAMES

NOW = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
MAC, LINUX, WINDOWS = "/Users/kim", "/home/kim", r"C:\Users\kim"
SUPPORT = f"{MAC}/Library/Application Support"
ROAMING = {"APPDATA": r"D:\Roaming"}


@pytest.mark.parametrize(
    ("client", "platform", "variables", "home", "path"),
    [
        ("claude-desktop", "darwin", {}, MAC, f"{SUPPORT}/Claude/claude_desktop_config.json"),
        ("claude-desktop", "darwin", {"XDG_CONFIG_HOME": "/x"}, MAC,
         f"{SUPPORT}/Claude/claude_desktop_config.json"),
        ("claude-desktop", "linux", {}, LINUX,
         f"{LINUX}/.config/Claude/claude_desktop_config.json"),
        ("claude-desktop", "linux", {"XDG_CONFIG_HOME": "/x"}, LINUX,
         "/x/Claude/claude_desktop_config.json"),
        ("claude-desktop", "win32", ROAMING, WINDOWS,
         r"D:\Roaming\Claude\claude_desktop_config.json"),
        ("claude-desktop", "win32", {}, WINDOWS,
         r"C:\Users\kim\AppData\Roaming\Claude\claude_desktop_config.json"),
        ("claude-code", "darwin", {}, MAC, f"{MAC}/.claude.json"),
        ("claude-code", "linux", {"CLAUDE_CONFIG_DIR": "/c"}, LINUX, "/c/.claude.json"),
        ("claude-code", "win32", ROAMING, WINDOWS, r"C:\Users\kim\.claude.json"),
        ("cursor", "darwin", {}, MAC, f"{MAC}/.cursor/mcp.json"),
        ("cursor", "linux", {"XDG_CONFIG_HOME": "/x"}, LINUX, f"{LINUX}/.cursor/mcp.json"),
        ("cursor", "win32", ROAMING, WINDOWS, r"C:\Users\kim\.cursor\mcp.json"),
        ("vscode", "darwin", {}, MAC, f"{SUPPORT}/Code/User/mcp.json"),
        ("vscode", "linux", {}, LINUX, f"{LINUX}/.config/Code/User/mcp.json"),
        ("vscode", "win32", ROAMING, WINDOWS, r"D:\Roaming\Code\User\mcp.json"),
        ("goose", "darwin", {}, MAC, f"{MAC}/.config/goose/config.yaml"),
        ("goose", "linux", {"XDG_CONFIG_HOME": "/x"}, LINUX, "/x/goose/config.yaml"),
        ("goose", "win32", ROAMING, WINDOWS, r"D:\Roaming\Block\goose\config\config.yaml"),
    ],
)  # fmt: skip
def test_each_client_keeps_its_settings_where_it_does(
    client: str, platform: str, variables: dict[str, str], home: str, path: str
) -> None:
    assert str(settings_file(client, platform, variables, home)) == path


def installation(tmp_path: Path, **changes: Any) -> Installation:
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin" / "dealdesk").touch()
    found = Installation(tmp_path / "bin" / "python", None, "1.2.3", Path("/opt/uv"))
    return replace(found, **changes)


def test_an_installed_script_is_named_by_its_full_path(tmp_path: Path) -> None:
    here = installation(tmp_path)
    assert here.command("crm") == (str(tmp_path / "bin" / "dealdesk"), ["serve", "crm"])
    (tmp_path / "bin" / "dealdesk").unlink()
    with pytest.raises(EnvironmentProblem, match="is not there"):
        here.command("crm")
    with pytest.raises(EnvironmentProblem, match=r"dealdesk\.exe"):
        replace(here, windows=True).command("finance")


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        (None, "dealdesk==1.2.3"),
        ({"url": "file:///src/a%20b", "dir_info": {}}, "/src/a b"),
        ({"url": "file:///w/dealdesk.whl", "archive_info": {}}, "/w/dealdesk.whl"),
        ({"url": "https://e.example/d.whl", "archive_info": {}}, "https://e.example/d.whl"),
        ({"url": "https://e.example/d", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
         "git+https://e.example/d@abc"),
    ],
)  # fmt: skip
def test_what_uvx_ran_is_run_again_by_uv(tmp_path: Path, origin: Any, source: str) -> None:
    cache = Path("/home/kim/.cache/uv/archive-v0/x1/bin/python")
    passing = installation(tmp_path, python=cache, origin=origin)
    command = ("/opt/uv", ["tool", "run", "--from", source, "dealdesk", "serve", "crm"])
    assert passing.command("crm") == command
    with pytest.raises(EnvironmentProblem, match="uv cannot be found"):
        replace(passing, uv=None).command("crm")


def test_a_checkout_that_uv_runs_is_run_again_there(tmp_path: Path) -> None:
    python = Path("/home/kim/.cache/uv/builds-v0/.tmp1/bin/python")
    origin = {"url": "file:///src/dealdesk", "dir_info": {"editable": True}}
    words = ["run", "--isolated", "--directory", "/src/dealdesk", "dealdesk", "serve", "crm"]
    assert installation(tmp_path, python=python, origin=origin).command("crm") == ("/opt/uv", words)


def test_this_installation_has_every_script() -> None:
    here = Installation.here()
    for server in NAMES:
        assert Path(here.command(server)[0]).is_absolute()


def test_the_data_folder_is_always_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = server_arguments("crm", "read", load_settings(home="data"))
    assert words == ["--profile", "read", "--home", str(tmp_path / "data")]
    elsewhere = load_settings(home="data", crm_url="postgresql://kim@db/crm")
    assert server_arguments("crm", "read", elsewhere)[-2:] == [
        "--database", "postgresql+psycopg://kim@db/crm",
    ]  # fmt: skip
    assert "--database" not in server_arguments("catalog", "read", elsewhere)
    secret = load_settings(home="data", crm_url="postgresql://kim:hush@db/crm")
    with pytest.raises(UsageError, match="holds a password") as caught:
        server_arguments("crm", "read", secret)
    assert "hush" not in str(caught.value)


def test_an_entry_is_in_the_clients_own_words() -> None:
    made = {name: by_command(p, "crm", "/c", ["-a"]) for name, p in PROGRAMS.items()}
    assert made["claude-desktop"] == made["cursor"] == {"command": "/c", "args": ["-a"]}
    assert made["claude-code"] == {"type": "stdio", "command": "/c", "args": ["-a"]}
    assert made["vscode"] == made["claude-code"]
    assert (made["goose"]["cmd"], made["goose"]["type"]) == ("/c", "stdio")
    assert {how_to_reach(entry) for entry in made.values()} == {("/c", ("-a",), "")}

    url = "http://127.0.0.1:8000/crm/mcp"
    at = {n: by_address(p, "crm", url, "TOKEN") for n, p in PROGRAMS.items() if p.reference}
    assert at["claude-code"] == {
        "type": "http", "url": url, "headers": {"Authorization": "Bearer ${TOKEN}"},
    }  # fmt: skip
    assert at["vscode"]["headers"] == {"Authorization": "Bearer ${env:TOKEN}"}
    assert at["cursor"] == {"url": url, "headers": {"Authorization": "Bearer ${env:TOKEN}"}}
    assert (at["goose"]["uri"], at["goose"]["env_keys"]) == (url, ["TOKEN"])
    assert {how_to_reach(entry) for entry in at.values()} == {("", (), url)}
    assert "headers" not in by_address(PROGRAMS["cursor"], "crm", url, None)
    with pytest.raises(UsageError, match="take no address"):
        by_address(PROGRAMS["claude-desktop"], "crm", url, None)


def test_one_address_serves_one_server_or_all() -> None:
    assert addresses("http://h:1/", NAMES)["finance"] == "http://h:1/finance/mcp"
    assert addresses("http://h:1/mcp", ["crm"]) == {"crm": "http://h:1/mcp"}
    for wrong in ("http://h:1/mcp", "h:1", "ftp://h", "http://a:b@h/"):
        with pytest.raises(UsageError):
            addresses(wrong, NAMES)


def test_what_a_person_added_to_an_entry_stays() -> None:
    found = {"command": "old", "args": [], "url": "u", "disabled": True, "env": {"A": "1"}}
    wanted = {"command": "new", "args": ["-a"]}
    assert merged(found, wanted) == {**wanted, "disabled": True, "env": {"A": "1"}}
    assert merged("nonsense", wanted) == wanted
    for nonsense in ("nonsense", {}, {"command": 5}, {"command": "c", "args": "a"}):
        with pytest.raises(ValueError, match=r"is not|names no"):
            how_to_reach(nonsense)


def test_links_say_what_they_install_and_hold_no_path() -> None:
    entry = {"command": "uvx", "args": ["dealdesk", "serve", "crm", "--profile", "read"]}
    code = links("vscode", "crm", "read")
    scheme, _, sent = code["app"].partition("?")
    assert scheme == "vscode:mcp/install"
    assert json.loads(unquote(sent)) == {"name": "dealdesk-crm", **entry}
    assert parse_qs(urlsplit(code["web"]).query) == {"url": [code["app"]]}

    cursor = urlsplit(links("cursor", "crm", "read")["app"])
    assert (cursor.scheme, cursor.netloc) == ("cursor", "anysphere.cursor-deeplink")
    query = parse_qs(cursor.query)
    assert query["name"] == ["dealdesk-crm"]
    assert json.loads(base64.b64decode(query["config"][0], validate=True)) == entry

    goose = parse_qs(urlsplit(links("goose", "crm", "read")["app"]).query)
    assert [*goose["cmd"], *goose["arg"]] == [entry["command"], *entry["args"]]
    assert links("claude-desktop", "crm", "read") == {}


# ------------------------------------------------------------------------------------- the file

ENTRY = {"dealdesk-crm": {"command": "/c", "args": []}}
Write = Callable[[str | None], SettingsFile]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write VS Code's settings, or none, and read them."""

    def settings(text: str | None) -> SettingsFile:
        path = tmp_path / "User" / "mcp.json"
        if text is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        return SettingsFile.read(PROGRAMS["vscode"], path)

    return settings


def again(file: SettingsFile) -> SettingsFile:
    return SettingsFile.read(file.program, file.path)


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{ "servers": { } }', '{"servers": {\n\n}, "inputs": []}', "{\n}\n", "\ufeff \n",
     '{"servers": {/* none */}}', '{\r\n\t"servers": {"x": {}}\r\n}'],
)  # fmt: skip
def test_a_file_is_after_all_what_it_was_before(write: Write, text: str) -> None:
    file = write(text)
    copy = file.write(file.with_entries(ENTRY), NOW)
    assert copy is not None
    assert copy.name == "mcp.json.bak-20261122T213000"
    assert copy.read_bytes() == text.encode()
    changed = {"dealdesk-crm": {"command": "/d", "args": []}, "dealdesk-finance": {"url": "u"}}
    there = again(file)
    there.write(there.with_entries(changed), NOW)
    there = again(file)
    assert there.without_entries(list(changed)) == text.encode()


def test_a_missing_file_and_its_folders_are_made_for_its_owner_alone(write: Write) -> None:
    file = write(None)
    assert file.write(file.with_entries(ENTRY), NOW) is None
    assert again(file).servers() == ENTRY
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert os.listdir(file.path.parent) == ["mcp.json"]


def test_mode_and_link_stay_and_copies_never_overwrite(write: Write, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    real.chmod(0o640)
    (tmp_path / "User").mkdir()
    (tmp_path / "User" / "mcp.json").symlink_to(real)
    for number, suffix in enumerate(("", "-2", "-3")):
        file = write(None)
        entry = {"dealdesk-crm": {"command": f"/c{number}"}}
        copy = file.write(file.with_entries(entry), NOW)
        assert copy is not None
        assert copy.name == f"mcp.json.bak-20261122T213000{suffix}"
        assert copy.read_bytes() == file.before
        assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    assert file.path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert json.loads(real.read_text())["servers"]["dealdesk-crm"] == {"command": "/c2"}


def test_what_another_program_wrote_meanwhile_is_not_lost(write: Write) -> None:
    file = write("{}")
    file.path.write_text('{"theirs": 1}')
    with pytest.raises(EnvironmentProblem, match="changed by another program"):
        file.write(file.with_entries(ENTRY), NOW)
    assert file.path.read_text() == '{"theirs": 1}'
    assert os.listdir(file.path.parent) == ["mcp.json"]


def test_a_file_that_is_not_valid_is_named_with_its_line(write: Write) -> None:
    file = write('{\n  "servers": nope\n}')
    for look in (file.servers, lambda: file.with_entries(ENTRY), lambda: file.without_entries([])):
        with pytest.raises(EnvironmentProblem, match=r"mcp\.json, line 2: a value is expected"):
            look()
    latin = replace(file, before="{ü}".encode("latin-1"))
    with pytest.raises(EnvironmentProblem, match="is not UTF-8"):
        latin.servers()
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        SettingsFile.read(PROGRAMS["vscode"], file.path.parent)


def test_the_difference_covers_other_peoples_secrets(write: Write) -> None:
    file = write('{\n "servers": {\n  "x": {"env": {"X_API_KEY": "sk-1", "N": "2"}}\n }\n}\n')
    shown = "\n".join(file.difference(file.with_entries(ENTRY)))
    assert "sk-1" not in shown
    assert '"X_API_KEY": "…", "N": "2"' in shown
    assert '+  "dealdesk-crm"' in shown
    reference = {"dealdesk-crm": {"headers": {"Authorization": "Bearer ${env:TOKEN}"}}}
    assert "Bearer ${env:TOKEN}" in "\n".join(file.difference(file.with_entries(reference)))


def test_the_difference_of_one_long_line_shows_what_changes(write: Write) -> None:
    file = write(json.dumps({"a": "b" * 500, "servers": {"x": {}}, "c": "d" * 500}))
    shown = file.difference(file.with_entries(ENTRY))
    assert [line for line in shown if line[0] == "+" and "dealdesk-crm" in line]
    assert all(len(line) <= 200 for line in shown)
    other = write(json.dumps({"a": "b" * 500}) + "\n")
    entries = {f"dealdesk-{n}": {"command": "/c", "args": ["-" * 90]} for n in NAMES}
    assert "dealdesk-finance" in "\n".join(other.difference(other.with_entries(entries)))


def test_a_server_is_tried_with_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALDESK_HOME", "/x")
    monkeypatch.setenv("PATH", "/only/in/my/shell")
    given = scrubbed()
    assert "/only/in/my/shell" not in given["PATH"]
    assert set(given) <= {"HOME", "LOGNAME", "USER", "SHELL", "TMPDIR", "PATH"}
