from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from servers.crm.models import CrmTable
from servers.toolkit.database import Database
from servers.toolkit.migrate import house

NOT_MODELS = {*house.tables, "alembic_version"}


def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    def ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
        return kind != "table" or not (name in NOT_MODELS or str(name).startswith("text_index"))

    with database.session() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"include_object": ours, "compare_type": True}
        )
        differences = compare_metadata(context, CrmTable.metadata)
    assert differences == []
