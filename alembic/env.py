"""How Alembic reaches the portal's database. The portal hands in a connection; the command line makes its own."""

from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

import portal_app.models  # noqa: F401  (knows every table)
from alembic import context
from portal_app.db import make_engine
from portal_app.settings import settings

# Kept by hand in the migrations: the full-text index is made of tables that no model describes.
SEARCH_TABLES = ("account_search",)


def include(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    return not (kind == "table" and str(name).startswith(SEARCH_TABLES))


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_object=include,
        compare_type=True,
        # We begin the transaction ourselves (portal_app.db), so in SQLite, too, an upgrade happens whole or not at all.
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    migrate(given)
else:
    with make_engine(settings().sqlalchemy_url).connect() as own:
        migrate(own)
        own.commit()
