"""An agent of the OpenAI Agents SDK that asks finance about one customer, and only that one."""

import asyncio
import os

from agents import Agent, RunConfig, Runner
from agents.items import RunItem, ToolCallItem, ToolCallOutputItem
from agents.mcp import MCPServerStdio

TASK = (
    "May we sell to account acc_001 (Alder & Finch) on credit for EUR 12,000, and is it on the "
    "screening list? Then check the credit of acc_002 and tell me what came of it."
)


def server() -> MCPServerStdio:
    """Start finance over stdio. The grant is all it learns about who is calling."""
    home = ["--home", os.environ["DEALDESK_HOME"]] if "DEALDESK_HOME" in os.environ else []
    return MCPServerStdio(
        {
            "command": os.environ.get("DEALDESK_FINANCE", "dealdesk-finance"),
            "args": home,
            "env": {"DEALDESK_GRANT": os.environ["DEALDESK_GRANT"]},
        },
        name="finance",
        client_session_timeout_seconds=60,  # starting a process can take longer than 5 s
    )


def show(items: list[RunItem]) -> None:
    """Print what was called and what came back."""
    for item in items:
        if isinstance(item, ToolCallItem):
            print(f"-> {item.raw_item.name} {item.raw_item.arguments}")
        elif isinstance(item, ToolCallOutputItem):
            print(f"<- {str(item.output)[:300]}")


async def main() -> None:
    """Do the task, then show that the server itself refuses what was not granted."""
    async with server() as finance:
        print("tools:", ", ".join(sorted(tool.name for tool in await finance.list_tools())))
        agent = Agent(
            name="credit clerk",
            model=os.environ.get("MODEL", "gpt-5"),
            instructions="Use the tools. An error is an answer: report it, and do not guess.",
            mcp_servers=[finance],
        )
        # A tool that is not there is an answer to the model, not the end of the run.
        settings = RunConfig(tool_not_found_behavior="return_error_to_model", tracing_disabled=True)
        result = await Runner.run(agent, TASK, run_config=settings)
        show(result.new_items)
        print("answer:", result.final_output)
        refused = await finance.call_tool("get_quote", {"quote_id": "q_1"})
        print("not granted: get_quote:", refused.content[0].text)


if __name__ == "__main__":
    asyncio.run(main())
