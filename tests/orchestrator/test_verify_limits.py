"""What an agent hands over, at the limits of what passes: spans, last answers, missing answers."""

from typing import Any

import pytest

from orchestrator.workflows.quote import verify
from orchestrator.workflows.quote.contracts import (
    Assembly,
    Assignment,
    Check,
    Line,
    Match,
    Price,
    Profile,
    Qualification,
    Terms,
)

DIGEST = "a" * 64
STALE = {"code": "STALE", "severity": "warning", "subject": "l1", "rule_id": "r"}
TEXT = "Twelve switches, please."


class Call:
    def __init__(
        self, name: str, result: dict[str, Any] | None, *, is_error: bool = False, **arguments: Any
    ) -> None:
        self.name, self.result, self.arguments, self.is_error = name, result, arguments, is_error


READ = Call("read_message", {"activity_id": "act_1", "text": TEXT})


def need(first: int = 0, after: int = 6, **changes: Any) -> dict[str, Any]:
    span = {"source_id": "act_1", "start": first, "end": after}
    return {"ref": "n1", "phrase": "switches", "quantity": 12, "span": span, **changes}


def qualified(*calls: Call, **changes: Any) -> list[str]:
    output = {"decision": "quote", "reason": "explicit_request", "needs": [need()], **changes}
    given = Qualification.model_validate(output)
    return verify.verify_qualification(given, [READ, *calls], {})


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        *((0, 1, True), (0, 0, False), (6, 6, False), (6, 5, False), (6, 7, True)),
        *((0, len(TEXT) - 1, True), (0, len(TEXT), True), (0, len(TEXT) + 1, False)),
        *((len(TEXT) - 1, len(TEXT), True), (len(TEXT), len(TEXT) + 1, False)),
    ],
)
@pytest.mark.parametrize("where", ["needs", "evidence", "claims"])
def test_a_span_holds_a_letter_and_lies_in_its_text(
    where: str, start: int, end: int, *, inside: bool
) -> None:
    """An empty span quotes nothing, whatever it is said to prove."""
    span = need(start, end)["span"]
    changes = {
        "needs": {"needs": [need(start, end)]},
        "evidence": {"evidence": [span]},
        "claims": {"claims": [{"kind": "discount", "span": span}]},
    }
    said = [] if inside else [f"span {start}-{end} is outside act_1"]
    assert qualified(**changes[where]) == said


def test_a_span_before_the_text_is_outside_too() -> None:
    """The contract refuses it first; the judge does not lean on that."""
    given = Qualification.model_validate(
        {"decision": "quote", "reason": "explicit_request", "needs": [need()]}
    )
    before = given.needs[0].span.model_copy(update={"start": -1})
    moved = given.needs[0].model_copy(update={"span": before})
    output = given.model_copy(update={"needs": [moved]})
    said = verify.verify_qualification(output, [READ], {})
    assert said == ["span -1-6 is outside act_1"]


def test_only_what_was_read_counts() -> None:
    failed = Call("read_message", {"activity_id": "act_2", "text": TEXT}, is_error=True)
    other = need(ref="n2")
    other["span"] = {**other["span"], "source_id": "act_2"}
    said = qualified(failed, needs=[need(), other])
    assert said == ["act_2 was not read"]


@pytest.mark.parametrize(
    ("decision", "needs", "verdict", "said"),
    [
        ("quote", [need()], "ready", []),
        ("quote", [need()], "do_not_quote", ["quote_readiness says do_not_quote"]),
        ("quote", [], "ready", ["a quote needs at least one need with a quantity"]),
        (
            *("quote", [need(quantity=None)], "ready"),
            ["a quote needs at least one need with a quantity"],
        ),
        ("quote", [need(), need(ref="n2", quantity=None)], "ready", []),
        ("ask", [], "do_not_quote", []),
        ("no_quote", [], "do_not_quote", []),
        ("quote", [need(), need()], "ready", ["two needs share a ref"]),
    ],
)
def test_a_quote_needs_a_quantity_and_the_crms_consent(
    decision: str, needs: list[Any], verdict: str, said: list[str]
) -> None:
    asked = Call("quote_readiness", {"verdict": verdict})
    assert qualified(asked, decision=decision, needs=needs) == said


def test_the_last_word_of_the_crm_counts() -> None:
    first, last = (Call("quote_readiness", {"verdict": v}) for v in ("do_not_quote", "ready"))
    assert qualified(first, last) == []
    assert qualified(last, first) != []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"change": "amend", "end": "2027-06-30"}, ["ends with its subscription"]),
        ({"change": "amend"}, []),
        ({"change": "renew", "end": "2027-06-30"}, []),
        ({"change": "renew", "start": "2027-06-30"}, ["leave out start"]),
        ({"change": "amend", "start": "2027-06-30"}, []),
    ],
)
def test_what_follows_from_a_subscription_is_not_said(
    changes: dict[str, Any], said: list[str]
) -> None:
    words = Call("read_message", {"activity_id": "act_9", "text": "sub_1"})
    found = qualified(words, needs=[need(**changes, subscription_id="sub_1")])
    assert [one for one, part in zip(found, said, strict=True) if part not in one] == []


