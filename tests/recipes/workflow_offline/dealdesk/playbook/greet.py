"""How the offline playbook plays the greet workflow."""

import json

from orchestrator.llm.base import Reply, Request, call, reply, text


def play_find(request: Request) -> Reply:
    """Take the account that the CRM finds."""
    found = request.results("resolve_account")
    if not found:
        goal = json.loads(request.task)["inputs"]["goal"]
        return reply(call("resolve_account", text=goal.removeprefix("Greet ")))
    return reply(text(json.dumps({"account_id": found[0]["candidates"][0]["account_id"]})))


def play_greet(request: Request) -> Reply:
    """Say of what kind it is."""
    read = request.results("get_account")
    if not read:
        return reply(call("get_account"))
    return reply(text(json.dumps({"kind": read[0]["kind"]})))
