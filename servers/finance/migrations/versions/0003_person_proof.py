"""People prove themselves: tokens, deputies, who is disabled; and the demo is known as such."""

import sqlalchemy as sa
from alembic import op

from servers.toolkit.short_tables import add_table

revision = "0003_person_proof"
down_revision = "0002_grant_expiry"

DEMO_PEOPLE = ("per_lena", "per_tomas", "per_ingrid", "per_jonas")


def upgrade() -> None:
    tables = sa.MetaData()
    add_table(
        tables,
        "enrolled",
        "person_id 48 key, token_id 20, digest 64, expires_at 20, disabled bool, deputy_id 48?, "
        "deputy_until date?",
    )
    tables.create_all(op.get_bind())
    _mark_own_companies()


def _mark_own_companies() -> None:
    """A company that took the demo's place has other people: their names alone prove nothing."""
    person = sa.table("person", sa.column("person_id"))
    setting = sa.table("house_setting", sa.column("name"), sa.column("value"))
    others = sa.select(person.c.person_id).where(person.c.person_id.not_in(DEMO_PEOPLE))
    op.execute(
        setting.update()
        .where(setting.c.name == "seeded", setting.c.value == "demo", others.exists())
        .values(value="own")
    )
