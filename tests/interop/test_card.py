"""The quote card in a real browser, inside a small host that speaks MCP Apps.

One start of Chromium plays every case: `card_host.html` puts the card into sandboxed frames, does
the handshake, hands over real answers of finance, and writes down what it heard and saw.
"""

import asyncio
import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "finance"))  # for finance_support

from finance_support import Clock, call, drafted, everyone, line, statements

from servers.finance.card import page
from servers.finance.load import TABLES
from servers.finance.server import create_server
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded

INTEROP = os.environ.get("DEALDESK_TEST_INTEROP", "")
CHROMIUM = os.environ.get("DEALDESK_TEST_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=30000", "--dump-dom"),
)
pytestmark = [
    pytest.mark.timeout(180),  # a browser starts slowly on a busy machine
    pytest.mark.skipif(
        CHROMIUM is None or not INTEROP,
        reason="quote card in a browser NOT RUN: install Chromium, run scripts/interop",
    ),
]

HERE = Path(__file__).parent
NODE = Path(INTEROP) / "node"
HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
ARABIC = "شركة الأفق للأنظمة المحدودة"
INSIDE = ("digest", "Internal", "Findings", "decide", "What changed", "terminal")
"""Words that only the inside of the house may read."""


async def answers(app: Server) -> dict[str, dict[str, Any]]:
    """Real answers about one quote that waits for two people."""
    lines = [
        line("l1", "SW-P8-120", 12),
        line("l2", "SW-P8-120", 2, optional=True),
        line("l3", "RT-E4-LTE", 1, alternative_of="l1"),
    ]
    asked = {"lines": lines, "discount_bp": 1000, "claims": ["bank"]}
    found = {"create": await drafted(app, **asked, **statements(app, Clock(), *lines))}
    which = {"quote_id": found["create"]["quote_id"]}
    found["ask"] = await call(app, everyone(), "request_approval", which)
    for view in ("internal", "customer"):
        found[view] = await call(app, everyone(), "get_quote", {**which, "view": view})
    return found


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    database = Database.open(tmp_path_factory.mktemp("card") / "finance.db", "finance")
    ensure_seeded(database, TABLES)
    yield asyncio.run(answers(create_server(database, now=Clock())))
    database.close()


def result(answer: dict[str, Any]) -> dict[str, Any]:
    return {"content": [], "structuredContent": answer}


def hostile(quote: dict[str, Any]) -> dict[str, Any]:
    """The quote with outside text that would run, if any of it were markup."""
    text = json.loads(json.dumps(quote).replace("Bergwald Holz GmbH", "NAME"))
    text["customer"]["legal_name"] = f"{HOSTILE} {ARABIC}"
    for one in text["lines"]:
        one["name"] = one["description"] = f"{HOSTILE} 工業用スイッチ {'W' * 90}"
        one["sku"] = f"{HOSTILE}\u202eDER"
    for finding in text["findings"]:
        finding["message"] = finding["fix"] = f"{HOSTILE} \u202emoc.live"
        finding["evidence"] = [HOSTILE]
    for step in text["trace"]:
        step["note"], step["lost"] = HOSTILE, [HOSTILE]
    for clause in text["clauses"]:
        clause["title"] = clause["text"] = HOSTILE
    text["currency"], text["claims"] = "<b>", [HOSTILE]
    return text


def many(quote: dict[str, Any]) -> dict[str, Any]:
    lines, trace = [], []
    for n in range(1, 201):
        lines.append({**quote["lines"][0], "position": n, "line_id": f"l{n}", "name": f"Item {n}"})
        trace += [{**s, "line_id": f"l{n}"} for s in quote["trace"] if s["line_id"] == "l1"]
    return {**quote, "lines": lines, "trace": trace}


def in_currency(quote: dict[str, Any], currency: str) -> dict[str, Any]:
    return {**quote, "currency": currency}


