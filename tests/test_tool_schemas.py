"""A snapshot of what every component tells its callers; `UPDATE_SNAPSHOTS=1` rewrites them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from servers.profiles import components, persons
from servers.registry import NAMES, create_server
from servers.toolkit.app import Server, inlined
from servers.toolkit.database import Database
from servers.toolkit.declare import declaration

SNAPSHOTS = Path(__file__).parent / "snapshots"
HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
MAX_LEVELS = 2  # an array of flat objects is the deepest an argument may go


@pytest.fixture(scope="module", params=NAMES)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("schemas") / f"{request.param}.db"
    database = Database.open(path, request.param)
    yield create_server(request.param, database)
    database.close()


async def shown(app: Server) -> dict[str, Any]:
    provider = app.local_provider
    tools = {
        tool.name: tool.model_copy(update={"output_schema": inlined(tool.output_schema)})
        .to_mcp_tool()
        .model_dump(mode="json", by_alias=True, exclude_none=True)
        for tool in await provider.list_tools()
    }
    return {
        "tools": dict(sorted(tools.items())),
        "resources": sorted(
            [str(r.uri) for r in await provider.list_resources()]
            + [t.uri_template for t in await provider.list_resource_templates()]
        ),
        "prompts": {
            p.name: {"description": p.description, "arguments": [a.name for a in p.arguments or ()]}
            for p in await provider.list_prompts()
        },
    }


async def test_the_schemas_are_as_the_snapshots_say(app: Server) -> None:
    found = await shown(app)
    path = SNAPSHOTS / f"{app.name}.json"
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "UPDATE_SNAPSHOTS=1 and read the change"


async def test_every_tool_keeps_its_promises(app: Server) -> None:
    tools = (await shown(app))["tools"]
    assert tools
    for name, tool in tools.items():
        verb, _, noun = name.partition("_")
        assert verb.isalpha(), name
        assert noun, name
        assert tool["title"], name
        assert 20 <= len(tool["description"]) <= 1024, name
        assert all(isinstance(tool["annotations"].get(hint), bool) for hint in HINTS), name
        assert tool["inputSchema"]["type"] == "object", name
        assert tool["outputSchema"]["type"] == "object", name
        assert levels(tool["inputSchema"]) <= MAX_LEVELS, f"{name} takes nested objects"


def levels(schema: dict[str, Any], depth: int = 0) -> int:
    """How deep objects go: 1 is flat."""
    if "anyOf" in schema:
        return max(levels(option, depth) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return levels(schema.get("items", {}), depth)
    if schema.get("type") != "object":
        return depth
    inner = schema.get("properties", {}).values()
    return max((levels(part, depth + 1) for part in inner), default=depth + 1)


async def test_every_component_is_in_a_profile_or_a_persons(app: Server) -> None:
    found = await shown(app)
    names = {*found["tools"], *found["resources"], *found["prompts"]}
    admin, person = components(app.name, "admin"), persons(app.name)
    assert admin | person == names
    assert not admin & person


async def test_a_persons_tools_are_declared_so_and_no_others(app: Server) -> None:
    for tool in await app.local_provider.list_tools():
        if tool.name == "decide_approval":
            assert declaration(tool)["person_only"]
        personal = persons(app.name) - {"issue_quote"}  # the engine holds it too
        assert declaration(tool)["person_only"] == (tool.name in personal)


async def test_the_read_profile_only_reads(app: Server) -> None:
    for tool in await app.local_provider.list_tools():
        if tool.name in components(app.name, "read"):
            assert not declaration(tool)["write"], tool.name
