"""An agent of LangGraph that reads one account over HTTP, and cannot reach another one."""

import asyncio
import json
import os

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

TASK = (
    "How did earlier quotes to account acc_001 (Alder & Finch) go, and in which currency does it "
    "buy? Then get account acc_002 and tell me what came of it."
)


def servers() -> MultiServerMCPClient:
    """Say where the CRM is. Each request carries the grant, and the server reads it each time."""
    return MultiServerMCPClient(
        {
            "crm": {
                "transport": "streamable_http",
                "url": os.environ.get("DEALDESK_URL", "http://127.0.0.1:8000/mcp"),
                "headers": {"Authorization": f"Bearer {os.environ['DEALDESK_GRANT']}"},
            }
        }
    )


def show(messages: list[BaseMessage]) -> None:
    """Print what was called and what came back."""
    for message in messages:
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                print(f"-> {call['name']} {json.dumps(call['args'])}")
        elif isinstance(message, ToolMessage):
            print(f"<- {message.text[:300]}")


async def main() -> None:
    """Do the task, then show that the server itself refuses what was not granted."""
    async with servers().session("crm") as session:
        tools = await load_mcp_tools(session)
        print("tools:", ", ".join(sorted(tool.name for tool in tools)))
        agent = create_agent(
            os.environ.get("MODEL", "openai:gpt-5"),
            tools,
            system_prompt="Use the tools. An error is an answer: report it, and do not guess.",
        )
        done = await agent.ainvoke({"messages": [{"role": "user", "content": TASK}]})
        show(done["messages"])
        print("answer:", done["messages"][-1].text)
        refused = await session.call_tool("list_contacts", {"account_id": "acc_001"})
        print("not granted: list_contacts:", refused.content[0].text)


if __name__ == "__main__":
    asyncio.run(main())
