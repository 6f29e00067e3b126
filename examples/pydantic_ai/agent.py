"""An agent of Pydantic AI that reads one deal over HTTP, and cannot reach another one."""

import asyncio
import os

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, RetryPromptPart, ToolCallPart, ToolReturnPart

TASK = (
    "Which account does opportunity opp_001 belong to, and what stands in the way of a quote? "
    "Then say the same of opp_002, and tell me what came of it."
)


def server() -> Client:
    """Say where the CRM is. Each request carries the grant, and the server reads it each time."""
    url = os.environ.get("DEALDESK_URL", "http://127.0.0.1:8000/mcp")
    token = {"Authorization": f"Bearer {os.environ['DEALDESK_GRANT']}"}
    return Client(StreamableHttpTransport(url, headers=token))


def show(messages: list[ModelMessage]) -> None:
    """Print what was called and what came back."""
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                print(f"-> {part.tool_name} {part.args_as_json_str()}")
            elif isinstance(part, ToolReturnPart):
                print(f"<- {part.model_response_str()[:300]}")
            elif isinstance(part, RetryPromptPart):
                print(f"<- {part.content}")


async def main() -> None:
    """Do the task, then show that the server itself refuses what was not granted."""
    client = server()
    # "failed": what the server refuses is told to the model, which then goes on without it.
    crm = MCPToolset(client, tool_error_behavior="failed")
    agent = Agent(
        os.environ.get("MODEL", "anthropic:claude-sonnet-5-5"),
        toolsets=[crm],
        instructions="Use the tools. An error is an answer: report it, and do not guess.",
    )
    async with agent:
        print("tools:", ", ".join(sorted(tool.name for tool in await crm.list_tools())))
        result = await agent.run(TASK)
        show(result.all_messages())
        print("answer:", result.output)
        asked = {"opportunity_id": "opp_001", "stage": "lost", "expected_version": 1}
        refused = await client.call_tool("update_stage", asked, raise_on_error=False)
        print("not granted: update_stage:", refused.content[0].text)


if __name__ == "__main__":
    asyncio.run(main())
