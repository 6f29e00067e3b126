"""A house of one's own, from an empty folder to an issued quote; what is lacking is said."""

import asyncio
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from dealdesk.cli.company_questions import QUESTIONS, company_of
from dealdesk.cli.doctor import HOUSE
from servers.finance.server import create_server
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant

from .conftest import Command
from .stated import stated

ROOT = Path(__file__).parents[2]
COMPANY = (ROOT / "examples" / "company" / "small.toml").read_text(encoding="utf-8")
FILES = {
    "items": (
        "sku,name,family,kind,tax_class\nHM-1,Hammer,tools,goods,standard\n"
        "PLAN-9,Design,work,service,standard\n"
    ),
    "prices": "sku,amount\nHM-1,12.50\nPLAN-9,on request\n",
    "products": ("sku,name,family,kind,base_uom,lifecycle\nHM-1,Hammer,tools,goods,each,active\n"),
    "accounts": (
        "account_id,name,legal_name,kind,country,currency,language,status\n"
        "acc_1,Kunde,Kunde GmbH,business,DE,EUR,de,active\n"
    ),
    "customers": (
        "account_id,legal_name,country,kind,currency,payment_terms_code\n"
        "acc_1,Kunde GmbH,DE,business,EUR,NET30\n"
    ),
    "addresses": (
        "address_id,account_id,kind,lines,city,postal_code,country\n"
        "adr_1,acc_1,shipping,Weg 2,Bonn,53111,DE\n"
    ),
    "customer_tax_ids": (
        "account_id,scheme,country,value,verified_at\n"
        "acc_1,eu_vat,DE,DE136695976,2026-11-01T08:00:00Z\n"
    ),
}
MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)
LINES = [{"line_id": "l1", "sku": "HM-1", "quantity": 4}]
TOOLS = ("price_quote", "select_terms", "create_quote", "issue_quote", "get_quote", "render_quote")
ORDER = {
    "account_id": "acc_1",
    "lines": LINES,
    "ship_to_address_id": "adr_1",
    "ship_method": "FLAT",
    "order_date": "2026-11-23",
}


