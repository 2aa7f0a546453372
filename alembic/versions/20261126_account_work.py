"""The account at work: engines, schedules and entities of tasks, jobs, files, notifications, webhooks."""

import sqlalchemy as sa

from alembic import op

revision = "20261126_account_work"
down_revision = "20261126_billing_changes"
branch_labels = None
depends_on = None


_CHECKED = (
    ("engine", "VARCHAR DEFAULT 'reported' NOT NULL", "engine_known CHECK (engine IN ('reported', 'built_in'))"),
    ("every", "VARCHAR DEFAULT 'daily' NOT NULL", "every_known CHECK (every IN ('daily', 'three_days', 'weekly'))"),
    ("hour", "INTEGER DEFAULT 2 NOT NULL", "hour_of_day CHECK (hour BETWEEN 0 AND 23)"),
    ("discovery", "VARCHAR DEFAULT 'add' NOT NULL", "discovery_known CHECK (discovery IN ('add', 'ask', 'ignore'))"),
    (
        "source_kind",
        "VARCHAR",
        "source_kind_known CHECK (source_kind IN ('folder', 's3', 'webdav', 'sftp', 'onedrive', 'sharepoint', "
        "'google_drive', 'dropbox', 'box'))",
    ),
)
_TASK_COLUMNS = (
    sa.Column("billed_entities", sa.Integer(), server_default="0", nullable=False),
    sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column("keep_days", sa.Integer(), nullable=True),
    sa.Column("source_place", sa.String(length=300), server_default="", nullable=False),
    sa.Column("source_sealed", sa.LargeBinary(), nullable=True),
    sa.Column("vault", sa.String(length=80), server_default="", nullable=False),
    sa.Column("vault_sealed", sa.LargeBinary(), nullable=True),
    sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
)


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("open_key", sa.String(length=120), nullable=True),
        sa.Column("slot", sa.String(length=120), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("fault", sa.String(length=500), nullable=False),
        sa.Column("made_by", sa.String(length=254), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'canceled')", name=op.f("ck_job_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("open_key", name=op.f("uq_job_open_key")),
        sa.UniqueConstraint("slot", name=op.f("uq_job_slot")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_account_id_id"), ["account_id", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_job_lease_until"),
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.create_index(batch_op.f("ix_job_state_run_at"), ["state", "run_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_task_id"), ["task_id"], unique=False)

    op.create_table(
        "notification_recipient",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=800), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("summary", sa.Boolean(), nullable=False),
        sa.Column("recovery", sa.Boolean(), nullable=False),
        sa.Column("exceptions", sa.Boolean(), nullable=False),
        sa.Column("discovery", sa.Boolean(), nullable=False),
        sa.Column("trials", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_notification_recipient_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_recipient")),
        sa.UniqueConstraint("partner_id", "email_key", name=op.f("uq_notification_recipient_partner_id_email_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notification_settings",
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("frequency", sa.String(), nullable=False),
        sa.Column("exceptions_only", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("radar_enabled", sa.Boolean(), nullable=False),
        sa.Column("radar_address", sa.String(length=254), nullable=False),
        sa.Column("radar_form", sa.String(), nullable=False),
        sa.Column("summarised_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("radar_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("detail IN ('attachment', 'link')", name=op.f("ck_notification_settings_detail_known")),
        sa.CheckConstraint(
            "frequency IN ('daily', 'weekly', 'monthly')", name=op.f("ck_notification_settings_frequency_known")
        ),
        sa.CheckConstraint("radar_form IN ('csv', 'zip')", name=op.f("ck_notification_settings_radar_form_known")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_notification_settings_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_notification_settings")),
    )
    op.create_table(
        "backup_entity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_key", sa.String(length=1000), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("licensed", sa.Boolean(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("last_backup_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('successful', 'partial', 'failed')", name=op.f("ck_backup_entity_outcome_known")
        ),
        sa.CheckConstraint(
            "standing IN ('active', 'inactive', 'archived', 'waiting', 'ignored')",
            name=op.f("ck_backup_entity_standing_known"),
        ),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_backup_entity_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_backup_entity_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["backup_task.id"], name=op.f("fk_backup_entity_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_entity")),
        sa.UniqueConstraint("task_id", "key", name=op.f("uq_backup_entity_task_id_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("backup_entity", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_backup_entity_account_id_task_id_id"), ["account_id", "task_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_backup_entity_task_id_name_key_id"), ["task_id", "name_key", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_backup_entity_task_id_standing_name_key_id"),
            ["task_id", "standing", "name_key", "id"],
            unique=False,
        )

    op.create_table(
        "stored_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("permission", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("path", sa.String(length=80), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_stored_file_partner_id")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_stored_file_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("path", name=op.f("uq_stored_file_path")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("stored_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stored_file_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stored_file_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["portal_user.id"], name=op.f("fk_webhook_created_by_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_webhook_partner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_created_by_id"), ["created_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "idempotency_key",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["api_token.id"], name=op.f("fk_idempotency_key_token_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_idempotency_key")),
    )
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_key_made_at"), ["made_at"], unique=False)

    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("fault", sa.String(length=200), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_delivery_state_known")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_webhook_delivery_next_at"),
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(batch_op.f("ix_webhook_delivery_webhook_id_id"), ["webhook_id", "id"], unique=False)

    op.add_column("backup_run", sa.Column("snapshot", sa.String(length=64), server_default="", nullable=False))
    op.add_column("backup_run", sa.Column("log", sa.Text(), server_default="", nullable=False))
    # As statements: alembic adds a column without its check, and the table must not be made anew (others refer to it).
    for column, kind, check in _CHECKED:
        op.execute(f"ALTER TABLE backup_task ADD COLUMN {column} {kind} CONSTRAINT ck_backup_task_{check}")
    for column in _TASK_COLUMNS:
        op.add_column("backup_task", column.copy())
    op.execute("UPDATE backup_task SET billed_entities = entities")
    op.create_index(
        op.f("ix_backup_task_next_run_at"),
        "backup_task",
        ["next_run_at"],
        sqlite_where=sa.text("next_run_at IS NOT NULL"),
        postgresql_where=sa.text("next_run_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_backup_task_next_run_at"), "backup_task")
    for column in reversed([column.name for column in _TASK_COLUMNS]):
        op.drop_column("backup_task", column)
    for column, _, _ in reversed(_CHECKED):
        op.drop_column("backup_task", column)
    for column in ("log", "snapshot"):
        op.drop_column("backup_run", column)
    for table in (
        "webhook_delivery",
        "idempotency_key",
        "webhook",
        "stored_file",
        "backup_entity",
        "notification_settings",
        "notification_recipient",
        "job",
    ):
        op.drop_table(table)
