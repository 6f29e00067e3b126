"""What an agent hands over, judged by what the servers really answered.

Pure functions: an output, the agent's tool calls and the outputs before it go in; sentences that
say what is wrong come out, and go back to the agent for one repair. So no agent, hijacked or
merely careless, can drop a server's finding, invent an id, or price other lines than it was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from orchestrator.workflow import Outputs
from orchestrator.workflows.quote import contracts as c
from orchestrator.workflows.quote.goal_words import read_said, unread

if TYPE_CHECKING:
    from orchestrator.toolset import Call

Calls = Sequence["Call"]


def answers(calls: Calls, *names: str) -> list[Mapping[str, Any]]:
    """Return the results of the successful calls of some tools, oldest first."""
    good = (call for call in calls if call.name in names and not call.is_error)
    return [call.result for call in good if call.result is not None]


def last(calls: Calls, name: str) -> Mapping[str, Any]:
    """Return the last successful result of a tool, empty when there is none."""
    found = answers(calls, name)
    return found[-1] if found else {}


def joined(answers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one answer per message or document, with the text of its pages in order.

    A page that does not follow on what is there is left out: offsets into the text stay true.
    """
    whole: dict[str, dict[str, Any]] = {}
    for answer in answers:
        source = str(answer.get("activity_id") or answer.get("document_id"))
        found = whole.setdefault(source, {**answer, "text": ""})
        if int(answer.get("offset") or 0) == len(found["text"]):
            found["text"] += str(answer.get("text", ""))
            found["next_offset"] = answer.get("next_offset")
    return list(whole.values())


def seen(calls: Calls, key: str) -> set[str]:
    """Return every value that some result gave for a key, however deep."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, Mapping):
            for name, part in value.items():
                if name == key and isinstance(part, str):
                    found.add(part)
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    for call in calls:
        if not call.is_error:
            walk(call.result)
    return found


def verify_assignment(output: c.Assignment, calls: Calls, outputs: Outputs) -> list[str]:
    """The ids must come from the CRM, belong together, and leave no word of the goal out."""
    problems = []
    if not output.questions and not output.opportunity_id:
        problems.append("give an opportunity_id, or a question")
    for name, value in (
        ("account_id", output.account_id),
        ("opportunity_id", output.opportunity_id),
    ):
        if value and value not in seen(calls, name):
            problems.append(f"{name} {value} was in no answer of the CRM")
    if output.opportunity_id and not output.questions:
        owners = {
            row.get("account_id")
            for answer in answers(calls, "get_opportunity", "search_opportunities")
            for row in (answer, *answer.get("items", ()))
            if row.get("opportunity_id") == output.opportunity_id
        }
        if output.account_id not in owners:
            problems.append(f"{output.opportunity_id} does not belong to {output.account_id}")
    if output.account_id and any(one.kind == "no_open_opportunity" for one in output.questions):
        problems += _may_be_won(output.account_id, calls)
    return problems + (_left_out(output, calls, outputs["run"]) if "run" in outputs else [])


def _may_be_won(account_id: str, calls: Calls) -> list[str]:
    """Let an account's only deal be handed over where it is won: the run says by which quote."""
    searches = [call for call in calls if call.name == "search_opportunities"]
    rows = [row for page in answers(searches, "search_opportunities") for row in page["items"]]
    stages = {r["opportunity_id"]: r["stage"] for r in rows if r["account_id"] == account_id}
    every = {"account_id": account_id, "open_only": False}
    if not stages and not any(every.items() <= call.arguments.items() for call in searches):
        return [f"call search_opportunities with {account_id} and open_only=false: it may be won"]
    if list(stages.values()) != ["closed_won"]:
        return []
    return [f"hand over {next(iter(stages))}, which is won, without a question; the run says so"]


def _left_out(output: c.Assignment, calls: Calls, run: Mapping[str, Any]) -> list[str]:
    """Say which words of the goal are in no field, and which fields are not in the goal."""
    goal, today = str(run["goal"]), date.fromisoformat(run["order_date"])
    problems = []
    if output.constraints != c.Constraints.model_validate(read_said(goal, today).constraints):
        problems.append("constraints must hold what the goal asks for, and nothing else")
    if output.questions:
        return problems
    if left := unread(
        goal,
        today,
        account_id=output.account_id,
        opportunity_id=output.opportunity_id,
        answers=answers(calls, "resolve_account", "search_opportunities", "get_opportunity"),
    ):
        problems.append(
            f"nothing takes up these words of the goal: {', '.join(left)}; call "
            "search_opportunities with account_id and them as the query, to see whether the deal "
            "speaks of them, or hand over a question of kind unread_words with those words"
        )
    return problems


