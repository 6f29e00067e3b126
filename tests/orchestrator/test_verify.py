"""An agent's output against what the servers said: nothing dropped, nothing invented."""

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

DIGEST, OTHER = "a" * 64, "b" * 64
EMBARGO = {"code": "EXPORT_EMBARGO", "severity": "blocked", "subject": "l1", "rule_id": "r"}
NOTE = {"code": "IN_STOCK", "severity": "info", "subject": "l1", "rule_id": "r"}


class Call:
    def __init__(self, name: str, result: dict[str, Any], **arguments: Any) -> None:
        self.name, self.result, self.arguments, self.is_error = name, result, arguments, False


def check_calls(*findings: dict[str, Any], ok: bool = True) -> list[Call]:
    options = [{"method": "ROAD-STD", "allowed": True}, {"method": "AIR-STD", "allowed": False}]
    return [
        Call("check_configuration", {"ok": ok, "lines_digest": DIGEST, "findings": list(findings)}),
        Call("check_availability", {"findings": []}),
        Call("shipping_options", {"options": options, "findings": []}),
    ]


def check(**changes: Any) -> Check:
    fields = {"ok": True, "ship_method": "ROAD-STD", "lines_digest": DIGEST, "findings": []}
    return Check.model_validate({**fields, **changes})


def test_a_true_check_passes_and_remarks_need_not_be_repeated() -> None:
    assert verify.verify_check(check(), check_calls(NOTE), {}) == []


@pytest.mark.parametrize(
    ("output", "calls", "problem"),
    [
        (check(), check_calls(EMBARGO), "the finding EXPORT_EMBARGO"),
        (check(findings=[EMBARGO]), check_calls(), "no server found EXPORT_EMBARGO"),
        (check(), check_calls(ok=False), "did not say ok"),
        (check(lines_digest=OTHER), check_calls(), "lines_digest"),
        (check(ship_method="AIR-STD"), check_calls(), "not an allowed shipping method"),
        (check(), [], "call check_configuration"),
    ],
)
def test_a_check_that_differs_from_the_catalog_is_found(
    output: Check, calls: list[Call], problem: str
) -> None:
    assert any(problem in said for said in verify.verify_check(output, calls, {}))


def price_calls(**totals: int) -> list[Call]:
    answer = {
        "digest": DIGEST,
        "currency": "EUR",
        "totals": {"total_minor": 1000, **totals},
        "findings": [],
    }
    return [Call("price_quote", answer, promo_codes=["EDGE5"], discount_bp=0)]


def price(**changes: Any) -> Price:
    fields = {"promo_codes": ["EDGE5"], "currency": "EUR", "total_minor": 1000, "digest": DIGEST}
    return Price.model_validate({**fields, **changes})


def test_a_true_price_passes() -> None:
    assert verify.verify_price(price(), price_calls(), {}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"total_minor": 1},
        {"digest": OTHER},
        {"currency": "USD"},
        {"promo_codes": []},
        {"discount_bp": 9000},
    ],
)
def test_a_price_finance_did_not_give_is_found(changes: dict[str, Any]) -> None:
    assert verify.verify_price(price(**changes), price_calls(), {}) != []


def test_a_price_without_asking_is_found() -> None:
    assert verify.verify_price(price(), [], {}) == ["call price_quote first"]


def terms_calls(**selected: Any) -> list[Call]:
    chosen = {"clause_ids": ["c1", "c2"], "payment_terms": "NET30", "findings": [], **selected}
    return [
        Call("select_terms", chosen),
        Call("check_credit", {"findings": []}),
        Call("screen_party", {"findings": []}),
    ]


def test_terms_are_finances_own() -> None:
    good = Terms(clause_ids=["c1", "c2"], payment_terms="NET30")
    assert verify.verify_terms(good, terms_calls(), {}) == []
    fewer = Terms(clause_ids=["c1"], payment_terms="NET30")
    assert verify.verify_terms(fewer, terms_calls(), {}) != []
    longer = Terms(clause_ids=["c1", "c2"], payment_terms="NET90")
    assert verify.verify_terms(longer, terms_calls(), {}) != []
    assert verify.verify_terms(good, terms_calls()[:2], {}) != []


