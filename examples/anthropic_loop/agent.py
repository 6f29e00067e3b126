"""An agent of the plain `anthropic` SDK, with the tools that its grant allows and no others."""

import asyncio
import json
import os

from anthropic import AsyncAnthropic
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from orchestrator.toolset import ScopedToolset

TOOLS = {"list_addresses", "list_contacts"}  # what the grant names, and what this agent needs
TASK = (
    "Who may sign for account acc_001 (Alder & Finch), and where are its goods delivered? "
    "Then look up who may sign for acc_002 and tell me what came of it."
)


def server() -> Client:
    """Start the CRM over stdio. The grant is all it learns about who is calling."""
    command = os.environ.get("DEALDESK_CRM", "dealdesk-crm")
    arguments = ["--home", os.environ["DEALDESK_HOME"]] if "DEALDESK_HOME" in os.environ else []
    token = {"DEALDESK_GRANT": os.environ["DEALDESK_GRANT"]}
    return Client(StdioTransport(command, arguments, env=token))


async def work(model: AsyncAnthropic, toolset: ScopedToolset) -> str:
    """Ask the model and call what it asks for, until it has an answer."""
    messages = [{"role": "user", "content": TASK}]
    while True:
        reply = await model.messages.create(
            model=os.environ.get("MODEL", "claude-sonnet-5-5"),
            max_tokens=2000,
            system="Use the tools. An error is an answer: report it, and do not guess.",
            tools=toolset.tools,
            messages=messages,
        )
        wanted = [block for block in reply.content if block.type == "tool_use"]
        if not wanted:
            return "".join(block.text for block in reply.content if block.type == "text")
        results = []
        for block in wanted:
            call = await toolset.call(block.name, block.input)
            print(f"-> {block.name} {json.dumps(block.input)}\n<- {call.text[:300]}")
            results.append(
                {
                    "type": "tool_result",
                    "tool_use_id": block.id,
                    "content": call.text,
                    "is_error": call.is_error,
                }
            )
        messages += [
            {"role": "assistant", "content": reply.content},
            {"role": "user", "content": results},
        ]


async def main() -> None:
    """Do the task, then show that the server itself refuses what was not granted."""
    crm = server()
    # With bind={"account_id": ["acc_001"]} the toolset would hide that argument from the model
    # and fill it in. It is left out here, so that you see the server refuse another customer.
    async with ScopedToolset(crm, TOOLS) as toolset, AsyncAnthropic() as model:
        print("tools:", ", ".join(sorted(tool.name for tool in await crm.list_tools())))
        print("answer:", await work(model, toolset))
        refused = await crm.call_tool_mcp("search_accounts", {"query": "Nordlicht"})
        print("not granted: search_accounts:", refused.content[0].text)


if __name__ == "__main__":
    asyncio.run(main())
