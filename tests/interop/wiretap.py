"""Listen in between a client and a server: what was asked, and in which protocol version."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

VERSION = "io.modelcontextprotocol/protocolVersion"
HOP = {"content-length", "transfer-encoding", "connection", "host", "content-encoding"}


def tapped(command: list[str], script: Path, tap: Path) -> str:
    """Make a script that starts a stdio server and keeps a copy of what it is told."""
    script.write_text(f'#!/bin/sh\ntee {shlex.quote(str(tap))} | {shlex.join(command)} "$@"\n')
    script.chmod(0o700)
    return str(script)


def heard(tap: Path) -> tuple[list[str], set[str]]:
    """Return the tools that were called through a tapped script, and the versions spoken.

    A call of 2026-07-28 says so itself. Older ones speak the version that `initialize` settled.
    """
    asked = [json.loads(line) for line in tap.read_text(encoding="utf-8").splitlines()]
    params = [(one.get("method"), one.get("params") or {}) for one in asked]
    opened = {p["protocolVersion"] for method, p in params if method == "initialize"}
    called = [p.get("_meta") or {} for method, p in params if method == "tools/call"]
    said = {meta[VERSION] for meta in called if VERSION in meta}
    return _calls(asked), said or opened


@dataclass
class Proxy:
    """A relay to a server over HTTP; `app` is to be served.

    Attributes:
        calls: The tools that were called, in order.
        versions: The protocol versions that calls were made in.
    """

    base: str
    calls: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/mcp", self._relay, methods=["GET", "POST", "DELETE"])])

    async def _relay(self, request: Request) -> Response:
        body = await request.body()
        said = json.loads(body) if body else {}
        self.calls += _calls([said])
        if said.get("method") == "tools/call":
            self.versions.add(request.headers.get("mcp-protocol-version", "none"))
        async with httpx2.AsyncClient(timeout=60) as client:
            answer = await client.request(
                request.method, f"{self.base}/mcp", content=body, headers=_kept(request.headers)
            )
        return Response(answer.content, answer.status_code, _kept(answer.headers))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP}


def _calls(asked: list[dict[str, Any]]) -> list[str]:
    return [one["params"]["name"] for one in asked if one.get("method") == "tools/call"]
