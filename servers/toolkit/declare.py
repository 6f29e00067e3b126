"""What a component says about itself, beside its definition: scope, rows, hints and labels.

    @app.tool(**reads("Get an opportunity", rows="bound", binds=("opportunity_id",)))
    def get_opportunity(opportunity_id: OpportunityId) -> Opportunity: ...

`rows` says why a caller can only see granted rows:

- `bound`: at least one of `binds` is a required argument, and the gate checks it;
- `filtered`: the repository narrows its queries by the grant (`scope.narrow`);
- `public`: the rows are the same for everybody and name no customer.

A server with a component that does not say, or whose saying does not hold, refuses to start.
"""

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

from fastmcp.prompts import Prompt
from fastmcp.resources import Resource, ResourceTemplate
from fastmcp.tools import Tool
from mcp.types import ToolAnnotations

from servers.toolkit.grants import DECIDING_TOOLS

Component = Tool | Resource | ResourceTemplate | Prompt
Rows = Literal["bound", "filtered", "public"]
Integrity = Literal["trusted", "untrusted"]
Confidentiality = Literal["public", "private"]
META = "dealdesk"
UI = "ui"
"""Where MCP Apps look: a tool names the page that shows its answer, the page what it may reach."""


class UndeclaredComponentError(Exception):
    """A component does not say how it is scoped; the server must not start."""


def _meta(
    rows: Rows,
    binds: tuple[str, ...] = (),
    integrity: Integrity = "trusted",
    confidentiality: Confidentiality = "private",
    narrowed: tuple[str, ...] = (),
    **about: bool,
) -> dict[str, Any]:
    said = {"rows": rows, "binds": list(binds), "integrity": integrity}
    said |= {"narrowed": list(narrowed)} if narrowed else {}
    more = {"write": False, "person_only": False, **about}
    return {META: {**said, "confidentiality": confidentiality, **more}}


def _declared(
    title: str,
    *,
    write: bool,
    rows: Rows,
    binds: tuple[str, ...] = (),
    integrity: Integrity = "trusted",
    confidentiality: Confidentiality = "private",
    destructive: bool = False,
    idempotent: bool = True,
    person_only: bool = False,
    card: str = "",
    narrowed: tuple[str, ...] = (),
) -> dict[str, Any]:
    hints = ToolAnnotations(
        title=title,
        read_only_hint=not write,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=False,
    )
    about = {"write": write, "person_only": person_only}
    meta = _meta(rows, binds, integrity, confidentiality, narrowed, **about)
    shown = {UI: {"resourceUri": card}} if card else {}
    return {"title": title, "annotations": hints, "meta": meta | shown}


reads = partial(_declared, write=False)
"""Declare a tool that only reads; `card` is the `ui://` page that can show its answer.

`narrowed` names what else its store narrows by: the accounts of bound opportunities, say.

`person_only` ones need a named person's grant: their answers are for no agent to see.
"""
writes = partial(_declared, write=True)
"""Declare a tool that changes something; `person_only` ones need a named person's grant."""


