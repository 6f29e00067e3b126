"""The components that the conformance suite asks for, behind our own app, gate and manners.

It shows that nothing we put between a client and a tool breaks the protocol: progress, questions
to the client, images, errors. Texts and names are the suite's. Run as a program it serves over
HTTP; with sessions, because 2025-11-25 lets a server ask the client only within one.
"""

import argparse
import asyncio
import base64
import logging
import struct
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Annotated, Any

from fastmcp import Context
from fastmcp.prompts import Message
from fastmcp.tools import ToolResult
from mcp import MCPDeprecationWarning
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    Completion,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.database import Database, _engine
from servers.toolkit.declare import prompt, reads, resource
from servers.toolkit.errors import DomainError
from servers.toolkit.grants import Grant, SigningKey
from servers.toolkit.shared_tables import add_grant_expiry, add_key_owner, create_shared_tables

if __name__ == "__main__":  # beside it
    import fixture_questions as questions
else:
    from . import fixture_questions as questions

OUTPUT = {
    "type": "object",
    "properties": {"done": {"type": "boolean"}},
    "required": ["done"],
}
"""Our tools declare what they give; these give content and say that they are done."""

Line = Annotated[str, Field(max_length=1000)]


def tool(title: str) -> dict[str, Any]:
    """Declare a tool of the suite."""
    return {**reads(title, rows="public"), "output_schema": OUTPUT}


def done(*blocks: ContentBlock | str) -> ToolResult:
    """Return content as a tool's result."""
    content = [TextContent(type="text", text=b) if isinstance(b, str) else b for b in blocks]
    return ToolResult(content=content, structured_content={"done": True})


def pixel() -> str:
    """Return a PNG of one red pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + body).decode()


def silence() -> str:
    """Return a WAV of eight silent samples."""
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + form + b"data" + struct.pack("<I", 8) + b"\x80" * 8
    return base64.b64encode(b"RIFF" + struct.pack("<I", len(body)) + body).decode()


def image() -> ImageContent:
    """Return the pixel as content."""
    return ImageContent(type="image", data=pixel(), mime_type="image/png")


def embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    """Return a text as an embedded resource."""
    inside = TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return EmbeddedResource(type="resource", resource=inside)


def add_content_tools(app: Server) -> None:
    """Add tools that give each kind of content, progress, log lines and errors."""

    @app.tool(**tool("Simple text"))
    def test_simple_text() -> ToolResult:
        """Return a line of text."""
        return done("This is a simple text response for testing.")

    @app.tool(**tool("Image"))
    def test_image_content() -> ToolResult:
        """Return an image."""
        return done(image())

    @app.tool(**tool("Audio"))
    def test_audio_content() -> ToolResult:
        """Return a sound."""
        return done(AudioContent(type="audio", data=silence(), mime_type="audio/wav"))

    @app.tool(**tool("Embedded resource"))
    def test_embedded_resource() -> ToolResult:
        """Return an embedded resource."""
        text = "This is an embedded resource content."
        return done(embedded("test://embedded-resource", "text/plain", text))

    @app.tool(**tool("Mixed content"))
    def test_multiple_content_types() -> ToolResult:
        """Return text, an image and a resource."""
        data = embedded(
            "test://mixed-content-resource", "application/json", '{"test":"data","value":123}'
        )
        return done("Multiple content types test:", image(), data)

    @app.tool(**tool("Error"))
    def test_error_handling() -> ToolResult:
        """Fail, always."""
        raise DomainError("This tool intentionally returns an error for testing", fix="nothing")

    @app.tool(**tool("Progress"))
    async def test_tool_with_progress(ctx: Context) -> ToolResult:
        """Report progress three times."""
        for part in (0, 50, 100):
            await ctx.report_progress(part, 100, f"{part} of 100")
            await asyncio.sleep(0.05)
        return done("Completed.")

    @app.tool(**tool("Logging"))
    async def test_tool_with_logging(ctx: Context) -> ToolResult:
        """Say three things while it runs."""
        for line in ("started", "processing data", "completed"):
            text = f"Tool {line}" if " " in line else f"Tool execution {line}"
            await ctx.info(text)
            await asyncio.sleep(0.05)
        return done("Completed.")


def add_asking_tools(app: Server) -> None:
    """Add tools that ask the client while they run, as 2025-11-25 has it."""

    @app.tool(**tool("Sampling"))
    async def test_sampling(prompt: Line, ctx: Context) -> ToolResult:
        """Ask the client's model."""
        asked = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        answer = await ctx.session.create_message(
            [asked], max_tokens=100, related_request_id=ctx.request_id
        )
        return done(f"LLM response: {getattr(answer.content, 'text', '')}")

    async def ask(ctx: Context, message: str, schema: dict[str, Any], says: str) -> ToolResult:
        answer = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
        return done(f"{says}: action={answer.action}, content={answer.content}")

    @app.tool(**tool("Elicitation"))
    async def test_elicitation(message: Line, ctx: Context) -> ToolResult:
        """Ask the person."""
        return await ask(ctx, message, questions.CONTACT, "User response")

    @app.tool(**tool("Elicitation with defaults"))
    async def test_elicitation_sep1034_defaults(ctx: Context) -> ToolResult:
        """Ask the person, with defaults."""
        message = "Please look at the defaults"
        return await ask(ctx, message, questions.DEFAULTS, "Elicitation completed")

    @app.tool(**tool("Elicitation with choices"))
    async def test_elicitation_sep1330_enums(ctx: Context) -> ToolResult:
        """Ask the person to choose."""
        return await ask(ctx, "Please choose", questions.CHOICES, "Elicitation completed")

    @app.tool(**tool("Missing capability"))
    async def test_missing_capability(ctx: Context) -> ToolResult:
        """Need a client that can sample."""
        capabilities = ctx.session.client_capabilities
        if capabilities is None or capabilities.sampling is None:
            raise MCPError(
                MISSING_REQUIRED_CLIENT_CAPABILITY,
                "The client did not declare sampling",
                {"requiredCapabilities": {"sampling": {}}},
            )
        return done("The client can sample.")


