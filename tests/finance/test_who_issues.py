"""Who gets what issued, in which condition: nothing that a person who may decide did not decide.

The table is worked out by trying: every caller drafts as it may, asks for approval, and issues
with its own grant, else a run tries to. `yes`: a binding number; else the code of the refusal.
"""

from collections.abc import Collection
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import Clock, by, call, drafted, everyone, line, statements

from servers.finance import assembly, checks
from servers.finance.store import drafts, issue, stored_quotes
from servers.finance.store.checks import Statements
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.statements import StatementKey

REAL_STATEMENTS = True
SIGN = StatementKey._mac
RUN, TOMAS, LENA = everyone(), by("per_tomas"), by("per_lena")
CALLERS = {
    "run": RUN,
    "profile sales": profile_grant("finance", "sales"),
    "profile admin": profile_grant("finance", "admin"),
    "minted grant": everyone(id="g_minted", run="", requester=""),
    "person without the role": LENA,
    "person who may decide": TOMAS,
}
ROUTER = (line("l1", "RT-E4-LTE", 1),)
WARNING = Finding(code="SENDER_UNKNOWN", severity=Severity.WARNING, message="who is it?")
Given = tuple[dict[str, Any], dict[str, Any] | None]
"""What the draft is made of, and how the statements differ from right ones."""
CONDITIONS: dict[str, Given] = {
    "all is well": ({}, {}),
    "no check": ({}, None),
    "check of other lines": ({}, {"rows": [line("l1", "SW-P8-120", 11)]}),
    "check of another country": ({}, {"country": "AT"}),
    "check of another day": ({}, {"day": "2026-11-22"}),
    "word on another deal": ({}, {"deal": ("acc_008", "opp_1")}),
    "check that is not clean": ({}, {"verdicts": ("not_ok", "quote")}),
    "stale check": ({}, {"late": True}),
    "a warning left out": ({"warnings": []}, {"findings": (WARNING,)}),
    "a claim": ({"claims": ["bank"]}, {}),
    "export control unchecked": ({"lines": list(ROUTER)}, None),
    "embargo": (
        {"lines": list(ROUTER), "account_id": "acc_012", "ship_to_address_id": "adr_037",
         "ship_method": "PICKUP"},
        {"rows": ROUTER, "country": "IR", "deal": ("acc_012", "opp_900")},
    ),
    "accepted deal": ({"after": "accepted"}, {}),
    "discount above the limit": ({"discount_bp": 1400}, {}),
}  # fmt: skip


async def tried(app: Server, clock: Clock, who: Any, given: Given, *, deal: str) -> str:
    """Draft, ask, issue; say what came of it."""
    changes, said = dict(given[0]), None if given[1] is None else dict(given[1])
    try:
        if changes.pop("after", None):
            won = await drafted(
                app, opportunity_id=deal, **statements(app, clock, deal=("acc_008", deal))
            )
            await number(app, RUN, won)
            asked = {"quote_id": won["quote_id"], "digest": won["digest"]}
            await call(app, TOMAS, "accept_quote", asked)
        told: dict[str, str] = {}
        late = said is not None and said.pop("late", False)
        if said is not None:
            rows = said.pop("rows", changes.get("lines", ()))
            said.setdefault("deal", (changes.get("account_id", "acc_008"), deal))
            if said["deal"][0] == "acc_012":
                said["deal"] = ("acc_012", deal)
            told = statements(app, clock, *rows, **said)
        draft = await drafted(app, who, opportunity_id=deal, **changes, **told)
        if late:
            clock.forward(days=1)
        if draft["approvals_needed"]:
            await call(app, who, "request_approval", {"quote_id": draft["quote_id"]})
        if "issue_quote" in who.tools:
            return await number(app, who, draft)
        return await number(app, RUN, draft)
    except ToolError as refusal:
        return str(refusal).partition(":")[0]


async def number(app: Server, who: Any, draft: dict[str, Any]) -> str:
    asked = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    return "yes" if (await call(app, who, "issue_quote", asked))["number"] else "no number"


