"""What a person opens and completes at finance, and that a bound grant reaches no further."""

import json
import sys
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from fastmcp import Client
from finance_support import drafted, everyone
from mcp.shared.exceptions import MCPError
from mcp.types import BlobResourceContents, PromptReference, ResourceTemplateReference
from pypdf import PdfReader

from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.grants import Grant

READ = profile_grant("finance", "read")
QUOTE, CLAUSE = "finance://quotes/{quote_id}", "finance://clauses/{clause_id}"
PAGES = {
    "html": "text/html",
    "md": "text/markdown",
    "json": "application/json",
    "xml": "application/xml",
    "txt": "text/plain",
}
ENDINGS = ("", *(f"/quote.{form}" for form in PAGES), "/quote.pdf", "/internal.pdf")


async def told(client: Client[Any], uri: str, mime_type: str = "application/json") -> str:
    (content,) = await client.read_resource(uri)
    assert content.mime_type == mime_type
    return str(content.text)  # type: ignore[union-attr]


async def completed(client: Client[Any], uri: str, name: str, value: str) -> list[str]:
    reference = ResourceTemplateReference(type="ref/resource", uri=uri)
    found = await client.complete(reference, {"name": name, "value": value})
    assert found.total == len(found.values)
    return list(found.values)


async def test_a_quote_opens_in_every_format_as_the_customer_may_see_it(app: Server) -> None:
    made = await drafted(app, discount_bp=800)
    async with Client(app.view(READ)) as client:
        uri = f"finance://quotes/{made['quote_id']}"
        pages = {form: await told(client, f"{uri}/quote.{form}", m) for form, m in PAGES.items()}
        whole = json.loads(await told(client, uri))
        rendered = await client.call_tool(
            "render_quote", {"quote_id": made["quote_id"], "format": "html"}
        )
        assert (
            json.loads(await told(client, "finance://quotes"))["items"][0]["quote_id"]
            == (made["quote_id"])
        )
    assert pages["html"].startswith("<!doctype html>")
    assert pages["html"] == (rendered.structured_content or {})["text"]
    assert pages["md"].startswith("# ")
    assert json.loads(pages["json"])["view"] == "customer"
    assert whole["next_step"]["waits_for"] == "request_approval"
    for page in pages.values():
        for word in ("APR-", "margin_", "per_", "next_step", made["digest"], "dealdesk quote"):
            assert word not in page


async def test_the_pdf_opens_in_both_views(app: Server) -> None:
    made = await drafted(app)
    for name, inside in (("quote.pdf", False), ("internal.pdf", True)):
        async with Client(app.view(READ)) as client:
            (content,) = await client.read_resource(f"finance://quotes/{made['quote_id']}/{name}")
        assert isinstance(content, BlobResourceContents)
        assert content.mime_type == "application/pdf"
        reader = PdfReader(BytesIO(b64decode(content.blob)))
        text = "\n".join(page.extract_text() for page in reader.pages)
        assert ("Inside the house" in text) is inside
        assert set(reader.attachments) == (set() if inside else {"quote.json", "quote.xml"})


async def test_without_the_extra_the_pdf_says_what_to_install(
    app: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await drafted(app)
    monkeypatch.setitem(sys.modules, "typst", None)
    async with Client(app.view(READ)) as client:
        with pytest.raises(MCPError, match=r"pip install 'dealdesk\[pdf\]'"):
            await client.read_resource(f"finance://quotes/{made['quote_id']}/quote.pdf")


async def test_clauses_and_the_seller_can_be_opened(app: Server) -> None:
    async with Client(app.view(READ)) as client:
        rows = json.loads(await told(client, "finance://clauses"))["items"]
        sheet = json.loads(await told(client, f"finance://clauses/{rows[0]['clause_id']}"))
        assert sheet["versions"][0]["text"]
        assert sheet["versions"][0]["version"] == rows[0]["version"]
        assert json.loads(await told(client, "finance://seller"))["items"][0]["entity"]["vat_id"]
        for uri in ("finance://clauses/CL-NONE", "finance://quotes/q_none/quote.html"):
            with pytest.raises(MCPError, match=r"^Resource not found"):
                await client.read_resource(uri)
        assert rows[0]["clause_id"] in await completed(client, CLAUSE, "clause_id", "cl-")
        assert await completed(client, CLAUSE, "clause_id", "PRICES") == ["CL-PRICES"]


async def test_quotes_are_completed_by_what_people_call_them(app: Server) -> None:
    made = await drafted(app, opportunity_id="opp_901")
    async with Client(app.view(READ)) as client:
        for typed in ("", "Q_", "opp_901", "bergwald", made["quote_id"][:6]):
            assert await completed(client, QUOTE, "quote_id", typed) == [made["quote_id"]], typed
        for typed in ("opp_902", "q_%", "acc_"):
            assert await completed(client, QUOTE, "quote_id", typed) == [], typed


@pytest.mark.parametrize(
    "bind",
    [
        {"account_id": ("acc_001",)},
        {"opportunity_id": ("opp_001",)},
        {"quote_id": ("q_other",)},
    ],
    ids=str,
)
async def test_a_bound_grant_opens_and_completes_nothing_of_others(
    app: Server, bind: dict[str, tuple[str, ...]]
) -> None:
    made = await drafted(app, everyone(), opportunity_id="opp_901")
    grant: Grant = replace(READ, bind=bind)
    async with Client(app.view(grant, output_schemas=False)) as client:
        for typed in ("", "q_", "opp_901", "bergwald"):
            for ending in ENDINGS:
                assert await completed(client, QUOTE + ending, "quote_id", typed) == []
            reference = PromptReference(type="ref/prompt", name="explain_quote")
            found = await client.complete(reference, {"name": "quote_id", "value": typed})
            assert found.values == []
        for ending in ENDINGS:
            with pytest.raises(MCPError, match=r"^Resource not found"):
                await client.read_resource(f"finance://quotes/{made['quote_id']}{ending}")
        assert made["quote_id"] not in await told(client, "finance://quotes")


async def test_bound_clauses_are_the_only_ones_completed(app: Server) -> None:
    grant = replace(READ, bind={"clause_id": ("CL-PRICES",)})
    async with Client(app.view(grant, output_schemas=False)) as client:
        assert await completed(client, CLAUSE, "clause_id", "") == ["CL-PRICES"]
        with pytest.raises(MCPError, match=r"^Resource not found"):
            await client.read_resource("finance://clauses/CL-OFFER")
