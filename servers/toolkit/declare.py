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
from collections.abc import Iterable
from typing import Any, Literal

from fastmcp.prompts import Prompt
from fastmcp.resources import Resource, ResourceTemplate
from fastmcp.tools import Tool
from mcp.types import ToolAnnotations

from servers.toolkit.grants import DECIDING_TOOLS

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
    binds: tuple[str, ...],
    integrity: Integrity,
    confidentiality: Confidentiality,
    *,
    write: bool = False,
    person_only: bool = False,
) -> dict[str, Any]:
    return {
        META: {
            "rows": rows,
            "binds": list(binds),
            "integrity": integrity,
            "confidentiality": confidentiality,
            "write": write,
            "person_only": person_only,
        }
    }


def reads(
    title: str,
    *,
    rows: Rows,
    binds: tuple[str, ...] = (),
    integrity: Integrity = "trusted",
    confidentiality: Confidentiality = "private",
    person_only: bool = False,
    card: str = "",
) -> dict[str, Any]:
    """Declare a tool that only reads; `card` is the `ui://` page that can show its answer.

    `person_only` ones need a named person's grant: their answers are for no agent to see.
    """
    hints = ToolAnnotations(
        title=title,
        read_only_hint=True,
        destructive_hint=False,
        idempotent_hint=True,
        open_world_hint=False,
    )
    meta = _meta(rows, binds, integrity, confidentiality, person_only=person_only)
    return {"title": title, "annotations": hints, "meta": meta | _shown_by(card)}


def writes(
    title: str,
    *,
    rows: Rows,
    binds: tuple[str, ...] = (),
    integrity: Integrity = "trusted",
    confidentiality: Confidentiality = "private",
    destructive: bool = False,
    idempotent: bool = True,
    person_only: bool = False,
    card: str = "",
) -> dict[str, Any]:
    """Declare a tool that changes something; `person_only` ones need a named person's grant."""
    hints = ToolAnnotations(
        title=title,
        read_only_hint=False,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=False,
    )
    meta = _meta(rows, binds, integrity, confidentiality, write=True, person_only=person_only)
    meta |= _shown_by(card)
    return {"title": title, "annotations": hints, "meta": meta}


def resource(
    title: str,
    *,
    rows: Rows,
    binds: tuple[str, ...] = (),
    mime_type: str = "application/json",
    integrity: Integrity = "trusted",
    confidentiality: Confidentiality = "private",
    ui: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Declare a resource or a template; template variables carry the names of tool arguments.

    `ui` is for a `ui://` page: what it may reach, and how a host should frame it (MCP Apps).
    """
    meta = _meta(rows, binds, integrity, confidentiality) | ({} if ui is None else {UI: ui})
    return {"title": title, "mime_type": mime_type, "meta": meta}


def _shown_by(card: str) -> dict[str, Any]:
    return {UI: {"resourceUri": card}} if card else {}


def prompt(title: str) -> dict[str, Any]:
    """Declare a prompt; prompts hold instructions of ours and no rows."""
    return {"title": title, "meta": _meta("public", (), "trusted", "public")}


def declaration(component: Tool | Resource | ResourceTemplate | Prompt) -> dict[str, Any]:
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
    """Refuse components that are undeclared, unbound, undocumented or unbounded.

    Raises:
        UndeclaredComponentError: naming the first component at fault and what it lacks.
    """
    resources = list(resources)
    pages = {str(item.uri) for item in resources}
    for tool in tools:
        _check_tool(tool)
        if (card := card_of(tool)) is not None and card not in pages:
            raise UndeclaredComponentError(f"tool {tool.name}: there is no page {card}")
    for template in templates:
        said = _said("template", template.uri_template, template)
        variables = set(re.findall(r"{(\w+)\*?}", template.uri_template))
        if said["rows"] == "bound" and not variables & set(said["binds"]):
            raise UndeclaredComponentError(f"template {template.uri_template}: binds no variable")
    for item in resources:
        if _said("resource", str(item.uri), item)["rows"] == "bound":
            raise UndeclaredComponentError(f"resource {item.uri}: a plain resource binds nothing")
    for item_prompt in prompts:
        _said("prompt", item_prompt.name, item_prompt)


def _said(
    kind: str, name: str, component: Tool | Resource | ResourceTemplate | Prompt
) -> dict[str, Any]:
    said = declaration(component)
    if not said:
        raise UndeclaredComponentError(f"{kind} {name}: declares no scope")
    if not component.description:
        raise UndeclaredComponentError(f"{kind} {name}: has no description")
    return said


def _check_tool(tool: Tool) -> None:
    said = _said("tool", tool.name, tool)
    properties = tool.parameters.get("properties", {})
    required = set(tool.parameters.get("required", ()))
    if said["rows"] == "bound" and not required & set(said["binds"]):
        raise UndeclaredComponentError(f"tool {tool.name}: requires none of its bound arguments")
    if unknown := set(said["binds"]) - set(properties):
        raise UndeclaredComponentError(f"tool {tool.name}: binds unknown {sorted(unknown)}")
    loose = {n for n in properties if n.endswith("_id")} - set(said["binds"])
    if said["rows"] != "public" and not said["binds"] and loose:
        raise UndeclaredComponentError(f"tool {tool.name}: {sorted(loose)} cannot be bound")
    if (tool.name in DECIDING_TOOLS) and not said["person_only"]:
        raise UndeclaredComponentError(f"tool {tool.name}: decides, but not for a person only")
    if len(tool.description or "") > 1024:
        raise UndeclaredComponentError(f"tool {tool.name}: description over 1,024 characters")
    if (tool.output_schema or {}).get("type") != "object":
        raise UndeclaredComponentError(f"tool {tool.name}: has no object output schema")
    for name, schema in properties.items():
        if problem := _unbounded(schema):
            raise UndeclaredComponentError(f"tool {tool.name}: argument {name} {problem}")


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