async def table(
    app: Server, clock: Clock, conditions: Collection[str] = tuple(CONDITIONS), mark: str = "x"
) -> dict[str, dict[str, str]]:
    """Try every caller in some conditions, each on a deal of its own."""
    found: dict[str, dict[str, str]] = {}
    for row, condition in enumerate(conditions):
        for place, (name, who) in enumerate(CALLERS.items()):
            clock.moment = Clock.moment
            came = await tried(
                app, clock, who, CONDITIONS[condition], deal=f"opp_{row}{mark}{place}"
            )
            found.setdefault(condition, {})[name] = came
    return found


def issued_unasked(found: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    """Return the rows that ended in a number although no person who may decide decided it.

    A run's own clean draft is inside the policy; a person who may decide decides by issuing what
    needs no approval: a draft that no run made, or one whose checks grew old.
    """
    may = {("all is well", "run")}
    may |= {
        (condition, "person who may decide")
        for condition in ("all is well", "stale check", "accepted deal")
    }
    return [
        (condition, name)
        for condition, row in found.items()
        for name, came in row.items()
        if came == "yes" and (condition, name) not in may
    ]


@pytest.mark.timeout(240)
async def test_nothing_is_issued_that_nobody_decided(app: Server, clock: Clock) -> None:
    found = await table(app, clock)
    assert issued_unasked(found) == []
    assert found["all is well"] == {
        "run": "yes",
        "profile sales": "FORBIDDEN",
        "profile admin": "FORBIDDEN",
        "minted grant": "FORBIDDEN",
        "person without the role": "FORBIDDEN",
        "person who may decide": "yes",
    }
    assert found["stale check"]["run"] == "UNCHECKED"
    assert set(found["embargo"].values()) == {"RULE_VIOLATION"}
    assert set(found["export control unchecked"].values()) <= {"EXPORT_UNCHECKED"}
    assert found["accepted deal"]["run"] == "ALREADY_WON"
    left = ("no check", "check of other lines", "check that is not clean", "a warning left out")
    for condition in (*left, "a claim", "discount above the limit"):
        assert found[condition]["run"] == "APPROVAL_REQUIRED", condition


def _blind(key: StatementKey, kind: Any, _about: Any, until: str, said: str) -> str:
    """Sign the words alone, whatever they are about."""
    return SIGN(key, kind, {}, until, said)


def _ok(*_: Any) -> Any:
    return checks.Checked(ok=True, until=Clock.moment.replace(year=9000))


DEFECTS: dict[str, tuple[str, Any, str, Any]] = {
    "a missing statement counts as said": ("no check", Statements, "_read", _ok),
    "nobody asks whether it was checked": ("no check", assembly, "check_findings", lambda *_: []),
    "the lines are not in the statement": ("check of other lines", StatementKey, "_mac", _blind),
    "no embargo is known": ("embargo", assembly, "embargo_findings", lambda *_: []),
    "no item is under control": (
        "export control unchecked",
        assembly,
        "controlled_lines",
        lambda *_: (),
    ),
    "a check never grows old": ("stale check", issue, "_stale", lambda *_: False),
    "anybody issues what no run made": (
        "all is well",
        stored_quotes,
        "issuing_roles",
        lambda *_, **__: frozenset(),
    ),
    "an approval need not be given": ("a claim", issue, "_use_approvals", lambda *_: None),
    "no rule asks for approval": ("no check", assembly, "needed", lambda *_: []),
    "claims ask nobody": ("a claim", assembly, "claim_findings", lambda *_: []),
    "warnings ask nobody": ("a warning left out", assembly, "warning_findings", lambda *_: []),
    "who issues need not be allowed to": (
        "all is well",
        issue,
        "check_approver",
        lambda *_, **__: None,
    ),
    "a won deal is open": ("accepted deal", drafts, "_previous", lambda *_: None),
}


@pytest.mark.full
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("condition", "place", "guard", "gone"), DEFECTS.values(), ids=DEFECTS)
async def test_the_table_shows_each_guard_that_is_gone(
    app: Server,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    condition: str,
    place: Any,
    guard: str,
    gone: Any,
) -> None:
    before = await table(app, clock, [condition])
    monkeypatch.setattr(place, guard, gone)
    assert await table(app, clock, [condition], "y") != before