def test_a_segment_begins_when_the_one_before_ends() -> None:
    later = need(ref="n2", segment_of="n1", start="2027-06-30")
    assert qualified(needs=[need(), later]) == [
        "n2: it begins when the one before ends: leave out start"
    ]
    assert qualified(needs=[need(start="2027-06-30"), need(ref="n2", segment_of="n1")]) == []
    assert qualified(needs=[need(), need(ref="n2", segment_of="n3")]) == [
        "segment_of of n2 is n3, which is no other need"
    ]


ROW = {"opportunity_id": "opp_1", "account_id": "acc_1"}
QUESTION = {"kind": "unclear_goal"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"questions": [QUESTION]}, []),
        ({"opportunity_id": None, "questions": [QUESTION]}, []),
        ({"opportunity_id": None}, ["give an opportunity_id, or a question"]),
        ({"account_id": "acc_2"}, ["opp_1 does not belong to acc_2"]),
        ({"account_id": None}, ["opp_1 does not belong to None"]),
        ({"account_id": "acc_2", "questions": [QUESTION]}, []),
        ({"account_id": "acc_9", "questions": [QUESTION]}, ["account_id acc_9 was in no answer"]),
    ],
)
def test_a_deal_belongs_to_its_account_unless_a_person_is_asked(
    changes: dict[str, Any], said: list[str]
) -> None:
    found = [Call("get_opportunity", ROW), Call("search_accounts", {"account_id": "acc_2"})]
    output = Assignment.model_validate({**ROW, **changes})
    problems = verify.verify_assignment(output, found, {})
    assert len(problems) == len(said)
    assert all(part in one for one, part in zip(problems, said, strict=True))


def test_an_answer_that_failed_names_nothing() -> None:
    failed = [Call("get_opportunity", ROW, is_error=True), Call("get_opportunity", None)]
    problems = verify.verify_assignment(Assignment.model_validate(ROW), failed, {})
    assert len(problems) == 3
    assert verify.last(failed, "get_opportunity") == {}


def profile(**changes: Any) -> list[str]:
    row = {"address_id": "adr_1", "country": "IE", "kind": "shipping"}
    calls = [
        Call("list_addresses", {"items": [row]}),
        Call("list_contacts", {"items": [{"contact_id": "con_1"}]}),
    ]
    fields = {"account_id": "acc_1", "kind": "business"}
    output = Profile.model_validate({**fields, **changes})
    return verify.verify_profile(output, calls, {"plan": {"account_id": "acc_1"}})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"billing_address_id": "adr_1"}, []),
        ({"billing_address_id": "adr_9"}, ["billing_address_id adr_9 is not on file"]),
        ({"shipping_address_id": "adr_9"}, ["shipping_address_id adr_9 is not on file"]),
        ({"shipping_address_id": "adr_1"}, ["ship_to_country must be IE"]),
        ({"shipping_address_id": "adr_1", "ship_to_country": "IE"}, []),
        ({"contact_id": "con_1"}, []),
        ({"contact_id": "con_9"}, ["contact con_9 is not on file"]),
        ({"account_id": "acc_2"}, ["account_id is not the assignment's"]),
    ],
)
def test_each_id_of_a_profile_is_on_file(changes: dict[str, Any], said: list[str]) -> None:
    assert profile(**changes) == said


def line(place: int, sku: str, **changes: Any) -> Line:
    fields = {"line_id": f"l{place}", "sku": sku, "quantity": 1, "reason": "best_match"}
    return Line.model_validate({**fields, "need_ref": f"n{place}", **changes})


NEEDS = {"qualify": {"needs": [{"ref": "n1", "quantity": 1}, {"ref": "n2", "quantity": 1}]}}
FOUND = Call("search_products", {"items": [{"sku": "AA-1"}, {"sku": "BB-2"}]})


def test_what_comes_after_a_required_part_is_judged_too() -> None:
    asked = Call("complete_configuration", {"additions": [{"sku": "BB-2"}]})
    part = line(9, "BB-2", need_ref=None, reason="required_part")
    output = Match(lines=[part, line(1, "AA-1"), line(2, "BB-2", quantity=7)])
    said = verify.verify_match(output, [FOUND, asked], NEEDS)
    assert said == ["l2 must have quantity 1"]


def test_what_was_matched_before_may_stay_and_so_may_its_parts() -> None:
    outputs = {**NEEDS, "previous": {"lines": [{"sku": "CC-3"}, {"sku": "DD-4"}]}}
    part = line(9, "DD-4", need_ref=None, reason="required_part")
    output = Match(lines=[line(1, "CC-3"), line(2, "BB-2"), part])
    assert verify.verify_match(output, [FOUND], outputs) == []
    assert verify.verify_match(output, [FOUND], NEEDS) == [
        "CC-3 was in no answer of the catalog",
        "DD-4 was in no answer of the catalog",
        "complete_configuration asked for no DD-4",
    ]


