import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from dealdesk.settings import load_settings
from orchestrator.durable.store import NewEvent, Store, now, open_store
from orchestrator.errors import EnvironmentProblem, UsageError

SERVER = os.environ.get("DEALDESK_TEST_POSTGRES")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.db"
        return
    if not SERVER:
        pytest.skip("not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server")
    name = f"dealdesk_store_{uuid4().hex[:8]}"
    admin = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        db.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as db:
        db.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.close()


def new_run(store: Store, goal: str = "Quote them", **facts: Any) -> str:
    asked = {"goal": goal, "model": facts.pop("model", "playbook")}
    known = {"requested_by": "per_lena", "order_date": "2026-11-23"}
    return store.create(asked=asked, **{**known, **facts})


def say(store: Store, run_id: str, kind: str, once: str | None = None, **data: Any) -> None:
    store.add(NewEvent(run_id, kind, "", data, now(), once))


def test_a_run_is_kept_with_what_is_known_of_it(store: Store) -> None:
    first = new_run(store)
    second = new_run(store, "Go on", continues=first)
    assert first.startswith("run_")
    assert len(first) == 10
    assert [row["run_id"] for row in store.list()] == [second, first]
    row = store.get(second)
    assert (row["status"], row["outcome"], row["continues"]) == ("open", None, first)
    assert row["requested_by"] == "per_lena"
    assert "n" not in row


def test_an_unknown_run_is_a_clear_mistake(store: Store) -> None:
    with pytest.raises(UsageError, match="no run 'run_zzzzzz'"):
        store.get("run_zzzzzz")


def test_an_opportunity_has_one_open_run(store: Store) -> None:
    first, second = new_run(store), new_run(store)
    assert store.claim(first, "acc_001", "opp_001") is None
    assert store.claim(first, "acc_001", "opp_001") is None  # a replay
    assert store.claim(second, "acc_001", "opp_001") == first
    assert store.claim(second, "acc_001", "opp_002") is None
    store.finish(first, {"outcome": "issued", "quote_id": "q_1"})
    third = new_run(store)
    assert store.claim(third, "acc_001", "opp_001") is None