def verify_qualification(output: c.Qualification, calls: Calls, _outputs: Outputs) -> list[str]:
    """Every span must lie in a text that was read, and every need must stand in its span."""
    texts = {
        str(answer.get("activity_id") or answer.get("document_id")): str(answer["text"])
        for answer in joined(answers(calls, "read_message", "read_document"))
    }
    problems = []
    spans = [*output.evidence, *(need.span for need in output.needs)]
    spans += [claim.span for claim in output.claims]
    for span in spans:
        if span.source_id not in texts:
            problems.append(f"{span.source_id} was not read")
        elif not 0 <= span.start < span.end <= len(texts[span.source_id]):
            problems.append(f"span {span.start}-{span.end} is outside {span.source_id}")
    refs = [need.ref for need in output.needs]
    if len(set(refs)) != len(refs):
        problems.append("two needs share a ref")
    problems += [
        f"{name} of {need.ref} is {other}, which is no other need"
        for need in output.needs
        for name in c.REFERENCES
        if (other := getattr(need, name)) is not None and (other not in refs or other == need.ref)
    ]
    written = " ".join(texts.values()).lower()
    for need in output.needs if output.decision == "quote" else ():
        problems += [f"{need.ref}: {said}" for said in _too_much(need)]
        if bool(need.change) != bool(need.subscription_id):
            problems.append(f"{need.ref}: change and subscription_id go together, or leave both")
        if need.subscription_id and need.subscription_id.lower() not in written:
            problems.append(f"{need.subscription_id} stands in no text that was read")
    counted = [need for need in output.needs if need.quantity is not None]
    if output.decision == "quote" and not counted:
        problems.append("a quote needs at least one need with a quantity")
    readiness = last(calls, "quote_readiness")
    if output.decision == "quote" and readiness.get("verdict") == "do_not_quote":
        problems.append("quote_readiness says do_not_quote")
    return problems


def _too_much(need: c.Need) -> Iterable[str]:
    """Say what a need must leave to finance: it follows from another need or a subscription."""
    if need.term_months is not None and need.end is not None:
        yield "give term_months or end, not both"
    if need.change == "amend" and (need.term_months is not None or need.end is not None):
        yield "an addition ends with its subscription: leave out term_months and end"
    if need.start is not None and (need.change == "renew" or need.segment_of is not None):
        yield "it begins when the one before ends: leave out start"


def verify_profile(output: c.Profile, calls: Calls, outputs: Outputs) -> list[str]:
    """Addresses, contacts and documents must be on file for this account."""
    problems = []
    if output.account_id != outputs.get("plan", {}).get("account_id"):
        problems.append("account_id is not the assignment's")
    addresses = {
        row["address_id"]: row
        for answer in answers(calls, "list_addresses")
        for row in answer.get("items", ())
    }
    for name in ("billing_address_id", "shipping_address_id"):
        value = getattr(output, name)
        if value is not None and value not in addresses:
            problems.append(f"{name} {value} is not on file")
    shipping = addresses.get(output.shipping_address_id or "", {})
    if shipping and shipping.get("country") != output.ship_to_country:
        problems.append(f"ship_to_country must be {shipping.get('country')}")
    if output.contact_id is not None and output.contact_id not in seen(calls, "contact_id"):
        problems.append(f"contact {output.contact_id} is not on file")
    return problems


def verify_match(output: c.Match, calls: Calls, outputs: Outputs) -> list[str]:
    """SKUs must come from the catalog; all that is said of a need must be on its line."""
    problems = []
    before = {line["sku"] for line in outputs.get("previous", {}).get("lines", ())}
    known = seen(calls, "sku") | before
    parts = before | {
        part["sku"] for a in answers(calls, "complete_configuration") for part in a["additions"]
    }
    needs = {need["ref"]: need for need in outputs.get("qualify", {}).get("needs", ())}
    ids = [line.line_id for line in output.lines]
    if len(set(ids)) != len(ids):
        problems.append("two lines share a line_id")
    for line in output.lines:
        if line.sku not in known:
            problems.append(f"{line.sku} was in no answer of the catalog")
        if line.reason == "required_part":
            if line.sku not in parts:
                problems.append(f"complete_configuration asked for no {line.sku}")
            continue
        need = needs.get(line.need_ref or "")
        if need is None:
            problems.append(f"{line.line_id} answers no need")
        else:
            problems += _unlike(line, need, output.lines)
    answered = {line.need_ref for line in output.lines} | {u.need_ref for u in output.unmatched}
    if left := sorted(set(needs) - answered):
        problems.append(f"no line and no reason for {', '.join(left)}")
    return problems


