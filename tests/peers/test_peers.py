"""How the pricing of other systems comes out here, case by case.

`cases.json` holds facts (inputs and expected outputs) taken from the tests and documentation of
the systems it names. Each kind of case has an adapter that puts the inputs into the terms of the
functions that price quotes. What we answer differently on purpose is in `deviations.toml`, with
the reason. `DEALDESK_PEER_CASES` names another file of the same form.
"""

import json
import os
import tomllib
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from adapters import ADAPTERS

HERE = Path(__file__).parent
CASES = json.loads(
    Path(os.environ.get("DEALDESK_PEER_CASES") or HERE / "cases.json").read_text(encoding="utf-8")
)["cases"]
REASONS = tomllib.loads((HERE / "deviations.toml").read_text(encoding="utf-8"))
DEVIATIONS: dict[str, str] = REASONS.get("deviations", {})
OUT_OF_SCOPE: dict[str, str] = REASONS.get("out_of_scope", {})
MOST_DEVIATIONS = Decimal("0.05")


def same(expected: Any, actual: Any) -> bool:
    """Compare as facts: numbers by value, lists in order, and only the keys a case states."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            key in actual and same(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, bool) or expected is None:
        return expected is actual
    try:
        return Decimal(str(expected)) == Decimal(str(actual))
    except InvalidOperation:
        return str(expected) == str(actual)


def outcome(case: dict[str, Any]) -> str:
    """Say how a case comes out: agreed, deviating, or out of scope."""
    if case["kind"] in OUT_OF_SCOPE or case["id"] in OUT_OF_SCOPE:
        return "out_of_scope"
    actual = ADAPTERS[case["kind"]](case["inputs"], case["expected"])
    return "agreed" if same(case["expected"], actual) else "deviating"


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_agrees_or_its_deviation_has_a_reason(case: dict[str, Any]) -> None:
    found = outcome(case)
    if found == "deviating":
        actual = ADAPTERS[case["kind"]](case["inputs"], case["expected"])
        reason = DEVIATIONS.get(case["id"])
        assert reason, f"expected {case['expected']}, got {actual}"
    if found == "agreed":
        assert case["id"] not in DEVIATIONS, "it agrees: take it out of deviations.toml"


def test_few_cases_deviate_and_each_for_a_reason() -> None:
    counted = Counter((case["source"], outcome(case)) for case in CASES)
    flagged = {case["id"] for case in CASES if case.get("conflict")}
    for source in sorted({source for source, _ in counted}):
        print(source, {how: n for (name, how), n in sorted(counted.items()) if name == source})
    judged = [case for case in CASES if outcome(case) != "out_of_scope"]
    unflagged = [case for case in judged if case["id"] not in flagged]
    deviating = sum(outcome(case) == "deviating" for case in unflagged)
    print(
        f"{len(CASES)} cases, {len(CASES) - len(judged)} of them out of scope; "
        f"{len(unflagged)} unflagged, {deviating} of them deviating"
    )
    assert Decimal(deviating) <= len(unflagged) * MOST_DEVIATIONS
    assert all(len(reason) > 20 for reason in (*DEVIATIONS.values(), *OUT_OF_SCOPE.values()))


if __name__ == "__main__":
    test_few_cases_deviate_and_each_for_a_reason()
