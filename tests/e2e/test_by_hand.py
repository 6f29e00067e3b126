"""`dealdesk quote new`: a quote by hand is a run's quote, without agents."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import DAY, Command, Folder
from .test_quote_desk import outcomes

pytestmark = pytest.mark.timeout(180)
Copy = Callable[[Folder], Path]
MAY_DIFFER = {
    *("quote_id", "digest", "seal"),  # which document it is, and its proofs
    *("created_at", "created_by", "generated_by"),  # its origin
    "approvals",  # each has an id and a time of its own
}


def documents(home: Path, quote_id: str) -> Callable[[str], Any]:
    """Read a stored quote's documents, without what may differ."""

    def read(name: str) -> Any:
        (path,) = (home / "quotes").glob(name)
        text = re.sub(r"\bapr_\w+", "APPROVAL", path.read_text(encoding="utf-8"))
        text = text.replace(quote_id, "QUOTE")
        if path.suffix == ".json":
            return {k: v for k, v in json.loads(text).items() if k not in MAY_DIFFER}
        return text

    return read


def lines_typed(quote: Any) -> list[str]:
    given = (f"{one['quantity']} x {one['sku']}" for one in quote["lines"])
    return [word for one in given for word in ("--line", one)]


def test_it_is_the_document_of_a_run_of_the_same_lines(
    seeded: Folder, quoted: Folder, copy: Copy, command: Command
) -> None:
    """All but number, date and origin; the number is the same here, the first of its house."""
    theirs, number = quoted.said.json, quoted.said.json["number"]
    run = documents(quoted.home, theirs["quote_id"])
    internal = run(f"{number}-internal.json")
    home = copy(seeded)
    typed = ("--opportunity", theirs["opportunity_id"], *lines_typed(theirs))
    typed += ("--order-date", internal["order_date"], "--as", "per_lena")
    made = command("quote", "new", *typed, "--json", home=home)
    assert made.code == 0, made
    assert made.json.keys() == theirs.keys(), "--json says what a run says"
    assert (made.json["outcome"], made.json["number"]) == ("issued", number)
    mine = documents(home, made.json["quote_id"])
    for name in (f"{number}.json", f"{number}-internal.json"):
        assert mine(name) == run(name)
    for name in (f"{number}.html", f"{number}.md"):
        assert mine(name) == run(name)
    shown = command("runs", "show", made.json["run_id"]).out
    assert "model nobody" in shown
    assert "✓ price      6,548.20 EUR" in shown
    again = command("quote", "new", *typed)
    assert again.code == 0
    assert "There is a quote already" in again.out
    revised = command("quote", "new", *typed, "--revise", "--json").json
    assert (revised["outcome"], revised["revision"]) == ("issued", 2), revised["approvals"]


def test_over_a_limit_it_waits_as_a_run_does(
    waiting: Folder, seeded: Folder, copy: Copy, command: Command
) -> None:
    theirs = waiting.said.json
    run = documents(waiting.home, theirs["quote_id"])(f"{theirs['quote_id']}-internal.json")
    home = copy(seeded)
    typed = ("--account", "Bergwald Holz", "--opportunity", "opp_021", *lines_typed(theirs))
    typed += ("--discount", "8%", "--reason", "a rival's offer", *DAY, "--as", "per_lena")
    made = command("quote", "new", *typed, "--json", home=home)
    assert (made.code, made.json["outcome"]) == (10, "waiting")
    quote_id, run_id = made.json["quote_id"], made.json["run_id"]
    assert documents(home, quote_id)(f"{quote_id}-internal.json") == run
    roles = [{"rule_id": a["rule_id"], "role": a["role"]} for a in theirs["approvals"]]
    assert [{k: a[k] for k in ("rule_id", "role")} for a in made.json["approvals"]] == roles
    assert "(discount: a rival's offer)" in command("runs", "show", run_id).out
    command("runs", "approve", run_id, "--as", "per_lena", "--all").fails(2, "cannot approve it")
    done = command("runs", "approve", run_id, "--as", "per_tomas", "--all", "--json")
    assert (done.code, done.json["outcome"]) == (0, "issued")


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (("--line", "2 x switch"), 6, "Which product is meant? (switch) One of: SW-"),
        (("--line", "1 x SW-P8-120", "--line", "2 x zebra"), 6, "No product answers to that."),
        (("--line", "1 x SW-P8-120", "--ship-to", "BR"), 6, "Where should it be shipped?"),
        (("--line", "1 x SW-P8-120", "--method", "DIGITAL"), 12, "DIGITAL is no allowed way"),
        (("--line", "3 pallets of SW-P8-120"), 12, "blocked by the catalog's rules"),
    ],
)
def test_what_is_unclear_is_asked_and_what_may_not_be_is_refused(
    asked: tuple[str, ...], code: int, said: str, seeded: Folder, copy: Copy, command: Command
) -> None:
    found = command("quote", "new", "--opportunity", "opp_001", *asked, *DAY, home=copy(seeded))
    assert found.code == code, found
    assert said in found.out


