"""Second factor, password age, sign-ins in steps, links that are good once."""

import sqlalchemy as sa

from alembic import op

revision = "20261124_second_factor"
down_revision = "20261124_ip"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("partner", sa.Column("password_days", sa.Integer(), nullable=True)),
    ("partner", sa.Column("require_two_factor", sa.Boolean(), nullable=False, server_default=sa.false())),
    ("portal_user", sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True)),
    ("portal_user", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false())),
    ("portal_user", sa.Column("totp_secret", sa.LargeBinary(), nullable=True)),
    ("portal_user", sa.Column("totp_enabled_at", sa.DateTime(timezone=True), nullable=True)),
    ("portal_user", sa.Column("totp_used_step", sa.BigInteger(), nullable=False, server_default="0")),
    ("login_session", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True)),
)


def upgrade() -> None:
    # Added one by one: a batch would make the parent tables anew.
    for table, column in _COLUMNS:
        op.add_column(table, column)
    op.create_table(
        "pending_sign_in",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("second_factor_done", sa.Boolean(), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        _of_user("pending_sign_in"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_pending_sign_in")),
    )
    op.create_index(op.f("ix_pending_sign_in_user_id"), "pending_sign_in", ["user_id"])
    op.create_index(op.f("ix_pending_sign_in_ends_at"), "pending_sign_in", ["ends_at"])
    op.create_table(
        "one_time_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('invitation', 'reset')", name=op.f("ck_one_time_link_kind_known")),
        _of_user("one_time_link"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_link")),
    )
    op.create_index(op.f("ix_one_time_link_user_id"), "one_time_link", ["user_id"])
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        _of_user("recovery_code"),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_code")),
    )


def downgrade() -> None:
    for table in ("recovery_code", "one_time_link", "pending_sign_in"):
        op.drop_table(table)
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, str(column.name))


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id")
    return sa.ForeignKeyConstraint(["user_id"], ["portal_user.id"], name=name, ondelete="CASCADE")
