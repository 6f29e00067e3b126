"""Costs and margins stay in finance: a run with canaries for costs, and every byte of the rest."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dealdesk.cli.exit_codes import OUTCOMES

from .conftest import ALDER, DAY, Command, Folder

pytestmark = pytest.mark.timeout(180)
CANARY = 7_313_131_313
"""What every item costs, in micro units of EUR: far above any price, so the margin is negative."""
WORDS = (b"7313131313", b"7313.13", b"7,313.13", b"731313")


def planted(home: Path) -> Path:
    """Give every item a cost that stands nowhere else."""
    with closing(sqlite3.connect(home / "finance.db")) as database:
        database.execute("UPDATE item SET cost = ?", (CANARY,))
        database.commit()
    return home


def margin_words(home: Path) -> tuple[bytes, ...]:
    """The figures of the margin as finance stored them, in the forms they could be printed."""
    with closing(sqlite3.connect(home / "finance.db")) as database:
        (stored,) = database.execute("SELECT json_extract(margin, '$.cost_minor') FROM quote")
    cost = stored[0]
    assert cost > 7313 * 100
    return str(cost).encode(), f"{cost / 100:,.2f}".encode(), f"{cost / 100:.2f}".encode()


def leaks(home: Path, said: dict[str, bytes], *, internal: bool) -> list[tuple[str, bytes]]:
    """Return where a canary stands outside finance's own database."""
    outside = said | {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file()
        and not path.name.startswith("finance.db")
        and (internal or "-internal" not in path.name)
    }
    assert {"crm.db", "catalog.db", "runs.db", "engine.db"} <= outside.keys()
    assert any(name.startswith("quotes/") for name in outside)
    searched = (*WORDS, *margin_words(home))
    return [(name, word) for name, data in outside.items() for word in searched if word in data]


def test_no_cost_and_no_margin_leaves_finance(
    seeded: Folder,
    copy: Callable[[Folder], Path],
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = planted(copy(seeded))
    run = command("run", ALDER, *DAY, "--json", home=home)
    assert run.code == OUTCOMES["waiting"], run
    assert "PRICE_APPROVAL" in run.out, "the rules see the canary"
    quote_id = run.json["quote_id"]
    shown = command("quote", "show", quote_id, "--json")
    assert shown.json["margin"] is None
    said = {"run": run.out.encode(), "show": shown.out.encode()}
    for words in (("explain", quote_id), ("explain", quote_id, "--json"), ("report",)):
        told = command("quote", *words)
        assert told.code == 0, told
        said[" ".join(words)] = told.out.encode()
    assert leaks(home, said, internal=True) == []

    approved = command(
        "runs", "approve", run.json["run_id"], "--as", "per_ingrid", "--all", "--json"
    )
    assert approved.code == 0, approved
    customer = command("quote", "show", quote_id, "--view", "customer", "--json")
    assert leaks(home, {"customer": customer.out.encode()}, internal=False) == []

    monkeypatch.setenv("DEALDESK_PERSON", "per_ingrid")
    margin = command("quote", "show", quote_id, "--json").json["margin"]
    assert str(margin["cost_minor"]).encode() in margin_words(home), "a named person sees it"
