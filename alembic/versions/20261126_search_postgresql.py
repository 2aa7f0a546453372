"""PostgreSQL finds accounts by three letters of their name or address, as SQLite's index of words does."""

import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from alembic import op

revision = "20261126_search_postgresql"
down_revision = "20261126_ticket_queue"
branch_labels = None
depends_on = None

COLUMNS = ("name_key", "email_key")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql" and _has_trigrams():
        for column in COLUMNS:
            options = {"postgresql_using": "gin", "postgresql_ops": {column: "gin_trgm_ops"}}
            op.create_index(f"account_search_{column}", "account", [column], **options)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for column in COLUMNS:
            op.drop_index(f"account_search_{column}", "account", if_exists=True)


def _has_trigrams() -> bool:
    """A server without them searches by reading all; `doctor` says how they are brought."""
    connection = op.get_bind()
    if not connection.scalar(sa.text("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")):
        return False
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except ProgrammingError:
        # Its user may not.
        return False
    return True
