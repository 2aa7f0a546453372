"""What of the rows that notifications tell of was looked at; and of each task the trouble that was told."""

import sqlalchemy as sa

from alembic import op

revision = "20261126_notifications"
down_revision = "20261126_api_and_webhooks"
branch_labels = None
depends_on = None

_NEW = {
    "backup_run": "NOT told",
    "backup_entity": "NOT told",
    "job": "NOT told AND kind IN ('restore', 'export')",
}


def upgrade() -> None:
    for table, new in _NEW.items():
        op.add_column(table, sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False))
        # What is there is no news.
        op.execute(f"UPDATE {table} SET told = true")
        op.create_index(
            op.f(f"ix_{table}_told_id"),
            table,
            ["told", "id"],
            sqlite_where=sa.text(new),
            postgresql_where=sa.text(new),
        )
    op.create_table(
        "task_trouble",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["backup_task.id"], name=op.f("fk_task_trouble_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_trouble")),
    )


def downgrade() -> None:
    op.drop_table("task_trouble")
    for table in _NEW:
        op.drop_index(op.f(f"ix_{table}_told_id"), table)
        op.drop_column(table, "told")
