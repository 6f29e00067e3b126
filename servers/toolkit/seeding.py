"""Fill a new database once, in the transaction that also remembers it was done."""

import csv
import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlmodel import Session

from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.migrate import setting_table

Load = Callable[[Session, Path], dict[str, int]]


def seed_folder(server: str) -> Path:
    """Return the folder of a server's demo data."""
    return Path(str(files("seed_data"))) / server


def ensure_seeded(database: Database, load: Load, folder: Path | None = None) -> dict[str, int]:
    """Load the demo data into a database that was never filled; return the rows per table.

    A database that was filled before, or made empty on purpose, is left alone: the answer is
    then an empty dict. Two processes that start together fill it once.

    Raises:
        InvalidInputError: a file of the demo data is wrong; nothing is written.
    """
    if database.setting("seeded") is not None:
        return {}
    with database.write() as session:
        connection = session.connection()
        if database.dialect == "postgresql":
            connection.exec_driver_sql("LOCK TABLE house_setting IN EXCLUSIVE MODE")
        taken = setting_table.select().where(setting_table.c.name == "seeded")
        if connection.execute(taken).first() is not None:
            return {}
        counts = load(session, folder or seed_folder(database.server))
        session.flush()
        mark_seeded(session, "demo")
    return counts


def mark_seeded(session: Session, how: str) -> None:
    """Remember that a database was filled (`demo`) or is meant to stay empty (`empty`)."""
    session.connection().execute(setting_table.insert().values(name="seeded", value=how))


def read_json(path: Path) -> Any:
    """Read a JSON file of the demo data.

    Raises:
        InvalidInputError: naming the file, the line and what is wrong.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="restore the file") from problem
    except json.JSONDecodeError as problem:
        raise InvalidInputError(
            f"{path.name}, line {problem.lineno}: {problem.msg}", fix="mend the JSON"
        ) from problem


def read_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV file with their line numbers; a ragged row is an error.

    Raises:
        InvalidInputError: the file cannot be read, or a row has too many or too few columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="_extra", restval=None)
            for row in reader:
                if "_extra" in row or None in row.values():
                    raise InvalidInputError(
                        f"{path.name}, line {reader.line_num}: wrong number of columns",
                        fix="give every row the columns of the header",
                    )
                yield reader.line_num, row
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path.name}", fix="restore the file") from problem
