"""The README says what is so: its commands, tables, blocks and counts are tried."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dealdesk.cli.exit_codes import INTERRUPTED, OUTCOMES, PROBLEMS
from dealdesk.cli.main import build
from orchestrator import errors
from servers.profiles import PROFILES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
START = (
    "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e . && "
    '.venv/bin/dealdesk run "Quote Alder & Finch for the switches they asked about last week"'
)
TESTS = (
    "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e '.[test]' && "
    ".venv/bin/python -m pytest"
)


def blocks(language: str = "") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_each_of_the_two_commands_is_there_exactly_once() -> None:
    lines = README.splitlines()
    assert [line for line in lines if line.startswith("python3 -m venv")] == [START, TESTS]
    assert README.count(START) == README.count(TESTS) == 1


def test_ci_runs_the_second_command_as_it_is_written() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (grep,) = re.findall(r"command=\$\((grep .* README\.md)\)", script)
    found = subprocess.run(
        shlex.split(grep), cwd=ROOT, capture_output=True, text=True, check=True, timeout=20
    )
    assert found.stdout == TESTS + "\n"
    assert 'bash -c "$command"' in script
    assert "scripts/check" in script


def command_lines() -> list[str]:
    in_blocks = [line for block in blocks() for line in block.splitlines()]
    in_text = re.findall(r"`([^`\n]+)`", README)
    shown = [re.sub(r"\s+#.*$", "", line) for line in in_blocks + in_text]
    starts = [re.sub(r"^.*?(?:\.venv/bin/|uv run --isolated )(?=dealdesk )", "", s) for s in shown]
    return [s for s in starts if s.startswith("dealdesk ") and "|" not in s]


@pytest.mark.parametrize("line", command_lines())
def test_each_command_line_parses(line: str) -> None:
    words = shlex.split(line)[1:]
    app = build()
    if words in (["runs"], ["quote"]):  # a group is named, not a command
        assert words[0] in app
    else:
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_enough_command_lines_were_found() -> None:
    assert len(command_lines()) > 9
    assert any("--as per_tomas" in line for line in command_lines())


def table_rows() -> dict[str, str]:
    section = README.partition("## The command\n")[2].partition("\n##")[0]
    return dict(re.findall(r"^\| `dealdesk ([^`]+)`[^|]*\| (.*) \|$", section, re.MULTILINE))


def test_the_table_names_every_command_and_its_options() -> None:
    app, rows = build(), table_rows()
    named = {row.split()[0] for row in rows} | {"doctor"}
    assert named == {name for name in app if not name.startswith("-")}
    for group in ("runs", "quote"):
        shown = re.findall(r"`(\w+)`", rows[group])
        assert set(shown) == {name for name in app[group] if not name.startswith("-")}
    (run,) = (text for name, text in rows.items() if name.startswith("run "))
    for option in re.findall(r"`(--[a-z-]+)", run):
        value = {"--model": "playbook", "--order-date": "2026-11-23"}.get(option, "x")
        flag = option in ("--revise", "--queue", "--json", "--ndjson")
        words = ["run", "Quote it", option, *([] if flag else [value])]
        app.parse_args(words, exit_on_error=False, print_error=False)
    (serve,) = (text for name, text in rows.items() if name.startswith("serve"))
    (profiles,) = re.findall(r"--profile ([a-z\\|]+)", serve)
    assert set(profiles.split("\\|")) == set(PROFILES)


def test_the_exit_codes_are_the_programs() -> None:
    text = " ".join(README.partition("Exit codes:")[2].partition("\n\n")[0].split())
    said = {int(code): words.strip(" .") for code, words in re.findall(r"(\d+) ([^·]+)", text)}
    assert set(said) == {*OUTCOMES.values(), *PROBLEMS.values(), INTERRUPTED}
    for outcome in ("no_quote", "needs_input", "waiting", "out_of_budget", "blocked", "failed"):
        assert said[OUTCOMES[outcome]].startswith(outcome.replace("_", " ")), outcome
    assert said[PROBLEMS[errors.UsageError]] == "usage"
    assert said[PROBLEMS[errors.EnvironmentProblem]] == "environment"
    assert said[PROBLEMS[errors.CredentialsError]] == "credentials"


def test_the_repositorys_own_client_file_names_our_scripts() -> None:
    own = json.loads((ROOT / ".mcp.json").read_text(encoding="utf-8"))["mcpServers"]
    assert set(own) == {name for name in PROJECT["scripts"] if name != "dealdesk"}
    assert all(name in entry["args"] for name, entry in own.items())


@pytest.mark.timeout(120)
def test_the_python_block_runs_as_it_is(tmp_path: Path) -> None:
    (block,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names, found, refused = done.stdout.splitlines()
    assert names == "['match_need']"
    assert "SW-P8-120" in found or "resolved" in found
    assert "get_product" in refused, "a tool that was not granted is not there"


def test_the_demo_company_is_as_large_as_it_says() -> None:
    said = re.search(r"\((\d+) SKUs, (\d+) accounts, (\d+) deals told by real", README)
    assert said is not None
    seed = ROOT / "seed_data"
    deals = (seed / "crm" / "opportunities.csv").read_text(encoding="utf-8").splitlines()[1:]
    accounts = (seed / "crm" / "accounts.csv").read_text(encoding="utf-8").splitlines()[1:]
    products = json.loads((seed / "catalog" / "products.json").read_text(encoding="utf-8"))
    skus = {product["sku"] for product in products}
    with (seed / "finance" / "items.csv").open(encoding="utf-8", newline="") as file:
        assert {row["sku"] for row in csv.DictReader(file)} == skus
    assert [int(n) for n in said.groups()] == [len(skus), len(accounts), len(deals)]
    suffixes = {p.suffix for p in (seed / "crm" / "opportunities").rglob("*") if p.is_file()}
    assert {".eml", ".pdf", ".docx"} <= suffixes


def test_the_goals_phrasings_are_as_many_as_it_says() -> None:
    assert "forty phrasings" in README
    lines = (ROOT / "evals" / "goals.jsonl").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) == 40


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target
    for name in re.findall(r"DEALDESK_[A-Z_]+", README):
        readers = ("dealdesk/settings.py", "servers/toolkit/main.py")
        settings = "".join((ROOT / path).read_text(encoding="utf-8") for path in readers)
        known = name in ("DEALDESK_HOME", "DEALDESK_") or name.endswith("_URL")
        assert known or name in settings, name