@pytest.fixture(scope="module")
def seen(
    real: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What the host heard from the card and saw in it, case by case."""
    inside, customer = real["internal"], real["customer"]
    text_only = {"content": [{"type": "text", "text": json.dumps(inside)}]}
    refused = {"isError": True, "content": [{"type": "text", "text": f"NOT_FOUND: {HOSTILE}"}]}
    forged = {**inside, "view": "customer"}  # a server that let the inside slip
    half = {"--color-background-primary": "#123456"}
    dark = {"method": "ui/notifications/host-context-changed", "params": {"theme": "dark"}}
    cases: list[dict[str, Any]] = [
        {"name": "strict", "readable": False, "result": result(inside)},
        {"name": "internal", "result": result(inside), "context": {"theme": "light"}},
        {"name": "text", "result": text_only},
        {"name": "customer", "result": result(customer), "context": {"theme": "dark"}},
        {"name": "forged", "result": result(forged)},
        {"name": "create", "result": result(real["create"])},
        {"name": "ask", "result": result(real["ask"])},
        {"name": "hostile", "result": result(hostile(inside)), "attack": True},
        {"name": "narrow", "result": result(inside), "width": 320},
        {"name": "narrow hostile", "result": result(hostile(inside)), "width": 320},
        {"name": "many", "result": result(many(inside))},
        {"name": "JPY", "result": result(in_currency(customer, "JPY"))},
        {"name": "KWD", "result": result(in_currency(customer, "KWD"))},
        {"name": "RSD", "result": result(in_currency(customer, "RSD"))},
        {"name": "German", "result": result(customer), "context": {"locale": "de-DE"}},
        {"name": "half a theme", "context": {"theme": "light", "styles": {"variables": half}}},
        {"name": "turned dark", "context": {"theme": "light"}, "then": [dark]},
        {"name": "waiting", "input": {"quote_id": "q_1"}},
        {"name": "refused", "result": refused},
        {"name": "odd", "result": result({"quote_id": "q_1", "status": "draft", "lines": 7})},
    ]
    given = {"page": page(), "show": False, "cases": [{"readable": True} | one for one in cases]}
    host = (HERE / "card_host.html").read_text(encoding="utf-8")
    return reported(host.replace("{cases}", data(given)), tmp_path_factory.mktemp("host"))


def data(given: object) -> str:
    return json.dumps(given).replace("</", "<\\/")


def reported(host: str, folder: Path) -> dict[str, Any]:
    """Open a page in the browser and return what it wrote down."""
    path = folder / "host.html"
    path.write_text(host, encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    report = re.search(r'<pre id="report"[^>]*>(.*?)</pre>', ran.stdout, re.DOTALL)
    assert report is not None, ran.stderr[-2000:]
    return dict(json.loads(html.unescape(report[1])))


def said(seen: dict[str, dict[str, Any]], case: str) -> str:
    return str(seen[case]["text"]).replace("\u00a0", " ")


def shown(minor: int) -> str:
    """An amount in cents as finance writes it."""
    return f"{minor // 100:,}.{minor % 100:02d}"


def test_the_card_opens_as_the_protocol_says(seen: dict[str, dict[str, Any]]) -> None:
    messages = seen["strict"]["messages"]  # in the strictest sandbox a host can give
    first, second, *rest = messages
    assert (first["method"], first["params"]["protocolVersion"]) == ("ui/initialize", "2026-01-26")
    assert first["params"]["appInfo"]["name"] == "dealdesk-quote-card"
    assert second == {
        "jsonrpc": "2.0",
        "method": "ui/notifications/initialized",
        "params": {},
    }
    answered = {one["id"]: one for one in rest if "id" in one}
    assert answered["p1"]["result"] == answered["t1"]["result"] == {}
    assert answered["u1"]["error"]["code"] == -32601
    sizes = [one["params"] for one in rest if one.get("method") == "ui/notifications/size-changed"]
    assert sizes[-1]["height"] > 500 > sizes[0]["height"] > 0
    assert all(one["jsonrpc"] == "2.0" for one in messages)
    assert {one.get("method") for one in messages} == {
        "ui/initialize",
        "ui/notifications/initialized",
        "ui/notifications/size-changed",
        None,
    }, "it asks for nothing else: no tool call, no link, no message"


def test_it_tells_its_size_whenever_it_changes(seen: dict[str, dict[str, Any]]) -> None:
    for case in ("internal", "customer", "narrow", "many"):  # looked at with every part unfolded
        told = [one["params"] for one in seen[case]["messages"] if "size" in one.get("method", "")]
        assert told[-1]["height"] == seen[case]["height"], case
        assert len({one["height"] for one in told}) > 1


@pytest.mark.parametrize("case", ["internal", "text", "customer", "narrow", "many"])
def test_the_totals_are_finances(
    seen: dict[str, dict[str, Any]], real: dict[str, dict[str, Any]], case: str
) -> None:
    text, quote = said(seen, case), real["internal"]
    for name in ("lines", "freight", "net", "tax", "total"):
        assert f"{shown(quote['totals'][f'{name}_minor'])} EUR" in text
    for charge in quote["charges"]:
        assert charge["label"] in text
        assert f"{shown(charge['net_minor'])} EUR" in text
    assert ("To pay" in text) is (quote["totals"]["payable_minor"] is not None)
    for tax in quote["taxes"]:
        assert f"on {shown(tax['taxable_minor'])} EUR" in text
    assert quote["customer"]["legal_name"] in text
    assert quote["seller"]["legal_name"] in text


def test_the_lines_say_what_counts_and_what_came_off(
    seen: dict[str, dict[str, Any]], real: dict[str, dict[str, Any]]
) -> None:
    text = said(seen, "internal")
    for one in real["internal"]["lines"]:
        assert one["sku"] in text
        assert shown(one["net_minor"]) in text
        for less in one["allowances"]:
            assert f"−{shown(less['amount_minor'])}" in text
    assert "Option, not in the total" in text
    assert "Alternative to 1, not in the total" in text
    assert "Volume discount 5%" in text


def test_the_house_sees_what_it_waits_for_and_why_a_price_changed(
    seen: dict[str, dict[str, Any]], real: dict[str, dict[str, Any]]
) -> None:
    text, quote = said(seen, "internal"), real["internal"]
    assert "Waits for 2 decisions" in text
    for approval in quote["approvals"]:
        assert approval["reason"] in text
    for decision in quote["next_step"]["decisions"]:
        assert ", ".join(person["name"] for person in decision["people"]) in text
    for finding in quote["findings"]:
        assert finding["code"] in text
    for step in quote["trace"]:
        assert step["rule_id"] in text
    assert "nothing in this card can" in text
    assert "<button" not in seen["internal"]["html"]


def test_the_customer_view_shows_nothing_of_the_inside(seen: dict[str, dict[str, Any]]) -> None:
    for word in INSIDE:
        assert word in said(seen, "internal")
        for case in ("customer", "forged"):
            assert word not in said(seen, case), (case, word)
    assert "Not an offer" in said(seen, "customer")


def test_the_steps_before_show_their_part(
    seen: dict[str, dict[str, Any]], real: dict[str, dict[str, Any]]
) -> None:
    total = f"{shown(real['create']['total_minor'])} EUR"
    assert total in said(seen, "create")
    assert "request_approval comes first" in said(seen, "create")
    assert "Waits for 2 decisions" in said(seen, "ask")
    assert "Waiting for the quote q_1" in said(seen, "waiting")


def test_hostile_text_stays_text(seen: dict[str, dict[str, Any]]) -> None:
    for case in ("hostile", "narrow hostile"):
        assert HOSTILE in said(seen, case)
        assert ARABIC in said(seen, case)
        assert "<img" not in seen[case]["html"]
        assert "<script" not in seen[case]["html"]
        assert "\u202emoc" not in said(seen, case)
        assert seen[case]["hit"] == "no"
    assert said(seen, "refused") == f"NOT_FOUND: {HOSTILE}"


def test_its_own_policy_stops_what_gets_in(seen: dict[str, dict[str, Any]]) -> None:
    blocked = seen["hostile"]["blocked"]
    for wanted in ("img-src", "script-src-elem inline", "connect-src", "fetch failed"):
        assert any(one.startswith(wanted) for one in blocked), (wanted, blocked)
    assert seen["hostile"]["hit"] == "no"


def test_it_fetches_nothing(seen: dict[str, dict[str, Any]]) -> None:
    looked = {case: one["fetched"] for case, one in seen.items() if "fetched" in one}
    assert len(looked) > 15
    assert not any(looked.values())


def test_it_fits_a_phone(seen: dict[str, dict[str, Any]]) -> None:
    for case in ("narrow", "narrow hostile", "internal", "many"):
        assert seen[case]["wide"] <= 0, f"{case} scrolls sideways"  # below: the reserved gutter


def test_amounts_have_the_digits_of_their_currency(
    seen: dict[str, dict[str, Any]], real: dict[str, dict[str, Any]]
) -> None:
    minor = real["customer"]["totals"]["total_minor"]
    assert f"{minor:,} JPY" in said(seen, "JPY")
    assert f"{minor // 1000:,}.{minor % 1000:03d} KWD" in said(seen, "KWD")
    assert f"{shown(minor)} RSD" in said(seen, "RSD")  # where a browser's own table says 0
    assert f"{minor // 100:,}".replace(",", ".") + f",{minor % 100:02d} EUR" in said(seen, "German")
    assert f"{minor:,} minor units <b>" in said(seen, "hostile")  # not a currency: no guess


def test_it_takes_the_hosts_theme(seen: dict[str, dict[str, Any]]) -> None:
    assert [seen[case]["scheme"] for case in ("internal", "customer")] == ["light", "dark"]
    light, dark = (seen[case]["ground"] for case in ("internal", "customer"))
    assert light != dark
    assert seen["turned dark"]["ground"] == dark
    assert seen["half a theme"]["ground"] == light  # half of a host's colours would not be legible


def test_two_hundred_lines_are_folded(seen: dict[str, dict[str, Any]]) -> None:
    text = said(seen, "many")
    assert "Show all 200 lines" in text
    assert "Item 12\n" in text or "Item 12 " in text
    assert "Item 13" not in text


def test_an_answer_it_does_not_know_is_said_so(seen: dict[str, dict[str, Any]]) -> None:
    assert said(seen, "odd") == "The card cannot show this answer; its text says the same."


@pytest.mark.skipif(not INTEROP, reason="DEALDESK_TEST_INTEROP is not set; see scripts/interop")
def test_the_official_hosts_bridge_understands_it(
    real: dict[str, dict[str, Any]], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The SDK's own `AppBridge`, as hosts use it; its schemas refuse what the protocol does not."""
    (tmp_path / "node_modules").symlink_to((NODE / "node_modules").resolve())
    shutil.copy(HERE / "card_bridge.mjs", tmp_path)
    bundle = [NODE / "node_modules/rolldown/bin/cli.mjs", "card_bridge.mjs", "--file", "host.js"]
    subprocess.run(
        [NODE / "bin/node", *bundle, "--format", "esm", "--platform", "browser"],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=True,
    )
    script = (tmp_path / "host.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
    given = data({"page": page(), "result": result(real["internal"])})
    host = (
        '<!doctype html><meta charset="utf-8"><body>'
        f'<script type="application/json" id="cases">{given}</script><pre id="report">null</pre>'
        f'<script type="module">{script}</script>'
    )
    seen = reported(host, tmp_path)
    assert seen["problems"] == []
    assert seen["app"] == {"name": "dealdesk-quote-card", "version": "1.0.0"}
    assert seen["can"] == {"availableDisplayModes": ["inline", "fullscreen"]}
    assert (seen["dark"], seen["light"], seen["left"]) == ("dark", "light", {})
    assert seen["sizes"][-1]["height"] > 500
    total = shown(real["internal"]["totals"]["total_minor"])
    assert f"{total} EUR" in seen["text"].replace("\u00a0", " ")
    package = NODE / "node_modules/@modelcontextprotocol/ext-apps/package.json"
    version = json.loads(package.read_text(encoding="utf-8"))["version"]
    record_property(
        "figure", f"quote card: opened by AppBridge of ext-apps {version}, total {total}"
    )
