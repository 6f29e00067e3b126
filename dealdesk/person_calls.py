"""One call of a person, under a grant for that call alone."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import BlobResourceContents

from orchestrator.errors import ToolRefused
from orchestrator.servers import Servers
from orchestrator.toolset import answer_of
from servers.toolkit.grants import Grant, SigningKey, new_grant_id

SECONDS = 300


async def call_as(
    servers: Servers,
    signing: SigningKey,
    person: str,
    server: str,
    tool: str,
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    grant = Grant(id=new_grant_id(), audience=server, tools=frozenset({tool}), person=person)
    async with servers.hold(grant, signing, ttl=SECONDS) as client:
        return answer_of(tool, await client.call_tool_mcp(tool, dict(arguments)))


async def read_as(
    servers: Servers, signing: SigningKey, person: str, server: str, template: str, uri: str
) -> bytes:
    only = frozenset({template})
    grant = Grant(id=new_grant_id(), audience=server, resources=only, person=person)
    async with servers.hold(grant, signing, ttl=SECONDS) as client:
        try:
            parts = await client.read_resource(uri)
        except MCPError as problem:
            raise ToolRefused(str(problem)) from problem
    return b"".join(
        b64decode(part.blob) if isinstance(part, BlobResourceContents) else part.text.encode()
        for part in parts
    )


def in_words(refusal: ToolRefused) -> str:
    """Return a server's refusal without the code in front, which is for programs."""
    code, colon, said = refusal.message.partition(": ")
    return said if colon and code.isupper() else refusal.message
