"""The desktop bundle's manifest and contents; tests/interop/test_mcpb.py also starts it."""

import importlib.util
import struct
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

from servers.profiles import PROFILES, components, persons
from servers.registry import NAMES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_mcpb", ROOT / "scripts/build_mcpb.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manifest(builder: ModuleType) -> dict[str, Any]:
    made: dict[str, Any] = builder.manifest()
    return made


def test_it_names_what_a_salesperson_is_served(manifest: dict[str, Any]) -> None:
    granted = frozenset().union(*(components(name, "sales") for name in NAMES))
    prompts = {prompt["name"] for prompt in manifest["prompts"]}
    tools = {tool["name"] for tool in manifest["tools"]}
    assert tools | prompts == {name for name in granted if "://" not in name}
    assert not tools & frozenset().union(*map(persons, NAMES))
    assert all(tool["description"] for tool in manifest["tools"])


def test_its_prompts_leave_room_for_what_is_asked(manifest: dict[str, Any]) -> None:
    for prompt in manifest["prompts"]:
        for argument in prompt["arguments"]:
            assert f"${{arguments.{argument}}}" in prompt["text"], prompt["name"]
        assert "sample" not in prompt["text"]


def test_it_says_what_pyproject_says(manifest: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for key in ("name", "version", "description", "license"):
        assert manifest[key] == project[key]
    assert manifest["compatibility"]["runtimes"]["python"] == project["requires-python"]


def test_it_starts_all_servers_with_what_the_person_chose(manifest: dict[str, Any]) -> None:
    config = manifest["server"]["mcp_config"]
    assert config["args"][-5:] == [
        "dealdesk", "serve", "all", "--profile", "${user_config.profile}",
    ]  # fmt: skip
    assert config["env"] == {"DEALDESK_HOME": "${user_config.data_dir}"}
    assert manifest["user_config"]["profile"]["default"] in PROFILES
    for name in PROFILES:
        assert f"{name}:" in manifest["user_config"]["profile"]["description"]


def test_the_bundle_holds_what_is_needed_and_nothing_of_this_machine(
    builder: ModuleType, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "manifest", lambda: manifest)
    files: dict[str, bytes] = builder.contents()
    needed = {"manifest.json", "icon.png", "pyproject.toml", "README.md", "LICENSE"}
    assert needed | {manifest["server"]["entry_point"], "dealdesk/cli/serve.py"} <= set(files)
    assert any(name.startswith("seed_data/crm/") for name in files)
    assert not [name for name in files if "__pycache__" in name or name.endswith((".db", ".pem"))]
    assert struct.unpack(">II", files["icon.png"][16:24]) == (512, 512)


def test_the_bundle_installs_the_versions_that_were_tested(builder: ModuleType) -> None:
    original = (ROOT / "pyproject.toml").read_text()
    pins = (ROOT / "constraints.txt").read_text()
    made = tomllib.loads(builder.pinned(original, pins))
    assert made["project"] == tomllib.loads(original)["project"]
    constraints = [Requirement(pin) for pin in made["tool"]["uv"]["constraint-dependencies"]]
    pinned = {constraint.name for constraint in constraints if "==" in str(constraint.specifier)}
    wanted = {Requirement(one).name for one in made["project"]["dependencies"]}
    assert {name.lower() for name in wanted} <= pinned