def test_a_screening_hit_cannot_be_dropped() -> None:
    calls = terms_calls()
    calls[2].result = {"findings": [{**EMBARGO, "code": "SCREENING_HIT"}]}
    good = Terms(clause_ids=["c1", "c2"], payment_terms="NET30")
    assert "SCREENING_HIT" in verify.verify_terms(good, calls, {})[0]


NEEDS = {"qualify": {"needs": [{"ref": "n1", "quantity": 4}, {"ref": "n2", "quantity": 2}]}}


def line(**changes: Any) -> Line:
    fields = {"line_id": "l1", "sku": "SW-P8-120", "quantity": 4, "need_ref": "n1"}
    return Line.model_validate({**fields, "reason": "best_match", **changes})


def match_calls() -> list[Call]:
    return [Call("match_need", {"resolved": "SW-P8-120", "candidates": [{"sku": "SW-P16-240"}]})]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([line(sku="XX-99")], "no answer of the catalog"),
        ([line(quantity=40)], "must have quantity 4"),
        ([line(need_ref="n7")], "answers no need"),
        ([line(), line()], "share a line_id"),
        ([line()], "no line and no reason for n2"),
    ],
)
def test_lines_answer_the_needs_with_skus_of_the_catalog(lines: list[Line], problem: str) -> None:
    found = verify.verify_match(Match(lines=lines), match_calls(), NEEDS)
    assert any(problem in said for said in found)


RUNS = {
    "unit": "license",
    "term_months": 24,
    "start": "2027-01-01",
    "end": None,
    "change": None,
    "subscription_id": None,
    "options": [],
    "optional": True,
}
RICH = {
    "qualify": {
        "needs": [
            {"ref": "n1", "quantity": 4},
            {"ref": "n2", "quantity": 4, **RUNS, "part_of": "n1"},
        ]
    }
}


KNOWN = [Call("search_products", {"items": [{"sku": "SW-P8-120"}, {"sku": "SW-P16-240"}]})]


def rich(**changes: Any) -> Line:
    fields = {**RUNS, "line_id": "l2", "sku": "SW-P16-240", "quantity": 4, "need_ref": "n2"}
    return Line.model_validate({**fields, "part_of": "l1", "reason": "named", **changes})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"unit": "each"}, "l2 must have unit license"),
        ({"term_months": 36}, "l2 must have term_months 24"),
        ({"start": None}, "l2 must have start 2027-01-01"),
        ({"end": "2027-06-30"}, "l2 must have end None"),
        ({"optional": False}, "l2 must have optional True"),
        ({"options": ["RAM-64"]}, "l2 must have options []"),
        ({"change": "renew"}, "l2 must have change None"),
        ({"subscription_id": "sub_9"}, "l2 must have subscription_id None"),
        ({"part_of": None}, "l2 must have part_of l1"),
    ],
)
def test_all_that_is_said_of_a_need_is_on_its_line(changes: dict[str, Any], problem: str) -> None:
    output = Match(lines=[line(), rich(**changes)])
    assert verify.verify_match(output, KNOWN, RICH) == ([problem] if problem else [])


def test_a_part_is_one_that_the_catalog_asked_for() -> None:
    part = Line(line_id="l3", sku="SW-P16-240", quantity=1, reason="required_part")
    output = Match(lines=[line(), rich(), part])
    asked = Call("complete_configuration", {"additions": [{"sku": "SW-P16-240"}]})
    assert verify.verify_match(output, [*KNOWN, asked], RICH) == []
    assert "asked for no SW-P16-240" in verify.verify_match(output, KNOWN, RICH)[0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"change": "renew", "subscription_id": "sub_1"}, ""),
        ({"change": "renew"}, "go together"),
        ({"change": "renew", "subscription_id": "sub_2"}, "stands in no text"),
        ({"term_months": 12, "end": "2027-06-30"}, "not both"),
        ({"change": "amend", "subscription_id": "sub_1", "term_months": 12}, "leave out term"),
        ({"change": "renew", "subscription_id": "sub_1", "start": "2027-01-01"}, "out start"),
        ({"segment_of": "n1"}, "which is no other need"),
        ({"part_of": "n2"}, "which is no other need"),
    ],
)
def test_a_need_says_only_what_it_may(changes: dict[str, Any], problem: str) -> None:
    words = "Please renew SUB_1: 5 licences."
    span = {"source_id": "act_1", "start": 0, "end": 5}
    need = {"ref": "n1", "phrase": "licences", "quantity": 5, "span": span, **changes}
    found = Qualification.model_validate(
        {"decision": "quote", "reason": "renewal_request", "needs": [need]}
    )
    calls = [Call("read_message", {"activity_id": "act_1", "text": words})]
    said = verify.verify_qualification(found, calls, {})
    assert [problem in one for one in said] == ([True] if problem else [])


