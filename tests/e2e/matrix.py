"""Every subject x every component of every server: listed and usable exactly when granted.

`Matrix.run` tries them all on one transport and raises `LeakError` with the first that differs. It
judges by what the server did, not by what it said: a tool that was not granted must never run,
which the audit's `allowed` and `error` rows tell.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from fastmcp import Client
from fastmcp.exceptions import ToolError
from fastmcp.utilities.tests import asgi_client
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from orchestrator.workflows import load_all
from servers.profiles import PROFILES, profile_grant
from servers.toolkit.app import Server
from servers.toolkit.grants import Grant, SigningKey, new_grant_id
from servers.toolkit.migrate import audit_table

SAMPLES: dict[str, Any] = {
    "account_id": "acc_001",
    "opportunity_id": "opp_001",
    "activity_id": "act_001_1",
    "document_id": "doc_none",
    "contact_id": "con_001",
    "need_id": "need_001",
    "ship_to_address_id": "adr_003",
    "quote_id": "q_none",
    "approval_id": "apr_none",
    "clause_id": "CL-PRICES",
    "category": "switches",
    "sku": "SW-P8-120",
    "skus": ["SW-P8-120", "SW-P16-240"],
    "query": "switch",
    "phrase": "8-port PoE switch",
    "text": "Alder & Finch",
    "lines": [{"line_id": "l1", "sku": "SW-P8-120", "quantity": 2}],
    "ship_to_country": "IE",
    "order_date": "2026-11-23",
    "ship_method": "ROAD-STD",
    "currency": "EUR",
    "amount_minor": 1000,
    "total_minor": 1000,
    "entry_id": "SCR-001",
}


class LeakError(AssertionError):
    """A component was shown or usable without a grant, or hidden or refused with one."""


@dataclass
class Subject:
    """An agent or a profile, with the grant it holds on one server."""

    name: str
    grant: Grant


@dataclass
class Components:
    """Everything one server has."""

    tools: dict[str, dict[str, Any]]
    resources: set[str]
    templates: set[str]
    prompts: dict[str, list[str]]


@dataclass
class Matrix:
    """One server's components against subjects, on one transport."""

    app: Server
    open: Callable[[Grant], AbstractAsyncContextManager[Client[Any]]]
    tried: int = 0
    allowed: int = 0
    problems: list[str] = field(default_factory=list)

    async def components(self) -> Components:
        provider = self.app.local_provider
        tools = {t.name: t.parameters for t in await provider.list_tools()}
        resources = {str(r.uri) for r in await provider.list_resources()}
        templates = {t.uri_template for t in await provider.list_resource_templates()}
        prompts = {
            p.name: [a.name for a in p.arguments or ()] for p in await provider.list_prompts()
        }
        return Components(tools, resources, templates, prompts)

    async def run(self, subjects: list[Subject]) -> "Matrix":
        everything = await self.components()
        for subject in subjects:
            async with self.open(subject.grant) as client:
                await self._lists(subject, client, everything)
                await self._tools(subject, client, everything)
                await self._resources(subject, client, everything)
                await self._prompts(subject, client, everything)
                await self._completions(subject, client, everything)
        return self

    def _judge(self, subject: Subject, what: str, granted: bool, used: bool) -> None:
        self.tried += 1
        self.allowed += used
        if granted != used:
            verb = "refused although granted" if granted else "open without a grant"
            raise LeakError(f"{subject.name}: {what} is {verb}")

    async def _lists(self, subject: Subject, client: Client[Any], all_: Components) -> None:
        grant = subject.grant
        listed = {
            "tool": {t.name for t in await client.list_tools()},
            "resource": {str(r.uri) for r in await client.list_resources()},
            "template": {t.uri_template for t in await client.list_resource_templates()},
            "prompt": {p.name for p in await client.list_prompts()},
        }
        wanted = {
            "tool": set(all_.tools) & grant.tools,
            "resource": all_.resources & grant.resources,
            "template": all_.templates & grant.resources,
            "prompt": set(all_.prompts) & grant.prompts,
        }
        everything = {
            "tool": all_.tools, "resource": all_.resources,
            "template": all_.templates, "prompt": all_.prompts,
        }  # fmt: skip
        for kind, names in everything.items():
            for name in names:
                self._judge(
                    subject, f"listing {kind} {name}", name in wanted[kind], name in listed[kind]
                )

    def _runs(self) -> int:
        """How often a tool body was reached so far, by the audit."""
        self.app.ledger.audit.flush()
        ran = sa.and_(audit_table.c.outcome != "denied", audit_table.c.method == "tools/call")
        with self.app.database.session() as session:
            count = sa.select(sa.func.count()).select_from(audit_table).where(ran)
            return int(session.connection().execute(count).scalar_one())

    async def _tools(self, subject: Subject, client: Client[Any], all_: Components) -> None:
        for name, schema in all_.tools.items():
            before = self._runs()
            arguments = sample(schema, subject.grant)
            result = await client.call_tool(name, arguments, raise_on_error=False)
            said = " ".join(getattr(block, "text", "") for block in result.content)
            ran = self._runs() > before
            if ran == said.startswith("Unknown tool"):
                raise LeakError(f"{subject.name}: {name} ran={ran} but said {said[:80]!r}")
            self._judge(subject, f"tool {name}", name in subject.grant.tools, ran)

    async def _resources(self, subject: Subject, client: Client[Any], all_: Components) -> None:
        for uri in all_.resources | all_.templates:
            filled = uri.format_map({**SAMPLES, **bound(subject.grant)})
            try:
                await client.read_resource(filled)
                used = True
            except MCPError as refusal:
                used = "Unknown resource" not in str(refusal) and "ot found" not in str(refusal)
            if uri in subject.grant.resources and ("q_none" in filled or "doc_none" in filled):
                used = True  # there is no such row; being told so is being let in
            self._judge(subject, f"resource {uri}", uri in subject.grant.resources, used)

    async def _prompts(self, subject: Subject, client: Client[Any], all_: Components) -> None:
        for name, arguments in all_.prompts.items():
            given = {a: str({**SAMPLES, **bound(subject.grant)}.get(a, "x")) for a in arguments}
            try:
                await client.get_prompt(name, given)
                used = True
            except MCPError:
                used = False
            self._judge(subject, f"prompt {name}", name in subject.grant.prompts, used)

    async def _completions(self, subject: Subject, client: Client[Any], all_: Components) -> None:
        for uri in all_.templates:
            variable = uri.partition("{")[2].partition("}")[0]
            reference = ResourceTemplateReference(type="ref/resource", uri=uri)
            found = await client.complete(reference, {"name": variable, "value": ""})
            granted = uri in subject.grant.resources
            if found.values and not granted:
                raise LeakError(f"{subject.name}: completions of {uri} without a grant")
            self._judge(subject, f"completion {uri}", granted, granted)
        for name, arguments in all_.prompts.items():
            reference_p = PromptReference(type="ref/prompt", name=name)
            for argument in arguments:
                found = await client.complete(reference_p, {"name": argument, "value": ""})
                if found.values and name not in subject.grant.prompts:
                    raise LeakError(f"{subject.name}: completions of prompt {name} without a grant")
                self.tried += 1


