"""The demo company's files agree with each other and with the gold quotes."""

import csv
import email.policy
import importlib.util
import json
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "seed_data"
STORIES = SEED / "crm" / "opportunities"
GOLD = ROOT / "evals" / "quotes" / "gold"
OUTCOMES = {"issued", "waiting", "no_quote", "needs_input", "blocked"}
ROLES = {"sales_manager", "finance_director", "legal"}
CLAIMS = {"ship_to", "exemption", "discount", "approval", "payment_terms", "bank"}


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def table(name: str) -> list[dict[str, str]]:
    with (SEED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of(rows: list[dict[str, str]], name: str, value: str) -> list[dict[str, str]]:
    return [row for row in rows if row[name] == value]


ACCOUNTS = table("crm/accounts")
ADDRESSES, CONTACTS = table("crm/addresses"), table("crm/contacts")
TAX_IDS = table("crm/account_tax_ids")
ACTIVITIES, DOCUMENTS = table("crm/activities"), table("crm/documents")
PEOPLE = table("crm/opportunity_contacts")
CUSTOMERS = {row["account_id"]: row for row in table("finance/customers")}
DEALS = {row["opportunity_id"]: row for row in table("crm/opportunities")}
MAILS = sorted(STORIES.glob("*/*.eml"))
GOLDS = {path.stem: read(path) for path in sorted(GOLD.glob("*.json"))}
GOALS = [
    json.loads(line)
    for line in (ROOT / "evals" / "goals.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def check_gold() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_gold", ROOT / "evals" / "check_gold.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_finance_knows_the_same_customers_as_the_crm() -> None:
    assert [account["account_id"] for account in ACCOUNTS] == list(CUSTOMERS)
    for account in ACCOUNTS:
        customer = CUSTOMERS[account["account_id"]]
        for field in ("legal_name", "country", "kind", "channel", "currency", "payment_terms_code"):
            assert customer[field] == account[field], (account["account_id"], field)
        assert customer["credit_currency"] == account["currency"]
    assert table("finance/customer_tax_ids") == TAX_IDS
    for mine, theirs in zip(ADDRESSES, table("finance/addresses"), strict=True):
        assert theirs.items() <= mine.items()


def test_each_account_has_one_default_address_of_each_kind() -> None:
    for account in ACCOUNTS:
        addresses = of(ADDRESSES, "account_id", account["account_id"])
        defaults = [a["kind"] for a in addresses if a["is_default"] == "true"]
        assert sorted(defaults) == ["billing", "registered", "shipping"], account["account_id"]


def test_every_address_book_entry_is_made_up() -> None:
    for contact in CONTACTS:
        assert contact["email"].endswith(".example"), contact["contact_id"]


def test_every_file_of_a_deal_is_named_once_and_exists() -> None:
    named = [row["file"] for row in (*ACTIVITIES, *DOCUMENTS)]
    there = [str(p.relative_to(SEED / "crm")) for p in STORIES.glob("*/*")]
    assert sorted(named) == sorted(there)
    for row in (*ACTIVITIES, *DOCUMENTS):
        assert row["file"].split("/")[1] == row["opportunity_id"]


def test_a_deal_is_told_and_names_the_account_s_own_people() -> None:
    owner = {contact["contact_id"]: contact["account_id"] for contact in CONTACTS}
    for row in PEOPLE:
        assert owner[row["contact_id"]] == DEALS[row["opportunity_id"]]["account_id"]
    assert {row["opportunity_id"] for row in ACTIVITIES} == set(DEALS)


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_mail_is_a_real_message(path: Path) -> None:
    message = message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert not message.defects
    assert message["message-id"].startswith("<")
    assert message["from"].addresses[0].domain.endswith(".example")
    assert parsedate_to_datetime(message["date"]).year == 2026
    body = message.get_body(preferencelist=("plain",))
    assert body is not None
    assert body.get_content().strip()


def test_message_ids_are_unique_and_answers_point_to_a_message() -> None:
    messages = [message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in MAILS]
    ids = [str(message["message-id"]) for message in messages]
    assert len(ids) == len(set(ids))
    answered = {str(message["in-reply-to"]) for message in messages if message["in-reply-to"]}
    assert answered <= set(ids)


def test_the_file_inside_a_mail_is_the_file_beside_it() -> None:
    seen = 0
    for path in MAILS:
        message = message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for part in message.iter_attachments():
            beside = path.parent / str(part.get_filename())
            assert part.get_payload(decode=True) == beside.read_bytes()
            seen += 1
    assert seen >= 8


def test_the_papers_are_of_both_kinds_and_listed_in_the_script() -> None:
    papers = read(ROOT / "scripts" / "story_papers.json")
    there = [path for path in STORIES.glob("*/*") if path.suffix in (".pdf", ".docx")]
    assert {f"{path.parent.name}/{path.name}" for path in there} == set(papers)
    kinds = [path.suffix for path in there]
    assert min(kinds.count(".pdf"), kinds.count(".docx")) >= 4


def test_nothing_in_the_stories_is_later_than_the_day_of_the_demo() -> None:
    assert max(deal["created"] for deal in DEALS.values()) <= "2026-11-23"
    assert max(activity["at"] for activity in ACTIVITIES) < "2026-11-24"


def test_every_deal_has_one_gold_record() -> None:
    assert set(GOLDS) == set(DEALS) == {f"opp_{number:03d}" for number in range(1, 32)}


@pytest.mark.parametrize("name", GOLDS)
def test_a_gold_record_names_what_exists(name: str) -> None:
    gold, deal = GOLDS[name], DEALS[name]
    assert (gold["opportunity_id"], gold["account_id"]) == (name, deal["account_id"])
    assert gold["outcome"] in OUTCOMES
    assert set(gold["claims"]) <= CLAIMS
    assert {approval.partition(":")[0] for approval in gold["approvals"]} <= ROLES
    assert gold["why"].endswith(".")
    skus = {product["sku"] for product in read(SEED / "catalog" / "products.json")}
    assert {line["sku"] for line in gold["lines"]} <= skus


def test_the_gold_reasons_are_words_of_the_qualification() -> None:
    from orchestrator.workflows.quote.contracts import Reason

    words = {reason.value for reason in Reason}
    for gold in GOLDS.values():
        assert {gold["reason"], *gold["reason_alternatives"]} <= words


def test_every_outcome_is_told() -> None:
    assert {gold["outcome"] for gold in GOLDS.values()} == OUTCOMES


def test_the_gold_arithmetic_adds_up(check_gold: ModuleType) -> None:
    facts = check_gold.Facts()
    problems = {g["opportunity_id"]: list(check_gold.check(g, facts)) for g in check_gold.load()}
    assert {name: found for name, found in problems.items() if found} == {}


def test_a_wrong_cent_is_found(check_gold: ModuleType) -> None:
    gold = dict(GOLDS["opp_001"], total="6548.21")
    assert list(check_gold.check(gold, check_gold.Facts()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("389.00", "388.00"),
        ("- 5% [tier switches 10+]", "- 8% [tier switches 10+]"),
        ("= 4434.60", "= 4434.61"),
        ("12 x", "13 x"),
    ],
)
def test_a_wrong_step_is_found(check_gold: ModuleType, old: str, new: str) -> None:
    gold = GOLDS["opp_001"]
    assert old in gold["arithmetic"][0]
    changed = dict(gold, arithmetic=[step.replace(old, new) for step in gold["arithmetic"]])
    assert list(check_gold.check(changed, check_gold.Facts()))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("opp_025", {"term_months": 24}),
        ("opp_027", {"change": None, "subscription_id": None}),
        ("opp_028", {"start": "2027-01-01"}),
        ("opp_029", {"end": "2027-06-30"}),
        ("opp_030", {"unit": "each"}),
        ("opp_031", {"sku": "SRV-R1-64"}),
    ],
)
def test_a_line_that_is_sold_another_way_does_not_add_up(
    check_gold: ModuleType, name: str, change: dict[str, Any]
) -> None:
    gold = GOLDS[name]
    changed = dict(gold, lines=[{**gold["lines"][0], **change}, *gold["lines"][1:]])
    assert list(check_gold.check(changed, check_gold.Facts()))


WAYS = (
    "term_months",
    "start",
    "end",
    "optional",
    "alternative_of",
    "segment_of",
    "part_of",
    "options",
)


def test_every_way_a_line_can_be_sold_is_told_by_a_deal() -> None:
    lines = [line for gold in GOLDS.values() if gold["total"] for line in gold["lines"]]
    for name in WAYS:
        assert any(line.get(name) for line in lines), name
    assert {"each", "box", "license"} <= {line["unit"] for line in lines}
    assert {"amend", "renew"} <= {line.get("change") for line in lines}
    assert any(line["sku"].startswith("BDL-") for line in lines)


def test_goals_name_existing_ids_and_closed_words() -> None:
    kinds = {
        "ambiguous_account",
        "unknown_account",
        "ambiguous_opportunity",
        "no_open_opportunity",
        "unclear_goal",
    }
    known = set(DEALS) | set(CUSTOMERS)
    assert len({goal["id"] for goal in GOALS}) == len(GOALS) == 40
    for goal in GOALS:
        expect = goal["expect"]
        if "ask" in expect:
            assert expect["ask"] in kinds, goal["id"]
            assert set(expect["candidates"]) <= known, goal["id"]
        else:
            assert DEALS[expect["opportunity_id"]]["account_id"] == expect["account_id"]
            assert 0 <= expect["discount_bp"] <= 10_000
