"""A run as it happens: lines for a log, lines of JSON for a program, a tree for a person."""

import json
from typing import Any

import pytest

from dealdesk.cli import run_view
from dealdesk.cli.run_view import line_of, view_for

EVENTS: list[dict[str, Any]] = [
    {"type": "run_started", "data": {}},
    {"type": "agent_started", "agent": "plan"},
    {
        "type": "agent_finished",
        "agent": "plan",
        "data": {
            "output": {"account_id": "acc_001", "opportunity_id": "opp_001"},
            "calls": 1,
            "findings": [{"severity": "warning", "code": "OLD_PRICE"}],
        },
    },
    {"type": "agent_stopped", "agent": "match", "data": {"reason": "no\x1b[31m luck"}},
    {"type": "waiting", "data": {"quote_id": "q_1"}},
    {"type": "decided", "data": {"approved": False, "person": "per_tomas"}},
]
WORDS = [
    "! plan       acc_001 opp_001  (1 call)  OLD_PRICE",
    "✗ match      no[31m luck",
    "⏸ waiting    for approval of q_1",
    "✓ decided    rejected by per_tomas",
]


def shown(**how: bool) -> None:
    with view_for("Quote it", **{"as_json": False, "as_ndjson": False, **how}) as show:
        for event in EVENTS:
            show(event)


def test_a_log_has_a_line_for_what_happened(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown()
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == ("", WORDS)


def test_a_program_has_every_event_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    shown(as_ndjson=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == EVENTS
    shown(as_json=True)
    assert capsys.readouterr() == ("", "")


def test_a_person_has_a_branch_for_each_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_view, "plain_wanted", lambda: False)
    shown()
    said = capsys.readouterr().err
    assert "Quote it" in said
    assert all(words in said for words in WORDS)
    assert said.count("plan") == 1, "what began and what came of it are one branch"


def test_what_began_is_said_only_where_it_is_replaced() -> None:
    assert line_of(EVENTS[1]) is None
    assert line_of(EVENTS[1], started=True) == ("running", "plan", "plan      ")