def company(folder: Path, text: str = COMPANY) -> Path:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def documented() -> list[list[str]]:
    """Return the commands of README's section, as they are typed."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("company\n```\n")[1]
    lines = section.split("```")[0].splitlines()
    return [shlex.split(line.removeprefix("dealdesk ")) for line in lines]


def lacking(command: Command) -> list[str]:
    said = command("doctor", "--json")
    wrong = [row for row in said.json if not row["ok"] and row["what"] in HOUSE]
    assert said.code == (3 if wrong else 0), said.out
    assert all("Try: dealdesk " in row["said"] for row in wrong), wrong
    return [row["what"] for row in wrong]


@contextmanager
def finance_of(home: Path) -> Iterator[Database]:
    database = Database.open(home / "finance.db", "finance")
    yield database
    database.close()


async def issued(database: Database) -> dict[str, Any]:
    app = create_server(database, now=lambda: MORNING)
    grant = Grant(id="g_own", audience="finance", agent="own", run="r1", tools=frozenset(TOOLS))
    async with Client(app.view(grant)) as client:

        async def ask(tool: str, given: dict[str, Any]) -> dict[str, Any]:
            return dict((await client.call_tool(tool, given)).structured_content or {})

        priced = await ask("price_quote", ORDER)
        assert priced["findings"] == []
        given = {name: ORDER[name] for name in ("account_id", "lines", "ship_to_address_id")}
        total = {"total_minor": priced["totals"]["total_minor"], "currency": priced["currency"]}
        terms = await ask("select_terms", given | total)
        assert terms["findings"] == []
        more = {name: terms[name] for name in ("clause_ids", "payment_terms")}
        said = stated(database, ORDER, "opp_1")
        draft = await ask("create_quote", ORDER | more | said | {"opportunity_id": "opp_1"})
        assert [one["code"] for one in draft["findings"]] == ["SCREENING_OFF"]
        assert draft["approvals_needed"] == []
        same = {name: draft[name] for name in ("quote_id", "digest")}
        await ask("issue_quote", same)
        quote = await ask("get_quote", {"quote_id": draft["quote_id"]})
        design = {"line_id": "l1", "sku": "PLAN-9", "quantity": 1}
        waits = await ask("price_quote", ORDER | {"lines": [design], "ship_method": "DIGITAL"})
        assert [one["code"] for one in waits["findings"]] == ["ASK_FOR_PRICE"]
    app.ledger.audit.flush()
    return quote


def test_from_an_empty_folder_to_an_issued_quote(command: Command, tmp_path: Path) -> None:
    home, here = tmp_path / "home", Path.cwd()
    company(here)
    for name, text in FILES.items():
        (here / f"{name}.csv").write_text(text, encoding="utf-8")
    first, *files, last = documented()
    said = command(*first, home=home)
    assert said.code == 0, said
    for words in ("no bank account", "LIST in EUR is empty", "nobody is screened", "FLAT, PICKUP"):
        assert words in said.out
    rest = ["products", "items", "prices", "accounts", "customers", "addresses"]
    assert lacking(command) == rest
    for one in (*files, ["import", "finance", "customer_tax_ids", "customer_tax_ids.csv"]):
        said = command(*one)
        assert said.code == 0, said
    assert last == ["doctor"]
    assert lacking(command) == []
    said = command("doctor")
    assert "screening: off" in said.out
    assert "certification: off" in said.out
    with finance_of(home) as database:
        quote = asyncio.run(issued(database))
    totals = quote["totals"]
    assert (totals["lines_minor"], totals["freight_minor"], totals["tax_minor"]) == (
        5_000,
        1_490,
        0,
    )
    assert quote["number"] == "LTBV-2026-00001"
    out = tmp_path / "out"
    assert (
        command("quote", "render", quote["quote_id"], "--format", "markdown", "--out", out).code
        == 0
    )
    paper = next(out.rglob("*.md")).read_text(encoding="utf-8")
    assert "intra-Community supply" in paper
    assert "IBAN" not in paper


def test_an_empty_house_without_a_company_lacks_all_of_it(command: Command, tmp_path: Path) -> None:
    assert command("init", "--empty", home=tmp_path / "home").code == 0
    assert lacking(command) == [
        *("seller", "products", "items", "prices", "delivery", "terms"),
        *("accounts", "customers", "addresses", "screening"),
    ]


@pytest.mark.parametrize("there", [False, True])
def test_an_init_that_fails_leaves_nothing_and_works_once_it_is_mended(
    command: Command, tmp_path: Path, there: bool
) -> None:
    home = tmp_path / "home"
    if there:
        home.mkdir()
    wrong = company(tmp_path, COMPANY.replace('"NL"', '"Holland"'))
    command("init", "--empty", "--company", wrong, home=home).fails(3, "small.toml", "country")
    assert home.exists() == there
    assert not there or not [*home.iterdir()]
    assert command("init", "--empty", "--company", company(tmp_path)).code == 0
    wrong = company(tmp_path, COMPANY.replace('"NL"', '"Holland"'))
    command("init", "--company", wrong).fails(3, "country")
    with closing(sqlite3.connect(home / "finance.db")) as database:
        (name,) = database.execute("SELECT legal_name FROM seller").fetchone()
    assert name == "Larkspur Tools B.V.", "what was there before stays"


def test_a_terminal_asks_for_what_a_first_quote_needs(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = ("us", "1 Main St", "97201", "Portland", "OR", "12-3456789")
    more = ("q@larkspur.example", "", "US=9, WORLD=39", "Ada Larkspur")
    answers = iter(["", "Larkspur Tools, Inc.", *place, *more])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda *_: next(answers))
    home = tmp_path / "home"
    said = command("init", "--empty", home=home)
    assert said.code == 0, said
    assert "US 9 USD, WORLD 39 USD" in said.out
    assert (home / "company.json").exists()
    people = command("person", "list", "--json").json
    assert [one["name"] for one in people] == ["Ada Larkspur"]


def test_nobody_answering_is_a_usage_error(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    said = command("init", "--empty", home=home)
    assert said.code == 2, said
    assert "--company FILE" in said.err
    assert not home.exists()


def test_an_answer_left_out_is_left_out() -> None:
    said = company_of({name: default for name, _, default in QUESTIONS})
    assert said["delivery"] == {}
    assert (said["currency"], said["people"], said["vat_id"]) == ("", [], "")
