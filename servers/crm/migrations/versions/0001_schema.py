"""The first schema: the CRM's tables, the tables that every server shares and the text index."""

import sqlalchemy as sa
from alembic import op

from servers.toolkit.shared_tables import create_shared_tables

revision = "0001_schema"
down_revision = None

ID = sa.String(48)


def _account(*, index: bool = True) -> "sa.Column[str]":
    return sa.Column(
        "account_id", ID, sa.ForeignKey("account.account_id"), nullable=False, index=index
    )


def _opportunity(*, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(
        "opportunity_id",
        ID,
        sa.ForeignKey("opportunity.opportunity_id"),
        nullable=nullable,
        index=True,
    )


def upgrade() -> None:
    """Make everything."""
    create_shared_tables(op.get_bind())
    _parties()
    _story()
    _offers()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_index()
    else:
        _postgres_index()


def _parties() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", ID, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("legal_name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("industry", sa.String(80), nullable=False),
        sa.Column("payment_terms_code", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
    )
    op.create_table(
        "account_alias",
        sa.Column("id", sa.Integer, primary_key=True),
        _account(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("normalized", sa.String(200), nullable=False, index=True),
        sa.UniqueConstraint("account_id", "name"),
    )
    op.create_table(
        "account_tax_id",
        sa.Column("id", sa.Integer, primary_key=True),
        _account(),
        sa.Column("scheme", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("value", sa.String(40), nullable=False),
        sa.Column("verified_at", sa.String(32)),
        sa.UniqueConstraint("account_id", "scheme", "value"),
    )
    op.create_table(
        "address",
        sa.Column("address_id", ID, primary_key=True),
        _account(),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("lines", sa.JSON, nullable=False),
        sa.Column("city", sa.String(120), nullable=False),
        sa.Column("region", sa.String(80), nullable=False),
        sa.Column("postal_code", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
    )
    op.create_table(
        "contact",
        sa.Column("contact_id", ID, primary_key=True),
        _account(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(254), nullable=False, index=True),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("role", sa.String(120), nullable=False),
        sa.Column("is_signatory", sa.Boolean, nullable=False),
    )
    op.create_table("seller_domain", sa.Column("domain", sa.String(253), primary_key=True))


def _story() -> None:
    op.create_table(
        "opportunity",
        sa.Column("opportunity_id", ID, primary_key=True),
        _account(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("stage", sa.String(24), nullable=False),
        sa.Column("owner", sa.String(120), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("close_date", sa.String(32)),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "opportunity_contact",
        sa.Column(
            "opportunity_id", ID, sa.ForeignKey("opportunity.opportunity_id"), primary_key=True
        ),
        sa.Column("contact_id", ID, sa.ForeignKey("contact.contact_id"), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
    )
    op.create_table(
        "activity",
        sa.Column("activity_id", ID, primary_key=True),
        _opportunity(),
        _account(),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(400), nullable=False),
        sa.Column("from_name", sa.String(200), nullable=False),
        sa.Column("from_address", sa.String(254), nullable=False),
        sa.Column("reply_to", sa.String(254), nullable=False),
        sa.Column("to", sa.JSON, nullable=False),
        sa.Column("cc", sa.JSON, nullable=False),
        sa.Column("message_id", sa.String(250), unique=True),
        sa.Column("in_reply_to", sa.String(250), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("quoted_text", sa.Text, nullable=False),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
    )
    op.create_table(
        "document",
        sa.Column("document_id", ID, primary_key=True),
        _opportunity(),
        _account(),
        sa.Column("activity_id", ID, sa.ForeignKey("activity.activity_id"), index=True),
        sa.Column("filename", sa.String(200), nullable=False),
        sa.Column("mime", sa.String(120), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("method", sa.String(12), nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("problems", sa.JSON, nullable=False),
    )


def _offers() -> None:
    op.create_table(
        "need",
        sa.Column("need_id", ID, primary_key=True),
        _opportunity(),
        _account(),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("span_key", sa.String(120), nullable=False),
        sa.Column("statement", sa.String(1000), nullable=False),
        sa.Column("quantity", sa.Integer),
        sa.Column("unit", sa.String(10)),
        sa.Column("optional", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        sa.UniqueConstraint("opportunity_id", "span_key"),
    )
    op.create_table(
        "quote_record",
        sa.Column("id", sa.Integer, primary_key=True),
        _account(),
        _opportunity(nullable=True),
        sa.Column("quote_id", ID, nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.UniqueConstraint("account_id", "quote_id", "revision"),
    )
    op.create_table(
        "quote_step",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "quote_record_id",
            sa.Integer,
            sa.ForeignKey("quote_record.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
    )


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
