"""Trusted IP addresses; a partner's contact data; who made an API token."""

import sqlalchemy as sa

from alembic import op

revision = "20261124_ip"
down_revision = "20261123c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trusted_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=120), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_trusted_address_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trusted_address")),
    )
    op.create_index(op.f("ix_trusted_address_partner_id"), "trusted_address", ["partner_id"])
    op.create_table(
        "trusted_span",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("first", sa.LargeBinary(), nullable=False),
        sa.Column("last", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["trusted_address.id"], name=op.f("fk_trusted_span_entry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_trusted_span_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trusted_span")),
    )
    op.create_index(op.f("ix_trusted_span_entry_id"), "trusted_span", ["entry_id"])
    op.create_index(op.f("ix_trusted_span_partner_id_first_last"), "trusted_span", ["partner_id", "first", "last"])
    # Plain columns: tables that others refer to are not made anew.
    for name, length in (("email", 254), ("address", 500), ("phone", 40)):
        op.add_column("partner", sa.Column(name, sa.String(length), nullable=False, server_default=""))
    op.add_column("partner", sa.Column("ip_restricted", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Nothing refers to this one: SQLite may make it anew, which the reference needs.
    with op.batch_alter_table("api_token") as batch_op:
        batch_op.add_column(sa.Column("created_by_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_api_token_created_by_id"), "portal_user", ["created_by_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_index(op.f("ix_api_token_created_by_id"), ["created_by_id"])


def downgrade() -> None:
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_api_token_created_by_id"))
        batch_op.drop_column("created_by_id")
    for name in ("ip_restricted", "phone", "address", "email"):
        op.drop_column("partner", name)
    op.drop_table("trusted_span")
    op.drop_table("trusted_address")
