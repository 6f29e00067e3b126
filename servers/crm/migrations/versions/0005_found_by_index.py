"""Accounts are found by indexes of their names and people, deals by when they were last active.

A need may be of 2.5 kg: its quantity is kept in micro units, as every other one is.
"""

import sqlalchemy as sa
from alembic import op

from servers.crm.store.new_accounts import alias_of, person_of
from servers.crm.tables import NAMES, PEOPLE
from servers.toolkit.shared_tables import add_external_ids, index_external_ids
from servers.toolkit.text_index import pattern_index

revision = "0005_found_by_index"
down_revision = "0004_tasks"

ADDED = (("account_alias", "core", 200), ("contact", "normalized", 200), ("contact", "domain", 254))
INDEXED = (
    *(("contact", "domain"), ("account_tax_id", "value"), ("opportunity", "latest")),
    *(("task", "owner"), ("task", "due"), ("account", "merged_into"), ("quote_record", "quote_id")),
)
LATEST = (
    "UPDATE opportunity SET latest = coalesce("
    "(SELECT max(at) FROM activity WHERE opportunity_id = opportunity.opportunity_id), created)"
)
OCCASIONS = (
    ("opportunity_created", "INSERT ON opportunity", "new"),
    ("opportunity_dated", "UPDATE OF created ON opportunity", "new"),
    ("activity_is_latest", "INSERT ON activity", "new"),
    ("activity_is_gone", "DELETE ON activity", "old"),
)


def upgrade() -> None:
    """Add and fill the columns and their indexes."""
    for table, name, length in (*ADDED, ("opportunity", "latest", 32)):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} VARCHAR({length}) NOT NULL DEFAULT ''")
    _fill()
    for table, name in (("account_alias", "core"), ("contact", "normalized")):
        index = pattern_index(table, name)
        op.create_index(index.name, table, [name], **index.dialect_kwargs)
    for table, name in INDEXED:
        op.create_index(f"ix_{table}_{name}", table, [name])
    op.create_index("activity_by_time", "activity", ["opportunity_id", "at"])
    add_external_ids(op.get_bind())
    index_external_ids(op.get_bind())
    with op.batch_alter_table("need") as need:
        need.alter_column("quantity", type_=sa.BigInteger(), existing_nullable=True)
    op.execute("UPDATE need SET quantity = quantity * 1000000")
    NAMES.create(op.get_bind())
    PEOPLE.create(op.get_bind())
    for statement in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgres():
        op.execute(statement)


def _fill() -> None:
    op.execute(LATEST)
    run = op.get_bind().execute
    names = run(sa.text("SELECT id AS own, name FROM account_alias")).all()
    people = run(sa.text("SELECT contact_id AS own, name, email FROM contact")).all()
    cores = [{"own": row.own, "core": alias_of("", row.name)["core"]} for row in names]
    found_by = [{"own": row.own, **person_of(row.name, row.email)} for row in people]
    if cores:
        run(sa.text("UPDATE account_alias SET core = :core WHERE id = :own"), cores)
    if found_by:
        put = (
            "UPDATE contact SET normalized = :normalized, domain = :domain WHERE contact_id = :own"
        )
        run(sa.text(put), found_by)


def _sqlite() -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {name} AFTER {when} BEGIN "
        f"{LATEST} WHERE opportunity_id = {row}.opportunity_id; END"
        for name, when, row in OCCASIONS
    )


def _postgres() -> tuple[str, ...]:
    functions = (
        f"CREATE FUNCTION crm_{row}_is_latest() RETURNS trigger AS $$ BEGIN "
        f"{LATEST} WHERE opportunity_id = {row}.opportunity_id; RETURN NULL; END "
        "$$ LANGUAGE plpgsql"
        for row in ("new", "old")
    )
    triggers = (
        f"CREATE TRIGGER {name} AFTER {when} FOR EACH ROW EXECUTE FUNCTION crm_{row}_is_latest()"
        for name, when, row in OCCASIONS
    )
    return (*functions, *triggers)