def bound(grant: Grant) -> dict[str, Any]:
    return {name: values[0] for name, values in grant.bind.items()}


def sample(schema: dict[str, Any], grant: Grant) -> dict[str, Any]:
    """Return arguments that fit a tool's schema, with the grant's own bound values."""
    filled: dict[str, Any] = {}
    for name in schema.get("required", ()):
        filled[name] = SAMPLES.get(name, _of(schema["properties"][name]))
    for name in grant.bind:
        if name in schema.get("properties", {}):
            filled[name] = SAMPLES[name]
    return filled


def _of(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _of(schema["anyOf"][0])
    if schema.get("pattern"):
        return "NET30"
    return {"integer": 1, "boolean": True, "array": [], "string": "text"}.get(
        str(schema.get("type")), "text"
    )


def subjects(server: str) -> list[Subject]:
    """Return every agent and profile with what it is granted on one server."""
    found = [
        Subject(
            f"agent {spec.name}",
            Grant(
                id=new_grant_id(),
                audience=server,
                tools=spec.tools_of(server),
                agent=spec.name,
                run="run_matrix",
                bind={
                    name: (SAMPLES[name],)
                    for name in ("account_id", "opportunity_id")
                    if name in spec.bind
                },
            ),
        )
        for workflow in load_all()
        for spec in workflow.agents
    ]
    found += [Subject(f"profile {name}", profile_grant(server, name)) for name in PROFILES]
    return [*found, Subject("nobody", Grant(id=new_grant_id(), audience=server, agent="nobody"))]


def in_process(app: Server, signing: SigningKey) -> Callable[[Grant], Any]:
    @asynccontextmanager
    async def opened(grant: Grant) -> AsyncIterator[Client[Any]]:
        async with Client(
            app.view(signing.mint(grant, ttl=600), signing.public, output_schemas=False)
        ) as client:
            yield client

    return opened


def over_http(app: Server, signing: SigningKey) -> Callable[[Grant], Any]:
    face = app.http_view(lambda: signing.public)

    @asynccontextmanager
    async def opened(grant: Grant) -> AsyncIterator[Client[Any]]:
        token = signing.mint(replace(grant, id=new_grant_id()), ttl=600)
        async with asgi_client(face, auth=token) as client:
            yield client

    return opened


__all__ = ["LeakError", "Matrix", "Subject", "ToolError", "in_process", "over_http", "subjects"]
