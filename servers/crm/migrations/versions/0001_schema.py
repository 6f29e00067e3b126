"""The first schema: the CRM's tables, the tables that every server shares and the text index."""

from alembic import op

from servers.toolkit.shared_tables import create_shared_tables
from servers.toolkit.short_tables import tables_in

revision = "0001_schema"
down_revision = None


def upgrade() -> None:
    """Make everything."""
    create_shared_tables(op.get_bind())
    tables_in("servers.crm.migrations", "first").create_all(op.get_bind())
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_index()
    else:
        _postgres_index()


def _sqlite_index() -> None:
    """Index what was said. Activities are append-only: a trigger refuses to change their words."""
    for statement in (
        "CREATE VIRTUAL TABLE text_index USING fts5(source_id UNINDEXED, "
        "opportunity_id UNINDEXED, title, body, "
        "tokenize='porter unicode61 remove_diacritics 2')",
        "CREATE TRIGGER activity_indexed AFTER INSERT ON activity BEGIN "
        "INSERT INTO text_index VALUES "
        "(new.activity_id, new.opportunity_id, new.subject, new.text); END",
        "CREATE TRIGGER document_indexed AFTER INSERT ON document BEGIN "
        "INSERT INTO text_index VALUES "
        "(new.document_id, new.opportunity_id, new.title || ' ' || new.filename, new.text); END",
        "CREATE TRIGGER activity_is_append_only_update BEFORE UPDATE ON activity "
        "BEGIN SELECT RAISE(ABORT, 'activities are append-only'); END",
        "CREATE TRIGGER activity_is_append_only_delete BEFORE DELETE ON activity "
        "BEGIN SELECT RAISE(ABORT, 'activities are append-only'); END",
        "CREATE TRIGGER quote_step_is_append_only_update BEFORE UPDATE ON quote_step "
        "BEGIN SELECT RAISE(ABORT, 'the history of quotes is append-only'); END",
        "CREATE TRIGGER quote_step_is_append_only_delete BEFORE DELETE ON quote_step "
        "BEGIN SELECT RAISE(ABORT, 'the history of quotes is append-only'); END",
    ):
        op.execute(statement)


def _postgres_index() -> None:
    for statement in (
        "CREATE INDEX activity_words ON activity USING gin "
        "(to_tsvector('simple', subject || ' ' || text))",
        "CREATE INDEX document_words ON document USING gin "
        "(to_tsvector('simple', title || ' ' || filename || ' ' || text))",
        "CREATE FUNCTION crm_is_append_only() RETURNS trigger AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER activity_is_append_only BEFORE UPDATE OR DELETE ON activity "
        "FOR EACH ROW EXECUTE FUNCTION crm_is_append_only()",
        "CREATE TRIGGER quote_step_is_append_only BEFORE UPDATE OR DELETE ON quote_step "
        "FOR EACH ROW EXECUTE FUNCTION crm_is_append_only()",
    ):
        op.execute(statement)