def test_a_need_is_answered_by_a_line_or_a_reason() -> None:
    none = [{"need_ref": "n2", "reason": "no_match"}]
    output = Match.model_validate({"lines": [line(1, "AA-1")], "unmatched": none})
    assert verify.verify_match(output, [FOUND], NEEDS) == []
    assert verify.verify_match(Match(), [FOUND], NEEDS) == ["no line and no reason for n1, n2"]


def test_a_reference_is_to_the_first_line_of_its_need() -> None:
    needs = {"qualify": {"needs": [{"ref": "n1", "quantity": 1}, {"ref": "n2", "part_of": "n1"}]}}
    twice = [line(1, "AA-1"), line(3, "AA-1", need_ref="n1")]
    for owner, said in (("l1", []), ("l3", ["l2 must have part_of l1"])):
        output = Match(lines=[*twice, line(2, "BB-2", part_of=owner)])
        assert verify.verify_match(output, [FOUND], needs) == said


def checked(*stock: dict[str, Any], without: str = "", **changes: Any) -> list[str]:
    calls = [
        Call("check_configuration", {"ok": True, "lines_digest": DIGEST, "findings": []}),
        Call("shipping_options", {"options": [{"method": "ROAD", "allowed": True}]}),
        *(Call("check_availability", {"findings": [one] if one else []}) for one in stock),
    ]
    output = Check.model_validate({"ok": True, "lines_digest": DIGEST, **changes})
    return verify.verify_check(output, [one for one in calls if one.name != without], {})


def test_a_check_asks_both_and_keeps_what_stock_said_last() -> None:
    first = ["call check_configuration and shipping_options first"]
    assert checked() == []
    assert checked(without="check_configuration") == first
    assert checked(without="shipping_options") == first
    assert checked(STALE, {}) == []
    for stock in ((STALE,), ({}, STALE), ({}, {}, STALE)):
        assert checked(*stock) == ["the finding STALE (warning) is missing"]
    assert checked({}, STALE, {}) == []
    assert checked(STALE, STALE, findings=[STALE]) == []
    assert checked(ship_method="ROAD") == []
    assert checked(ok=False) == [], "an agent may be stricter than the catalog"


@pytest.mark.parametrize(
    ("asked", "given", "same"),
    [
        ({}, {}, True),
        ({}, {"discount_bp": 1}, False),
        ({"discount_bp": 100}, {"discount_bp": 100}, True),
        ({"discount_bp": 100}, {"discount_bp": 99}, False),
        ({"discount_bp": 100}, {"discount_bp": 101}, False),
        ({"discount_bp": 100}, {}, False),
        ({"promo_codes": ["EDGE5"]}, {}, False),
        ({}, {"promo_codes": ["EDGE5"]}, False),
        ({}, {"total_minor": 999}, False),
        ({}, {"total_minor": 1001}, False),
        ({}, {"total_minor": None}, False),
    ],
)
def test_a_price_is_that_of_the_last_question(
    asked: dict[str, Any], given: dict[str, Any], *, same: bool
) -> None:
    answer = {"digest": DIGEST, "currency": "EUR", "totals": {"total_minor": 1000}}
    calls = [
        Call("price_quote", {**answer, "totals": {"total_minor": 1}}, discount_bp=7),
        Call("price_quote", answer, **asked),
        Call("price_quote", answer, is_error=True, discount_bp=9),
    ]
    fields = {"currency": "EUR", "total_minor": 1000, "digest": DIGEST}
    output = Price.model_validate({**fields, **given})
    assert (verify.verify_price(output, calls, {}) == []) is same


@pytest.mark.parametrize("missing", ["select_terms", "check_credit", "screen_party"])
def test_terms_ask_all_three(missing: str) -> None:
    calls = [
        Call("select_terms", {"clause_ids": ["c1"], "payment_terms": "NET30"}),
        Call("check_credit", {"findings": [STALE]}),
        Call("screen_party", {"findings": []}),
    ]
    given = {"clause_ids": ["c1"], "payment_terms": "NET30"}
    output = Terms.model_validate({**given, "findings": [STALE]})
    assert verify.verify_terms(output, calls, {}) == []
    fewer = [one for one in calls if one.name != missing]
    assert verify.verify_terms(output, fewer, {}) == [
        "call select_terms, check_credit and screen_party first"
    ]
    dropped = verify.verify_terms(Terms.model_validate(given), calls, {})
    assert dropped == ["the finding STALE (warning) is missing"]


def test_an_assembly_is_a_draft_that_needs_nobody_or_asked() -> None:
    output = Assembly(quote_id="q_1")
    assert verify.verify_assembly(output, [], {}) == ["call create_quote first"]
    free = Call("create_quote", {"quote_id": "q_1", "approvals_needed": []})
    assert verify.verify_assembly(output, [free], {}) == []


def test_lines_go_to_servers_without_what_they_are_for() -> None:
    (wire,) = verify.same_lines([line(1, "AA-1", optional=True)])
    assert wire["optional"] is True
    assert (wire["line_id"], wire["sku"], wire["quantity"]) == ("l1", "AA-1", 1)
    assert not {"need_ref", "reason"} & set(wire)
