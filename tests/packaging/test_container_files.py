"""Dockerfile, .dockerignore and compose.yaml; tests/interop/test_container.py runs the image."""

import io
import json
import re
import shlex
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from dealdesk.cli.main import build
from servers.registry import NAMES

ROOT = Path(__file__).parents[2]
SERVERS = set(NAMES)


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """The Dockerfile's instructions."""
    text = (ROOT / "Dockerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = lines.replace("\\\n", " ").splitlines()
    return [(one.partition(" ")[0], one.partition(" ")[2]) for one in joined if one]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def taken(words: list[str]) -> dict[str, Any]:
    """Read a command line as `dealdesk` does, without running it."""
    _, bound, _ = build().parse_args(words, exit_on_error=False, print_error=False)
    return dict(bound.arguments)


def said(steps: list[tuple[str, str]], instruction: str) -> list[str]:
    return [rest for name, rest in steps if name == instruction]


def test_the_image_is_of_two_stages_and_runs_as_nobody_special(
    steps: list[tuple[str, str]],
) -> None:
    assert said(steps, "FROM") == ["${BASE} AS build", "${BASE}"]
    assert said(steps, "USER") == ["10001:10001"]
    last = len(steps) - 1 - [name for name, _ in reversed(steps)].index("FROM")
    assert [name for name, _ in steps[last:]].count("USER") == 1
    assert said(steps, "VOLUME") == ["/data"]


def test_the_image_serves_everything_over_stdio_unless_told_otherwise(
    steps: list[tuple[str, str]],
) -> None:
    assert [json.loads(rest) for rest in said(steps, "ENTRYPOINT")] == [["dealdesk"]]
    (command,) = (json.loads(rest) for rest in said(steps, "CMD"))
    assert taken(command) == {"server": "all"}


def test_the_image_names_the_server_as_the_registry_knows_it(steps: list[tuple[str, str]]) -> None:
    labels = dict(part.split("=", 1) for rest in said(steps, "LABEL") for part in shlex.split(rest))
    entry = json.loads((ROOT / "server.json").read_text())
    assert labels["io.modelcontextprotocol.server.name"] == entry["name"]


def test_what_is_copied_exists_and_is_let_through(steps: list[tuple[str, str]]) -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        word
        for rest in said(steps, "COPY")
        if not rest.startswith("--from")
        for word in rest.split()[:-1]
    ]
    assert {"servers", "orchestrator", "dealdesk", "seed_data", "constraints.txt"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignore, name
    assert ignore[1] == "*"
    assert {line[1:] for line in ignore if line.startswith("!")} == set(copied)


@pytest.mark.parametrize("cmdline", [b"dealdesk\0serve\0all", b"dealdesk\0--transport\0http"])
def test_the_health_check_asks_only_where_something_listens(
    steps: list[tuple[str, str]], cmdline: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (check,) = said(steps, "HEALTHCHECK")
    program = json.loads(check.partition("CMD ")[2])
    assert program[:2] == ["python3", "-c"]
    asked: list[str] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: asked.append(url))
    exec(program[2], {"open": lambda *_: io.BytesIO(cmdline)})  # noqa: S102 - our own line
    assert asked == (["http://127.0.0.1:8000/health"] if b"http" in cmdline else [])


def test_no_file_names_anything_but_public_defaults() -> None:
    for name in ("Dockerfile", "compose.yaml", ".dockerignore", "server.json"):
        for host in re.findall(r"https?://([^/\s\"']+)", (ROOT / name).read_text()):
            assert host.partition(":")[0] in {
                "127.0.0.1", "pypi.org", "static.modelcontextprotocol.io",
            }, f"{name}: {host}"  # fmt: skip


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_each_server_is_reached_from_this_machine_only_and_with_grants(
    compose: dict[str, Any], name: str
) -> None:
    service = compose["services"][name]
    chosen = taken(service["command"])
    assert chosen == {
        "server": name,
        "transport": "http",
        "host": "0.0.0.0",  # noqa: S104 - inside the container
        "allowed_host": [name],
    }
    (port,) = service["ports"]
    assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-80\d\d\}:8000", port)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "user" not in service  # the image's own, 10001
    assert list(service["environment"]) == [f"DEALDESK_{name.upper()}_URL"]


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_server_sees_its_own_data_and_the_public_key(compose: dict[str, Any], name: str) -> None:
    data, key = compose["services"][name]["volumes"]
    assert data == f"{name}:/data"
    assert key["source"].endswith("/grant.pub")
    assert key["target"] == "/data/keys/grant.pub"
    assert key["read_only"] is True
    assert key["bind"] == {"create_host_path": False}


def test_a_worker_plays_what_is_queued_in_the_same_databases(compose: dict[str, Any]) -> None:
    service = compose["services"]["worker"]
    assert taken(service["command"]) == {}
    assert service["profiles"] == compose["services"]["postgres"]["profiles"]
    urls = {name for name in service["environment"] if name.endswith("_URL")}
    assert urls == {f"DEALDESK_{name.upper()}_URL" for name in (*SERVERS, "engine")}
    assert service["volumes"] == ["worker:/data"]  # its own key: it holds the servers itself


def test_nothing_but_the_servers_is_reached_or_started_unasked(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name for name, one in services.items() if "profiles" not in one} == SERVERS
    for name in set(services) - SERVERS:
        assert "ports" not in services[name], name
    assert services["grant"]["network_mode"] == "none"
    assert services["postgres"]["networks"] == ["databases"]
    assert compose["networks"]["databases"] == {"internal": True}
    made = re.findall(r"CREATE DATABASE (\w+);", compose["configs"]["databases"]["content"])
    assert set(made) == {*SERVERS, "engine"}
    used = {
        one.partition(":")[0]
        for s in services.values()
        for one in s["volumes"]
        if isinstance(one, str)
    }
    assert {one for one in used if one.isidentifier()} == set(compose["volumes"])