def add_resources_and_prompts(app: Server) -> None:
    """Add the suite's resources and prompts."""

    @app.resource("test://static-text", **resource("Text", rows="public", mime_type="text/plain"))
    def static_text() -> str:
        """Return a text."""
        return "This is the content of the static text resource."

    @app.resource("test://static-binary", **resource("Image", rows="public", mime_type="image/png"))
    def static_binary() -> bytes:
        """Return an image."""
        return base64.b64decode(pixel())

    @app.resource("test://template/{id}/data", **resource("Data", rows="public"))
    def template(id: str) -> str:  # noqa: A002 - the suite's own name
        """Return what belongs to an id."""
        return f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'

    @app.prompt(**prompt("Simple"))
    def test_simple_prompt() -> str:
        """Return a line."""
        return "This is a simple prompt for testing."

    @app.prompt(**prompt("With arguments"))
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """Return a line with both arguments."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @app.prompt(**prompt("With a resource"))
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:  # noqa: N803
        """Return a resource and a line."""
        text = "Embedded resource content for testing."
        return [
            Message(embedded(resourceUri, "text/plain", text)),
            Message("Please process the embedded resource above."),
        ]

    @app.prompt(**prompt("With an image"))
    def test_prompt_with_image() -> list[Message]:
        """Return an image and a line."""
        return [Message(image()), Message("Please analyze the image above.")]


def fixture_app(database: Database) -> Server:
    """Return the fixture, made as our servers are made."""
    app = create_app("fixture", database, instructions="For the conformance suite.", version="1")
    add_content_tools(app)
    add_asking_tools(app)
    questions.add_round_trips(app, tool, done)
    add_resources_and_prompts(app)

    def complete(_ref: object, argument: Any, _context: object) -> Completion:
        words = ("paris", "park", "party")
        return Completion(values=[word for word in words if word.startswith(argument.value)])

    return finish(app, completion=complete)


async def everything(app: Server) -> Grant:
    """Return a grant of all there is."""
    provider = app.local_provider
    return Grant(
        id="profile-everything",
        audience=app.name,
        tools=frozenset(t.name for t in await provider.list_tools()),
        resources=frozenset(str(r.uri) for r in await provider.list_resources())
        | {t.uri_template for t in await provider.list_resource_templates()},
        prompts=frozenset(p.name for p in await provider.list_prompts()),
    )


def main() -> None:
    """Serve on the loopback until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--transport", choices=("http",))
    parser.add_argument("--port", type=int)
    port = parser.parse_args().port
    logging.disable()
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # 2025-11-25 had sampling and logging
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "fixture.db").touch()
        database = Database(_engine(f"sqlite:///{folder}/fixture.db"), "fixture")
        with database.write() as session:
            create_shared_tables(session.connection())
            add_grant_expiry(session.connection())
            add_key_owner(session.connection())
        app = fixture_app(database)
        public = SigningKey.load(Path(folder) / "keys").public
        view = app.http_view(lambda: public, without_token=asyncio.run(everything(app)))
        view.run(
            transport="http",
            host="127.0.0.1",
            port=port,
            path="/mcp",
            host_origin_protection=True,
            show_banner=False,
            uvicorn_config={"log_level": "error"},
        )


if __name__ == "__main__":
    main()
