"""server.json as the MCP registry wants it: the parts of its schema (2025-12-11) that we use."""

import copy
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servers.profiles import PROFILES

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+")
TOP = {"$schema", "name", "title", "description", "version", "packages"}
PACKAGE = {
    "registryType", "identifier", "version", "runtimeHint", "transport", "packageArguments",
    "environmentVariables",
}  # fmt: skip
INPUT = {"description", "default", "choices", "format", "value", "isRequired", "isSecret"}
FORMATS = {"string", "number", "boolean", "filepath"}


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "server.json").read_text())
    return found


def problems(entry: dict[str, Any]) -> list[str]:
    """What the registry would refuse."""
    found = [f"unknown key {key}" for key in set(entry) - TOP]
    if not NAME.fullmatch(entry.get("name", "")) or not 3 <= len(entry["name"]) <= 200:
        found.append("name")
    found += [
        f"{key} is too long" for key in ("title", "description") if len(entry.get(key, "")) > 100
    ]
    found += [key for key in ("description", "version") if not entry.get(key)]
    for package in entry["packages"]:
        found += [f"unknown key {key}" for key in set(package) - PACKAGE]
        found += [f"package {key}" for key in ("registryType", "identifier") if not package[key]]
        for version in (entry["version"], package["version"]):
            if version == "latest" or not re.fullmatch(r"\d+(\.\d+)*([a-z]+\d+)?", version):
                found.append("version")
        if package["transport"] != {"type": "stdio"}:
            found.append("transport")
        for argument in package["packageArguments"]:
            found += argument_problems(argument)
        for variable in package["environmentVariables"]:
            found += input_problems(variable, {"name"})
    return found


def argument_problems(argument: dict[str, Any]) -> list[str]:
    if argument.get("type") == "positional":
        missing = [] if {"value", "valueHint"} & set(argument) else ["positional argument"]
        return missing + input_problems(argument, {"type"})
    return input_problems(argument, {"type", "name"}) + (
        [] if argument.get("type") == "named" else ["argument type"]
    )


def input_problems(given: dict[str, Any], needed: set[str]) -> list[str]:
    wrong = [f"{given} has no {key}" for key in needed - set(given)]
    wrong += [f"unknown key {key}" for key in set(given) - needed - INPUT - {"valueHint"}]
    if given.get("format", "string") not in FORMATS:
        wrong.append("format")
    if "choices" in given and given.get("default") not in given["choices"]:
        wrong.append("default")
    return wrong


def test_the_registry_would_take_it(entry: dict[str, Any]) -> None:
    assert problems(entry) == []
    assert entry["$schema"].endswith("/schemas/2025-12-11/server.schema.json")


def long_description(entry: dict[str, Any]) -> None:
    entry["description"] = "x" * 101


def latest(entry: dict[str, Any]) -> None:
    entry["packages"][0]["version"] = "latest"


def bare_name(entry: dict[str, Any]) -> None:
    entry["name"] = "dealdesk"


def nameless_flag(entry: dict[str, Any]) -> None:
    del entry["packages"][0]["packageArguments"][-1]["name"]


def unknown_key(entry: dict[str, Any]) -> None:
    entry["packages"][0]["registry_name"] = "pypi"


@pytest.mark.parametrize("spoil", [long_description, latest, bare_name, nameless_flag, unknown_key])
def test_what_the_registry_refuses_is_found(
    entry: dict[str, Any], spoil: Callable[[dict[str, Any]], None]
) -> None:
    spoiled = copy.deepcopy(entry)
    spoil(spoiled)
    assert problems(spoiled)


def test_it_says_what_pyproject_and_the_readme_say(entry: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    package = entry["packages"][0]
    assert entry["version"] == package["version"] == project["version"]
    assert package["identifier"] == project["name"]
    assert project["name"] in project["scripts"]  # what uvx runs
    marker = f"<!-- mcp-name: {entry['name']} -->"  # the registry looks for it on PyPI's page
    assert marker in (ROOT / "README.md").read_text().splitlines()


def test_its_command_line_is_one_that_we_take(entry: dict[str, Any]) -> None:
    arguments = entry["packages"][0]["packageArguments"]
    assert [argument.get("value") for argument in arguments] == ["serve", "all", None]
    assert arguments[-1]["name"] == "--profile"
    assert set(arguments[-1]["choices"]) == set(PROFILES)
