"""Tools, resources and prompts as plain functions of a module.

    @tool(reads("List contacts", rows="bound", binds=ACCOUNT))
    def list_contacts(session: Session, account_id: AccountId) -> ContactPage: ...

The first argument of a tool or a resource is the server's own, which callers do not see: its
database, or (`Session`) a session on it, in which a tool that writes commits at the end. A prompt
has none. `add_components` adds every function that is so marked in a module.
"""

import functools
import inspect
from collections.abc import Callable
from importlib.resources import files
from string import Template
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlmodel import Session

from servers.toolkit.app import Server
from servers.toolkit.declare import META

MARK = "__dealdesk_component__"
F = TypeVar("F", bound=Callable[..., Any])
Add = Callable[[Server, Callable[..., Any], object], object]


def tool(
    declared: dict[str, Any], *, output_schema: dict[str, Any] | None = None
) -> Callable[[F], F]:
    """Make a function a tool; `declared` is what `declare.reads` or `declare.writes` returns."""
    more: dict[str, Any] = {} if output_schema is None else {"output_schema": output_schema}
    write = declared["meta"][META]["write"]
    return _marked(
        lambda app, function, own: app.tool(
            _without(function, own, write=write), **more, **declared
        )
    )


def resource_at(uri: str, declared: dict[str, Any]) -> Callable[[F], F]:
    """Make a function a resource, or a template; `declared` is what `declare.resource` returns.

    A model that it returns is given as JSON.
    """
    return _marked(
        lambda app, function, own: app.resource(uri, **declared)(
            _without(function, own, told=_as_text)
        )
    )


def prompt_for(declared: dict[str, Any]) -> Callable[[F], F]:
    """Make a function a prompt; `declared` is what `declare.prompt` returns."""
    return _marked(lambda app, function, _own: app.prompt(function, **declared))


def job_story(package: str, name: str, **given: str) -> str:
    """Return what a server says to models, `instructions/<name>.md`, with what it is given."""
    text = (files(package) / "instructions" / f"{name}.md").read_text(encoding="utf-8")
    return Template(text).substitute(given)


def _marked(add: Add) -> Callable[[F], F]:
    def mark(function: F) -> F:
        setattr(function, MARK, add)
        return function

    return mark


def add_components(app: Server, own: object, *modules: ModuleType) -> None:
    """Add every component of some modules to a server, each where it is defined, in their order."""
    for module in modules:
        for function in vars(module).values():
            add: Add | None = getattr(function, MARK, None)
            if add is not None and function.__module__ == module.__name__:
                add(app, function, own)


def _as_text(found: Any) -> Any:
    return found.model_dump_json() if isinstance(found, BaseModel) else found


def _without(
    function: Callable[..., Any],
    own: Any,
    *,
    write: bool = False,
    told: Callable[[Any], Any] = lambda found: found,
) -> Callable[..., Any]:
    """Return the function as callers see it: without its first argument."""
    signature = inspect.signature(function, eval_str=True)
    first, *seen = signature.parameters.values()
    in_session = first.annotation is Session

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if not in_session:
            return told(function(own, *arguments, **named))
        with own.write() if write else own.session() as session:
            return told(function(session, *arguments, **named))

    del call.__wrapped__  # where FastMCP would find the first argument
    call.__annotations__ = {n: t for n, t in function.__annotations__.items() if n != first.name}
    call.__signature__ = signature.replace(parameters=seen)  # type: ignore[attr-defined]
    return call
