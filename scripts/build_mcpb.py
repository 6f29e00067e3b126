"""Build dist/dealdesk-<version>.mcpb: all three servers as one bundle for desktop clients.

    scripts/build_mcpb [FOLDER]     FOLDER instead of dist/

What the manifest says of tools and prompts is asked from the servers themselves, through an MCP
client, so it cannot differ from what they serve. The bundle is a zip with fixed times: the same
sources give the same bytes.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from fastmcp import Client

from servers.profiles import profile_grant
from servers.registry import NAMES, create_server
from servers.toolkit.combined import combined_view
from servers.toolkit.database import Database

ROOT = Path(__file__).parents[1]
PACKAGES = ("servers", "orchestrator", "dealdesk", "seed_data")
FILES = ("README.md", "LICENSE")
LEFT_OUT = {"__pycache__"}
KINDS_LEFT_OUT = {".pyc", ".db", ".pem", ""}
PROFILE = "sales"
COMMAND = ["dealdesk", "serve", "all", "--profile", "${user_config.profile}"]
SAMPLES = {"opportunity_id": "opp_sample01", "quote_id": "q_sample01", "ship_to_country": "QZ"}
"""Arguments that have a form; any other takes any text."""
WORDS = (
    "One server with a CRM, a catalog and finance: find a deal and what its mails ask for, match "
    "it to products, check that they fit, may be sold there and can be shipped, price them, and "
    "draft the quote. The servers decide every number and every rule; people approve. The first "
    "start fills the data folder with a demo company."
)


async def served() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the tools and prompts that the bundle's default profile shows, as a manifest does."""
    with tempfile.TemporaryDirectory() as folder:
        databases = {name: Database.open(Path(folder) / f"{name}.db", name) for name in NAMES}
        servers = [create_server(name, database) for name, database in databases.items()]
        granted = [(server, profile_grant(server.name, PROFILE)) for server in servers]
        try:
            async with Client(await combined_view("dealdesk", "", granted)) as client:
                tools = [
                    {"name": tool.name, "description": _first(tool.description)}
                    for tool in await client.list_tools()
                ]
                prompts = [await _prompt(client, found) for found in await client.list_prompts()]
        finally:
            for server in servers:
                server.ledger.audit.flush()
                server.database.close()
    return tools, prompts


def _first(description: str | None) -> str:
    """Return what a tool does, without what only the model needs: its first paragraph."""
    return " ".join((description or "").partition("\n\n")[0].split())


async def _prompt(client: Client[Any], found: Any) -> dict[str, Any]:
    given = {one.name: SAMPLES.get(one.name, f"sample {one.name}") for one in found.arguments or ()}
    got = await client.get_prompt(found.name, given)
    text = "\n".join(message.content.text for message in got.messages)
    for name, sample in given.items():
        text = text.replace(sample, f"${{arguments.{name}}}")
    return {
        "name": found.name,
        "description": _first(found.description),
        "arguments": list(given),
        "text": text,
    }


def project() -> dict[str, Any]:
    """Return what pyproject.toml says of the project."""
    read: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return read


def manifest() -> dict[str, Any]:
    """Return the bundle's manifest, with what the servers serve now."""
    about = project()
    tools, prompts = asyncio.run(served())
    return {
        "manifest_version": "0.4",
        "name": about["name"],
        "display_name": "Deal desk",
        "version": about["version"],
        "description": about["description"],
        "long_description": WORDS,
        "author": {"name": "The dealdesk authors"},
        "license": about["license"],
        "keywords": about["keywords"],
        "icon": "icon.png",
        "server": {
            "type": "uv",
            "entry_point": "servers/together.py",
            "mcp_config": {
                "command": "uv",
                "args": ["run", "--quiet", "--directory", "${__dirname}", *COMMAND],
                "env": {"DEALDESK_HOME": "${user_config.data_dir}"},
            },
        },
        "user_config": {
            "data_dir": {
                "type": "directory",
                "title": "Data folder",
                "description": "Where the databases are. A new folder gets the demo company.",
                "required": False,
                "default": "${HOME}/.dealdesk",
            },
            "profile": {
                "type": "string",
                "title": "What it may do",
                "description": "read: look at everything. sales: also record what customers need "
                "and draft quotes. admin: also change stages and issue approved quotes.",
                "required": False,
                "default": PROFILE,
            },
        },
        "tools": tools,
        "tools_generated": True,  # another profile shows others
        "prompts": prompts,
        "compatibility": {
            "platforms": ["darwin", "linux"],
            "runtimes": {"python": about["requires-python"]},
        },
    }


def pinned(project_file: str, constraints: str) -> str:
    """Return pyproject.toml with our pins, so that uv installs just what was tested."""
    pins = [line for line in constraints.splitlines() if line and not line.startswith("#")]
    return f"{project_file}\n[tool.uv]\nconstraint-dependencies = {json.dumps(pins, indent=2)}\n"


def contents() -> dict[str, bytes]:
    """Return every file of the bundle by its path in it."""
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*"))
        if path.is_file() and path.suffix not in KINDS_LEFT_OUT and not LEFT_OUT & {*path.parts}
    }
    files |= {name: (ROOT / name).read_bytes() for name in FILES}
    constraints = (ROOT / "constraints.txt").read_text()
    files["pyproject.toml"] = pinned((ROOT / "pyproject.toml").read_text(), constraints).encode()
    files["icon.png"] = (ROOT / "assets" / "icon.png").read_bytes()
    files["manifest.json"] = (json.dumps(manifest(), indent=2) + "\n").encode()
    return files


def build(folder: Path) -> Path:
    """Write the bundle into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"dealdesk-{project()['version']}.mcpb"
    files = contents()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            bundle.writestr(entry, content)
    return path


def main() -> None:
    """Build, and say what was built."""
    path = build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path}\n{path.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