def resource(
    title: str,
    *,
    rows: Rows,
    binds: tuple[str, ...] = (),
    mime_type: str = "application/json",
    integrity: Integrity = "trusted",
    confidentiality: Confidentiality = "private",
    ui: dict[str, Any] | None = None,
    narrowed: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Declare a resource or a template; template variables carry the names of tool arguments.

    `ui` is for a `ui://` page: what it may reach, and how a host should frame it (MCP Apps).
    """
    meta = _meta(rows, binds, integrity, confidentiality, narrowed) | (
        {} if ui is None else {UI: ui}
    )
    return {"title": title, "mime_type": mime_type, "meta": meta}


def prompt(title: str) -> dict[str, Any]:
    """Declare a prompt; prompts hold instructions of ours and no rows."""
    return {"title": title, "meta": _meta("public", confidentiality="public")}


OWNERS = ("account_id", "opportunity_id", "quote_id")
"""Whose a row is, the widest first: stores narrow what they find by each of them that is bound."""


def within(bind: Collection[str], said: Mapping[str, Any]) -> bool:
    """Say whether a grant that binds something binds whose rows a component may reach."""
    if not bind or said.get("rows") != "bound":
        return True
    taken = [owner for owner in OWNERS if owner in said["binds"]]
    wider = OWNERS[: OWNERS.index(taken[0]) + 1] if taken else (*OWNERS, *said["binds"])
    return not set(bind).isdisjoint((*wider, *said.get("narrowed", ())))


def declaration(component: Component) -> dict[str, Any]:
    """Return what a component said about itself; empty when it said nothing."""
    return dict((component.meta or {}).get(META, {}))


def card_of(tool: Tool) -> str | None:
    """Return the `ui://` page that can show a tool's answer, or None."""
    uri = ((tool.meta or {}).get(UI) or {}).get("resourceUri")
    return None if uri is None else str(uri)


def without_card(tool: Tool) -> Tool:
    """Return the tool without its card, for a caller who may not read the card's page."""
    meta = {name: value for name, value in (tool.meta or {}).items() if name != UI}
    return tool.model_copy(update={"meta": meta})


def check(
    tools: Iterable[Tool],
    resources: Iterable[Resource],
    templates: Iterable[ResourceTemplate],
    prompts: Iterable[Prompt],
) -> None:
    """Refuse components that are undeclared, unbound, undocumented or unbounded; name the first."""
    resources = list(resources)
    pages = {str(item.uri) for item in resources}
    for tool in tools:
        _refuse(f"tool {tool.name}", tool, _tool_lacks(tool, pages))
    for template in templates:
        _refuse(f"template {template.uri_template}", template, _template_lacks(template))
    for item in resources:
        bound = declaration(item).get("rows") == "bound"
        lacks = ["a plain resource binds nothing"] if bound else []
        _refuse(f"resource {item.uri}", item, lacks)
    for item_prompt in prompts:
        _refuse(f"prompt {item_prompt.name}", item_prompt, ())


def _refuse(name: str, component: Component, lacks: Iterable[str]) -> None:
    if not declaration(component):
        raise UndeclaredComponentError(f"{name}: declares no scope")
    if not component.description:
        raise UndeclaredComponentError(f"{name}: has no description")
    for lack in lacks:
        raise UndeclaredComponentError(f"{name}: {lack}")


def _template_lacks(template: ResourceTemplate) -> Iterator[str]:
    said = declaration(template)
    variables = set(re.findall(r"{(\w+)\*?}", template.uri_template))
    if said["rows"] == "bound" and not variables & set(said["binds"]):
        yield "binds no variable"


def _tool_lacks(tool: Tool, pages: Container[str]) -> Iterator[str]:
    said = declaration(tool)
    properties = tool.parameters.get("properties", {})
    required = set(tool.parameters.get("required", ()))
    if said["rows"] == "bound" and not required & set(said["binds"]):
        yield "requires none of its bound arguments"
    if unknown := set(said["binds"]) - set(properties):
        yield f"binds unknown {sorted(unknown)}"
    loose = {n for n in properties if n.endswith("_id")} - set(said["binds"])
    if said["rows"] != "public" and not said["binds"] and loose:
        yield f"{sorted(loose)} cannot be bound"
    if tool.name in DECIDING_TOOLS and not said["person_only"]:
        yield "decides, but not for a person only"
    if len(tool.description or "") > 1024:
        yield "description over 1,024 characters"
    if (tool.output_schema or {}).get("type") != "object":
        yield "has no object output schema"
    for name, schema in properties.items():
        if problem := _unbounded(schema):
            yield f"argument {name} {problem}"
    if (card := card_of(tool)) is not None and card not in pages:
        yield f"there is no page {card}"


def _unbounded(schema: dict[str, Any]) -> str | None:
    """Say what bound an argument's schema lacks, or None."""
    for option in schema.get("anyOf", ()):
        if problem := _unbounded(option):
            return problem
    kind = schema.get("type")
    closed = "enum" in schema or "const" in schema or "format" in schema
    if kind == "string" and not closed and "maxLength" not in schema:
        return "is a string without maxLength"
    if kind in ("integer", "number") and not closed:
        low = "minimum" in schema or "exclusiveMinimum" in schema
        if not (low and ("maximum" in schema or "exclusiveMaximum" in schema)):
            return "is a number without minimum and maximum"
    if kind == "array":
        if "maxItems" not in schema:
            return "is an array without maxItems"
        return _unbounded(schema.get("items", {}))
    if kind == "object":
        for name, part in schema.get("properties", {}).items():
            if problem := _unbounded(part):
                return f"holds {name}, which {problem}"
    return None