def test_an_account_that_may_be_two_is_asked_for_and_none_is_begun(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    typed = ("--line", "1 x SW-P8-120", *DAY, "--json")
    two = command("quote", "new", "--account", "Bergwald", *typed, home=home)
    (question,) = two.json["questions"]
    assert (two.code, two.json["run_id"]) == (6, None)
    assert question["kind"] == "ambiguous_account"
    assert set(question["candidates"]) == {"acc_008", "acc_009"}
    none = command("quote", "new", "--account", "Zyx & Co", *typed)
    assert (none.code, none.json["questions"][0]["kind"]) == (6, "unknown_account")
    assert command("runs", "list", "--json").json == []
    other = ("quote", "new", "--account", "acc_001", "--opportunity", "opp_021", *typed)
    command(*other).fails(2, "opp_021 belongs to acc_008")
    command("quote", "new", "--line", "1 x SW-P8-120").fails(2, "who buys?")
    command("quote", "new", "--account", "acc_001").fails(2, "no line is given")
    command("run", "Quote it", "--workflow", "by_hand").fails(2, "nobody reads a goal", "quote new")


def test_an_embargo_blocks_it(seeded: Folder, copy: Copy, command: Command) -> None:
    typed = (
        "--opportunity",
        "opp_014",
        "--line",
        "2 x VPN-G2000",
        "--ship-to",
        "IR",
        *DAY,
        "--json",
    )
    made = command("quote", "new", *typed, home=copy(seeded))
    assert (made.code, made.json["outcome"]) == (12, "blocked"), made


def test_an_account_without_a_deal_is_quoted_revised_and_accepted(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    home = copy(seeded)
    typed = ("quote", "new", "--account", "acc_001", *DAY, "--as", "per_lena", "--json")
    first = command(*typed, "--line", "2 x SW-P8-120", home=home)
    assert (first.code, first.json["outcome"]) == (0, "issued"), first
    assert first.json["opportunity_id"] is None
    other = command(*typed, "--line", "1 x SW-P16-240").json
    assert other["outcome"] == "issued", "quotes of one account stand beside each other"
    listed = {row["quote_id"]: row for row in command("quote", "list", "--json").json}
    assert [listed[one["quote_id"]]["status"] for one in (first.json, other)] == ["issued"] * 2
    assert {row["opportunity_id"] for row in listed.values()} == {""}
    change = ("--set", "l1.quantity=3", "--as", "per_lena", "--json")
    made = command("quote", "revise", first.json["quote_id"], *change).json
    assert (made["revision"], made["crm_trouble"], made["findings"]) == (2, "", [])
    issued = command("quote", "issue", made["quote_id"], "--as", "per_tomas", "--json").json
    assert issued["number"] == f"{first.json['number']}-r2"
    assert command("quote", "accept", made["quote_id"], "--as", "per_tomas").code == 0
    history = outcomes(home, "acc_001")
    stands = {"superseded": first.json["quote_id"], "accepted": made["quote_id"]}
    stands["issued"] = other["quote_id"]
    assert {history[quote_id]: quote_id for quote_id in stands.values()} == stands


def test_an_old_quotes_lines_are_quoted_again_and_what_differs_is_said(
    quoted: Folder, copy: Copy, command: Command
) -> None:
    home, number = copy(quoted), quoted.said.json["number"]
    typed = ("quote", "new", "--copy", number, "--line", "1 x CBL-C6-02", "--as", "per_lena")
    made = command(*typed, home=home)
    assert made.code == 0, made
    assert "+ l3  CBL-C6-02" in made.out
    assert "totals / total: " in made.out
    (new,) = (row for row in command("quote", "list", "--json").json if row["number"] != number)
    assert (new["account_id"], new["opportunity_id"]) == (quoted.said.json["account_id"], "")
    command("quote", "new", "--copy", "Q-1999-000001").fails(2, "there is no quote")


def test_a_prospect_gets_prices_and_no_quote(seeded: Folder, copy: Copy, command: Command) -> None:
    home = copy(seeded)
    typed = ("quote", "new", "--prospect", "Neue Werke", "--country", "DE", *DAY)
    line = ("--line", "12 x SW-P8-120")
    said = command(*typed, *line, "--currency", "EUR", home=home)
    assert said.code == 0, said
    assert "No offer: " in said.out
    assert "12\tSW-P8-120\t8-port PoE+ switch, 120 W, DIN rail\t4,434.60 EUR" in said.out
    priced = command(*typed, *line, "--currency", "EUR", "--json").json
    assert (priced["outcome"], priced["lines"][0]["net_minor"]) == ("prices", 443_460)
    command(*typed, *line).fails(2, "a prospect gets prices only", "--currency")
    asked = command(*typed, "--line", "2 x zebra", "--currency", "EUR", "--json")
    assert (asked.code, asked.json["questions"][0]["kind"]) == (6, "unknown_product")
    there = ("--prospect", "Far Works", "--country", "IR", "--currency", "EUR", *DAY, "--json")
    blocked = command("quote", "new", *there, "--line", "2 x VPN-G2000")
    assert (blocked.code, blocked.json["outcome"]) == (12, "blocked")
    assert "lines" not in blocked.json
    assert command("quote", "list", "--json").json == command("runs", "list", "--json").json == []
