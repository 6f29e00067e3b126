"""A text index follows its table whoever writes there, and answers what reading all rows would."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from servers.toolkit.text_index import TextIndex, begins, rarest

INDEX = TextIndex("thing", "thing_id", "said")
THING = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("thing_id", sa.String(10), primary_key=True),
    sa.Column("said", sa.String(80)),
)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'things.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA recursive_triggers=ON")
        THING.create(connection)
        connection.execute(THING.insert().values(thing_id="t_0", said="there before"))
        INDEX.create(connection)
    with Session(engine) as opened:
        opened.connection().exec_driver_sql("PRAGMA recursive_triggers=ON")
        yield opened
    engine.dispose()


def holding(session: Session, *words: str) -> list[str]:
    chosen = sa.select(THING.c.thing_id).where(INDEX.holds(session, words))
    return sorted(session.execute(chosen).scalars())


def near(session: Session, text: str, most: int = 100) -> list[str]:
    condition = INDEX.near(session, text, most)
    if condition is None:
        return []
    return sorted(session.execute(sa.select(THING.c.thing_id).where(condition)).scalars())


def test_rows_that_were_there_before_are_found(session: Session) -> None:
    assert holding(session, "before") == ["t_0"]


def test_every_way_of_writing_is_followed(session: Session) -> None:
    run = session.connection().execute
    run(THING.insert(), [{"thing_id": f"t_{n}", "said": f"alder number {n}"} for n in range(1, 50)])
    assert len(holding(session, "alder")) == 49
    run(sa.text("UPDATE thing SET said = 'finch' WHERE thing_id = 't_1'"))
    run(sa.text("UPDATE thing SET thing_id = 't_x' WHERE thing_id = 't_2'"))
    run(sa.text("DELETE FROM thing WHERE thing_id IN ('t_3', 't_4')"))
    run(sa.text("INSERT OR REPLACE INTO thing VALUES ('t_5', 'finch again')"))
    assert holding(session, "finch") == near(session, "finsh") == ["t_1", "t_5"]
    assert holding(session, "alder", "number 2") == sorted(
        ["t_x", *(f"t_{n}" for n in range(20, 30))]
    )
    assert {"t_1", "t_2", "t_3", "t_4", "t_5"} & {*holding(session, "alder")} == set()
    run(
        sa.text(
            "INSERT INTO text_index_thing_said_grams(text_index_thing_said_grams) "
            "VALUES ('integrity-check')"
        )
    )


def test_a_transaction_that_is_undone_leaves_nothing(session: Session) -> None:
    session.connection().execute(THING.insert().values(thing_id="t_1", said="alder"))
    session.rollback()
    assert holding(session, "alder") == near(session, "alder") == []


@pytest.mark.parametrize("piece", ["a", "ab", "abc", "%", "_", '"', "' OR 1", "a* OR b", "ber"])
def test_a_piece_is_found_as_reading_all_rows_finds_it(session: Session, piece: str) -> None:
    said = ["abc", "xabcx", "a b", "100%", "under_score", 'quo"te', "it' OR 1", "a* OR b", "bér"]
    rows = [{"thing_id": f"t_{n}", "said": one} for n, one in enumerate(said, start=1)]
    session.connection().execute(THING.insert(), rows)
    expected = [row["thing_id"] for row in rows if piece in row["said"]]
    assert holding(session, piece) == expected


def test_the_rarest_grams_are_taken_until_they_have_too_many_rows() -> None:
    counts = {"aaa": 5, "bbb": 1, "ccc": 4}
    assert rarest(counts, 4) == ["bbb"]
    assert rarest(counts, 5) == rarest(counts, 9) == ["bbb", "ccc"]
    assert rarest(counts, 10) == ["bbb", "ccc", "aaa"]
    assert rarest({"aaa": 99}, 1) == ["aaa"]
    assert rarest({}, 1) == []


def test_a_beginning_is_only_a_beginning(session: Session) -> None:
    rows = [
        {"thing_id": f"t_{n}", "said": one} for n, one in enumerate(("alder", "al", "sal", "Al"))
    ]
    session.connection().execute(THING.delete())
    session.connection().execute(THING.insert(), rows)
    chosen = sa.select(THING.c.thing_id).where(begins(session, THING.c.said, "al"))
    assert sorted(session.execute(chosen).scalars()) == ["t_0", "t_1"]
