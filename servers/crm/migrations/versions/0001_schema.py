"""The first schema: the CRM's tables, the tables that every server shares and the text index."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from servers.toolkit.shared_tables import create_shared_tables
from servers.toolkit.short_tables import add_table

revision = "0001_schema"
down_revision = None

first = sa.MetaData()
table = partial(add_table, first)
ACCOUNT = "account_id 48 index account.account_id"
DEAL = "opportunity_id 48 index opportunity.opportunity_id"

table(
    "account",
    "account_id 48 key, name 200, legal_name 200, kind 12, country 2, currency 3, language 8, "
    "status 12, industry 80, payment_terms_code 20, channel 20",
)
table(
    "account_alias",
    f"id int key, {ACCOUNT}, name 200, normalized 200 index",
    ("account_id", "name"),
)
table(
    "account_tax_id",
    f"id int key, {ACCOUNT}, scheme 20, country 2, value 40, verified_at 32?",
    ("account_id", "scheme", "value"),
)
table(
    "address",
    f"address_id 48 key, {ACCOUNT}, kind 12, label 120, lines json, city 120, region 80, "
    "postal_code 20, country 2, is_default bool",
)
table(
    "contact",
    f"contact_id 48 key, {ACCOUNT}, name 200, email 254 index, phone 40, role 120, "
    "is_signatory bool",
)
table("seller_domain", "domain 253 key")
table(
    "opportunity",
    f"opportunity_id 48 key, {ACCOUNT}, name 200, stage 24, owner 120, created 32, "
    "close_date 32?, version int",
)
table(
    "opportunity_contact",
    "opportunity_id 48 key opportunity.opportunity_id, contact_id 48 key contact.contact_id, "
    "place int",
)
table(
    "activity",
    f"activity_id 48 key, {DEAL}, {ACCOUNT}, kind 10, direction 10, at 32 index, author 200, "
    "subject 400, from_name 200, from_address 254, reply_to 254, to json, cc json, "
    "message_id 250? unique, in_reply_to 250, text text, quoted_text text, flags json, sha256 64, "
    "recorded_by 120",
)
table(
    "document",
    f"document_id 48 key, {DEAL}, {ACCOUNT}, activity_id 48? index activity.activity_id, "
    "filename 200, mime 120, title 200, size int, sha256 64, text text, method 12, pages int, "
    "problems json",
)
table(
    "need",
    f"need_id 48 key, {DEAL}, {ACCOUNT}, source_id 48, start int, end int, span_key 120, "
    "statement 1000, quantity int?, unit 10?, optional bool, status 10, version int, "
    "recorded_at 32, recorded_by 120",
    ("opportunity_id", "span_key"),
)
table(
    "quote_record",
    f"id int key, {ACCOUNT}, {DEAL.replace('48', '48?')}, quote_id 48, number 40, revision int, "
    "outcome 12, total_minor big, currency 3, at 32",
    ("account_id", "quote_id", "revision"),
)
table(
    "quote_step",
    "id int key, quote_record_id int index quote_record.id, outcome 12, at 32, actor 120",
)


def upgrade() -> None:
    """Make everything."""
    create_shared_tables(op.get_bind())
    first.create_all(op.get_bind())
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