def _unlike(line: c.Line, need: Mapping[str, Any], lines: Sequence[c.Line]) -> list[str]:
    is_ = line.model_dump(mode="json")
    due = {
        name: need[name] for name in ("quantity", "optional", "options", *c.KEPT) if name in need
    }
    if need.get("unit"):
        due["unit"] = need["unit"]
    line_of = {one.need_ref: one.line_id for one in reversed(lines) if one.need_ref}
    due |= {name: line_of.get(need[name]) for name in c.REFERENCES if need.get(name)}
    return [
        f"{line.line_id} must have {name} {value}"
        for name, value in due.items()
        if is_[name] != value
    ]


def severe(findings: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return (code, severity) of the findings that matter, warnings and up."""
    return {(f["code"], f["severity"]) for f in findings if f["severity"] != "info"}


def _dropped(
    output: c.Check | c.Price | c.Terms, answers_: Iterable[Mapping[str, Any]]
) -> list[str]:
    said = severe(f for answer in answers_ for f in answer.get("findings", ()))
    kept = severe(ref.model_dump() for ref in output.findings)
    return [f"the finding {code} ({severity}) is missing" for code, severity in said - kept] + [
        f"no server found {code} ({severity})" for code, severity in kept - said
    ]


def _not_as_told(output: BaseModel, told: Mapping[str, Any], where: str) -> list[str]:
    """Name the fields of an output that do not hold what a tool answered, or was asked."""
    wrong = [name for name, value in told.items() if getattr(output, name) != value]
    many = "are not those of", "is not that of"
    return [f"{name} {many[not name.endswith('s')]} {where}" for name in wrong]


def verify_check(output: c.Check, calls: Calls, _outputs: Outputs) -> list[str]:
    """The judgement must be the catalog's, on exactly the lines that were handed over."""
    configuration = last(calls, "check_configuration")
    shipping = last(calls, "shipping_options")
    if not configuration or not shipping:
        return ["call check_configuration and shipping_options first"]
    said = {"lines_digest": configuration.get("lines_digest")}
    problems = _not_as_told(output, said, "the last check_configuration")
    if output.ok and not configuration.get("ok"):
        problems.append("check_configuration did not say ok")
    allowed = {o["method"] for o in shipping.get("options", ()) if o.get("allowed")}
    if output.ship_method is not None and output.ship_method not in allowed:
        problems.append(f"{output.ship_method} is not an allowed shipping method")
    stock = answers(calls, "check_availability")[-1:]
    return problems + _dropped(output, [configuration, shipping, *stock])


def verify_price(output: c.Price, calls: Calls, _outputs: Outputs) -> list[str]:
    """The digest, total and findings must be finance's; a discount never exceeds the goal's."""
    answer = last(calls, "price_quote")
    if not answer:
        return ["call price_quote first"]
    asked = [one.arguments for one in calls if one.name == "price_quote" and not one.is_error][-1]
    said = {
        "digest": answer.get("digest"),
        "total_minor": answer.get("totals", {}).get("total_minor"),
        "currency": answer.get("currency"),
        "promo_codes": list(asked.get("promo_codes", [])),
        "discount_bp": asked.get("discount_bp", 0),
    }
    return _not_as_told(output, said, "the last price_quote") + _dropped(output, [answer])


def verify_terms(output: c.Terms, calls: Calls, _outputs: Outputs) -> list[str]:
    """Clauses and payment terms are finance's choice; credit and screening must be asked."""
    terms = last(calls, "select_terms")
    credit, screening = last(calls, "check_credit"), last(calls, "screen_party")
    if not (terms and credit and screening):
        return ["call select_terms, check_credit and screen_party first"]
    said = {
        "clause_ids": list(terms.get("clause_ids", ())),
        "payment_terms": terms.get("payment_terms"),
    }
    problems = _not_as_told(output, said, "select_terms")
    return problems + _dropped(output, [terms, credit, screening])


def verify_assembly(output: c.Assembly, calls: Calls, _outputs: Outputs) -> list[str]:
    """The quote must be the one that finance stored, and approval must have been asked for."""
    draft = last(calls, "create_quote")
    if not draft:
        return ["call create_quote first"]
    problems = _not_as_told(output, {"quote_id": draft.get("quote_id")}, "create_quote")
    if draft.get("approvals_needed") and not answers(calls, "request_approval"):
        problems.append("the quote needs approval: call request_approval")
    return problems


def same_lines(lines: Iterable[c.Line]) -> list[dict[str, Any]]:
    """Return lines in the wire shape that every server's `lines` argument takes."""
    keep = set(c.Line.model_fields) - {"need_ref", "reason"}
    return [line.model_dump(mode="json", include=keep) for line in lines]
