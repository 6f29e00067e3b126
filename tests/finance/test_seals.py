"""Every leaf of an exported quote is held: by its sums, its digest and the desk's signature."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from finance_support import call, drafted, everyone, line
from sqlalchemy import text

from servers.finance.exported import NUMBER, Report, check, not_worked_out
from servers.finance.seals import NAME, leaves, sealed
from servers.finance.server import create_server
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.desk_keys import PRIVATE, DeskKeys, read_keys
from servers.toolkit.errors import InvalidInputError, NotFoundError

DAY = date(2026, 11, 23)
DM = "SUB-DM-STD"
ORDERS: dict[str, dict[str, Any]] = {
    "goods": {
        "lines": [line("l1", "SW-P8-120", 12), line("l2", "CBL-C6-02", 40)],
        "discount_bp": 300,
    },
    "bundles and options": {
        "lines": [
            line("l1", "BDL-EDGE", 2),
            line("l2", "SRV-D1-16", 3, options=["TPM2"]),
            line("l3", "CAM-D4", 2, options=["HEATER"], optional=True),
        ]
    },
    "ramp with instalments": {
        "lines": [
            line("l1", DM, 10, term_months=12, start="2026-12-01"),
            line("l2", DM, 25, segment_of="l1", term_months=12),
            line("l3", "SVC-INST-D", 2),
        ],
        "payment_terms": "SPLIT-30-70",
    },
}


@pytest.fixture
def desk(database: Database, tmp_path: Path, clock: Any) -> Server:
    """A finance server that signs."""
    server = create_server(database, now=clock)
    server.database.keys = tmp_path / "keys"
    return server


async def issued(desk: Server, database: Database, view: str, **order: Any) -> dict[str, Any]:
    made = await drafted(desk, **order)
    with database.write() as session:
        session.execute(
            text(
                "UPDATE quote SET status = 'issued', number = 'Q-2026-000031', "
                "issued_at = '2026-11-23T09:00:00Z', valid_until = '2026-12-23'"
            )
        )
    return await export(desk, made["quote_id"], view)


async def export(desk: Server, quote_id: str, view: str) -> dict[str, Any]:
    asked = {"quote_id": quote_id, "format": "json", "view": view, "whole": True}
    return dict(json.loads((await call(desk, everyone(), "render_quote", asked))["text"]))


def keys_of(desk: Server) -> DeskKeys:
    assert desk.database.keys is not None
    return DeskKeys(desk.database.keys)


def another(value: Any) -> Any:
    """Return a leaf with one digit or character changed, as far as it has one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + (1 if value % 10 < 9 else -1)
    if isinstance(value, str) and value:
        place = len(value) - 1
        while place and not value[place].isalnum():
            place -= 1
        old = value[place]
        new = chr(ord(old) + (-1 if old in "9zZ" else 1))
        return value[:place] + new + value[place + 1 :]
    return "x" if value in (None, "") else [*value, 1]