def test_a_profile_holds_only_what_is_on_file() -> None:
    on_file = {"items": [{"address_id": "adr_1", "country": "IE", "kind": "shipping"}]}
    calls = [Call("list_addresses", on_file)]
    outputs = {"plan": {"account_id": "acc_1"}}

    def profile(**changes: Any) -> Profile:
        fields = {"account_id": "acc_1", "kind": "business", "shipping_address_id": "adr_1"}
        return Profile.model_validate({**fields, "ship_to_country": "IE", **changes})

    assert verify.verify_profile(profile(), calls, outputs) == []
    assert verify.verify_profile(profile(shipping_address_id="adr_9"), calls, outputs) != []
    assert verify.verify_profile(profile(ship_to_country="IR"), calls, outputs) != []
    assert verify.verify_profile(profile(account_id="acc_2"), calls, outputs) != []
    assert verify.verify_profile(profile(contact_id="con_9"), calls, outputs) != []


def test_an_assignment_names_what_the_crm_named() -> None:
    row = {"opportunity_id": "opp_1", "account_id": "acc_1"}
    calls = [Call("search_opportunities", {"items": [row]})]

    def plan(**changes: Any) -> Assignment:
        return Assignment.model_validate({**row, **changes})

    assert verify.verify_assignment(plan(), calls, {}) == []
    assert verify.verify_assignment(plan(account_id="acc_2"), calls, {}) != []
    assert verify.verify_assignment(plan(opportunity_id="opp_2"), calls, {}) != []
    assert verify.verify_assignment(plan(opportunity_id=None), calls, {}) != []


@pytest.mark.parametrize(
    ("open_", "every", "said"),
    [
        ([], None, "open_only=false"),
        ([], ["closed_won"], "hand over opp_1"),
        ([], [], None),
        ([], ["closed_lost"], None),
        ([], ["closed_won", "closed_lost"], None),
        (["qualification"], None, None),
    ],
)
def test_an_only_deal_that_is_won_is_handed_over(
    open_: list[str], every: list[str] | None, said: str | None
) -> None:
    def found(stages: list[str], **arguments: Any) -> Call:
        rows = [
            {"opportunity_id": f"opp_{place}", "account_id": "acc_1", "stage": stage}
            for place, stage in enumerate(stages, 1)
        ]
        return Call("search_opportunities", {"items": rows}, account_id="acc_1", **arguments)

    calls = [found(open_), *([found(every, open_only=False)] if every is not None else [])]
    asked = {"account_id": "acc_1", "questions": [{"kind": "no_open_opportunity"}]}
    problems = verify.verify_assignment(
        Assignment.model_validate(asked),
        [Call("resolve_account", {"account_id": "acc_1"}), *calls],
        {},
    )
    assert [said in problem for problem in problems if said] == ([True] if said else [])
    assert bool(problems) is bool(said)


def test_a_quote_that_needs_approval_is_not_handed_over_unasked() -> None:
    draft = {"quote_id": "q_1", "approvals_needed": [{"role": "sales_manager"}]}
    output = Assembly(quote_id="q_1")
    assert verify.verify_assembly(output, [Call("create_quote", draft)], {}) != []
    asked = [Call("create_quote", draft), Call("request_approval", {"quote_id": "q_1"})]
    assert verify.verify_assembly(output, asked, {}) == []
    assert verify.verify_assembly(Assembly(quote_id="q_2"), asked, {}) != []
