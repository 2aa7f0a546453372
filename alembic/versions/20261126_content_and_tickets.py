"""Content that operators publish, progress in courses, tickets; who opens an account, where a data centre lies."""

import sqlalchemy as sa

from alembic import op

revision = "20261126_content_and_tickets"
down_revision = "20261126_portal_import"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "content_page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("section", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.String(length=400), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=254), nullable=False),
        sa.CheckConstraint(
            "kind IN ('article', 'course', 'lesson', 'news', 'sales')", name=op.f("ck_content_page_kind_known")
        ),
        sa.CheckConstraint("state IN ('draft', 'published')", name=op.f("ck_content_page_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_page")),
        sa.UniqueConstraint("kind", "slug", name=op.f("uq_content_page_kind_slug")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "content_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["content_page.id"], name=op.f("fk_content_file_page_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_file")),
        sa.UniqueConstraint("page_id", "name", name=op.f("uq_content_file_page_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("course", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_certificate_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
        sa.UniqueConstraint("user_id", "course", name=op.f("uq_certificate_user_id_course")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lesson_progress",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("course", sa.String(length=80), nullable=False),
        sa.Column("lesson", sa.String(length=80), nullable=False),
        sa.Column("position_seconds", sa.Integer(), nullable=False),
        sa.Column("spent_seconds", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_lesson_progress_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "course", "lesson", name=op.f("pk_lesson_progress")),
    )
    op.create_index(op.f("ix_lesson_progress_user_id_changed_at"), "lesson_progress", ["user_id", "changed_at"])

    op.create_table(
        "news_read",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["portal_user.id"], name=op.f("fk_news_read_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "post", name=op.f("pk_news_read")),
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("account_name", sa.String(length=120), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=True),
        sa.Column("opened_by", sa.String(length=254), nullable=False),
        sa.Column("assigned_to_id", sa.Integer(), nullable=True),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'answered', 'closed')", name=op.f("ck_ticket_state_known")),
        sa.CheckConstraint(
            "topic IN ('backups', 'billing', 'change', 'other', 'users')", name=op.f("ck_ticket_topic_known")
        ),
        sa.CheckConstraint("urgency IN ('low', 'normal', 'urgent')", name=op.f("ck_ticket_urgency_known")),
        sa.ForeignKeyConstraint(
            ["assigned_to_id"], ["portal_user.id"], name=op.f("fk_ticket_assigned_to_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["portal_user.id"], name=op.f("fk_ticket_opened_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_ticket_partner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ticket_assigned_to_id"), "ticket", ["assigned_to_id"])
    op.create_index(op.f("ix_ticket_opened_by_id"), "ticket", ["opened_by_id"])
    op.create_index(op.f("ix_ticket_partner_id_changed_at_id"), "ticket", ["partner_id", "changed_at", "id"])
    op.create_index(op.f("ix_ticket_state_changed_at_id"), "ticket", ["state", "changed_at", "id"])

    op.create_table(
        "ticket_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.String(length=254), nullable=False),
        sa.Column("from_provider", sa.Boolean(), nullable=False),
        sa.Column("internal", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["portal_user.id"], name=op.f("fk_ticket_message_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_message_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_message")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ticket_message_author_id"), "ticket_message", ["author_id"])
    op.create_index(op.f("ix_ticket_message_ticket_id_id"), "ticket_message", ["ticket_id", "id"])

    op.create_table(
        "ticket_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["ticket_message.id"], name=op.f("fk_ticket_file_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_file")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ticket_file_message_id"), "ticket_file", ["message_id"])

    op.add_column("account", sa.Column("partner_access", sa.Boolean(), server_default=sa.true(), nullable=False))

    op.add_column(
        "data_center",
        sa.Column(
            "kind",
            sa.String(),
            sa.CheckConstraint(
                "kind IN ('folder', 'aws_s3', 's3_compatible', 'google_cloud', 'azure')",
                name=op.f("ck_data_center_kind_known"),
            ),
            server_default="folder",
            nullable=False,
        ),
    )
    op.add_column("data_center", sa.Column("place", sa.String(length=300), server_default="", nullable=False))
    op.add_column("data_center", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column("data_center", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("data_center", "checked_at")
    op.drop_column("data_center", "sealed")
    op.drop_column("data_center", "place")
    op.drop_column("data_center", "kind")

    op.drop_column("account", "partner_access")

    op.drop_index(op.f("ix_ticket_file_message_id"), "ticket_file")

    op.drop_table("ticket_file")
    op.drop_index(op.f("ix_ticket_message_ticket_id_id"), "ticket_message")
    op.drop_index(op.f("ix_ticket_message_author_id"), "ticket_message")

    op.drop_table("ticket_message")
    op.drop_index(op.f("ix_ticket_state_changed_at_id"), "ticket")
    op.drop_index(op.f("ix_ticket_partner_id_changed_at_id"), "ticket")
    op.drop_index(op.f("ix_ticket_opened_by_id"), "ticket")
    op.drop_index(op.f("ix_ticket_assigned_to_id"), "ticket")

    op.drop_table("ticket")
    op.drop_table("news_read")
    op.drop_index(op.f("ix_lesson_progress_user_id_changed_at"), "lesson_progress")

    op.drop_table("lesson_progress")
    op.drop_table("certificate")
    op.drop_table("content_file")
    op.drop_table("content_page")
