"""The bundle as a desktop client treats it: validated, packed, unpacked, started, spoken to.

Starting it lets uv install what pyproject.toml names, from the registry that uv is set up with.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

ROOT = Path(__file__).parents[2]
INTEROP = os.environ.get("DEALDESK_TEST_INTEROP", "")
MCPB = Path(INTEROP) / "node/node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"
NODE = Path(INTEROP) / "node/bin/node"
UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
INHERITED = ("PATH", "HOME", "LANG", "SYSTEMROOT", "UV_", "PIP_INDEX", "SSL_", "HTTP", "NO_PROXY")

pytestmark = [
    pytest.mark.skipif(not INTEROP, reason="not run: scripts/interop sets DEALDESK_TEST_INTEROP"),
    pytest.mark.skipif(
        bool(INTEROP) and not MCPB.exists(), reason=f"not run: there is no {MCPB.name} of mcpb"
    ),
    pytest.mark.timeout(900),
]


def mcpb(*words: str | Path) -> str:
    done = subprocess.run(
        [NODE, MCPB, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, ROOT / "scripts/build_mcpb.py", folder], check=True)
    return next(folder.glob("dealdesk-*.mcpb"))


@pytest.fixture(scope="module")
def unpacked(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("extension")
    mcpb("unpack", bundle, folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_its_manifest_is_valid_and_packs_again(
    unpacked: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    assert "validation passes" in mcpb("validate", unpacked / "manifest.json")
    again = tmp_path / "again.mcpb"
    mcpb("pack", unpacked, again)
    with zipfile.ZipFile(again) as packed:
        names = set(packed.namelist())
    assert {"manifest.json", "icon.png", "pyproject.toml", "servers/together.py"} <= names
    record_property("figure", f"mcpb: {again.stat().st_size // 1024} KiB, {len(names)} files")


def filled(words: list[str], unpacked: Path, settings: dict[str, str]) -> list[str]:
    """Put in what a desktop client puts in."""
    places = {"${__dirname}": str(unpacked), "${HOME}": str(Path.home())}
    places |= {f"${{user_config.{name}}}": value for name, value in settings.items()}
    for place, value in places.items():
        words = [word.replace(place, value) for word in words]
    return words


async def test_its_own_command_starts_a_server_that_answers(
    unpacked: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    if UV is None:
        pytest.skip("not run: there is no uv")
    manifest: dict[str, Any] = json.loads((unpacked / "manifest.json").read_text())
    config = manifest["server"]["mcp_config"]
    settings = {name: option["default"] for name, option in manifest["user_config"].items()}
    settings["data_dir"] = str(tmp_path / "data")
    env = {name: value for name, value in os.environ.items() if name.startswith(INHERITED)}
    env |= {name: filled([v], unpacked, settings)[0] for name, v in config["env"].items()}
    assert config["command"] == "uv"
    transport = StdioTransport(UV, filled(config["args"], unpacked, settings), env=env)
    async with Client(transport, init_timeout=600) as client:
        tools = await client.list_tools()
        assert {tool.name for tool in tools} == {tool["name"] for tool in manifest["tools"]}
        found = await client.call_tool("match_need", {"phrase": "8-port PoE switch"})
        assert found.structured_content["resolved"] == "SW-P8-120"
        prompts = {prompt.name for prompt in await client.list_prompts()}
        assert prompts == {prompt["name"] for prompt in manifest["prompts"]}
    assert {path.name for path in (tmp_path / "data").glob("*.db")} >= {"crm.db", "finance.db"}
    record_property("figure", f"mcpb: unpacked, started by uv, {len(tools)} tools, one called")