def each_leaf_changed(data: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield every leaf's place and value, and the document with that leaf changed."""
    for where, value in list(leaves(data)):
        copy: Any = json.loads(json.dumps(data))
        *parents, last = [int(n) if n.isdigit() else n for n in re.findall(r"[^.\[\]]+", where)]
        place = copy
        for name in parents:
            place = place[name]
        place[last] = another(value)
        yield where, value, copy


def caught(data: dict[str, Any], keys: Any) -> tuple[bool, bool]:
    """Say whether a file is caught without the key, and with it."""
    try:
        report = check(json.dumps(data), keys)
    except InvalidInputError:  # it is no quote any more
        return True, True
    return bool(report.differences), not report.holds


@pytest.mark.parametrize("view", ["customer", "internal"])
@pytest.mark.parametrize("order", ORDERS)
async def test_one_character_of_any_leaf_is_noticed(
    desk: Server, database: Database, view: str, order: str
) -> None:
    data = await issued(desk, database, view, **ORDERS[order])
    keys = keys_of(desk).known()
    whole = check(json.dumps(data), keys)
    assert (whole.differences, whole.signature.state) == ([], "good")
    found = {where: caught(changed, keys) for where, _, changed in each_leaf_changed(data)}
    assert len(found) > 100
    assert [where for where, (without, _) in found.items() if not without] == ["seal.signature"]
    assert [where for where, (_, by_key) in found.items() if not by_key] == []


@pytest.mark.parametrize("order", ORDERS)
async def test_who_makes_the_digest_again_is_caught_by_the_sums_or_told_what_they_do_not_settle(
    desk: Server, database: Database, order: str
) -> None:
    data = await issued(desk, database, "customer", **ORDERS[order])
    keys, signature = keys_of(desk).known(), data.pop(NAME)["signature"]
    unsettled, settled = set(not_worked_out(data)), 0
    assert {"revision", "freight.weight_g"} < unsettled
    for where, value, changed in each_leaf_changed(data):
        without, by_key = caught(sealed(changed, lambda _: signature), keys)
        assert by_key, where
        if NUMBER.fullmatch(str(value)) and where not in unsettled:
            settled += 1
            assert without, where
    assert settled > 30


async def test_the_leaf_that_changed_is_named(desk: Server, database: Database) -> None:
    data = await issued(desk, database, "customer", **ORDERS["goods"])

    def first(change: Callable[[dict[str, Any]], Any]) -> str:
        copy = json.loads(json.dumps(data))
        change(copy)
        return str(check(json.dumps(copy), {}).differences[0])

    def put(path: str, value: Any) -> Callable[[dict[str, Any]], Any]:
        name, _, last = path.rpartition(".")
        return lambda d: (d[name] if name else d).update({last: value})

    assert first(put("freight.weight_g", 1)) == (
        "freight.weight_g says 1, but what the file was made with is something else"
    )
    assert first(put("revision", 2)).startswith("revision says 2")
    assert first(lambda d: d["lines"][1].update(name="Gold")).startswith(
        'lines[1].name says "Gold"'
    )
    assert first(lambda d: d["lines"].pop()).startswith("freight.method says")
    assert first(lambda d: d["clauses"].pop()).startswith("notice says")
    seal = data[NAME]
    assert first(lambda d: d.update(seal={**seal, "digest": "0" * 64})).startswith("seal.digest")
    text_of = json.dumps(data)
    with pytest.raises(InvalidInputError, match="twice"):
        check(text_of[:-1] + ', "number": "Q-1"}', {})


async def test_what_is_no_offer_is_not_signed_and_its_digest_holds(
    desk: Server, database: Database
) -> None:
    made = await drafted(desk)
    data = await export(desk, made["quote_id"], "customer")
    assert data[NAME]["signature"] == ""
    assert keys_of(desk).known() == {}
    report = check(json.dumps(data), {})
    assert (report.holds, report.signature.state) == (True, "no offer")
    assert caught({**data, "number": "Q-2026-000001"}, {})[0]


def state(data: dict[str, Any], keys: Any) -> tuple[bool, str]:
    report: Report = check(json.dumps(data), keys)
    return report.holds, report.signature.state


async def test_keys_rotate_and_retire(desk: Server, database: Database, tmp_path: Path) -> None:
    old = await issued(desk, database, "customer", **ORDERS["goods"])
    keys = keys_of(desk)
    (first,) = keys.known()
    handed = json.dumps([vars(key) for key in keys.known().values()])
    assert state(old, read_keys(handed)) == (True, "good")
    assert state(old, read_keys(keys.known()[first].public)) == (True, "good")
    assert state(old, {}) == (True, "unchecked")
    assert (tmp_path / "keys" / PRIVATE).stat().st_mode & 0o077 == 0

    second = keys.rotate(DAY)
    new = await export(desk, old["quote_id"], "customer")
    assert keys.current() == second != first
    assert state(old, keys.known()) == state(new, keys.known()) == (True, "good")
    assert state(new, read_keys(handed)) == (False, "unknown key")

    keys.retire(first, DAY, "stolen laptop")
    said = check(json.dumps(old), keys.known()).signature
    assert (said.state, said.fails) == ("retired", True)
    assert f"key {first} was retired on 2026-11-23 (stolen laptop)" in said.say
    assert state(new, keys.known()) == (True, "good")
    assert state(old, read_keys(handed)) == (True, "good")  # an old copy cannot know

    keys.retire(second[:8], DAY, "left in a train")  # the one that signs is replaced
    third = await export(desk, old["quote_id"], "customer")
    assert keys.current() not in (first, second)
    assert state(third, keys.known()) == (True, "good")
    assert state(new, keys.known()) == (False, "retired")
    with pytest.raises(NotFoundError):
        keys.retire("", DAY, "")


async def test_a_signature_of_another_key_or_none_is_no_proof(
    desk: Server, database: Database, tmp_path: Path
) -> None:
    data = await issued(desk, database, "customer", **ORDERS["goods"])
    ours, theirs = keys_of(desk), DeskKeys(tmp_path / "others")
    content = {name: value for name, value in data.items() if name != NAME}
    forged = sealed(content, lambda digest: theirs.sign(digest, DAY))
    assert state(forged, ours.known()) == (False, "unknown key")
    header, _, last = data[NAME]["signature"].split(".")
    assert state(content, ours.known()) == (False, "missing")
    with pytest.raises(InvalidInputError, match="no public key"):
        read_keys("[1]")
    for wrong in (f"{header}.{last}.{last}", f"{header}..{last}=", f"{header}..", "..", "x"):
        seal = {**data[NAME], "signature": wrong}
        assert not state({**data, NAME: seal}, ours.known())[0], wrong
