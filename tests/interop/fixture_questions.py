"""What the fixture asks its clients: in one round trip, in several, and with which schemas."""

from collections.abc import Callable
from typing import Any

from fastmcp import Context
from fastmcp.tools import ToolResult
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)

from servers.toolkit.app import Server
from servers.toolkit.declare import prompt

Result = ToolResult | InputRequiredResult


def form(**fields: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a form."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def choices(key: str, *titles: tuple[str, str]) -> dict[str, Any]:
    """Return titled choices under `oneOf` or `anyOf`."""
    return {key: [{"const": value, "title": title} for value, title in titles]}


TEXT = {"type": "string"}
CONTACT = form(
    username={"type": "string", "description": "User's response"},
    email={"type": "string", "description": "User's email address"},
)
DEFAULTS = {
    **form(
        name={"type": "string", "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "default": True},
    ),
    "required": [],
}
PLAIN = {"type": "string", "enum": ["option1", "option2", "option3"]}
TITLED = (("value1", "First"), ("value2", "Second"), ("value3", "Third"))
CHOICES = {
    **form(
        untitledSingle=PLAIN,
        titledSingle={"type": "string", **choices("oneOf", *TITLED)},
        legacyEnum={
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti={"type": "array", "items": PLAIN},
        titledMulti={"type": "array", "items": choices("anyOf", *TITLED)},
    ),
    "required": [],
}


def elicit(message: str, **fields: dict[str, Any]) -> ElicitRequest:
    """Return a question to the person."""
    params = ElicitRequestFormParams(message=message, requested_schema=form(**fields))
    return ElicitRequest(method="elicitation/create", params=params)


def sample(text: str, max_tokens: int) -> CreateMessageRequest:
    """Return a question to the client's model."""
    said = SamplingMessage(role="user", content=TextContent(type="text", text=text))
    params = CreateMessageRequestParams(messages=[said], max_tokens=max_tokens)
    return CreateMessageRequest(method="sampling/createMessage", params=params)


def roots() -> ListRootsRequest:
    """Return a question for the client's roots."""
    return ListRootsRequest(method="roots/list")


def ask(state: str | None = None, **questions: Any) -> InputRequiredResult:
    """Return questions that the client must answer first."""
    return InputRequiredResult(
        result_type="input_required", input_requests=questions, request_state=state
    )


def answers(ctx: Context, *keys: str) -> list[Any] | None:
    """Return the answers to all the keys, or None when one is missing."""
    given = ctx.input_responses or {}
    return [given[key] for key in keys] if all(key in given for key in keys) else None


def add_round_trips(
    app: Server, tool: Callable[[str], dict[str, Any]], done: Callable[..., ToolResult]
) -> None:
    """Add tools that need more than one round trip, as 2026-07-28 has it."""
    name = {"name": TEXT}

    @app.tool(**tool("Ask a person"))
    def test_input_required_result_elicitation(ctx: Context) -> Result:
        """Greet the person by name."""
        if (said := answers(ctx, "user_name")) is None:
            return ask(user_name=elicit("What is your name?", **name))
        return done(f"Hello, {(said[0].content or {}).get('name')}!")

    @app.tool(**tool("Ask a model"))
    def test_input_required_result_sampling(ctx: Context) -> Result:
        """Say what the client's model said."""
        if (said := answers(ctx, "capital_question")) is None:
            return ask(capital_question=sample("What is the capital of France?", 100))
        return done(f"The model said: {getattr(said[0].content, 'text', '')}")

    @app.tool(**tool("Ask for roots"))
    def test_input_required_result_list_roots(ctx: Context) -> Result:
        """Name the client's roots."""
        if (said := answers(ctx, "client_roots")) is None:
            return ask(client_roots=roots())
        return done(f"Roots: {', '.join(str(root.uri) for root in said[0].roots)}")

    @app.tool(**tool("Ask with state"))
    def test_input_required_result_request_state(ctx: Context) -> Result:
        """Confirm, with state that the client carries."""
        if answers(ctx, "confirm") is None or ctx.request_state != "asked":
            return ask("asked", confirm=elicit("Please confirm", ok={"type": "boolean"}))
        return done("state-ok")

    @app.tool(**tool("Ask three at once"))
    def test_input_required_result_multiple_inputs(ctx: Context) -> Result:
        """Ask the person, the model and for roots in one round."""
        if answers(ctx, "user_name", "greeting", "client_roots") is None:
            return ask(
                "asked",
                user_name=elicit("What is your name?", **name),
                greeting=sample("Generate a greeting", 50),
                client_roots=roots(),
            )
        return done("All three were answered.")

    @app.tool(**tool("Ask twice"))
    def test_input_required_result_multi_round(ctx: Context) -> Result:
        """Ask for a name, then for a colour."""
        if ctx.request_state is None:
            return ask("step1", step1=elicit("Step 1: What is your name?", **name))
        if ctx.request_state == "step1":
            question = elicit("Step 2: What is your favorite color?", color=TEXT)
            return ask("step2", step2=question)
        return done("Both steps were answered.")

    @app.tool(**tool("Tampered state"))
    def test_input_required_result_tampered_state(ctx: Context) -> Result:
        """Confirm, with state that nobody can change."""
        if ctx.request_state is None:
            return ask("sealed", confirm=elicit("Please confirm", ok={"type": "boolean"}))
        return done("The state was ours.")

    @app.tool(**tool("Ask what the client can"))
    def test_input_required_result_capabilities(ctx: Context) -> Result:
        """Ask only what this client can answer."""
        able = ctx.session.client_capabilities
        questions: dict[str, Any] = {}
        if able is not None and able.elicitation is not None:
            questions["person"] = elicit("What is your name?", **name)
        if able is not None and able.sampling is not None:
            questions["model"] = sample("What is the capital of France?", 100)
        if not questions or answers(ctx, *questions) is not None:
            return done("Nothing more to ask.")
        return ask(**questions)

    @app.prompt(**prompt("A prompt that asks"))
    def test_input_required_result_prompt(ctx: Context) -> str | InputRequiredResult:
        """Ask for the context before giving the prompt."""
        if (said := answers(ctx, "user_context")) is None:
            question = elicit("What context should the prompt use?", context=TEXT)
            return ask(user_context=question)
        return f"Use this context: {(said[0].content or {}).get('context')}"
