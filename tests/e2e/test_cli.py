"""The command as a person and a script use it, on the demo company."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dealdesk.cli.exit_codes import OUTCOMES

from .conftest import ALDER, BERGWALD, DAY, Command, Folder, Warm, clean_environment

pytestmark = pytest.mark.timeout(180)
Copy = Callable[[Folder], Path]

INTERNAL = ("cost", "margin", "finding", "approv", "floor", "playbook", "digest", "requested_by")
QUOTE_FILES = {".html", ".md", ".json", "-internal.html", "-internal.md", "-internal.json"}


def test_a_goal_becomes_an_issued_quote_on_disk(quoted: Folder) -> None:
    report = quoted.said.json
    assert quoted.said.code == 0
    assert quoted.said.err == ""
    assert report["outcome"] == "issued"
    assert re.fullmatch(r"Q-\d{4}-000001", report["number"])
    paths = [Path(name) for name in report["files"]]
    assert {p.name.removeprefix(report["number"]) for p in paths} == QUOTE_FILES
    assert all(p.stat().st_size > 500 for p in paths)
    assert len(list((quoted.home / "quotes").iterdir())) == len(paths), "and no half-written file"
    for page in (p.read_text() for p in paths if p.suffix == ".html"):
        assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page), "self-contained"
        assert "<script" not in page
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", page)
    customer = json.loads(
        next(p for p in paths if p.name == f"{report['number']}.json").read_text()
    )
    assert customer["totals"]["total_minor"] == report["total_minor"]


def test_the_same_goal_again_makes_no_second_quote(
    quoted: Folder, copy: Copy, command: Command
) -> None:
    home = copy(quoted)
    again = command("run", ALDER, home=home)
    assert again.code == 0
    assert again.out.startswith(f"There is a quote already: {quoted.said.json['number']}\n")
    assert f"dealdesk quote show {quoted.said.json['quote_id']}" in again.out
    assert "--revise" in again.out
    assert "Played by offline-playbook/1" in again.out
    assert again.err.startswith("✓ plan "), "progress goes to stderr"
    assert len(command("quote", "list", "--json").json) == 1

    revised = command("run", ALDER, "--revise", "--ndjson")
    assert revised.code == 0
    assert revised.err == ""
    events = [json.loads(line) for line in revised.out.splitlines()]
    assert events[0]["type"] == "run_started"
    assert [e["seq"] for e in events[:-1]] == list(range(1, len(events)))
    last = events[-1]
    assert (last["type"], last["outcome"], last["revision"]) == ("result", "issued", 2)
    assert all(Path(name).exists() for name in last["files"])
    rows = command("quote", "list", "--json").json
    assert {(r["revision"], r["status"]) for r in rows} == {(1, "superseded"), (2, "issued")}


def test_a_deal_that_is_won_is_not_quoted_again_unasked(
    quoted: Folder, copy: Copy, command: Command
) -> None:
    home = copy(quoted)
    (row,) = command("quote", "list", "--json", home=home).json
    assert command("quote", "accept", row["quote_id"], "--as", "per_tomas").code == 0
    deal = ("--opportunity", row["opportunity_id"])
    for more in ((), deal, ("--revise",), (*deal, "--revise")):
        again = command("run", ALDER, *more, *DAY)
        assert again.code == 6
        assert f"Needs input: {row['number']}, already_won" in again.out
        assert "Next: open a new opportunity" in again.out
    assert len(command("quote", "list", "--json").json) == 1


def test_quotes_are_listed_and_shown(quoted: Folder, copy: Copy, command: Command) -> None:
    home = copy(quoted)
    quote_id, number = quoted.said.json["quote_id"], quoted.said.json["number"]
    listed = command("quote", "list", home=home)
    head, row = (line.split("\t") for line in listed.out.splitlines())
    assert dict(zip(head, row, strict=True)) | {"total": "", "valid until": ""} == {
        "quote": quote_id,
        "number": number,
        "rev": "1",
        "status": "issued",
        "account": "acc_001",
        "opportunity": "opp_001",
        "valid until": "",
        "total": "",
    }
    assert command("quote", "list", "--status", "draft").out.count("\n") == 1

    shown = command("quote", "show", quote_id)
    assert (shown.code, shown.err) == (0, "")
    assert number in shown.out
    assert "SW-P8-120" in shown.out
    assert "total" in shown.out

    inside = command("quote", "show", quote_id, "--json").json
    assert {"findings", "approvals"} <= set(inside)
    outside = command("quote", "show", quote_id, "--view", "customer", "--json").json
    assert not _internal_names(outside)
    assert outside["totals"] == inside["totals"]
    plain = command("quote", "show", quote_id, "--view", "customer")
    assert plain.code == 0
    assert not [word for word in INTERNAL if word in plain.out.lower()]


def test_a_quote_is_rendered_again_for_the_customer(
    quoted: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "else where"
    said = command("quote", "render", quoted.said.json["quote_id"], "--out", out, home=copy(quoted))
    assert said.code == 0
    paths = [Path(line) for line in said.out.splitlines()]
    assert {p.suffix for p in paths} == {".html", ".md", ".json"}
    assert sorted(paths) == sorted(out.iterdir())
    for path in paths:
        assert path.read_bytes() == (quoted.home / "quotes" / path.name).read_bytes()
        text = re.sub(r"<style>.*?</style>", "", path.read_text(), flags=re.DOTALL).lower()
        ours = re.split(r"<h2>terms</h2>|## terms|\"clauses\": \[", text)[0]  # clauses may say cost
        assert len(ours) > 1000
        assert not [word for word in INTERNAL if re.search(rf"\b{word}", ours)], path
    said = json.loads(next(p for p in paths if p.suffix == ".json").read_text())
    assert said.pop("seal")["digest"], "of what the customer sees, and of nothing else"
    assert not _internal_names(said)


def _internal_names(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [name for name in value if any(word in name for word in INTERNAL)]
        return here + [found for inside in value.values() for found in _internal_names(inside)]
    return (
        [found for one in value for found in _internal_names(one)]
        if isinstance(value, list)
        else []
    )


def test_a_run_waits_and_only_the_right_person_approves_it(
    waiting: Folder, copy: Copy, command: Command
) -> None:
    report = waiting.said.json
    assert waiting.said.code == OUTCOMES["waiting"]
    assert report["outcome"] == "waiting"
    assert {p.rpartition("-")[2] for p in report["files"]} == {
        f"internal.{suffix}" for suffix in ("html", "md", "json")
    }, "a draft is not for the customer yet"
    home, run_id = copy(waiting), waiting.run_id

    same = command("run", BERGWALD, *DAY, home=home)
    assert same.code == 0
    assert f"dealdesk runs show {run_id}" in same.out, "the run that has the deal is named"
    command("runs", "approve", run_id).fails(2, "who decides?", "--as per_tomas")
    command("runs", "approve", run_id, "--as", "per_lena", "--all").fails(2, "per_lena")
    command("runs", "approve", run_id, "--as", "per_nobody").fails(4, "per_nobody")
    command("runs", "answer", run_id, "n1=2").fails(2, "asked nothing")
    (open_,) = [r for r in command("runs", "list", "--json").json if r["status"] == "waiting"]
    assert open_["run_id"] == run_id

    done = command("runs", "approve", run_id, "--as", "per_tomas", "--all", "--note", "as agreed")
    assert done.code == 0, done
    assert done.out.startswith("Quote issued: Q-")
    assert "decided    approved by per_tomas" in done.err
    command("runs", "approve", run_id, "--as", "per_tomas").fails(2, "waits for no decision")
    command("runs", "cancel", run_id).fails(2, "ended already")


def test_a_quote_that_needs_two_people_waits_for_both(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    said = command("run", "Quote Cantera Solar for the cameras", *DAY, "--json", home=copy(seeded))
    assert said.code == OUTCOMES["waiting"], said
    run_id = said.json["run_id"]
    assert {a["role"] for a in said.json["approvals"]} == {"finance_director", "sales_manager"}
    other = ("--as", "per_tomas", "--rule", "APR-OTHER")
    command("runs", "approve", run_id, *other).fails(2, "APR-OTHER waits for no decision")
    mine = [a["rule_id"] for a in said.json["approvals"] if a["role"] == "sales_manager"]
    named = [word for rule in mine for word in ("--rule", rule)]
    half = command("runs", "approve", run_id, "--as", "per_tomas", *named, "--json")
    assert all(f"{rule}, by a sales_manager: " in half.err for rule in mine), half
    assert half.code == OUTCOMES["waiting"], half
    assert half.json == {"run_id": run_id, "outcome": "waiting", "roles": ["finance_director"]}
    command("runs", "approve", run_id, "--as", "per_tomas", "--all").fails(2, "per_tomas")
    done = command("runs", "approve", run_id, "--as", "per_ingrid", "--all")
    assert done.code == 0, done
    assert done.out.startswith("Quote issued: ")
    shown, told = done.err.rsplit("✓", 1)
    assert told == " decided    approved by per_ingrid\n", "only what is new"
    assert "by a finance_director: " in shown


def test_a_rejected_deal_can_be_quoted_again(waiting: Folder, copy: Copy, command: Command) -> None:
    home, run_id = copy(waiting), waiting.run_id
    said = command("runs", "reject", run_id, "--as", "per_tomas", "--json", home=home)
    assert said.code == OUTCOMES["rejected"], said
    assert (said.json["outcome"], said.json["files"]) == ("rejected", [])
    row = command("runs", "show", run_id, "--json").json
    assert (row["status"], row["outcome"]) == ("done", "rejected")
    again = command("run", BERGWALD, *DAY, "--json", "--as", "per_lena")
    assert again.code == OUTCOMES["waiting"], again
    assert again.json["run_id"] != run_id


def test_a_cancelled_run_frees_its_deal(waiting: Folder, copy: Copy, command: Command) -> None:
    home, run_id = copy(waiting), waiting.run_id
    said = command("runs", "cancel", run_id, home=home)
    quotes = command("quote", "list", "--json").json
    (draft,) = (one for one in quotes if one["created_by"].endswith(f"@{run_id}"))
    withdraw = f"dealdesk quote withdraw {draft['quote_id']} --as PERSON --reason WHY"
    assert said.code == 0
    assert said.out.splitlines() == [
        f"{run_id} is cancelled.",
        f"Its draft {draft['quote_id']} stays open. To take it back: {withdraw}",
    ]
    row = command("runs", "show", run_id, "--json").json
    assert (row["status"], row["outcome"]) == ("done", "cancelled")
    command("runs", "approve", run_id, "--as", "per_tomas").fails(2, "cancelled")
    command("runs", "cancel", "run_nobody").fails(2, "run_nobody")
    command("runs", "resume").fails(2, "no run is open")


def test_runs_are_listed_and_shown(waiting: Folder, copy: Copy, command: Command) -> None:
    home = copy(waiting)
    rows = command("runs", "list", home=home).out.splitlines()
    assert rows[0].split("\t")[:3] == ["run", "status", "outcome"]
    assert [row.split("\t")[1] for row in rows[1:]] == ["waiting", "done"], "newest first"
    assert len(command("runs", "list", "--status", "waiting").out.splitlines()) == 2
    assert command("runs", "list", "--status", "asleep").code == 2
    shown = command("runs", "show", waiting.run_id)
    assert shown.code == 0
    assert BERGWALD in shown.out
    assert "waiting    for approval" in shown.out
    assert shown.err == ""
    full = command("runs", "show", waiting.run_id, "--json").json
    assert full["events"][0]["type"] == "run_started"
    assert full["requested_by"] == "per_lena"


def test_a_missing_quantity_is_asked_for_and_its_answer_goes_on(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    goal = "Angebot für Bergwald Holz, Vibrationssensoren für die Bandsäge"
    asked = command("run", goal, *DAY, home=copy(seeded))
    assert asked.code == OUTCOMES["needs_input"], asked
    assert "How many?" in asked.out
    (run_id,) = re.findall(r"dealdesk runs answer (run_\w+)", asked.out)
    command("runs", "answer", run_id).fails(2, "no answer given")
    command("runs", "answer", run_id, "n1=lots!").fails(2)
    command("runs", "answer", run_id, "n9=12").fails(2, "n9")
    done = command("runs", "answer", run_id, "n1=12", "--json")
    assert done.code in (OUTCOMES["issued"], OUTCOMES["waiting"]), done
    assert done.err == ""
    lines = done.json["lines"]
    assert [line["quantity"] for line in lines if line["sku"] == "SEN-V1"] == [12], lines
    rows = command("runs", "list", "--json").json
    assert rows[0]["continues"] == run_id


@pytest.mark.parametrize(
    ("goal", "outcome", "words"),
    [
        ("Quote Petit & Moreau for the temperature sensors", "no_quote", ["No quote: on_hold"]),
        (
            "Quote Bergwald",
            "needs_input",
            [
                "Which account",
                "acc_008 Bergwald Holz",
                "acc_009 Bergwald Logistik",
                "--opportunity",
            ],
        ),
        ("Quote Zyxwv Aerospace for the rockets", "needs_input", ["No account of that name"]),
        ("Quote Gulfline for the VPN gateways", "blocked", ["Blocked"]),
    ],
)
def test_an_outcome_without_a_quote_says_why_and_has_its_own_code(
    goal: str, outcome: str, words: list[str], seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    said = command("run", goal, *DAY, home=home)
    assert said.code == OUTCOMES[outcome], said
    for word in words:
        assert word in said.out, said
    assert not (home / "quotes").exists()
    assert command("quote", "list", "--json").json == []


def test_an_unknown_opportunity_is_refused(seeded: Folder, copy: Copy, command: Command) -> None:
    said = command("run", "Quote it", "--opportunity", "opp_999", *DAY, home=copy(seeded))
    assert said.code == OUTCOMES["needs_input"], said
    assert "No open opportunity has that id. (opp_999) One of: opp_009 " in said.out, said
    assert "Next: name it: " in said.out


def test_ctrl_c_leaves_a_run_that_can_be_resumed(
    seeded: Folder, copy: Copy, command: Command, warm: Warm
) -> None:
    home = copy(seeded)
    with subprocess.Popen(
        warm("dealdesk", "run", ALDER),
        env=clean_environment(home),
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("✓ plan"), "it is in the middle"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert "Exception" not in err
    assert err.splitlines()[-1] == (
        "dealdesk: interrupted; `dealdesk runs resume` goes on from here."
    )
    done = command("runs", "resume", "--json", home=home)
    assert done.code == 0, done
    assert done.json["outcome"] == "issued"
    assert len(command("quote", "list", "--json").json) == 1


def test_doctor_looks_and_changes_nothing_in_a_good_folder(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    said = command("doctor", home=copy(seeded))
    assert said.code == 0, said
    assert all(line.startswith("✓ ") for line in said.out.splitlines())
    rows = {row["what"]: row for row in command("doctor", "--json").json}
    assert set(rows) >= {"python", "sqlite", "data folder", "model", "servers", "workflow"}
    assert "crm" in rows["servers"]["said"]


def test_doctor_names_what_is_wrong(seeded: Folder, copy: Copy, command: Command) -> None:
    home = copy(seeded)
    (home / "finance.db").write_bytes(b"nonsense" * 1000)
    said = command("doctor", home=home)
    assert said.code == 3
    (bad,) = [line for line in said.out.splitlines() if line.startswith("✗")]
    assert "finance.db" in bad


def test_doctor_says_which_tables_of_law_are_too_old(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    with closing(sqlite3.connect(home / "finance.db")) as database:
        database.execute("UPDATE embargoed_country SET checked_on = '2020-01-01'")
        database.commit()
    said = command("doctor", home=home)
    assert said.code == 3
    (bad,) = [line for line in said.out.splitlines() if line.startswith("✗")]
    assert "embargoed_countries checked on 2020-01-01 (limit 800 days)" in bad
    assert "tax_rates" not in bad
    assert "no quote issues by itself" in bad


def test_tools_shows_who_may_use_what(command: Command) -> None:
    everyone = command("tools", "--json").json
    assert len(everyone) == 8
    assert [row["agent"] for row in everyone if row["writes"]] == ["assemble"]
    assert not [row for row in everyone if row["writes"] and row["reads_untrusted"]]
    (price,) = command("tools", "--agent", "price", "--json").json
    plain = command("tools", "--agent", "price")
    assert plain.code == 0
    assert all(tool in plain.out for tool in price["tools"])
    command("tools", "--agent", "prize").fails(2, "price", "prize")


def test_init_makes_the_demo_or_an_empty_folder(
    seeded: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    assert "The demo company was loaded into" in seeded.said.out
    assert "was ready already" in command("init", home=copy(seeded)).out
    command("init", "--empty").fails(3, "holds the demo data already", "--home")
    empty = tmp_path / "empty"
    assert command("init", "--empty", home=empty).code == 0
    assert command("init", "--empty").code == 0, "twice does no harm"
    assert command("quote", "list", "--json").json == []
    said = command("run", ALDER)
    assert said.code == OUTCOMES["needs_input"], said


def test_help_and_version(command: Command) -> None:
    said = command("--help")
    assert said.code == 0
    for name in ("run", "runs", "quote", "serve", "tools", "init", "doctor", "eval"):
        assert name in said.out
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", command("--version").out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rum", ALDER], 'Did you mean "run"?'),
        (["run"], "GOAL requires an argument"),
        (["run", ALDER, "--revice"], "--revise"),
        (["serve", "crn"], "crm"),
    ],
)
def test_a_slip_of_the_fingers_is_a_usage_error(
    arguments: list[str], words: str, command: Command
) -> None:
    said = command(*arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert "Traceback" not in said.err


def test_an_evaluation_of_nothing_is_a_usage_error(command: Command) -> None:
    command("eval", "quotes", "--only", "opp_999").fails(2, "opp_999", "opp_001")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dealdesk.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(' '.join({'fastmcp', 'sqlmodel', 'dbos', 'anthropic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.stderr.strip() == ""


def test_a_reader_that_goes_away_is_no_error(waiting: Folder, copy: Copy, warm: Warm) -> None:
    with subprocess.Popen(
        warm("dealdesk", "runs", "show", waiting.run_id, "--json"),
        env=clean_environment(copy(waiting)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=50) in (0, 120)
