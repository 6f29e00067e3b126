"""The history of the tables that every server shares: each server's migrations call these.

What a step makes stays as it is here; the tables as they are now are in `migrate.shared`.
"""

import re
from collections.abc import Collection
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection

from servers.toolkit.short_tables import add_table

DAY = 24 * 3600

first = sa.MetaData()
table = partial(add_table, first)
table(
    "audit",
    "seq int key, at 32, actor 120, grant_id 60, method 40, component 200, arguments_sha256 64, "
    "outcome 12, reason 200",
)
table("idempotency", "key 200 key, tool 60 key, at 32, result text")
table("revoked_grant", "grant_id 60 key, at 32")
table("grant_call_count", "grant_id 60 key, tool 60 key, used int")
table("house_setting", "name 60 key, value text")

_KEEP_AUDIT = (
    "CREATE TRIGGER audit_is_append_only_{verb} BEFORE {verb} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
)
_KEEP_AUDIT_POSTGRES = (
    "CREATE FUNCTION audit_is_append_only() RETURNS trigger AS $$ "
    "BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
)


def create_shared_tables(connection: Connection) -> None:
    """Make the shared tables: the first migration of each server."""
    first.create_all(connection)
    if connection.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(_KEEP_AUDIT.format(verb=verb))
    else:
        for statement in _KEEP_AUDIT_POSTGRES:
            connection.exec_driver_sql(statement)


def add_grant_expiry(connection: Connection) -> None:
    """Store until when a revoked grant would have lived: the second migration of each server.

    Of those revoked before, no more is known than that no grant lives longer than a day.
    """
    connection.exec_driver_sql(
        "ALTER TABLE revoked_grant ADD COLUMN expires BIGINT NOT NULL DEFAULT 0"
    )
    revoked = sa.table("revoked_grant", *map(sa.column, ("grant_id", "at", "expires")))
    for grant_id, at in connection.execute(sa.select(revoked.c.grant_id, revoked.c.at)).all():
        until = int(datetime.fromisoformat(at).timestamp()) + DAY
        mine = revoked.c.grant_id == grant_id
        connection.execute(revoked.update().where(mine).values(expires=until))
    connection.exec_driver_sql("CREATE INDEX ix_revoked_grant_expires ON revoked_grant (expires)")


def add_key_owner(connection: Connection) -> None:
    """Store whose each idempotency key is. Of a key from before no caller is known, only its run.

    The owner belongs to the primary key, which SQLite changes by making the table again.
    """
    run = connection.exec_driver_sql
    owned = sa.MetaData()
    add_table(owned, "idempotency", "key 200 key, tool 60 key, caller 200 key, at 32, result text")
    if connection.dialect.name == "sqlite":
        run("ALTER TABLE idempotency RENAME TO idempotency_before")
        owned.create_all(connection)
        run("INSERT INTO idempotency SELECT key, tool, '', at, result FROM idempotency_before")
        run("DROP TABLE idempotency_before")
        return
    run("ALTER TABLE idempotency ADD COLUMN caller VARCHAR(200) NOT NULL DEFAULT ''")
    run("ALTER TABLE idempotency ALTER COLUMN caller DROP DEFAULT")
    run("ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey")
    run("ALTER TABLE idempotency ADD PRIMARY KEY (key, tool, caller)")


def add_external_ids(connection: Connection) -> None:
    """Make the table of other programs' ids."""
    tables = sa.MetaData()
    add_table(
        tables,
        "external_id",
        "source 60 key, file 120 key, place 60 key, ours 400 key, theirs 200, same 200 index, "
        "ended bool",
    )
    tables.create_all(connection)


def index_external_ids(connection: Connection) -> None:
    """Let other programs' ids of a row of ours be found without reading all of them."""
    connection.exec_driver_sql("CREATE INDEX ix_external_id_ours ON external_id (ours)")


def widen(connection: Connection, columns: Collection[str], before: int, after: int) -> None:
    """Let columns of these names, in whatever table, have more characters.

    SQLite only writes the number down, so there the text of the tables is changed, as
    https://sqlite.org/lang_altertable.html says: to make them again would lose their triggers.
    """
    run = connection.exec_driver_sql
    if connection.dialect.name == "sqlite":
        form = re.compile(rf"\b({'|'.join(columns)}) VARCHAR\({before}\)")
        made = run("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()
        version = run("PRAGMA schema_version").scalar_one()
        run("PRAGMA writable_schema = ON")
        for name, sql in made:
            if (wide := form.sub(rf"\1 VARCHAR({after})", sql)) != sql:
                run(
                    "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?",
                    (wide, name),
                )
        run(f"PRAGMA schema_version = {version + 1}")
        run("PRAGMA writable_schema = OFF")
        return
    found = sa.inspect(connection)
    for table in found.get_table_names():
        for one in found.get_columns(table):
            if one["name"] in columns and getattr(one["type"], "length", None) == before:
                run(f'ALTER TABLE "{table}" ALTER COLUMN {one["name"]} TYPE VARCHAR({after})')
