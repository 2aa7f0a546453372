"""Uploaded files of accounts that wait to be imported."""

import sqlalchemy as sa

from alembic import op

revision = "20261123c"
down_revision = "20261123b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_import",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'done')", name=op.f("ck_account_import_state_known")),
        sa.CheckConstraint("accounts >= 0", name=op.f("ck_account_import_not_negative")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_account_import_partner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_account_import_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_import")),
        sa.UniqueConstraint("user_id", name=op.f("uq_account_import_user_id")),
    )
    with op.batch_alter_table("account_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_import_partner_id"), ["partner_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("account_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_import_partner_id"))
    op.drop_table("account_import")
