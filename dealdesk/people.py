"""What a person does at the servers: look, and decide; each call under a grant of its own."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import BlobResourceContents

from orchestrator.calls import answer_of
from orchestrator.errors import ToolRefused, UsageError
from orchestrator.servers import Servers
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
    """Call one tool as a person, under a grant for that tool alone.

    Raises:
        ToolRefused: the server said no; the message is the server's.
    """
    grant = Grant(id=new_grant_id(), audience=server, tools=frozenset({tool}), person=person)
    async with servers.hold(grant, signing, ttl=SECONDS) as client:
        return answer_of(tool, await client.call_tool_mcp(tool, dict(arguments)))


async def read_as(
    servers: Servers,
    signing: SigningKey,
    person: str,
    server: str,
    template: str,
    uri: str,
) -> bytes:
    """Open one resource as a person, under a grant for that resource alone.

    Raises:
        ToolRefused: the server said no; the message is the server's.
    """
    grant = Grant(
        id=new_grant_id(), audience=server, resources=frozenset({template}), person=person
    )
    async with servers.hold(grant, signing, ttl=SECONDS) as client:
        try:
            parts = await client.read_resource(uri)
        except MCPError as problem:
            raise ToolRefused(str(problem)) from problem
    return b"".join(
        b64decode(part.blob) if isinstance(part, BlobResourceContents) else part.text.encode()
        for part in parts
    )


async def decide_approvals(
    servers: Servers,
    signing: SigningKey,
    person: str,
    quote: Mapping[str, Any],
    *,
    approved: bool,
    note: str,
) -> list[str]:
    """Decide every pending approval of a quote that this person may decide.

    Returns:
        The roles that still have to decide; one rejection is enough, and leaves none.

    Raises:
        UsageError: finance knows no such person, or they may decide none of it.
    """
    pending = [a for a in quote["approvals"] if a["status"] == "pending"]
    pending.sort(key=lambda approval: int(approval.get("sequence", 1)))
    refusals: list[str] = []
    left: list[str] = []
    for approval in pending:
        arguments = {
            "approval_id": approval["approval_id"],
            "decision": "approve" if approved else "reject",
            "note": note,
        }
        try:
            await call_as(servers, signing, person, "finance", "decide_approval", arguments)
        except ToolRefused as refusal:
            refusals.append(in_words(refusal))
            left.append(str(approval["role"]))
        else:
            if not approved:
                return []
    if pending and len(refusals) == len(pending):
        raise UsageError(refusals[0])
    return left


async def issue_quote(
    servers: Servers, signing: SigningKey, person: str, quote: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """Issue a quote as a person, and record in the CRM that it went out.

    Returns:
        What finance issued, and why the CRM could not take note of it; empty when it did.

    Raises:
        ToolRefused: finance may not issue it; the message says why and what comes next.
    """
    arguments = {"quote_id": quote["quote_id"], "digest": quote["digest"]}
    issued = await call_as(servers, signing, person, "finance", "issue_quote", arguments)
    known = {**quote, **issued}
    words = f"Quote {issued['number']} issued by {person}."
    return issued, await record_outcome(servers, signing, person, known, "issued", words)


async def record_outcome(
    servers: Servers,
    signing: SigningKey,
    person: str,
    quote: Mapping[str, Any],
    outcome: str,
    words: str,
) -> str:
    """Record in the CRM how a quote stands now, and log it in words.

    Finance has decided by then, so a CRM that takes no note is news and no failure.

    Args:
        servers: Where the servers are.
        signing: The key that mints grants.
        person: Who did it.
        quote: What finance says of the quote.
        outcome: What the CRM calls it: draft, issued, accepted, withdrawn.
        words: What is logged with the opportunity.

    Returns:
        Why the CRM could not take note of it; empty when it did.
    """
    total = quote["total_minor"] if "total_minor" in quote else quote["totals"]["total_minor"]
    facts = {name: quote[name] for name in ("quote_id", "revision", "number", "currency")}
    deal = {"opportunity_id": quote["opportunity_id"]}
    recorded = {**deal, **facts, "outcome": outcome, "total_minor": total}
    logged = {**deal, "kind": "note", "body": words}
    try:
        await call_as(servers, signing, person, "crm", "record_quote_outcome", recorded)
        await call_as(servers, signing, person, "crm", "log_activity", logged)
    except ToolRefused as refusal:
        return in_words(refusal)
    return ""


def in_words(refusal: ToolRefused) -> str:
    """Return a server's refusal without the code in front, which is for programs."""
    code, colon, said = refusal.message.partition(": ")
    return said if colon and code.isupper() else refusal.message
