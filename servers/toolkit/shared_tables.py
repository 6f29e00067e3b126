"""The history of the tables that every server shares: each server's migrations call these.

What a step makes stays as it is here; the tables as they are now are in `migrate.shared`.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

DAY = 24 * 3600

first = sa.MetaData()
sa.Table(
    "audit",
    first,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("grant_id", sa.String(60), nullable=False),
    sa.Column("method", sa.String(40), nullable=False),
    sa.Column("component", sa.String(200), nullable=False),
    sa.Column("arguments_sha256", sa.String(64), nullable=False),
    sa.Column("outcome", sa.String(12), nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
)
sa.Table(
    "idempotency",
    first,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("tool", sa.String(60), primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("result", sa.Text, nullable=False),
)
sa.Table(
    "revoked_grant",
    first,
    sa.Column("grant_id", sa.String(60), primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
)
sa.Table(
    "grant_call_count",
    first,
    sa.Column("grant_id", sa.String(60), primary_key=True),
    sa.Column("tool", sa.String(60), primary_key=True),
    sa.Column("used", sa.Integer, nullable=False),
)
sa.Table(
    "house_setting",
    first,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

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
    revoked = sa.table(
        "revoked_grant", sa.column("grant_id"), sa.column("at"), sa.column("expires")
    )
    known = connection.execute(sa.select(revoked.c.grant_id, revoked.c.at)).all()
    if known:
        connection.execute(
            revoked.update()
            .where(revoked.c.grant_id == sa.bindparam("revoked_id"))
            .values(expires=sa.bindparam("until")),
            [
                {"revoked_id": grant_id, "until": int(datetime.fromisoformat(at).timestamp()) + DAY}
                for grant_id, at in known
            ],
        )
    connection.exec_driver_sql("CREATE INDEX ix_revoked_grant_expires ON revoked_grant (expires)")
