"""Logs and traces carry ids: no name, text, amount or token, also with every logger at DEBUG."""

import ast
import importlib.util
import logging
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import AgentFailed
from servers.registry import enrolment
from servers.toolkit.person_tokens import VARIABLE
from tests.fake_messages import FakeMessages
from tests.test_architecture import SOURCES, name_of

from .conftest import Command, Folder
from .test_claude_run import by_the_book, play
from .test_privacy import CANARIES, GOAL, plant

Copy = Callable[[Folder], Path]
LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")
TOLD = ("run_id", "lost", "result['outcome']", "result.get('quote_id') or ''")
"""What a log call may be told beside kinds of errors and counts: ids, and closed words of ours."""
AMOUNTS = ("6,548.20", "6548.2", "654820")
"""What the quote of the goal comes to, as people and as tables write it."""


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Everything that is logged where the root logger is set to DEBUG, with tracebacks."""
    said: list[str] = []
    form = logging.Formatter()

    def handle(_logger: logging.Logger, record: logging.LogRecord) -> None:
        own = {k: v for k, v in vars(record).items() if k not in ("msg", "args")}
        said.append(f"{record.name}: {form.format(record)} {own}")

    monkeypatch.setattr(logging.Logger, "handle", handle)
    before = logging.root.level
    logging.root.setLevel(logging.DEBUG)
    yield said
    logging.root.setLevel(before)


@pytest.fixture(scope="module")
def spans() -> Iterator[list[str]]:
    """Everything that a trace is told, when OpenTelemetry's SDK is there."""
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        yield []
        return
    sdk, export = (import_module(f"opentelemetry.sdk.trace{part}") for part in ("", ".export"))
    said: list[str] = []

    class Told(export.SpanExporter):  # type: ignore[name-defined,misc]
        def export(self, found: Any) -> Any:
            said.extend(one.to_json() for one in found)
            return export.SpanExportResult.SUCCESS

    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(Told()))
    import_module("opentelemetry.trace").set_tracer_provider(provider)
    yield said


def test_a_run_tells_the_logs_nothing_of_anybody(
    command: Command,
    seeded: Folder,
    copy: Copy,
    monkeypatch: pytest.MonkeyPatch,
    lines: list[str],
    spans: list[str],
) -> None:
    home = copy(seeded)
    plant(command, home)
    with enrolment(str(home / "finance.db")) as office:
        token, _ = office.enroll("per_lena", 1)
    monkeypatch.setenv(VARIABLE, token)
    ran = command("run", GOAL, "--as", "per_lena", "--json", home=home)
    assert ran.json["total_minor"] == int(AMOUNTS[2]), ran
    assert command("quote", "show", ran.json["number"], home=home).code == 0
    refused = command("run", f"{GOAL} at {AMOUNTS[0]}", "--model", "nobody", home=home)
    assert refused.code != 0
    assert any(ran.json["run_id"] in one for one in lines)
    assert spans or importlib.util.find_spec("opentelemetry.sdk") is None
    secret = token.rpartition(".")[2]
    for said in [*lines, *spans]:
        for canary in (*CANARIES, *AMOUNTS, secret.lower()):
            assert canary not in said.lower(), said[:2000]


async def test_neither_does_a_run_that_a_model_plays(
    seeded: Folder,
    copy: Copy,
    monkeypatch: pytest.MonkeyPatch,
    standing: Any,
    lines: list[str],
    spans: list[str],
) -> None:
    for name in ("anthropic", "httpx", "httpcore"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
    standing(monkeypatch)
    result = await play(copy(seeded), FakeMessages(by_the_book))
    assert result["total_minor"] == int(AMOUNTS[2])
    for said in [*lines, *spans]:
        for canary in ("finch", "niamh", "poe+", "sk-ant", *AMOUNTS):
            assert canary not in said.lower(), said[:2000]


def test_what_stops_a_run_is_logged_by_its_kind_only(
    command: Command, seeded: Folder, copy: Copy, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    async def failing(*_: Any) -> None:
        raise AgentFailed(f"plan does not know Zzyx Quillfeather of {GOAL}")

    monkeypatch.setattr("dealdesk.desk.play", failing)
    assert command("run", GOAL, home=copy(seeded)).code != 0
    assert any("stopped: AgentFailed" in one for one in lines)
    for said in lines:
        assert not any(canary in said.lower() for canary in CANARIES), said


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_log_call_is_given_the_words_of_an_error_or_a_text_that_is_put_together(
    path: Path,
) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        told = ast.unparse(node.func.value)
        if node.func.attr in LEVELS and (told.endswith("log") or "getLogger" in told):
            assert isinstance(node.args[0], ast.Constant), f"{name_of(path)}:{node.lineno}"
            for one in node.args[1:]:
                said = ast.unparse(one)
                allowed = said in TOLD or re.fullmatch(r"type\(\w+\)\.__name__|len\(.*\)", said)
                assert allowed, f"{name_of(path)}:{node.lineno}: {said}"
