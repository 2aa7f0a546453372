"""Days that came to nothing are done without a bill."""

import sqlalchemy as sa

from alembic import op

revision = "20261127_free_days"
down_revision = "20261126_search_postgresql"
branch_labels = None
depends_on = None

# SQLite makes the table anew, without its trigger.
_ONCE = """
CREATE TRIGGER billed_period_once BEFORE INSERT ON billed_period WHEN EXISTS (
    SELECT 1 FROM billed_period
    WHERE account_id = NEW.account_id AND starts_on < NEW.ends_on AND ends_on > NEW.starts_on
)
BEGIN SELECT RAISE(ABORT, 'billed already'); END
"""


def upgrade() -> None:
    _let_be_empty(True)


def downgrade() -> None:
    op.execute("DELETE FROM billed_period WHERE bill_id IS NULL")
    _let_be_empty(False)


def _let_be_empty(may: bool) -> None:
    with op.batch_alter_table("billed_period") as table:
        table.alter_column("bill_id", existing_type=sa.Integer(), nullable=may)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_ONCE)
