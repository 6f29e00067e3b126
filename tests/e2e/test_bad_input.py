"""A bad environment: one clear line, the right exit code, and nothing half-written."""

import asyncio
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fake_messages import FakeMessages, HTTPFail, on_loopback

from dealdesk.settings import load_settings
from orchestrator.durable.store import open_store

from .conftest import ALDER, DAY, Command, Folder, files_of

pytestmark = pytest.mark.timeout(120)
Copy = Callable[[Folder], Path]


def garbage(path: Path) -> None:
    path.write_bytes(b"no database at all " * 500)


def torn(path: Path) -> None:
    """A database whose pages were overwritten behind its header."""
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4096)
    path.write_bytes(data)


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def another_programs(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE bookmark (url TEXT)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")


@pytest.mark.parametrize(
    ("server", "harm", "words"),
    [
        ("crm", garbage, "is not a database"),
        ("catalog", garbage, "is not a database"),
        ("finance", garbage, "is not a database"),
        ("crm", torn, "is corrupt"),
        ("finance", nothing, "is an empty file"),
        ("catalog", another_programs, "is not a dealdesk"),
        ("crm", newer, "newer"),
        ("finance", newer, "newer"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_and_left_alone(
    server: str,
    harm: Callable[[Path], None],
    words: str,
    seeded: Folder,
    copy: Copy,
    command: Command,
) -> None:
    home = copy(seeded)
    harm(home / f"{server}.db")
    before = files_of(home)
    command("run", ALDER, home=home).fails(3, words, server)
    after = files_of(home)
    assert after[f"{server}.db"] == before[f"{server}.db"], "never a new one over it"


def test_a_run_does_not_begin_on_a_database_that_cannot_be_used(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    garbage(home / "finance.db")
    command("run", ALDER, home=home).fails(3, "finance.db", "Try: ")
    (home / "finance.db").write_bytes((seeded.home / "finance.db").read_bytes())
    assert command("runs", "list", "--json").json == []


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("runs.db", garbage),
        ("runs.db", nothing),
        ("runs.db", another_programs),
        ("engine.db", garbage),
        ("engine.db", nothing),
    ],
)
def test_the_engines_own_files_are_looked_at_too(
    name: str, harm: Callable[[Path], None], quoted: Folder, copy: Copy, command: Command
) -> None:
    home = copy(quoted)
    harm(home / name)
    before = (home / name).read_bytes()
    command("run", ALDER, home=home).fails(3, "Try: ")
    assert (home / name).read_bytes() == before


def test_runs_of_a_newer_version_are_left_alone(
    quoted: Folder, copy: Copy, command: Command
) -> None:
    home = copy(quoted)
    with closing(sqlite3.connect(home / "runs.db")) as database, database:
        database.execute("UPDATE run_schema SET version = 99")
    command("runs", "list", home=home).fails(3, "newer", "upgrade")


@pytest.mark.parametrize(
    "arguments",
    [("run", ALDER), ("init",), ("init", "--empty"), ("quote", "list"), ("runs", "list")],
)
def test_a_file_where_the_folder_should_be_is_named(
    arguments: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    command(*arguments, home=blocked).fails(3, str(blocked))
    command(*arguments, home=blocked / "below").fails(3, str(blocked))
    assert blocked.read_text() == "in the way"


@pytest.mark.parametrize(
    ("inside", "arguments"),
    [
        ("keys", ("run", ALDER)),
        ("keys", ("init", "--empty")),
        ("crm.db", ("run", ALDER)),
        ("catalog.db", ("init", "--empty")),
        ("finance.db", ("init", "--empty")),
    ],
)
def test_a_place_in_the_folder_that_cannot_be_written_is_named(
    inside: str, arguments: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    if inside == "keys":
        home.mkdir()
        (home / "keys").write_text("in the way")
    else:
        (home / inside / "in the way").mkdir(parents=True)
    command(*arguments, home=home).fails(3, inside)
    assert not (home / "quotes").exists()


def test_a_folder_for_quotes_that_cannot_be_made_is_named(
    quoted: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    home, quote_id = copy(quoted), quoted.said.json["quote_id"]
    for words in (("quote", "render", quote_id), ("run", ALDER), ("runs", "approve", "run_x")):
        person = ("--as", "per_tomas") if "approve" in words else ()
        said = command(*words, *person, "--out", blocked, home=home)
        said.fails(3, "cannot write", "--out")
    assert len(command("runs", "list", "--json").json) == 1, "no run for a quote with no place"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_signing_key_that_others_can_read_is_refused(
    mode: int, seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    (home / "keys" / "grant.pem").chmod(mode)
    command("run", ALDER, home=home).fails(3, "can be read by others", "chmod 600")


def test_a_signing_key_that_is_none_is_refused(
    seeded: Folder, copy: Copy, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy(seeded)
    (home / "keys" / "grant.pem").write_text("-----BEGIN PRIVATE KEY-----\nnot really\n")
    command("run", ALDER, home=home).fails(3, "signing key", "grant.pem")
    monkeypatch.setenv("DEALDESK_GRANT_KEY", "secret words that are no key")
    said = command("run", ALDER, home=home)
    said.fails(3, "signing key", "DEALDESK_GRANT_KEY")
    assert "secret words" not in said.err


@pytest.mark.parametrize("token", ["garbage", "eyJhbGciOiJub25lIn0.e30.", ""])
def test_a_server_with_a_wrong_grant_serves_nothing(
    token: str, seeded: Folder, program: Command
) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    call = {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "tools/call",
        "params": {"name": "get_account", "arguments": {"account_id": "acc_001"}},
    }
    said = program(
        home=seeded.home,
        module="servers.crm",
        given="".join(json.dumps(m) + "\n" for m in (hello, ready, ask, call)),
        DEALDESK_GRANT=token,
    )
    assert "Traceback" not in said.err
    assert "Alder" not in said.out
    assert not token or token not in said.out + said.err
    assert "the grant in DEALDESK_GRANT opens nothing here" in said.err
    if said.out:
        answers = {m["id"]: m for m in map(json.loads, said.out.splitlines()) if "id" in m}
        assert answers.get(2, {}).get("result", {}).get("tools", []) == []
    else:
        said.fails(3, "grant")


def test_a_server_that_would_be_open_to_others_is_refused(seeded: Folder, command: Command) -> None:
    door = ("serve", "crm", "--transport", "http", "--host", "0.0.0.0")  # noqa: S104
    command(*door, "--profile", "read", home=seeded.home).fails(3, "0.0.0.0", "--profile")  # noqa: S104
    command(*door).fails(3, "--allowed-host")


def test_an_unreachable_server_is_named(
    seeded: Folder, copy: Copy, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {"catalog": {"url": "http://127.0.0.1:9/mcp"}}}))
    monkeypatch.setenv("DEALDESK_SERVERS", str(file))
    command("run", ALDER, home=copy(seeded)).fails(3, "the catalog server cannot be reached")
    monkeypatch.delenv("DEALDESK_SERVERS")
    assert command("runs", "list", "--json").json == []


def test_a_server_program_that_does_not_start_is_named(
    seeded: Folder, copy: Copy, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {"crm": {"command": str(tmp_path / "no program")}}}))
    monkeypatch.setenv("DEALDESK_SERVERS", str(file))
    command("run", ALDER, home=copy(seeded)).fails(3, "the crm server cannot be reached")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"mcpServers": 3}', '{"mcpServers": {"crm": {}}}']
)
def test_a_servers_file_that_says_nothing_is_named(
    text: str, seeded: Folder, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(text)
    monkeypatch.setenv("DEALDESK_SERVERS", str(file))
    command("quote", "list", home=seeded.home).fails(3, "mcp.json", "mcpServers")


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_key_that_is_not_accepted_ends_with_4(
    name: str,
    refusing: str,
    seeded: Folder,
    copy: Copy,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, "sk-ant-a-bad-one")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", refusing)
    home = copy(seeded)
    said = command("run", ALDER, "--model", "claude", "--json", home=home)
    said.fails(4, "does not accept the credentials", "ANTHROPIC_API_KEY")
    assert "sk-ant" not in said.err
    with open_store(load_settings(home=home).runs_url) as store:
        assert [row["status"] for row in store.list()] == ["open"], "it can be resumed"
    assert command("quote", "list", "--json").json == []


def test_no_key_for_claude_ends_with_4(seeded: Folder, copy: Copy, command: Command) -> None:
    home = copy(seeded)
    for model in ("claude", "claude-sonnet-5-5", "some-local-model"):
        command("run", ALDER, "--model", model, home=home).fails(4, "ANTHROPIC_API_KEY")
    assert command("runs", "list", "--json").json == []


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """The URL of an endpoint that accepts no key."""

    class Refusing(list[HTTPFail]):
        def __bool__(self) -> bool:
            return True

        def pop(self, _place: object = -1) -> HTTPFail:  # type: ignore[override]
            return HTTPFail(401, "authentication_error", "invalid x-api-key")

    fake = FakeMessages(brain=lambda _: (_ for _ in ()).throw(AssertionError), fails=Refusing())
    found: list[str] = []
    up, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with on_loopback(fake) as url:
            found.append(url)
            up.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert up.wait(20)
    yield found[0]
    over.set()
    thread.join(20)


@pytest.mark.parametrize("day", ["2026-13-01", "tomorrow", "23.11.2026", "2026-02-30"])
def test_a_day_that_is_none_is_a_usage_error(day: str, command: Command, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command("run", ALDER, "--order-date", day, home=home).fails(2, day, "YYYY-MM-DD")
    assert not home.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model = ", "cannot be read"),
        ('colour = "blue"', "colour"),
        ("model = 3", "model is not text"),
        ('engine_url = "mysql://here/db"', "mysql"),
    ],
)
def test_a_settings_file_that_is_wrong_is_a_usage_error(
    text: str, words: str, command: Command, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dealdesk.toml").write_text(text)
    command("run", ALDER, home=home).fails(2, words)
    assert [p.name for p in home.iterdir()] == ["dealdesk.toml"]


def test_a_goal_that_is_nothing_is_a_usage_error(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    for goal in ("", "   ", "x" * 5000):
        command("run", goal, *DAY, home=home).fails(2, "goal")
    assert command("runs", "list", "--json").json == []


def test_a_lost_public_key_is_made_again_by_nobody(
    seeded: Folder, copy: Copy, program: Command
) -> None:
    home = copy(seeded)
    shutil.rmtree(home / "keys")
    said = program(home=home, module="servers.crm", DEALDESK_GRANT="a.b.c")
    said.fails(3, "public key")
    assert not (home / "keys").exists()
