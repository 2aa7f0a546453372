"""What is brought over from an existing portal: imports, links, bills that are kept to be read."""

import sqlalchemy as sa

from alembic import op

revision = "20261126_portal_import"
down_revision = "20261126_notifications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "portal_import",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("found", sa.LargeBinary(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fault", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('reading', 'ready', 'applying', 'done', 'failed')", name=op.f("ck_portal_import_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_portal_import_partner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_portal_import_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_import")),
        sa.UniqueConstraint("user_id", name=op.f("uq_portal_import_user_id")),
    )
    op.create_index(op.f("ix_portal_import_partner_id"), "portal_import", ["partner_id"])
    op.create_table(
        "portal_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("foreign_id", sa.String(length=120), nullable=False),
        sa.Column("of_task", sa.Boolean(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.CheckConstraint("of_task = (task_id IS NOT NULL)", name=op.f("ck_portal_link_task_of_kind")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_portal_link_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_portal_link_partner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["backup_task.id"], name=op.f("fk_portal_link_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_link")),
        sa.UniqueConstraint(
            "partner_id",
            "source",
            "foreign_id",
            "of_task",
            name=op.f("uq_portal_link_partner_id_source_foreign_id_of_task"),
        ),
    )
    op.create_index(op.f("ix_portal_link_account_id"), "portal_link", ["account_id"])
    op.create_index(op.f("ix_portal_link_task_id"), "portal_link", ["task_id"])
    op.create_table(
        "imported_bill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("period", sa.String(length=80), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("total", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("discount", sa.String(length=40), nullable=False),
        sa.Column("payment", sa.String(length=40), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_imported_bill_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_imported_bill_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_bill")),
        sa.UniqueConstraint(
            "partner_id",
            "source",
            "name",
            "period",
            "place",
            name=op.f("uq_imported_bill_partner_id_source_name_period_place"),
        ),
    )
    op.create_index(op.f("ix_imported_bill_account_id_period"), "imported_bill", ["account_id", "period"])


def downgrade() -> None:
    op.drop_table("imported_bill")
    op.drop_table("portal_link")
    op.drop_table("portal_import")
