"""Indexes for the operators' lists of jobs and of mails, and for what a storage location holds."""

from alembic import op

revision = "20261126_operator_lists"
down_revision = "20261126_content_and_tickets"
branch_labels = None
depends_on = None

INDEXES = (
    ("account", ("data_center_id", "size_bytes")),
    ("job", ("finished_at", "id")),
    ("job", ("kind", "id")),
    ("job", ("partner_id", "id")),
    ("job", ("state", "id")),
    ("outbox_mail", ("kind", "id")),
    ("outbox_mail", ("recipient", "id")),
    ("outbox_mail", ("state", "id")),
)


def upgrade() -> None:
    for table, columns in INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def downgrade() -> None:
    for table, columns in reversed(INDEXES):
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table)
