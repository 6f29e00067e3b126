"""Schema changes: one Alembic history per server, applied when a database is opened.

Each server has `migrations/__init__.py` with `HEAD`, `migrations/env.py` that calls `run_env`,
and `migrations/versions/`. The tables that every server shares (audit, idempotency, revoked
grants, call counts, settings) have their history in `shared_tables`.
"""

import importlib
import logging
from functools import partial
from importlib.resources import as_file, files

import sqlalchemy as sa
from sqlalchemy import Connection

from servers.toolkit.errors import StorageError
from servers.toolkit.short_tables import add_table

BEFORE_THE_FIRST_RELEASE = frozenset(("0001_first", "0002_bundles", "0002_depth"))
"""Revisions of development versions; what they wrote is refused, not upgraded."""

shared = sa.MetaData()
"""The tables every server shares; they belong to the toolkit, not to a domain."""

table = partial(add_table, shared)
audit_table = table(
    "audit",
    "seq int key, at 32, actor 120, grant_id 60, method 40, component 200, arguments_sha256 64, "
    "outcome 12, reason 200",
)
idempotency_table = table(
    "idempotency", "key 200 key, tool 60 key, caller 200 key, at 32, result text"
)
call_count_table = table("grant_call_count", "grant_id 60 key, tool 60 key, used int")
setting_table = table("house_setting", "name 60 key, value text")
external_table = table(
    "external_id",
    "source 60 key, file 120 key, place 60 key, ours 400 key index, theirs 200, same 200 index, "
    "ended bool",
)
revoked_table = sa.Table(
    "revoked_grant",
    shared,
    sa.Column("grant_id", sa.String(60), primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False, server_default="0", index=True),
)


def head_of(server: str) -> str:
    """Return the newest revision a server's code knows, without importing Alembic."""
    return str(importlib.import_module(f"servers.{server}.migrations").HEAD)


def knows(server: str, revision: str | None) -> bool:
    """Say whether this program has the revision, and so can upgrade from it."""
    versions = files(f"servers.{server}.migrations") / "versions"
    return any(entry.name == f"{revision}.py" for entry in versions.iterdir())


def check_released(revision: str | None, server: str, where: str) -> None:
    """Refuse a database that a version before the first release wrote; nothing in it is changed."""
    if revision in BEFORE_THE_FIRST_RELEASE:
        raise StorageError(
            f"{where} is a {server} database of a version before the first release "
            f"(revision {revision}), which this one does not upgrade; it was left as it is",
            fix="name a new data folder (--home) or database, or use the version that wrote it",
        )


def revision_of(connection: Connection) -> str | None:
    """Return the revision a database is at, or None when it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def upgrade(connection: Connection, server: str, to: str = "head") -> None:
    """Bring a database to a revision, the newest one, inside the caller's transaction.

    Raises:
        StorageError: the database was written by a newer program.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    with as_file(files(f"servers.{server}.migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except CommandError as problem:
            raise StorageError(
                f"the {server} database is at revision {revision_of(connection)!r}, "
                "which this program does not know",
                fix="use the newer dealdesk that wrote it, or restore the backup beside it",
            ) from problem


def run_env(metadata: sa.MetaData) -> None:
    """Run the migrations; called from a server's `migrations/env.py`."""
    from alembic import context

    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
