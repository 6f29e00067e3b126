"""A name alone decides nothing: the token of that person does, or the demo at a terminal."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dealdesk.cli import session
from dealdesk.cli.main import COMMANDS
from servers.registry import NAMES, enrolment
from servers.toolkit.database import Database
from servers.toolkit.migrate import audit_table
from servers.toolkit.person_tokens import IN_THE_DEMO, VARIABLE
from servers.toolkit.seeding import mark_own

from .conftest import ALDER, DAY, Command, Folder
from .test_quote_decisions import draft

Copy = Callable[[Folder], Path]
ROOT = Path(__file__).parents[2]
DECIDING: dict[str, tuple[str, ...]] = {
    "quote request": (),
    "quote approve": ("--yes",),
    "quote reject": ("--yes",),
    "quote issue": ("--yes",),
    "quote accept": ("--yes",),
    "quote withdraw": ("--reason", "a test"),
    "quote supersede": ("--by", "q_2"),
    "quote revise": ("--discount", "5", "--yes"),
    "quote guide": (),
    "runs approve": ("--yes",),
    "runs reject": ("--yes",),
}
TYPED = re.compile(
    r"dealdesk (quote|runs) (approve|reject|issue|accept|withdraw|supersede|revise|guide)"
)


@pytest.fixture
def home(seeded: Folder, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo company; no command is given a token but by the test."""
    monkeypatch.setenv(VARIABLE, "")
    return copy(seeded)


@pytest.fixture
def own(home: Path) -> Path:
    """The same as a company of one's own."""
    database = Database.open(home / "finance.db", "finance")
    with database.write() as session:
        mark_own(session)
    database.close()
    return home


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An interactive terminal; what is asked there in secret is answered with what it holds."""
    typed: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(session, "getpass", lambda _words: typed[-1])
    return typed


def token_of(home: Path, person: str) -> str:
    with enrolment(str(home / "finance.db")) as office:
        return str(office.enroll(person, 1)[0])


def audited(home: Path, server: str, component: str) -> list[tuple[str, str]]:
    database = Database.open(home / f"{server}.db", server)
    with database.session() as found:
        mine = sa.select(audit_table).where(audit_table.c.component == component)
        rows = [(row.actor, row.reason) for row in found.connection().execute(mine)]
    database.close()
    return rows


def test_every_command_that_acts_as_a_person_is_here() -> None:
    said = {name for name in COMMANDS if _takes_a_person(COMMANDS[name])}
    assert said == set(DECIDING)


def _takes_a_person(place: str) -> bool:
    """Say whether a command's module opens the desk as a person for it."""
    module, _, function = place.partition(":")
    text = (ROOT / "dealdesk" / "cli" / f"{module}.py").read_text(encoding="utf-8")
    body = re.split(r"\n(?:async )?def ", text)
    mine = next(part for part in body if part.startswith(f"{function}("))
    return bool(re.search(r"acting: (Acting|Asked)|decision: Decision", mine))


@pytest.mark.parametrize("words", DECIDING)
@pytest.mark.parametrize("token", ["", "ddp.per_tomas.tok_1.guessed"])
def test_no_command_decides_in_a_pipe_without_a_live_token(
    home: Path, command: Command, monkeypatch: pytest.MonkeyPatch, words: str, token: str
) -> None:
    monkeypatch.setenv(VARIABLE, token)
    done = command(*words.split(), "q_1", *DECIDING[words], "--as", "per_tomas", home=home)
    done.fails(4, "per_tomas", "owner of the desk")


