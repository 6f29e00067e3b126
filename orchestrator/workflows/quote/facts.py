"""Facts that several agents need, worked out from the outputs by plain code."""

from collections.abc import Mapping
from typing import Any

from orchestrator.workflow import Outputs, resolve
from orchestrator.workflows.quote.contracts import Line
from orchestrator.workflows.quote.verify import same_lines


def quote_facts(outputs: Outputs) -> Mapping[str, Any]:
    """Return what the assembling half of the workflow works on; absent things are None.

    - `lines`: the matched lines in the shape every server takes;
    - `skus_given`: the needs without the words of the customer, for agents that judge only;
    - `warnings`: codes of the catalog's findings that a person should see before issue;
    - `claims`: what the customer's texts assert that only a person can make true;
    - `renews`: whether the quote goes on with a running subscription;
    - `promo_codes`, `discount_bp`, `currency`, `mode`, `needed_by`: the goal's own wish first.
    """
    wish = resolve("plan.constraints", outputs) or {}
    said = outputs.get("qualify", {})
    lines = [Line.model_validate(line) for line in resolve("match.lines", outputs) or ()]
    return {
        "lines": same_lines(lines),
        "needs": [_given(need) for need in said.get("needs", ())],
        "warnings": _warnings(outputs.get("check", {})),
        "claims": sorted({claim["kind"] for claim in said.get("claims", ())} | _asked(said)),
        "renews": any(line.change == "renew" for line in lines),
        "promo_codes": list(said.get("promo_codes", ())),
        "discount_bp": wish.get("discount_bp", 0),
        "currency": wish.get("currency"),
        "mode": wish.get("mode") or said.get("mode"),
        "needed_by": wish.get("needed_by") or said.get("needed_by"),
        "order_date": resolve("run.order_date", outputs),
        "total_minor": resolve("price.total_minor", outputs),
    }


def _given(need: Mapping[str, Any]) -> dict[str, Any]:
    """Return a need as the matching agent sees it: no source, no span."""
    return {key: value for key, value in need.items() if key not in ("span", "needed_by")}


def _warnings(check: Mapping[str, Any]) -> list[str]:
    serious = ("warning", "needs_human")
    return sorted({f["code"] for f in check.get("findings", ()) if f["severity"] in serious})


def _asked(said: Mapping[str, Any]) -> set[str]:
    """A discount or terms the customer asks for are requests to a person, like any claim."""
    asked = set()
    if said.get("discount_asked_bp"):
        asked.add("discount")
    if said.get("payment_terms_asked"):
        asked.add("payment_terms")
    return asked
