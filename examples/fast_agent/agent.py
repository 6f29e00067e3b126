"""A fast-agent agent, written as a card, that reads one deal and cannot reach another one."""

import asyncio
import json

from fast_agent import FastAgent

TASK = (
    "What did the customer ask for first in opportunity opp_001? "
    "Then list what happened in opp_002, and tell me what came of it."
)

fast = FastAgent("dealdesk", config_path="fast-agent.yaml", quiet=True)
fast.load_agents("agents")


def show(messages: list) -> None:
    """Print what was called and what came back."""
    for message in messages:
        for call in (message.tool_calls or {}).values():
            print(f"-> {call.params.name} {json.dumps(call.params.arguments)}")
        for result in (message.tool_results or {}).values():
            print(f"<- {result.content[0].text[:300]}")


async def main() -> None:
    """Do the task, then show that the server itself refuses what was not granted."""
    async with fast.run() as app:
        reader = app["deal-reader"]
        tools = (await reader.list_tools()).tools
        print("tools:", ", ".join(sorted(tool.name for tool in tools)))
        answer = await reader.send(TASK)
        show(reader.message_history)
        print("answer:", answer)
        asked = {"opportunity_id": "opp_001", "kind": "note", "text": "Sold!"}
        refused = await reader.call_tool("crm__log_activity", asked)
        print("not granted: log_activity:", refused.content[0].text)


if __name__ == "__main__":
    asyncio.run(main())
