"""How the offline playbook plays each agent of the quote workflow: `play_` and the agent's name.

A play looks at the transcript and either calls the next tools or gives the final answer. It holds
no prices, no rules and no knowledge of the seed data: those are the servers'. What reads texts is
in `reading.py`, what reads goals in `goals.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dealdesk.playbook import goals, reading
from dealdesk.playbook.lines import first_lines, wire, with_additions, without_unit
from orchestrator.llm.base import Json, PlainBlock, Reply, Request, call, reply, text
from orchestrator.workflows.quote.verify import joined


def inputs_of(request: Request) -> dict[str, Any]:
    return dict(json.loads(request.task)["inputs"])


def answer(value: Mapping[str, Any]) -> Reply:
    return reply(text(json.dumps(value, ensure_ascii=False, sort_keys=True)))


def good(results: list[Any]) -> list[Json]:
    """Return the results that are data, not error texts."""
    return [result for result in results if isinstance(result, dict)]


def refs(*answers: Mapping[str, Any]) -> list[Json]:
    """Return the findings of some answers as references, each once."""
    keys = ("code", "severity", "subject", "rule_id")
    found = [{k: f.get(k, "") for k in keys} for a in answers for f in a.get("findings", ())]
    return [ref for place, ref in enumerate(found) if ref not in found[:place]]


def play_plan(request: Request) -> Reply:
    """Find the account, then the one open opportunity that the goal is about."""
    goal = goals.read_goal(inputs_of(request))
    pages = good(request.results("search_opportunities"))
    if goal.opportunity_id:
        found = request.results("get_opportunity")
        if not found:
            return reply(call("get_opportunity", opportunity_id=goal.opportunity_id))
        assigned = goals.assign_named(goal, found[0])
        if assigned.get("questions"):
            return answer(assigned)
        if goal.queries() and not pages:
            return reply(*_asked_of_deals(goal.queries(), assigned["account_id"], open_only=False))
        return answer(goals.with_unread(goal, assigned, [*good(found), *pages]))
    matches = request.results("resolve_account")
    if not matches:
        return reply(*(call("resolve_account", text=phrase) for phrase in goal.phrases))
    account = goals.choose_account(good(matches))
    if account.question is not None or account.account_id is None:
        return answer(goals.asking(goal, account.question or {"kind": "unknown_account"}))
    queries = goal.queries(account.named_by)
    if not pages:
        return reply(*_asked_of_deals(("", *queries), account.account_id, open_only=True))
    assigned = goals.assign(goal, account.account_id, *pages[: 2 if queries else 1])
    return answer(goals.with_unread(goal, assigned, [*good(matches), *pages]))


def _asked_of_deals(
    queries: Sequence[str], account_id: str, *, open_only: bool
) -> list[PlainBlock]:
    every = {"account_id": account_id, "open_only": open_only, "limit": 100}
    return [call("search_opportunities", **every, query=query) for query in queries]


def play_qualify(request: Request) -> Reply:
    """Read everything that was said, oldest first, and judge it."""
    inputs = inputs_of(request)
    opened = good(request.results("list_activities"))
    if not opened:
        return reply(
            call("quote_readiness"), call("get_opportunity"), call("list_activities", limit=100)
        )
    messages = joined(good(request.results("read_message")))
    activities = opened[0]["items"]
    if activities and not messages:
        return reply(*(call("read_message", activity_id=a["activity_id"]) for a in activities))
    if more := [m for m in messages if m.get("next_offset")]:
        return reply(
            *(
                call("read_message", activity_id=m["activity_id"], offset=m["next_offset"])
                for m in more
            )
        )
    attached = [d["document_id"] for m in messages for d in m.get("attachments", ())]
    documents = joined(good(request.results("read_document")))
    if attached and not documents and not request.results("read_document"):
        return reply(*(call("read_document", document_id=d) for d in dict.fromkeys(attached)))
    readiness = good(request.results("quote_readiness"))
    return answer(
        reading.qualify(readiness[0] if readiness else {}, messages, documents, inputs["today"])
    )


def play_profile(request: Request) -> Reply:
    """Gather what is on file; choose the address by country, else the default."""
    inputs = inputs_of(request)
    accounts = good(request.results("get_account"))
    if not accounts:
        return reply(
            call("get_account"),
            call("list_contacts", limit=100),
            call("list_addresses", limit=100),
            call("list_documents", limit=50),
            call("list_interactions", limit=100),
            call("quote_history", limit=50),
        )
    addresses = _items(request, "list_addresses")
    shipping = [a for a in addresses if a["kind"] == "shipping"]
    wanted = [a for a in shipping if a["country"] == inputs.get("ship_to_country")]
    chosen = next(iter(sorted(wanted or shipping, key=lambda a: not a["is_default"])), None)
    billing = next((a for a in addresses if a["kind"] == "billing"), None)
    contacts = _items(request, "list_contacts")
    interactions = good(request.results("list_interactions"))
    missing = {"kind": "missing_ship_to", "subject": inputs["account_id"]}
    return answer(
        {
            "account_id": inputs["account_id"],
            "kind": accounts[0]["kind"],
            "billing_address_id": billing["address_id"] if billing else None,
            "shipping_address_id": chosen["address_id"] if chosen else None,
            "ship_to_country": chosen["country"] if chosen else None,
            "contact_id": contacts[0]["contact_id"] if contacts else None,
            "document_ids": [d["document_id"] for d in _items(request, "list_documents")],
            "past_quote_ids": [
                q["quote_id"] for q in _items(request, "quote_history") if q.get("quote_id")
            ],
            "interactions": interactions[0]["total"] if interactions else 0,
            "questions": [] if chosen else [missing],
        }
    )


def play_match(request: Request) -> Reply:
    """Match each need, then add the parts the catalog says are required."""
    inputs = inputs_of(request)
    needs = inputs["needs"]
    matches = request.results("match_need")
    if needs and not matches:
        return reply(
            *(
                call("match_need", phrase=need["phrase"], quantity=need["quantity"])
                if need["quantity"]
                else call("match_need", phrase=need["phrase"])
                for need in needs
            )
        )
    lines, unmatched = first_lines(needs, matches)
    if inputs.get("findings"):
        lines, asked = without_unit(lines, inputs["findings"])
        unmatched += asked
    if not inputs.get("findings") or not lines or unmatched:
        return answer({"lines": lines, "unmatched": unmatched})
    completed = good(request.results("complete_configuration"))
    if not completed:
        return reply(
            call(
                "complete_configuration",
                lines=[wire(line) for line in lines],
                ship_to_country=inputs["ship_to_country"],
                order_date=inputs["order_date"],
            )
        )
    return answer({"lines": with_additions(lines, completed[0]), "unmatched": unmatched})


def play_check(request: Request) -> Reply:
    checked = good(request.results("check_configuration"))
    if not checked:
        return reply(
            call("check_configuration"), call("check_availability"), call("shipping_options")
        )
    shipping = good(request.results("shipping_options"))[0]
    stock = good(request.results("check_availability"))
    return answer(
        {
            "ok": checked[0]["ok"],
            "ship_method": shipping["recommended"],
            "findings": refs(checked[0], *stock, shipping),
            "lines_digest": checked[0]["lines_digest"],
        }
    )


def play_price(request: Request) -> Reply:
    inputs = inputs_of(request)
    priced = good(request.results("price_quote"))
    if not priced:
        return reply(call("price_quote"))
    quote = priced[-1]
    return answer(
        {
            "promo_codes": inputs.get("promo_codes", []),
            "discount_bp": inputs.get("discount_bp", 0),
            "currency": quote["currency"],
            "total_minor": quote["totals"]["total_minor"],
            "digest": quote["digest"],
            "findings": refs(quote),
        }
    )


def play_terms(request: Request) -> Reply:
    selected = good(request.results("select_terms"))
    if not selected:
        asked = inputs_of(request).get("payment_terms_asked")
        terms = call("select_terms", payment_terms_asked=asked) if asked else call("select_terms")
        return reply(terms, call("check_credit"), call("screen_party"))
    credit = good(request.results("check_credit"))
    screening = good(request.results("screen_party"))
    return answer(
        {
            "clause_ids": selected[0]["clause_ids"],
            "payment_terms": selected[0]["payment_terms"],
            "findings": refs(selected[0], *credit, *screening),
        }
    )


def play_assemble(request: Request) -> Reply:
    """Make the draft, and ask for approval when finance says it needs one."""
    inputs = inputs_of(request)
    cover = "renewal" if inputs.get("renews") else "standard"
    if inputs.get("revises"):
        cover = "revision"
    drafts = good(request.results("create_quote"))
    if not drafts:
        return reply(call("create_quote", cover=cover))
    if drafts[0]["approvals_needed"] and not request.results("request_approval"):
        return reply(call("request_approval", quote_id=drafts[0]["quote_id"]))
    return answer({"quote_id": drafts[0]["quote_id"], "cover": cover})


def _items(request: Request, tool: str) -> list[Json]:
    return [row for page in good(request.results(tool)) for row in page.get("items", ())]
