"""The order of the API's lists; how a webhook fares, and its secret before the last change.

Revision ID: 20261126_api_and_webhooks
Revises: 20261126_account_work
"""

import sqlalchemy as sa

from alembic import op

revision = "20261126_api_and_webhooks"
down_revision = "20261126_account_work"
branch_labels = None
depends_on = None

_COLUMNS = (
    sa.Column("old_secret_sealed", sa.LargeBinary(), nullable=True),
    sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
    sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
    sa.Column("turned_off", sa.String(length=200), server_default="", nullable=False),
)


def upgrade() -> None:
    op.create_index(op.f("ix_account_partner_id_id"), "account", ["partner_id", "id"])
    op.create_index(op.f("ix_backup_run_received_at"), "backup_run", ["received_at"])
    for column in _COLUMNS:
        op.add_column("webhook", column.copy())


def downgrade() -> None:
    for column in reversed(_COLUMNS):
        op.drop_column("webhook", column.name)
    op.drop_index(op.f("ix_backup_run_received_at"), "backup_run")
    op.drop_index(op.f("ix_account_partner_id_id"), "account")
