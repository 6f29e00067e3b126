"""Fill a new database with the demo once; that it was filled is stored in the same transaction."""

from collections.abc import Mapping
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmodel import Session

from servers.toolkit.database import Database
from servers.toolkit.migrate import setting_table

if TYPE_CHECKING:
    from servers.toolkit.tables import Table


def seed_folder(server: str) -> Path:
    return Path(str(files("seed_data"))) / server


def ensure_seeded(
    database: Database, tables: "Mapping[str, Table] | None" = None, folder: Path | None = None
) -> dict[str, int]:
    """Import the demo into a database that was never filled; return the rows per table.

    What loads it (`TABLES` of the server's `load`, when no tables are given) is imported only then.
    A database that was filled before, or made empty on purpose, is left alone: the answer is
    then an empty dict. Two processes that start together fill it once.
    """
    if database.setting("seeded") is not None:
        return {}
    with database.write() as session:
        connection = session.connection()
        if database.dialect == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # another may be at it
            connection.exec_driver_sql("LOCK TABLE house_setting IN EXCLUSIVE MODE")
        taken = setting_table.select().where(setting_table.c.name == "seeded")
        if connection.execute(taken).first() is not None:
            return {}
        from servers.toolkit.importing import load_folder

        known = tables or import_module(f"servers.{database.server}.load").TABLES
        reports = load_folder(session, known, folder or seed_folder(database.server)).finish()
        mark_seeded(session, "demo")
    return {report.table: report.rows for report in reports}


def mark_own(session: Session) -> None:
    """Remember that the company is no longer the demo's: its people prove themselves from now."""
    named = setting_table.c.name == "seeded"
    session.connection().execute(setting_table.update().where(named).values(value="own"))


def mark_seeded(session: Session, how: str) -> None:
    """Remember that a database holds the demo (`demo`) or is meant to stay empty (`empty`)."""
    session.connection().execute(setting_table.insert().values(name="seeded", value=how))