def test_anothers_token_is_refused_and_ones_own_needs_no_name(
    own: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote_id = draft(own, "opp_021", discount_bp=800)["quote_id"]
    monkeypatch.setenv(VARIABLE, token_of(own, "per_tomas"))
    approve = ("quote", "approve", quote_id)
    command(*approve, "--as", "per_ingrid", home=own).fails(4, "not one of per_ingrid")
    done = command(*approve, "--all")
    assert done.code == 0
    assert done.err.startswith("APR-DISCOUNT-5, by a sales_manager"), "what is decided is shown"
    ((actor, token_id),) = audited(own, "finance", "decide_approval")
    assert (actor, token_id) == ("person:per_tomas", os.environ[VARIABLE].split(".")[2])
    assert command("quote", "issue", quote_id).code == 0
    assert set(audited(own, "crm", "record_quote_outcome")) == {("person:per_tomas", token_id)}


def test_at_a_terminal_the_token_is_asked_for_and_a_wrong_one_decides_nothing(
    own: Path, command: Command, terminal: list[str]
) -> None:
    quote_id = draft(own, "opp_021", discount_bp=800)["quote_id"]
    approve = ("quote", "approve", quote_id, "--as", "per_tomas", "--yes", "--all")
    for wrong in ("", "ddp.per_tomas.tok_1.guessed", token_of(own, "per_ingrid")):
        terminal.append(wrong)
        command(*approve, home=own).fails(4, "no live token of per_tomas")
    terminal.append(token_of(own, "per_tomas"))
    assert command(*approve).code == 0
    with enrolment(str(own / "finance.db")) as office:
        office.disable("per_tomas")
    command("quote", "issue", quote_id, "--as", "per_tomas", "--yes").fails(4, "no live token")


def test_in_the_demo_a_name_at_a_terminal_is_enough_and_says_so(
    home: Path, command: Command, terminal: list[str]
) -> None:
    quote_id = draft(home, "opp_021", discount_bp=800)["quote_id"]
    approve = ("quote", "approve", quote_id, "--as", "per_tomas", "--yes", "--all")
    done = command(*approve, home=home)
    assert done.code == 0
    assert "nobody was authenticated" in done.err
    assert audited(home, "finance", "decide_approval") == [("person:per_tomas", IN_THE_DEMO)]


def test_the_owner_enrols_and_nobody_sets_their_own_limit(
    home: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = command("person", "enroll", "per_tomas", home=home)
    assert done.out.startswith("ddp.per_tomas.tok_")
    assert len(done.out.split()) == 1, "nothing else, for $(...)"
    command("person", "enroll", "per_nobody").fails(2, "per_nobody", "person list")
    limit = ("person", "limit", "per_tomas", "--discount", "7.5", "--total", "EUR=1000.50")
    assert command(*limit).code == 0
    until = ("--until", "2126-12-24")
    assert command("person", "delegate", "per_tomas", "per_lena", *until).code == 0
    row = next(p for p in command("person", "list", "--json").json if p["name"] == "Tomas Rehn")
    assert (row["max_discount_bp"], row["max_total"]) == (750, {"EUR": "1000.50"})
    assert (row["deputy_id"], row["deputy_until"]) == ("per_lena", "2126-12-24")
    assert row["token_id"] in done.out
    assert not {"token", "digest"} & row.keys()
    for mine in ("per_tomas", "per_lena"):
        monkeypatch.setenv("DEALDESK_PERSON", mine)
        command("person", "delegate", "per_tomas", "per_lena", *until).fails(4, mine)
    monkeypatch.setenv("DEALDESK_PERSON", "per_tomas")
    command(*limit).fails(4, "another owner")
    (home / "keys" / "grant.pem").unlink()
    command("person", "list").fails(4, "no private key")


def files_agents_read() -> Iterator[Path]:
    for floor in ("servers", "orchestrator"):
        for path in (ROOT / floor).rglob("*"):
            if path.suffix in (".py", ".js", ".j2", ".typ", ".html", ".md"):
                yield path


def test_no_word_of_a_server_or_an_agent_is_a_command_that_decides() -> None:
    pages = {ROOT / "servers" / name / "README.md" for name in NAMES}  # nobody is served these
    found = {
        str(path.relative_to(ROOT))
        for path in files_agents_read()
        if path not in pages and TYPED.search(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_no_answer_about_a_quote_carries_a_command_that_decides(
    home: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = command("run", ALDER, *DAY, "--json", home=home)
    answers: list[Any] = [asked.out, command("quote", "show", asked.json["quote_id"], "--json").out]
    answers.append(draft(home, "opp_021", discount_bp=800))
    monkeypatch.setenv(VARIABLE, token_of(home, "per_tomas"))
    for words in (("approve", "--all", "--json"), ("issue", "--json"), ("show", "--json")):
        answers.append(command("quote", words[0], answers[2]["quote_id"], *words[1:]).out)
    for answer in answers:
        assert "quote_id" in str(answer)
        assert not TYPED.search(str(answer))
