"""How the offline playbook plays each agent of the quote workflow: `play_` and the agent's name.

It holds no prices, no rules and no knowledge of the seed data: those are the servers'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dealdesk.playbook import goals, reading
from orchestrator.llm.base import Json, PlainBlock, Reply, Request, call, reply, text
from orchestrator.workflows.quote.contracts import KEPT, REFERENCES
from orchestrator.workflows.quote.verify import joined


def inputs_of(request: Request) -> dict[str, Any]:
    return dict(json.loads(request.task)["inputs"])


def answer(value: Json) -> Reply:
    return reply(text(json.dumps(value, ensure_ascii=False, sort_keys=True)))


def good(request: Request, tool: str) -> list[Json]:
    """Return the results of a tool that are data, not error texts."""
    return [result for result in request.results(tool) if isinstance(result, dict)]


def refs(*answers: Json) -> list[Json]:
    """Return the findings of some answers as references, each once."""
    keys = ("code", "severity", "subject", "rule_id")
    found = [{k: f.get(k, "") for k in keys} for a in answers for f in a.get("findings", ())]
    return [ref for place, ref in enumerate(found) if ref not in found[:place]]


def play_plan(request: Request) -> Reply:
    goal = goals.read_goal(inputs_of(request))
    pages = good(request, "search_opportunities")
    if goal.opportunity_id:
        found = request.results("get_opportunity")
        if not found:
            return reply(call("get_opportunity", opportunity_id=goal.opportunity_id))
        assigned = goals.assign_named(goal, found[0])
        if assigned.get("questions"):
            return answer(assigned)
        if goal.queries() and not pages:
            return reply(*_asked_of_deals(goal.queries(), assigned["account_id"], open_only=False))
        return answer(
            goals.with_unread(goal, assigned, [*good(request, "get_opportunity"), *pages])
        )
    matches = request.results("resolve_account")
    if not matches:
        return reply(*(call("resolve_account", text=phrase) for phrase in goal.phrases))
    account = goals.choose_account(good(request, "resolve_account"))
    if account.question is not None or account.account_id is None:
        return answer(goals.asking(goal, account.question or {"kind": "unknown_account"}))
    queries = ("", *goal.queries(account.named_by))
    if not pages:
        return reply(*_asked_of_deals(queries, account.account_id, open_only=True))
    if not pages[0]["items"] and len(request.results("search_opportunities")) == len(queries):
        return reply(*_asked_of_deals(queries, account.account_id, open_only=False))
    closed = pages[len(queries) :]
    won = goals.assign_won(goal, account.account_id, closed[0]) if closed else None
    assigned = won or goals.assign(goal, account.account_id, *pages[: len(queries)][:2])
    return answer(goals.with_unread(goal, assigned, [*good(request, "resolve_account"), *pages]))


def _asked_of_deals(
    queries: Sequence[str], account_id: str, *, open_only: bool
) -> list[PlainBlock]:
    every = {"account_id": account_id, "open_only": open_only, "limit": 100}
    return [call("search_opportunities", **every, query=query) for query in queries]


def play_qualify(request: Request) -> Reply:
    inputs = inputs_of(request)
    opened = good(request, "list_activities")
    if not opened:
        return reply(
            call("quote_readiness"), call("get_opportunity"), call("list_activities", limit=100)
        )
    messages = joined(good(request, "read_message"))
    activities = opened[0]["items"]
    if activities and not messages:
        return reply(*(call("read_message", activity_id=a["activity_id"]) for a in activities))
    if more := [m for m in messages if m.get("next_offset")]:
        parts = [(m["activity_id"], m["next_offset"]) for m in more]
        return reply(*(call("read_message", activity_id=a, offset=at) for a, at in parts))
    attached = [d["document_id"] for m in messages for d in m.get("attachments", ())]
    documents = joined(good(request, "read_document"))
    if attached and not documents and not request.results("read_document"):
        return reply(*(call("read_document", document_id=d) for d in dict.fromkeys(attached)))
    readiness = good(request, "quote_readiness")
    return answer(
        reading.qualify(readiness[0] if readiness else {}, messages, documents, inputs["today"])
    )


def play_profile(request: Request) -> Reply:
    """Gather what is on file; choose the address by country, else the default."""
    inputs = inputs_of(request)
    accounts = good(request, "get_account")
    if not accounts:
        lists = ("list_contacts", "list_addresses", "list_documents", "list_interactions")
        most = {"list_documents": 50}
        return reply(
            call("get_account"),
            *(call(name, limit=most.get(name, 100)) for name in lists),
            call("quote_history", limit=50),
        )
    addresses = _items(request, "list_addresses")
    shipping = [a for a in addresses if a["kind"] == "shipping"]
    wanted = [a for a in shipping if a["country"] == inputs.get("ship_to_country")]
    chosen = next(iter(sorted(wanted or shipping, key=lambda a: not a["is_default"])), None)
    billing = next((a for a in addresses if a["kind"] == "billing"), None)
    contacts, quotes = _items(request, "list_contacts"), _items(request, "quote_history")
    interactions = good(request, "list_interactions")
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
            "past_quote_ids": [q["quote_id"] for q in quotes if q.get("quote_id")],
            "interactions": interactions[0]["total"] if interactions else 0,
            "questions": [] if chosen else [missing],
        }
    )


def play_match(request: Request) -> Reply:
    inputs = inputs_of(request)
    needs = inputs["needs"]
    matches = request.results("match_need")
    if needs and not matches:
        asked = [
            {name: need[name] for name in ("phrase", "quantity") if need[name]} for need in needs
        ]
        return reply(*(call("match_need", **one) for one in asked))
    lines, unmatched = first_lines(needs, matches)
    if inputs.get("findings"):
        lines, asked = without_unit(lines, inputs["findings"])
        unmatched += asked
    if not inputs.get("findings") or not lines or unmatched:
        return answer({"lines": lines, "unmatched": unmatched})
    completed = good(request, "complete_configuration")
    if not completed:
        given = {name: inputs[name] for name in ("ship_to_country", "order_date")}
        return reply(call("complete_configuration", lines=[wire(line) for line in lines], **given))
    return answer({"lines": with_additions(lines, completed[0]), "unmatched": unmatched})


def play_check(request: Request) -> Reply:
    checked = good(request, "check_configuration")
    if not checked:
        return reply(
            call("check_configuration"), call("check_availability"), call("shipping_options")
        )
    shipping = good(request, "shipping_options")[0]
    stock = good(request, "check_availability")
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
    priced = good(request, "price_quote")
    if not priced:
        return reply(call("price_quote"))
    quote = priced[-1]
    handed = {"promo_codes": inputs.get("promo_codes", [])}
    handed |= {"discount_bp": inputs.get("discount_bp", 0), "findings": refs(quote)}
    total = {"total_minor": quote["totals"]["total_minor"]}
    return answer({**handed, **total, "currency": quote["currency"], "digest": quote["digest"]})


def play_terms(request: Request) -> Reply:
    selected = good(request, "select_terms")
    if not selected:
        asked = inputs_of(request).get("payment_terms_asked")
        terms = call("select_terms", payment_terms_asked=asked) if asked else call("select_terms")
        return reply(terms, call("check_credit"), call("screen_party"))
    credit = good(request, "check_credit")
    screening = good(request, "screen_party")
    return answer(
        {
            "clause_ids": selected[0]["clause_ids"],
            "payment_terms": selected[0]["payment_terms"],
            "findings": refs(selected[0], *credit, *screening),
        }
    )


def play_assemble(request: Request) -> Reply:
    inputs = inputs_of(request)
    cover = "renewal" if inputs.get("renews") else "standard"
    if inputs.get("revises"):
        cover = "revision"
    drafts = good(request, "create_quote")
    if not drafts:
        return reply(call("create_quote", cover=cover))
    if drafts[0]["approvals_needed"] and not request.results("request_approval"):
        return reply(call("request_approval", quote_id=drafts[0]["quote_id"]))
    return answer({"quote_id": drafts[0]["quote_id"], "cover": cover})


def _items(request: Request, tool: str) -> list[Json]:
    return [row for page in good(request, tool) for row in page.get("items", ())]


def first_lines(needs: Sequence[Json], matches: Sequence[Any]) -> tuple[list[Json], list[Json]]:
    """Return a line per need that the catalog resolved, and the needs it did not, with reasons."""
    lines: list[Json] = []
    unmatched: list[Json] = []
    line_of: dict[str, str] = {}
    for need, match in zip(needs, matches, strict=True):
        found = match if isinstance(match, dict) else {"candidates": [], "resolved": None}
        if found["resolved"] is None or not need["quantity"]:
            unmatched.append(_left(need, found))
            continue
        line_id = f"l{len(lines) + 1}"
        line_of[need["ref"]] = line_id
        lines.append(_line(line_id, need, found, line_of))
    return lines, unmatched


def _left(need: Json, found: Json) -> Json:
    candidates = [candidate["sku"] for candidate in found["candidates"][:5]]
    reason = "ambiguous" if candidates else "no_match"
    if found["resolved"] is not None:
        reason, candidates = "no_quantity", [found["resolved"]]
    return {"need_ref": need["ref"], "reason": reason, "candidates": candidates}


def _line(line_id: str, need: Json, found: Json, line_of: Mapping[str, str]) -> Json:
    """Return the line of a need; references to needs become references to their lines."""
    codes = {finding["code"] for finding in found.get("findings", ())}
    named = str(found["resolved"]).replace("-", "") in need["phrase"].upper().replace("-", "")
    reason = "successor" if codes & {"EOL_SUCCESSOR", "SUCCESSOR"} else "best_match"
    return {
        "line_id": line_id,
        "sku": found["resolved"],
        "quantity": need["quantity"],
        "unit": need.get("unit") or "each",
        "optional": need.get("optional", False),
        "options": list(need.get("options", ())),
        **{name: need.get(name) for name in KEPT},
        **{name: line_of.get(need.get(name) or "") for name in REFERENCES},
        "need_ref": need["ref"],
        "reason": "named" if named else reason,
    }


def wire(line: Json) -> Json:
    """Return a line as the servers take it: without the need it answers, and why."""
    return {key: value for key, value in line.items() if key not in ("need_ref", "reason")}


def with_additions(lines: Sequence[Json], completed: Json) -> list[Json]:
    """Return the lines with the required parts the catalog proposes, one line per SKU.

    A part is as optional as what it is for, and a subscription runs as long.
    """
    by_id = {line["line_id"]: line for line in lines}
    together: dict[tuple[tuple[str, Any], ...], int] = {}
    for addition in completed["additions"]:
        owner = by_id.get(addition["for_line"], {})
        unit = addition.get("unit", "each")
        fields = {
            "sku": addition["sku"],
            "unit": unit,
            "optional": bool(owner.get("optional", False)),
            **{
                name: owner.get(name)
                for name in ("term_months", "start", "end")
                if unit == "license"
            },
        }
        key = tuple(fields.items())
        together[key] = together.get(key, 0) + addition["quantity"]
    parts = [
        {
            "line_id": f"l{len(lines) + place}",
            **dict(fields),
            "quantity": quantity,
            "reason": "required_part",
        }
        for place, (fields, quantity) in enumerate(together.items(), start=1)
    ]
    return [*lines, *parts]


def without_unit(lines: Sequence[Json], findings: Sequence[Json]) -> tuple[list[Json], list[Json]]:
    """Return the lines the catalog sells by their unit, and the other needs: to be asked."""
    wrong = {found["subject"] for found in findings if found["code"] == "UNIT"}
    kept = [line for line in lines if line["line_id"] not in wrong]
    return kept, [
        {"need_ref": line["need_ref"], "reason": "unit", "candidates": [line["sku"]]}
        for line in lines
        if line["line_id"] in wrong
    ]