def test_of_many_claims_at_once_one_holds(store: Store, url: str) -> None:
    runs = [new_run(store) for _ in range(4)]
    said: list[str | None] = []

    def claim(run_id: str) -> None:
        own = Store(url)
        said.append(own.claim(run_id, "acc_001", "opp_001"))
        own.close()

    threads = [threading.Thread(target=claim, args=(run_id,)) for run_id in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = {holder for holder in said if holder}
    assert said.count(None) == 1
    assert len(winner) == 1


def test_the_first_end_stands(store: Store) -> None:
    run_id = new_run(store)
    store.claim(run_id, "acc_001", "opp_001")
    store.finish(run_id, {"outcome": "cancelled", "account_id": None})
    store.finish(run_id, {"outcome": "issued", "quote_id": "q_1"})
    store.reopen(run_id)
    row = store.get(run_id)
    assert (row["status"], row["outcome"], row["quote_id"]) == ("done", "cancelled", None)
    assert row["account_id"] == "acc_001"
    assert row["result"] == {"outcome": "cancelled", "account_id": None}


def test_an_end_and_its_event_are_stored_together_and_once(store: Store) -> None:
    run_id = new_run(store)
    say(store, run_id, "turn")

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO event"):
            inserts.append(statement)
            if len(inserts) == 2:  # the turn is stored, the end is not
                raise sa.exc.OperationalError(statement, {}, OSError("disk is full"))

    inserts: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", refuse)
    with pytest.raises(EnvironmentProblem, match="disk is full"):
        store.finish(run_id, {"outcome": "issued", "quote_id": "q_1"})
    assert store.get(run_id)["status"] == "open"
    assert [event["type"] for event in store.events(run_id)] == ["run_started", "turn"]
    for outcome in ("issued", "cancelled"):
        store.finish(run_id, {"outcome": outcome})
    assert store.get(run_id)["outcome"] == "issued"
    last = store.events(run_id)[2:]
    assert [(one["type"], one["data"]) for one in last] == [("run_finished", {"outcome": "issued"})]


def test_waiting_and_deciding_change_the_status_with_the_event(store: Store) -> None:
    run_id = new_run(store)
    say(store, run_id, "waiting", once="waiting", quote_id="q_1")
    store.flush()
    assert (store.get(run_id)["status"], store.get(run_id)["quote_id"]) == ("waiting", "q_1")
    store.reopen(run_id)
    assert store.get(run_id)["status"] == "open"
    say(store, run_id, "waiting", once="waiting", quote_id="q_1")  # a replay says it again
    store.flush()
    assert store.get(run_id)["status"] == "open"
    assert len(store.events(run_id)) == 2


def test_numbers_are_dense_and_one_batch_says_a_thing_once(store: Store) -> None:
    run_id, other = new_run(store), new_run(store)
    say(store, run_id, "turn")
    say(store, other, "turn")
    say(store, run_id, "rework", once="rework:1", round=1)
    say(store, run_id, "rework", once="rework:1", round=1)
    say(store, run_id, "turn", tokens=3)
    first, *events = store.events(run_id)
    assert (first["seq"], first["type"], first["data"]["goal"]) == (1, "run_started", "Quote them")
    assert [(e["seq"], e["type"]) for e in events] == [(2, "turn"), (3, "rework"), (4, "turn")]
    assert events[2]["data"] == {"tokens": 3}
    assert set(events[0]) == {"v", "run_id", "seq", "at", "type", "agent", "data"}
    assert [e["seq"] for e in store.events(run_id, after=3)] == [4]
    assert len(store.events(other)) == 2


def test_processes_that_append_at_once_lose_nothing(store: Store, url: str) -> None:
    run_id = new_run(store)

    def append() -> None:
        own = Store(url)
        for _ in range(5):
            say(own, run_id, "turn")
            own.flush()
        own.close()

    threads = [threading.Thread(target=append) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e["seq"] for e in store.events(run_id)] == list(range(1, 17))


def test_what_was_taken_is_stored_at_the_end(url: str) -> None:
    store = Store(url)
    run_id = new_run(store)
    say(store, run_id, "turn")
    store.close()
    again = Store(url)
    assert len(again.events(run_id)) == 2
    again.close()


def test_stores_that_open_a_new_database_at_once_agree(url: str) -> None:
    problems: list[Exception] = []

    def open_one() -> None:
        try:
            Store(url).close()
        except Exception as problem:  # noqa: BLE001 - shown by the assertion
            problems.append(problem)

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_what_is_noted_is_kept_until_it_is_noted_anew(store: Store, url: str) -> None:
    assert store.noted("expired") is None
    for until in ("2026-11-23T09:00", "2026-11-23T09:15"):
        store.note("expired", until)
        assert store.noted("expired") == until
    with store._engine.begin() as db:
        db.exec_driver_sql("DROP TABLE noted")
    again = Store(url)  # as one of before that table
    assert again.noted("expired") is None
    again.close()


def test_open_store_reads_the_settings(tmp_path: Path) -> None:
    with open_store(load_settings(home=tmp_path / "desk").runs_url) as store:
        new_run(store)
    assert (tmp_path / "desk" / "runs.db").exists()


def test_the_file_follows_the_journal_rule(tmp_path: Path) -> None:
    from servers.toolkit.database import journal_mode

    Store(f"sqlite:///{tmp_path}/runs.db").close()
    connection = sqlite3.connect(tmp_path / "runs.db")
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    assert mode.upper() == journal_mode()


def test_files_that_are_not_ours_are_refused_and_left_alone(tmp_path: Path) -> None:
    empty, foreign, text = (tmp_path / name for name in ("empty.db", "foreign.db", "text.db"))
    empty.touch()
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    text.write_text("no database, but long enough to be read as one. " * 40)
    for path, said in (
        (empty, "empty file"),
        (foreign, "another program's"),
        (text, "not a database"),
    ):
        before = path.read_bytes()
        with pytest.raises(EnvironmentProblem, match=said):
            Store(f"sqlite:///{path}")
        assert path.read_bytes() == before


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    Store(url).close()
    connection = sqlite3.connect(tmp_path / "runs.db")
    connection.execute("UPDATE run_schema SET version = 99")
    connection.commit()
    connection.close()
    with pytest.raises(EnvironmentProblem, match="newer version"):
        Store(url)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path}/file/runs.db")
