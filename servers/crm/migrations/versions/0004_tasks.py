"""Tasks, the lines of earlier quotes, who decides, what a deal is worth, and merged accounts.

An activity still never changes, but for whose it is: where its account was merged into another.
"""

from functools import partial

import sqlalchemy as sa
from alembic import op

from servers.toolkit.short_tables import add_table

revision = "0004_tasks"
down_revision = "0003_key_owner"

added = sa.MetaData()
table = partial(add_table, added)
table("account", "account_id 48 key")
table("opportunity", "opportunity_id 48 key")
table("quote_record", "id int key")
table(
    "task",
    "task_id 48 key, account_id 48 index account.account_id, "
    "opportunity_id 48? index opportunity.opportunity_id, owner 120, what 500, due 32?, "
    "done_at 32?, version int",
)
table(
    "quote_line",
    "id int key, quote_record_id int index quote_record.id, position int, sku 40, "
    "description 400, quantity big, unit 10, net_minor big",
    ("quote_record_id", "position"),
)
COLUMNS = (
    "account ADD COLUMN merged_into VARCHAR(48)",
    "contact ADD COLUMN is_decision_maker BOOLEAN NOT NULL DEFAULT FALSE",
    "opportunity ADD COLUMN amount_minor BIGINT",
    "opportunity ADD COLUMN currency VARCHAR(3) NOT NULL DEFAULT ''",
)
KEPT = (
    "activity_id, opportunity_id, kind, direction, at, author, subject, from_name, from_address, "
    'reply_to, "to", cc, message_id, in_reply_to, text, quoted_text, flags, sha256, recorded_by'
)
MERGED = "SELECT 1 FROM account WHERE account_id = old.account_id AND merged_into = new.account_id"


def upgrade() -> None:
    """Add the tables and columns, and let a merge move activities."""
    added.create_all(op.get_bind(), [added.tables["task"], added.tables["quote_line"]])
    for column in COLUMNS:
        op.execute(f"ALTER TABLE {column}")
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _sqlite() if sqlite else _postgres():
        op.execute(statement)


def _sqlite() -> tuple[str, ...]:
    return (
        "DROP TRIGGER activity_is_append_only_update",
        f"CREATE TRIGGER activity_is_append_only_update BEFORE UPDATE OF {KEPT} ON activity "
        "BEGIN SELECT RAISE(ABORT, 'activities are append-only'); END",
        "CREATE TRIGGER activity_moves_with_a_merge BEFORE UPDATE OF account_id ON activity "
        f"WHEN new.account_id <> old.account_id AND NOT EXISTS ({MERGED}) "
        "BEGIN SELECT RAISE(ABORT, 'activities are append-only'); END",
    )


def _postgres() -> tuple[str, ...]:
    return (
        "DROP TRIGGER activity_is_append_only ON activity",
        f"CREATE TRIGGER activity_is_append_only BEFORE DELETE OR UPDATE OF {KEPT} ON activity "
        "FOR EACH ROW EXECUTE FUNCTION crm_is_append_only()",
        "CREATE FUNCTION crm_moves_with_a_merge() RETURNS trigger AS $$ "
        f"BEGIN IF new.account_id <> old.account_id AND NOT EXISTS ({MERGED}) THEN "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF; RETURN new; END "
        "$$ LANGUAGE plpgsql",
        "CREATE TRIGGER activity_moves_with_a_merge BEFORE UPDATE OF account_id ON activity "
        "FOR EACH ROW EXECUTE FUNCTION crm_moves_with_a_merge()",
    )
